//! The text of a file: its encoding, and the lines of it that match.
use std::time::Instant;

use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};

use crate::error::{Error, Result};

/// Memory of one compiled pattern, and of the automaton made of it on the way.
const PATTERN_AT_MOST: usize = 1 << 20;
const NESTED_AT_MOST: u32 = 50;
const LONGEST_PATTERN: usize = 1_000;
/// The text is searched in pieces of about this size, and the time is looked at between them.
const PIECE: usize = 16 << 10;
/// Of a longer line only the beginning is searched.
pub const LINE_AT_MOST: usize = 64 << 10;
const SHOWN_AT_MOST: usize = 300;
const SHOWN_BEFORE: usize = 80;
const TESTED: usize = 8_000;

/// A line to show: number from 1, whether it matches (or is only near one that does), its text, cut around the match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub number: u64,
    pub hit: bool,
    pub text: Vec<u8>,
}

/// A regular expression over single lines. It runs in linear time, whatever it is.
pub fn matcher(pattern: &str, ignore_case: bool, literal: bool) -> Result<RegexMatcher> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(Error::Invalid(format!("a pattern has at most {LONGEST_PATTERN} bytes")));
    }
    let built = RegexMatcherBuilder::new()
        .multi_line(true)
        .case_insensitive(ignore_case)
        .fixed_strings(literal)
        .size_limit(PATTERN_AT_MOST)
        .dfa_size_limit(PATTERN_AT_MOST)
        .nest_limit(NESTED_AT_MOST)
        .line_terminator(Some(b'\n'))
        .build(pattern);
    built.map_err(|error| Error::Invalid(format!("the pattern cannot be used: {error}")))
}

/// The bytes as UTF-8, decoded if they begin with a mark of UTF-16. None for what is no text.
pub fn decoded(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let from: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => {
            let is_text = memchr::memchr(0, &bytes[..bytes.len().min(TESTED)]).is_none();
            return is_text.then_some(bytes);
        }
    };
    let units = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.into_bytes())
}

/// What one text holds: the lines to show, how many lines match, and how many lines were too long to be searched to
/// their end.
#[derive(Default)]
pub struct Matched {
    pub lines: Vec<Line>,
    pub hits: usize,
    pub cut: usize,
}

/// Whether any line matches. None: the time is over.
pub fn any(matcher: &RegexMatcher, text: &[u8], until: Instant) -> Option<bool> {
    let mut at = 0;
    while at < text.len() {
        let end = piece_end(text, at);
        if matcher.is_match(&text[at..end.min(at + LINE_AT_MOST)]).unwrap_or(false) {
            return Some(true);
        }
        if Instant::now() >= until {
            return None;
        }
        at = end;
    }
    Some(false)
}

/// The lines that match, with so many lines before and after each, and at most so many hits (`asked`; None: only
/// counted). None: the time is over.
pub fn matched(
    matcher: &RegexMatcher,
    text: &[u8],
    asked: Option<((usize, usize), usize)>,
    until: Instant,
) -> Option<Matched> {
    let (around, most) = asked.unwrap_or(((0, 0), usize::MAX));
    let mut found = Matched::default();
    // Where the next line that is not shown yet begins, and its number.
    let (mut open, mut number) = (0, 1_u64);
    let mut at = 0;
    while at < text.len() && found.hits < most {
        let end = piece_end(text, at);
        let searched = end.min(at + LINE_AT_MOST);
        found.cut += usize::from(searched < end);
        let mut from = at;
        while from < searched {
            let Some(hit) = matcher.find_at(&text[at..searched], from - at).ok().flatten() else { break };
            let place = at + hit.start();
            if place >= text.len() {
                break; // an empty match behind the last line end
            }
            let (start, stop) = line_of(text, place);
            found.hits += 1;
            let first = before(text, start, around.0, open);
            number += memchr::memchr_iter(b'\n', &text[open..first]).count() as u64;
            let mut line = first;
            while line < start {
                let next = line_of(text, line).1;
                found.lines.push(Line { number, hit: false, text: shown(&text[line..next], 0) });
                (line, number) = (next, number + 1);
            }
            if asked.is_some() {
                found.lines.push(Line { number, hit: true, text: shown(&text[start..stop], place - start) });
            }
            number += 1;
            let mut close = stop;
            let next_hit = |from: usize| matcher.is_match(&text[from..line_of(text, from).1.min(from + LINE_AT_MOST)]);
            for _ in 0..around.1 {
                if close >= text.len() || next_hit(close).unwrap_or(false) {
                    break;
                }
                let next = line_of(text, close).1;
                found.lines.push(Line { number, hit: false, text: shown(&text[close..next], 0) });
                (close, number) = (next, number + 1);
            }
            open = close;
            from = stop;
            if found.hits >= most || Instant::now() >= until {
                break;
            }
        }
        if Instant::now() >= until {
            return None;
        }
        at = end;
    }
    Some(found)
}

/// The end of the piece that begins at `at`: that of a line.
fn piece_end(text: &[u8], at: usize) -> usize {
    let least = (at + PIECE).min(text.len());
    memchr::memchr(b'\n', &text[least..]).map_or(text.len(), |line| least + line + 1)
}

/// The line that `at` lies in, with its end.
fn line_of(text: &[u8], at: usize) -> (usize, usize) {
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
    (start, memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1))
}

/// The start of the line `lines` lines before the one at `start`, not before `open`.
fn before(text: &[u8], start: usize, lines: usize, open: usize) -> usize {
    let mut at = start;
    for _ in 0..lines {
        if at <= open {
            break;
        }
        at = line_of(text, at - 1).0;
    }
    at.max(open)
}

/// A line without its end, cut to what is near the match.
fn shown(line: &[u8], hit: usize) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() <= SHOWN_AT_MOST {
        return line.to_vec();
    }
    let middle = |at: usize| line.get(at).is_some_and(|byte| *byte & 0xc0 == 0x80);
    let mut start = hit.saturating_sub(SHOWN_BEFORE).min(line.len() - SHOWN_AT_MOST);
    let mut end = start + SHOWN_AT_MOST;
    while middle(start) {
        start -= 1;
    }
    while middle(end) {
        end -= 1;
    }
    let sign = |cut: bool| if cut { "…".as_bytes() } else { b"" };
    [sign(start > 0), &line[start..end], sign(end < line.len())].concat()
}
