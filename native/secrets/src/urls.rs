//! Passwords in URLs: `scheme://user:password@host`.
use crate::found::{Match, Purpose};
use crate::table::Confidence;
use crate::value::{classes, entropy, is_example, is_inert, is_ordinary};
use crate::words::wordiness;

const USER: usize = 128;
const PASSWORD: usize = 1024;

fn ends_authority(b: u8) -> bool {
    b.is_ascii_whitespace() || b"/\"'<>`\\".contains(&b)
}

/// The password behind `://` at `at`, if the URL has one.
pub fn at(text: &[u8], at: usize, purpose: Purpose, out: &mut Vec<Match>) {
    let begin = at + 3;
    let window = &text[begin.min(text.len())..text.len().min(begin + USER + PASSWORD)];
    let end = window.iter().position(|b| ends_authority(*b)).unwrap_or(window.len());
    let authority = &window[..end];
    let Some(colon) = authority.iter().take(USER + 1).position(|b| *b == b':') else { return };
    let Some(sign) = authority.iter().rposition(|b| *b == b'@') else {
        return;
    };
    if sign <= colon + 1 {
        return;
    }
    let (user, password) = (&authority[..colon], &authority[colon + 1..sign]);
    if user.contains(&b'@') || is_inert(password) {
        return;
    }
    let host = &authority[sign + 1..];
    let name_end = host.iter().position(|b| !(b.is_ascii_alphanumeric() || b"_.-".contains(b))).unwrap_or(host.len());
    let confidence = live(user, password, &host[..name_end]);
    if purpose == Purpose::Redact || confidence.is_some() {
        let start = begin + colon + 1;
        let confidence = confidence.unwrap_or(Confidence::Low);
        out.push(Match { kind: "url-password", start, end: begin + sign, confidence, rank: usize::MAX });
    }
}

fn live(user: &[u8], password: &[u8], host: &[u8]) -> Option<Confidence> {
    let plain = without_escapes(password);
    let [lower, upper, digits, special] = classes(&plain);
    if password.len() < 6 || password == user || is_example(password) || is_ordinary(password) {
        return None;
    }
    let letters = lower == 0 || upper == 0;
    if (digits == 0 && letters) || digits == password.len() || wordiness(&plain) > 0.75 {
        return None;
    }
    if password.iter().any(|b| b"{}$<>*[]()".contains(b)) || (password.contains(&b'%') && !has_escape(password)) {
        return None;
    }
    if is_made_up_host(host) {
        return None;
    }
    let random = password.len() >= 10 && entropy(password) >= 2.9 && digits > 0 && lower + upper > 0;
    let local = is_local(host);
    if local && !(random && (password.len() >= 16 || special > 0 || (lower > 0 && upper > 0))) {
        return None;
    }
    Some(if random && !local { Confidence::High } else { Confidence::Medium })
}

/// The password with a space for each `%20`.
fn without_escapes(password: &[u8]) -> Vec<u8> {
    let (mut out, mut i) = (Vec::with_capacity(password.len()), 0);
    while let Some(b) = password.get(i) {
        let escape = *b == b'%' && password[i + 1..].iter().take(2).filter(|b| b.is_ascii_hexdigit()).count() == 2;
        out.push(if escape { b' ' } else { *b });
        i += if escape { 3 } else { 1 };
    }
    out
}

fn has_escape(password: &[u8]) -> bool {
    password.windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
}

fn is_local(host: &[u8]) -> bool {
    [&b"localhost"[..], b"127.0.0.1", b"0.0.0.0"].contains(&host) || !host.contains(&b'.')
}

fn is_made_up_host(host: &[u8]) -> bool {
    let lower = host.to_ascii_lowercase();
    let rest: &[u8] = lower.strip_suffix(b".").unwrap_or(&lower);
    [&b"example.com"[..], b"example.org", b"example.net"]
        .iter()
        .any(|name| rest == *name || rest.ends_with(&[b".", *name].concat()))
        || [&b".invalid"[..], b".test", b".example", b".local"].iter().any(|end| rest.ends_with(end))
        || [&b"host"[..], b"hostname", b"server", b"domain.com", b"host.com", b"somewhere.com"].contains(&rest)
}
