//! Whether a value in a place where a secret may be is one, and how sure that is.
use crate::names::Role;
use crate::table::{Check, Confidence, Reading};
use crate::value::{
    classes, decoded, distinct, entropy, is_base64, is_date, is_example, is_hex, is_ordinary, is_sealed, is_uuid,
    is_words,
};
use crate::words::{is_random, wordiness};

const LOGIN: usize = 256;

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    Quoted,
    Bare,
    /// Delimited by its place: a tag, a part of a query.
    Delimited,
}

/// A value given to a name, with what is known of its place.
pub struct Given<'a> {
    pub role: Role,
    pub value: &'a [u8],
    pub quoting: Quoting,
    pub reading: Reading,
    /// White space stands around the sign before a bare value, as in code.
    pub spaced: bool,
    /// A colon stands before it.
    pub colon: bool,
    /// What follows the value; None at the end of the text.
    pub next: Option<u8>,
    /// The value is a part of a connection string.
    pub linked: bool,
    /// The file holds settings rather than code.
    pub settings: bool,
    /// A function is called on the value.
    pub wrapped: bool,
}

/// Whether a value of a rule is live, that is, not written as an example.
pub fn passes(check: Check, value: &[u8]) -> bool {
    match check {
        Check::Token => !is_example(value) && distinct(value) >= 9,
        Check::Mixed => !is_example(value) && distinct(value) >= 9 && is_mixed(value),
        Check::Digits => {
            let [lower, upper, digits, _] = classes(value);
            !is_example(value) && distinct(value) >= 9 && digits > 0 && lower + upper > 0
        }
        Check::Login => value.len() >= 8 && is_live_mixed(value) && !value.iter().any(|b| b"{}<>$%(".contains(b)),
        Check::Header => value.len() >= 24 && is_live_mixed(value) && entropy(value) >= 3.7 && !is_made_up_login(value),
        Check::Secret => is_live_mixed(value) && value.len() >= 16 && entropy(value) >= 3.3,
        Check::Key => memchr::memmem::find(&decoded(value, 96), b"PRIVATE KEY").is_some() && value.len() >= 120,
    }
}

/// Whether it is the base64 of a `name:password` that is an example: `Aladdin:open sesame`, `username:hunter2`.
fn is_made_up_login(value: &[u8]) -> bool {
    let value = value.strip_suffix(b"=").unwrap_or(value);
    let value = value.strip_suffix(b"=").unwrap_or(value);
    let plain = decoded(value, LOGIN);
    let whole = plain.len() >= value.len() * 3 / 4 && !plain.iter().any(u8::is_ascii_control);
    let Some(colon) = plain.iter().position(|b| *b == b':').filter(|at| whole && *at > 0) else { return false };
    let (user, password) = (&plain[..colon], &plain[colon + 1..]);
    let named = [&b"username"[..], b"user", b"aladdin", b"test", b"foo"].iter().any(|n| user.eq_ignore_ascii_case(n));
    named || password.len() < 6 || is_example(password) || is_ordinary(password) || wordiness(password) > 0.75
}

fn is_mixed(value: &[u8]) -> bool {
    classes(value)[..3].iter().all(|n| *n > 0)
}

fn is_live_mixed(value: &[u8]) -> bool {
    (is_mixed(value) || is_random(value))
        && !(is_example(value)
            || is_ordinary(value)
            || wordiness(value) > 0.75
            || (is_words(value) && !is_random(value)))
}

/// How sure it is that the value given to a name is a secret; None: it is not reported.
pub fn given(given: &Given) -> Option<Confidence> {
    let value = given.value;
    let [lower, upper, digits, special] = classes(value);
    let random = is_random(value);
    if (digits == 0 && !random) || lower + upper == 0 || value.len() < 8 || value.len() > 4096 {
        return None;
    }
    if value.iter().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) {
        return None;
    }
    if is_example(value) || is_ordinary(value) || is_date(value) || (is_words(value) && !random) || is_sealed(value) {
        return None;
    }
    if is_made_up_login(value) {
        return None;
    }
    let words = wordiness(value);
    let kinds = [lower, upper, digits, special].iter().filter(|n| **n > 0).count();
    let password = given.role == Role::Password;
    if words > 0.75 && !(password && special > 0 && kinds == 4) {
        return None;
    }
    if is_uuid(value) {
        let keyed = given.role == Role::Secret && given.quoting != Quoting::Delimited;
        return (keyed && distinct(value) >= 12 && !given.colon && given.settings).then_some(Confidence::Medium);
    }
    if memchr::memmem::find(value, b"::").is_some() || value.iter().filter(|b| b"[]".contains(b)).count() > 1 {
        return None;
    }
    match given.quoting {
        Quoting::Bare if !bare_is_value(given, digits, kinds, random) => return None,
        Quoting::Quoted if has_code(value) && !(value.len() >= 32 && entropy(value) >= 4.3) => return None,
        _ => {}
    }
    let bits = entropy(value);
    if password {
        return (kinds >= 3 && bits >= 2.75 || random).then_some(if kinds == 4 || bits >= 3.3 {
            Confidence::High
        } else {
            Confidence::Medium
        });
    }
    let hex = is_hex(value);
    let least = match (given.role, hex) {
        (Role::Key, true) => 32,
        (Role::Key, false) => 20,
        (_, true) => 24,
        (_, false) => 16,
    };
    if value.len() < least || bits < if hex { 3.0 } else { 3.3 } {
        return None;
    }
    if given.role == Role::Key {
        let random = hex || random || (lower > 0 && upper > 0 && digits > 1 && bits >= 3.6 && words < 0.4);
        return (random && is_base64(value)).then_some(Confidence::Medium);
    }
    Some(if given.wrapped || (kinds < 3 && !hex && !random) || words > 0.5 {
        Confidence::Medium
    } else {
        Confidence::High
    })
}

/// Whether a quoted value has signs of code or of a template in it.
fn has_code(value: &[u8]) -> bool {
    value.iter().any(|b| b"{}<>()".contains(b))
        || value.windows(2).any(|w| w[0] == b'$' && (w[1].is_ascii_alphabetic() || w[1] == b'_') && value[0] == b'$')
        || memchr::memmem::find(value, b"%(").is_some()
}

/// Whether an unquoted value is one, and no name or call in code.
fn bare_is_value(given: &Given, digits: usize, kinds: usize, random: bool) -> bool {
    let value = given.value;
    if digits < 2 && !random {
        return false; // A name in code has at most one digit.
    }
    let ends = match given.next {
        None | Some(b'\n' | b'\r' | b' ' | b'\t') => true,
        Some(b';' | b'"' | b'\'') => given.linked || given.reading == Reading::Any && given.settings,
        Some(b'}' | b',') => given.colon && given.settings,
        Some(b'\\' | b'`' | b'&') => !given.spaced,
        _ => false,
    };
    if !ends || (is_identifier(value) && !random) {
        return false;
    }
    if given.spaced && !given.settings {
        let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b));
        return plain && value.len() >= 16 || (kinds == 4 && value.iter().any(|b| b"!@#".contains(b)));
    }
    true
}

/// Whether it is a name in code: `settings.token2`, `token12`.
fn is_identifier(value: &[u8]) -> bool {
    let mut parts = 0;
    for part in value.split(|b| *b == b'.') {
        let named = part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if !named {
            return false;
        }
        parts += 1;
    }
    let tail = value.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let head = value.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'_').count();
    parts > 1 || (head + tail == value.len() && tail <= 2)
}
