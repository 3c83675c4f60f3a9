//! Private keys: blocks from BEGIN to END; without an END (a truncated text) as far as the body looks like a key.
use memchr::memmem;

use crate::found::{Match, Purpose};
use crate::table::Confidence;
use crate::value::is_example;

const BEGIN: &[u8] = b"-----BEGIN ";
const LONGEST: usize = 1 << 16;
const LABEL: usize = 64;

/// The end of the line `-----BEGIN … PRIVATE KEY…-----` that starts at `at`.
fn header_end(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(word)?;
    let label = &rest[..rest.len().min(LABEL)];
    let end = memmem::find(label, b"-----")?;
    let name = &label[..end];
    let is_label = name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ');
    let is_key = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    (is_label && is_key).then_some(at + word.len() + end + 5)
}

/// How far the text after a header looks like the body of a key: long runs of base64, joined by white space, by escaped
/// line ends and, in code, by the quotes and signs between the parts of a string.
fn body_end(text: &[u8], mut at: usize) -> usize {
    loop {
        let mut next = at;
        while let Some(b) = text.get(next) {
            let escaped = *b == b'\\' && matches!(text.get(next + 1), Some(b'n' | b'r'));
            next += match b {
                _ if escaped => 2,
                b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'+' | b'\\' | b'#' | b'*' | b'>' | b'|'
                    if next - at < 64 =>
                {
                    1
                }
                _ => break,
            };
        }
        let run = text[next..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).count();
        if run < 16 {
            return at;
        }
        at = next + run;
    }
}

pub struct Blocks {
    last: usize,
    /// Where to look for the next END: everything before has been looked at.
    ends: Option<(usize, usize)>,
    searched: usize,
}

impl Blocks {
    pub fn new() -> Self {
        Self { last: 0, ends: None, searched: 0 }
    }

    /// The next END at or behind `at`. Each byte is searched once.
    fn end_behind(&mut self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        while self.ends.is_none_or(|(start, _)| start < at) {
            if self.searched >= text.len() {
                return None;
            }
            let from = self.searched;
            let Some(found) = memmem::find(&text[from..], b"-----END ") else {
                self.searched = text.len();
                return None;
            };
            self.searched = from + found + 1;
            self.ends = header_end(text, from + found, b"-----END ").map(|end| (from + found, end)).or(self.ends);
        }
        self.ends
    }

    /// The private key that begins at a hit of the prefilter.
    pub fn at(&mut self, text: &[u8], at: usize, purpose: Purpose, out: &mut Vec<Match>) {
        if at < self.last {
            return;
        }
        let Some(header) = header_end(text, at, BEGIN) else { return };
        let mut stop = body_end(text, header).max(header);
        if let Some((start, end)) = self.end_behind(text, header) {
            if start - header <= LONGEST {
                stop = end;
            }
        }
        self.last = stop;
        let inside = &text[header..stop];
        let live = inside.len() >= 64 && !is_example(&inside[..40]) && body_end(text, header) > header;
        if purpose == Purpose::Redact || live {
            out.push(Match {
                kind: "private-key",
                start: at,
                end: stop,
                confidence: Confidence::High,
                rank: usize::MAX,
            });
        }
    }
}
