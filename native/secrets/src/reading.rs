//! Where a value behind a secret-named key begins and ends: quoted in the ways of many languages, or bare.
use std::borrow::Cow;

use crate::judge::Quoting;
use crate::table::Reading;

/// How far the text of an element is read.
const ELEMENT: usize = 4096;
/// So many brackets and blanks may stand before a quote.
const OPENED: usize = 48;
/// A string may be written in so many parts.
const PARTS: usize = 16;

/// Where a value stands. `parts`: the text of a string that is written in several parts, each with its own quotes.
pub struct Value {
    pub start: usize,
    pub end: usize,
    pub quoting: Quoting,
    /// It is given to a function, or stands in a list.
    pub wrapped: bool,
    parts: Option<Vec<u8>>,
}

impl Value {
    fn plain(start: usize, end: usize, quoting: Quoting) -> Self {
        Self { start, end, quoting, wrapped: false, parts: None }
    }

    /// The value itself, without what joins its parts.
    pub fn bytes<'a>(&'a self, text: &'a [u8]) -> Cow<'a, [u8]> {
        match &self.parts {
            Some(joined) => Cow::Borrowed(joined),
            None => Cow::Borrowed(&text[self.start..self.end]),
        }
    }
}

/// The value at `at`. `whole`: it is given to a variable of a shell, which only a blank or a quote ends; `linked`: it is
/// a part of a connection string.
pub fn read(text: &[u8], at: usize, reading: Reading, whole: bool, linked: bool) -> Option<Value> {
    let until = |stop: &dyn Fn(u8) -> bool| {
        let end = text[at..].iter().position(|b| stop(*b)).map_or(text.len(), |n| at + n);
        Some(Value::plain(at, end, Quoting::Delimited))
    };
    match reading {
        Reading::Any => quoted(text, at).or_else(|| Some(bare(text, at, whole))),
        Reading::Quoted => quoted(text, at),
        Reading::Bare => Some(bare(text, at, whole)),
        Reading::Text => {
            let window = &text[..text.len().min(at + ELEMENT)];
            let end = window[at..].iter().position(|b| b"<]".contains(b)).map_or(window.len(), |n| at + n);
            let closed = text[end..].starts_with(b"</") || text[end..].starts_with(b"]]>");
            let end = at + text[at..end].trim_ascii_end().len();
            closed.then(|| Value::plain(at, end, Quoting::Delimited))
        }
        Reading::Query => {
            let ends = |b: u8| b.is_ascii_whitespace() || b"&#\"'<>`\\)]}".contains(&b) || (linked && b == b';');
            until(&ends)
        }
        Reading::Segment => until(&|b| b";\"'\n<".contains(&b)),
        Reading::Braced => until(&|b| b"}\n\"'".contains(&b)),
    }
}

/// A value without quotes, maybe behind a tag or an anchor of YAML.
fn bare(text: &[u8], at: usize, whole: bool) -> Value {
    let marked = matches!(text.get(at), Some(b'!' | b'&'));
    let mark = text[at..].iter().take(OPENED).take_while(|b| b.is_ascii_alphanumeric() || b"!&_-:/.".contains(b));
    let mark = if marked { mark.count() } else { 0 };
    let at = if mark > 1 && text.get(at + mark) == Some(&b' ') { at + mark + 1 } else { at };
    let ends = |b: u8| b.is_ascii_whitespace() || b"\"'`\\".contains(&b) || (!whole && b",;()<>{}[]|".contains(&b));
    let end = text[at..].iter().position(|b| ends(*b)).map_or(text.len(), |n| at + n);
    Value::plain(at, end, Quoting::Bare)
}

/// How a string is closed.
enum Close {
    Quote {
        with: u8,
        escaped: bool,
    },
    /// `]==]` of Lua: two brackets with so many signs between them.
    Long(usize),
    /// `q{…}` of Perl, `%q(…)` of Ruby.
    Bracket(u8),
}

/// A quoted value at `at`, maybe within brackets (`(\n "…"`, `{"…"}`), with a prefix (`b"…"`, `r#"…"#`), or inside a
/// call (`String::from("…")`). Without a closing quote it ends with its line.
fn quoted(text: &[u8], at: usize) -> Option<Value> {
    let inside = opened(text, at);
    let listed = text[at..inside].iter().any(|b| b"[{".contains(b));
    if let Some(opening) = prefixed(text, at).or_else(|| prefixed(text, inside)) {
        return Some(string(text, opening, listed, text[at..inside].contains(&b'(')));
    }
    let mut at = inside;
    for _ in 0..2 {
        at = called(text, at)?;
        if let Some(opening) = prefixed(text, at) {
            return Some(string(text, opening, true, true));
        }
    }
    None
}

/// The string that begins at `start`, with the parts that follow it: in brackets, or behind a sign that joins them.
fn string(text: &[u8], (start, close): (usize, Close), wrapped: bool, bracketed: bool) -> Value {
    let mut end = string_end(text, start, &close);
    let mut value = Value { start, end, quoting: Quoting::Quoted, wrapped, parts: None };
    for _ in 0..PARTS {
        let Some((next, closing)) = next_part(text, end, &close, bracketed) else { break };
        let parts = value.parts.get_or_insert_with(|| text[start..end].to_vec());
        end = string_end(text, next, &closing);
        parts.extend_from_slice(&text[next..end]);
        value.end = end;
    }
    value
}

