//! Texts without their credential-like values.
use std::sync::OnceLock;

use memchr::memmem;
use regex::bytes::Regex;

use crate::engine::{find, mark_end};
use crate::found::{Match, Purpose};
use crate::value::{is_inert, BLANK};

const ROUNDS: usize = 8;

/// The text with each credential-like value replaced by `[redacted <kind>]`, None if there is none; [`find`] finds
/// nothing in it.
///
/// A replacement can make the text around it match, so the rest is searched again, a few times at most; a text that
/// still shows a new value after that is redacted whole.
pub fn redact(text: &[u8]) -> Option<Vec<u8>> {
    redact_by(text, &|text| find(text, Purpose::Redact), false)
}

/// The same, with as many lines as before: the line ends within a value stand behind its mark.
pub fn redact_lines(text: &[u8]) -> Option<Vec<u8>> {
    redact_by(text, &|text| find(text, Purpose::Redact), true)
}

fn redact_by(text: &[u8], find: &dyn Fn(&[u8]) -> Vec<Match>, lines: bool) -> Option<Vec<u8>> {
    let mut clean: Option<Vec<u8>> = None;
    for _ in 0..=ROUNDS {
        let now = clean.as_deref().unwrap_or(text);
        let found = find(now);
        if found.is_empty() {
            return clean;
        }
        clean = Some(without(now, &found, lines));
    }
    Some(b"[redacted text]".to_vec())
}

fn without(text: &[u8], found: &[Match], lines: bool) -> Vec<u8> {
    let (mut out, mut last) = (Vec::with_capacity(text.len()), 0);
    for m in found {
        out.extend_from_slice(&text[last..m.start]);
        out.extend_from_slice(b"[redacted ");
        out.extend_from_slice(m.kind.as_bytes());
        out.push(b']');
        if lines {
            out.extend(text[m.start..m.end].iter().filter(|b| **b == b'\n'));
        }
        last = m.end;
    }
    out.extend_from_slice(&text[last..]);
    out
}

fn pattern(cell: &'static OnceLock<Regex>, text: &str) -> &'static Regex {
    cell.get_or_init(|| regex::bytes::RegexBuilder::new(text).unicode(false).build().expect("a constant pattern"))
}

/// Whether the word after this option is a secret: `--db-password`, `-u`.
fn names_secret(word: &[u8]) -> bool {
    static OPTION: OnceLock<Regex> = OnceLock::new();
    pattern(
        &OPTION,
        r"(?i)\A(?:--?(?:[a-z0-9]{1,16}-){0,3}(?:pass(?:word|wd|phrase|wort|code)?|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key|auth[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key|private[_-]?key|master[_-]?key)|-u|--user)\z",
    )
    .is_match(word)
}

fn is_option(word: &[u8]) -> bool {
    static OPTION: OnceLock<Regex> = OnceLock::new();
    pattern(&OPTION, r"(?s)\A--?[A-Za-z][\w-]*(?:=.*)?\z").is_match(word)
}

/// Each word redacted. The word after an option that names a secret is redacted as well, however short or ordinary it
/// is: `--token`, `…`.
pub fn redact_command(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::with_capacity(words.len());
    for word in words {
        let text = redact(word).unwrap_or_else(|| word.to_vec());
        let named = out.last().is_some_and(|last| names_secret(last));
        let login = named && matches!(out.last().map(Vec::as_slice), Some(b"-u" | b"--user"));
        let colon = if login { text.iter().position(|b| *b == b':') } else { None };
        let (before, value) = match (login, colon) {
            (true, Some(at)) => text.split_at(at + 1),
            (true, None) => (&text[..], &text[..0]),
            (false, _) => (&text[..0], if named { &text[..] } else { &text[..0] }),
        };
        let number = colon.is_some() && value.iter().all(u8::is_ascii_digit);
        if is_inert(&unmarked(value)) || is_option(&text) || number {
            out.push(text);
        } else {
            let joined = [before, b"[redacted credential]"].concat();
            out.push(redact(&joined).unwrap_or(joined));
        }
    }
    out
}

fn unmarked(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    for at in memmem::find_iter(text, b"[redacted ") {
        if let Some(end) = mark_end(text, at) {
            out[at..end].fill(BLANK);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Confidence;

    /// No such text is known: each cut of this search uncovers the next word.
    #[test]
    fn a_text_that_shows_a_new_value_after_each_cut_is_cut_whole() {
        let last_word = |text: &[u8]| {
            let end = text.iter().rposition(|b| *b != b']' && *b != b' ').map_or(0, |i| i + 1);
            vec![Match { kind: "x", start: 0, end: end.min(1), confidence: Confidence::Low, rank: usize::MAX }]
        };
        assert_eq!(redact_by(b"one two", &last_word, false).unwrap(), b"[redacted text]");
    }

    #[test]
    fn a_value_of_several_lines_leaves_as_many() {
        let body = "MIIEpAIBAAKCAQEA7x9fQ2vLk8sT1mWc4uYbN6hJ3gR5dPzXoKqVtEaIyUwSnCrM\n".repeat(5);
        let key = ["-----BEGIN RSA ", "PRIVATE KEY-----\n", &body, "-----END RSA ", "PRIVATE KEY-----"].concat();
        let text = format!("one\n{key}\nlast\n");
        let clean = redact_lines(text.as_bytes()).unwrap();
        assert!(!clean.windows(8).any(|w| w == b"MIIEpAIB"));
        let count = |text: &[u8]| text.iter().filter(|b| **b == b'\n').count();
        assert_eq!(count(&clean), count(text.as_bytes()));
        assert!(count(&redact(text.as_bytes()).unwrap()) < count(&clean));
    }

    /// Any text may end within a string of JSON within JSON, for it is cut where it is too long.
    #[test]
    fn a_text_that_ends_anywhere_is_redacted() {
        let text = b"{\"a\": \"password=\\\"Xq7u8jzPde0I!k2\\\", \\\"b\\\": q{x} [[y]] 'z\\";
        for end in 0..=text.len() {
            for behind in [&b""[..], b"\\", b"\\\\", b"\"", b"'"] {
                let _ = redact(&[&text[..end], behind].concat());
            }
        }
    }
}
