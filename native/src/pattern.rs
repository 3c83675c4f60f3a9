//! One git wildcard pattern, compiled: `?`, `*`, `**`, `[…]` and `\` as git's wildmatch reads them, on raw
//! bytes.
//!
//! Matching fills, token by token, the set of text places that can be reached, so its cost is bounded by
//! pattern × text. A pattern comes from the watched repository: one that makes a backtracking matcher
//! run for hours must not stop us.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// Any of a set of bytes; `/` is never in it.
    Class(Box<[u64; 4]>),
    /// `*`: any bytes but `/`.
    Star,
    /// `**` that stands as a whole component: any bytes.
    DoubleStar,
    /// `**/`: nothing, or anything that ends in a slash.
    Dirs,
}

/// A pattern, or `None` inside if git would never match it (a broken class, a lone backslash at the end).
#[derive(Clone, Debug)]
pub struct Pattern(Option<Box<[Token]>>);

impl Pattern {
    pub fn new(glob: &[u8]) -> Self {
        Self(compile(glob).map(Vec::into_boxed_slice))
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        let Some(tokens) = &self.0 else { return false };
        // The bytes behind the last wildcard must be the end of the text: the cheapest way to say no.
        let tail = tokens.iter().rev().zip(text.iter().rev());
        for (token, byte) in tail {
            match token {
                Token::Byte(wanted) if wanted != byte => return false,
                Token::Byte(_) => {}
                _ => break,
            }
        }
        let (mut short, mut long) = ([false; 256], Vec::new());
        let reached = if text.len() < short.len() {
            &mut short[..=text.len()]
        } else {
            long.resize(text.len() + 1, false);
            &mut long[..]
        };
        reached[0] = true;
        let mut places = Places { reached, low: 0, high: 0 };
        for token in tokens.iter() {
            if !places.advance(token, text) {
                return false;
            }
        }
        places.reached[text.len()]
    }
}

/// The places of a text that the tokens so far can reach; those outside `low..=high` are all false.
struct Places<'a> {
    reached: &'a mut [bool],
    low: usize,
    high: usize,
}

impl Places<'_> {
    /// Takes one more token; false when no place is left.
    fn advance(&mut self, token: &Token, text: &[u8]) -> bool {
        match token {
            Token::Byte(wanted) => self.step(text, |byte| byte == *wanted),
            Token::Class(set) => self.step(text, |byte| set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1),
            Token::Star => self.spread(text, |byte| byte != b'/'),
            Token::DoubleStar => self.spread(text, |_| true),
            Token::Dirs => {
                for (place, _) in text.iter().enumerate().skip(self.low).filter(|(_, byte)| **byte == b'/') {
                    self.reached[place + 1] = true;
                    self.high = self.high.max(place + 1);
                }
                true
            }
        }
    }

    fn step(&mut self, text: &[u8], accepts: impl Fn(u8) -> bool) -> bool {
        let mut bounds: Option<(usize, usize)> = None;
        let mut carried = false;
        for place in self.low..=self.high {
            let here = self.reached[place];
            self.reached[place] = carried;
            carried = here && place < text.len() && accepts(text[place]);
            if carried {
                bounds = Some((bounds.map_or(place + 1, |found| found.0), place + 1));
            }
        }
        if let Some((first, last)) = bounds {
            self.reached[last] = true;
            (self.low, self.high) = (first, last);
        }
        bounds.is_some()
    }

    fn spread(&mut self, text: &[u8], accepts: impl Fn(u8) -> bool) -> bool {
        for (place, byte) in text.iter().enumerate().skip(self.low) {
            if self.reached[place] && accepts(*byte) {
                self.reached[place + 1] = true;
                self.high = self.high.max(place + 1);
            } else if place >= self.high {
                break;
            }
        }
        true
    }
}

fn compile(glob: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < glob.len() {
        match glob[at] {
            b'\\' => {
                at += 1;
                tokens.push(Token::Byte(*glob.get(at)?));
                at += 1;
            }
            b'?' => {
                tokens.push(class_of(|byte| byte != b'/'));
                at += 1;
            }
            b'*' => {
                let start = at;
                while glob.get(at) == Some(&b'*') {
                    at += 1;
                }
                let rest = &glob[at..];
                let opens = start == 0 || glob[start - 1] == b'/';
                let closes = rest.is_empty() || rest[0] == b'/' || rest.starts_with(b"\\/");
                if at - start < 2 || !opens || !closes {
                    tokens.push(Token::Star);
                } else if rest.first() == Some(&b'/') {
                    tokens.push(Token::Dirs);
                    at += 1;
                } else {
                    tokens.push(Token::DoubleStar);
                }
            }
            b'[' => {
                let (set, next) = class(glob, at + 1)?;
                tokens.push(set);
                at = next;
            }
            byte => {
                tokens.push(Token::Byte(byte));
                at += 1;
            }
        }
    }
    Some(tokens)
}

fn class_of(holds: impl Fn(u8) -> bool) -> Token {
    let mut set = Box::new([0u64; 4]);
    for byte in 0..=255u8 {
        if holds(byte) {
            set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }
    Token::Class(set)
}

/// The class that opens before `at`, and the place behind its `]`. The first byte of a class is a member
/// even if it is `]`; a range needs a member on its left that no range or named class has used up.
fn class(glob: &[u8], mut at: usize) -> Option<(Token, usize)> {
    let negated = matches!(glob.get(at)?, b'!' | b'^');
    at += usize::from(negated);
    let mut members = [false; 256];
    let mut left: Option<u8> = None;
    loop {
        let byte = *glob.get(at)?;
        let opens_range = byte == b'-' && glob.get(at + 1).is_some_and(|next| *next != b']');
        if let (true, Some(first)) = (opens_range, left) {
            at += 1;
            if glob[at] == b'\\' {
                at += 1;
            }
            let last = *glob.get(at)?;
            (first..=last).for_each(|member| members[usize::from(member)] = true);
            left = None;
        } else if byte == b'[' && glob.get(at + 1) == Some(&b':') {
            let close = at + 2 + glob[at + 2..].iter().position(|byte| *byte == b']')?;
            if close > at + 2 && glob[close - 1] == b':' {
                let holds = named(&glob[at + 2..close - 1])?;
                (0..=255u8).filter(|byte| holds(*byte)).for_each(|byte| members[usize::from(byte)] = true);
                at = close;
                left = None;
            } else {
                members[usize::from(b'[')] = true;
                left = Some(b'[');
            }
        } else {
            let member = if byte == b'\\' {
                at += 1;
                *glob.get(at)?
            } else {
                byte
            };
            members[usize::from(member)] = true;
            left = Some(member);
        }
        at += 1;
        if *glob.get(at)? == b']' {
            let set = class_of(|byte| byte != b'/' && members[usize::from(byte)] != negated);
            return Some((set, at + 1));
        }
    }
}

/// git's own tables are ASCII only, and its `space` knows neither vertical tab nor form feed.
fn named(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alnum" => |byte| byte.is_ascii_alphanumeric(),
        b"alpha" => |byte| byte.is_ascii_alphabetic(),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => |byte| byte.is_ascii_control(),
        b"digit" => |byte| byte.is_ascii_digit(),
        b"graph" => |byte| byte.is_ascii_graphic(),
        b"lower" => |byte| byte.is_ascii_lowercase(),
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => |byte| byte.is_ascii_punctuation(),
        b"space" => |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" => |byte| byte.is_ascii_uppercase(),
        b"xdigit" => |byte| byte.is_ascii_hexdigit(),
        _ => return None,
    })
}
