//! Values given to secret-named keys: `password = "…"`, `API_KEY=…`, `<token>…</token>`, `getenv("SECRET", "…")`.
use crate::found::{Context, Match, Purpose};
use crate::judge::{given, Given, Quoting};
use crate::names::{is_counting, is_redacted, is_short_password, role, Role};
use crate::reading::{read, Value};
use crate::table::{table, Confidence, Place, Reading};
use crate::value::{is_inert, is_prose};
use crate::words::{is_random, wordiness};

const NAME: usize = 64;
const BEFORE: usize = 64;
const AFTER: usize = 320;
const SHORTEST: usize = 4;
/// A longer value is no password; it is redacted whatever it is, and what is in it is not looked at again.
const LONG: usize = 2048;

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

/// Looks at each name once, however many hints it holds.
pub struct Names {
    end: usize,
}

fn redacting(context: &Context) -> bool {
    context.purpose == Purpose::Redact
}

struct Name<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
    role: Option<Role>,
}

/// Whether the name is the last word of `API key`.
fn is_spoken_key(text: &[u8], start: usize, end: usize) -> bool {
    text[start..end].eq_ignore_ascii_case(b"key")
        && [&b"api "[..], b"access ", b"secret "]
            .iter()
            .any(|word| start >= word.len() && text[start - word.len()..start].eq_ignore_ascii_case(word))
}

impl Names {
    pub fn new() -> Self {
        Self { end: 0 }
    }

    /// The values of the name around a hit of the prefilter.
    pub fn at(&mut self, text: &[u8], hit: (usize, usize), context: &Context, out: &mut Vec<Match>) {
        if hit.0 < self.end {
            return;
        }
        let mut start =
            hit.0 - text[hit.0.saturating_sub(NAME)..hit.0].iter().rev().take_while(|b| is_name(**b)).count();
        let end = hit.1 + text[hit.1..].iter().take(NAME).take_while(|b| is_name(**b)).count();
        self.end = end;
        let Some(next) = text.get(end) else { return };
        let mut places = table().firsts[usize::from(*next)];
        if places == 0 {
            return;
        }
        while start < end && text[start] == b'-' {
            start += 1;
        }
        if start > 0 && text[start - 1] == b'\\' && matches!(text[start], b'n' | b't' | b'r') {
            start += 1; // The escape of a line end is not part of the name.
        }
        let spoken = is_spoken_key(text, start, end);
        let role = if spoken { Some(Role::Secret) } else { role(&text[start..end]) };
        let name = Name { text, start, end, role };
        let redacting = redacting(context);
        if name.role.is_none() && !(redacting && is_redacted(&text[start..end])) {
            return;
        }
        while places != 0 {
            let place = &table().places[places.trailing_zeros() as usize];
            places &= places - 1;
            let (found, past) = name.value_in(place, context);
            self.end = self.end.max(past);
            if let Some(found) = found {
                out.push(found);
                if !redacting {
                    return;
                }
            }
        }
    }
}