/// Where the next part of a string begins behind one that ends at `end`.
fn next_part(text: &[u8], end: usize, close: &Close, bracketed: bool) -> Option<(usize, Close)> {
    let Close::Quote { with, escaped: false } = close else { return None };
    if text.get(end) != Some(with) {
        return None;
    }
    let gap = text[end + 1..].iter().take(OPENED).take_while(|b| b" \t\r\n+.\\&_".contains(b)).count();
    let between = &text[end + 1..end + 1 + gap];
    let joined = bracketed || between.iter().any(|b| b"+.\\&".contains(b)) || !between.contains(&b'\n');
    if gap == 0 || !joined {
        return None;
    }
    prefixed(text, end + 1 + gap).filter(|(_, closing)| matches!(closing, Close::Quote { escaped: false, .. }))
}

fn string_end(text: &[u8], start: usize, close: &Close) -> usize {
    let mut end = start;
    while let Some(b) = text.get(end) {
        match (b, close) {
            (b'\n', _) => break,
            (b']', Close::Long(signs)) => {
                let behind = &text[end + 1..text.len().min(end + 1 + signs)];
                if behind.iter().all(|b| *b == b'=') && text.get(end + 1 + signs) == Some(&b']') {
                    break;
                }
                end += 1;
            }
            (b, Close::Bracket(with)) if b == with => break,
            (b'\\', Close::Quote { with, escaped: true }) => {
                if text.get(end + 1) == Some(with) {
                    break;
                }
                end = (end + 2).min(text.len());
            }
            (b'\\', Close::Quote { .. }) => end = (end + 2).min(text.len()),
            (b, Close::Quote { with, .. }) if b == with => break,
            _ => end += 1,
        }
    }
    end
}

/// Where brackets and blanks before a string end: `(`, `{ [`, a line's end with the next line's indentation.
fn opened(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(b) = text.get(end).filter(|_| end < at + OPENED) {
        let step = match b {
            b'(' | b'{' | b'[' | b' ' | b'\t' | b'\r' => 1,
            b'\\' if text[end + 1..].starts_with(b"\n") => 1,
            b'\n' if matches!(text.get(end + 1), Some(b' ' | b'\t')) => 1,
            b'<' if text[end..].starts_with(b"<<\"") => 2,
            _ => break,
        };
        end += step;
    }
    end
}

/// The string that opens at `at`, behind at most three letters or signs of a prefix: where it begins, and its end.
fn prefixed(text: &[u8], at: usize) -> Option<(usize, Close)> {
    let rest = &text[at.min(text.len())..];
    let signs = rest.iter().skip(1).take_while(|b| **b == b'=').count();
    if rest.first() == Some(&b'[') && signs < 8 && rest.get(1 + signs) == Some(&b'[') {
        return Some((at + 2 + signs, Close::Long(signs)));
    }
    for mark in [&b"%q"[..], b"%Q", b"qq", b"q"] {
        if let Some(open) = rest.strip_prefix(mark).and_then(|r| r.first()) {
            if let Some(n) = b"({[<|".iter().position(|b| b == open) {
                return Some((at + mark.len() + 1, Close::Bracket(b")}]>|"[n])));
            }
        }
    }
    for (n, b) in rest.iter().take(4).enumerate() {
        match b {
            b'"' | b'\'' | b'`' => return Some((within(text, at + n, *b), Close::Quote { with: *b, escaped: false })),
            b'\\' => {
                let with = *rest.get(n + 1).filter(|b| b"\"'".contains(b))?;
                return Some((at + n + 2, Close::Quote { with, escaped: true }));
            }
            b if b"rbufRBUF@$#".contains(b) => {}
            _ => return None,
        }
    }
    None
}

/// Where the text of a string begins whose first quote is at `at`: behind three quotes and the line's end after them.
fn within(text: &[u8], at: usize, quote: u8) -> usize {
    let three = text[at + 1..].starts_with(&[quote, quote]);
    if !three {
        return at + 1;
    }
    let rest = &text[at + 3..];
    let line = rest.strip_prefix(b"\\").unwrap_or(rest);
    let line = line.strip_prefix(b"\n").map_or(rest, |next| next.trim_ascii_start());
    text.len() - line.len()
}

/// Where the argument of a call at `at` begins: behind `String::from(`, `new Secret(`, `Field(default=`.
fn called(text: &[u8], at: usize) -> Option<usize> {
    let mut i = at;
    if text[at..].starts_with(b"new ") {
        i += 4;
    }
    let name = text[i..].iter().take(48).take_while(|b| b.is_ascii_alphanumeric() || b"_.:".contains(b)).count();
    if name == 0 || text.get(i + name) != Some(&b'(') {
        return None;
    }
    i += name + 1;
    i += text[i..].iter().take(40).take_while(|b| b.is_ascii_whitespace()).count();
    Some(if text[i..].starts_with(b"default=") { i + 8 } else { i })
}