impl Name<'_> {
    /// The value in a place, and up to where no further name needs to be looked at: a value longer than `LONG` is
    /// read once. A name at its end may have a value behind it.
    fn value_in(&self, place: &Place, context: &Context) -> (Option<Match>, usize) {
        let Some((value, gap)) = self.value_at(place) else { return (None, 0) };
        if value.end - value.start > LONG {
            let found = Match {
                kind: "credential",
                start: value.start,
                end: value.end,
                confidence: Confidence::Low,
                rank: usize::MAX,
            };
            return (redacting(context).then_some(found), value.end - 2 * NAME);
        }
        (self.judged(&value, gap, place, context), 0)
    }

    fn value_at(&self, place: &Place) -> Option<(Value, &[u8])> {
        let text = self.text;
        let (after, before) = place.regexes();
        let gap = after.find(&text[self.end..text.len().min(self.end + AFTER)])?.end();
        if let Some(before) = before {
            if !before.is_match(&text[self.start.saturating_sub(BEFORE)..self.start]) {
                return None;
            }
        }
        let at = self.end + gap;
        let gap = &text[self.end..at];
        let whole = gap == b"=" && !self.is_linked() && !text[self.start..self.end].iter().any(u8::is_ascii_lowercase);
        Some((read(text, at, place.reading, whole, self.is_linked())?, gap))
    }

    /// Whether it is a part of a connection string, in which a semicolon ends a value.
    fn is_linked(&self) -> bool {
        self.start > 0 && self.text[self.start - 1] == b';'
    }

    fn judged(&self, value: &Value, gap: &[u8], place: &Place, context: &Context) -> Option<Match> {
        let bytes = value.bytes(self.text);
        if bytes.len() < SHORTEST || is_inert(&bytes) || (place.settings && !redacting(context) && !context.settings) {
            return None;
        }
        let sure = self.live(value, gap, place, context);
        let redact = redacting(context) && self.is_cut(value, gap, place);
        if sure.is_none() && !redact {
            return None;
        }
        let confidence = sure.unwrap_or(Confidence::Low).min(place.confidence);
        if context.purpose == Purpose::Detect && confidence == Confidence::Low {
            return None;
        }
        Some(Match { kind: "credential", start: value.start, end: value.end, confidence, rank: usize::MAX })
    }

    fn live(&self, value: &Value, gap: &[u8], place: &Place, context: &Context) -> Option<Confidence> {
        if self.is_outcome(value, gap, context) {
            return None;
        }
        given(&Given {
            role: self.role?,
            value: &value.bytes(self.text),
            quoting: value.quoting,
            reading: place.reading,
            spaced: gap.trim_ascii() != gap && !gap.contains(&b':'),
            colon: gap.contains(&b':'),
            next: self.text.get(value.end).copied(),
            linked: self.is_linked(),
            settings: context.settings,
            wrapped: value.wrapped,
        })
    }

    /// Whether the name is the word that a test passed, and the value the name of that test: `--- PASS: TestV2_Key12
    /// (0.01s)`, `PASS: lib/sha256-v2.sh 3 - HKDF`. A password stands there too, in settings and notes: `pass: Xq7…!k2`.
    fn is_outcome(&self, value: &Value, gap: &[u8], context: &Context) -> bool {
        let name = &self.text[self.start..self.end];
        let bytes = &self.text[value.start..value.end];
        if !name.eq_ignore_ascii_case(b"pass") || value.quoting != Quoting::Bare || !gap.starts_with(b":") {
            return false;
        }
        let before = &self.text[self.start.saturating_sub(BEFORE)..self.start];
        let line = before.iter().rposition(|b| *b == b'\n').map_or(before, |at| &before[at + 1..]).trim_ascii();
        let marked = !line.is_empty() && line.iter().all(|b| b"-=#*>[".contains(b));
        let named = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"_./:#-,+@".contains(b)) && !is_random(bytes);
        let spoken = wordiness(bytes);
        if marked && line != b"-" && line != b"#" {
            return true;
        }
        let shouted = line.is_empty() && name == b"PASS" && named && spoken > 0.4;
        shouted || is_duration(&self.text[value.end..]) || (!context.settings && spoken > 0.5)
    }

    /// Whether the value is redacted though it is not reported. Prose is common after a colon and a space, so there it
    /// must look less like a word.
    fn is_cut(&self, value: &Value, gap: &[u8], place: &Place) -> bool {
        let bytes = &self.text[value.start..value.end];
        let name = &self.text[self.start..self.end];
        if value.wrapped || place.settings || self.role == Some(Role::Key) {
            return false;
        }
        let alone = is_short_password(name) && !name.iter().any(|b| b"_-".contains(b)) && name.len() <= 5;
        if alone && !is_redacted(name) {
            let dotted = self.start > 0 && self.text[self.start - 1] == b'.';
            let assigned = gap.contains(&b'=') && !gap.windows(2).any(|w| w == b"==");
            if !(dotted || assigned || value.quoting != Quoting::Bare) {
                return false;
            }
        }
        if is_counting(name) && bytes.iter().all(u8::is_ascii_digit) {
            return false;
        }
        if value.quoting != Quoting::Bare || gap.contains(&b'=') {
            return place.reading != Reading::Quoted || !is_prose(bytes) || !place.name.starts_with("spoken");
        }
        bytes.len() >= 6 && !is_prose(bytes)
    }
}

/// Whether a text begins with how long a test took: ` (0.00s)`, ` 12 ms`.
fn is_duration(text: &[u8]) -> bool {
    let rest = text[..text.len().min(24)].trim_ascii_start();
    let rest = rest.strip_prefix(b"(").or(rest.strip_prefix(b"[")).unwrap_or(rest);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let unit = rest[digits..].trim_ascii_start();
    digits > 0
        && (unit.starts_with(b"s)") || unit.starts_with(b"ms") || unit.starts_with(b"s]") || unit.starts_with(b"sec"))
}
