//! Forms of a value: what is an example, a reference, a path, words.
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// Replaces each byte of a redaction mark while a text is searched: it is not part of a name, not white space and does
/// not end a value. No UTF-8 text contains it.
pub const BLANK: u8 = 0xFF;

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        fn $name(value: &[u8]) -> bool {
            static PATTERN: OnceLock<Regex> = OnceLock::new();
            PATTERN
                .get_or_init(|| {
                    RegexBuilder::new($pattern)
                        .unicode(false)
                        .case_insensitive(true)
                        .dot_matches_new_line(true)
                        .build()
                        .expect("a constant pattern")
                })
                .is_match(value)
        }
    };
}

pattern!(
    says_example,
    r"example|placeholder|change[-_]?(?:me|it)|redacted|censored|x{4}|\*{3}|\.{3}|your[-_]?|[-_.]here$|dummy|fake|sample|0{8}|123456789(?:0|a)b|abcdefgh|not[-_]?real|deadbeef|lorem|insert[-_]|mock|s3cr3t|sekrit|should[-_]?be"
);
pattern!(
    says_ordinary,
    r"1234567|abcdef|foobar|replace|todo|fixme|0{6}|^(?:test|secret|pass(?:word|wd)?|p[a@][s$]{2}w[o0]rd|admin|root|guest|default|postgres|mysql|hunter)[\d!@#]{0,5}$|qwerty|(?:pwd|pass(?:word|wd)?)[-_]?\d{0,4}[!.]{0,2}$|correcthorse"
);
pattern!(
    is_reference,
    r"^(?:\$\{?\w.*|\$\(.*|%[\w.]+%|%\(.*|%[sdrv]|\{\{.*|\{.*\}|#\{.*|<[^>]*>?|\*+|null|none|nil|undefined|true|false|yes|no|str|string|int|bool|bytes|object|any|optional|required|self\..*|this\..*|os\.environ.*|process\.env.*|getenv.*|env[.(:].*|secrets\..*|vault:.*|ref[+:].*|arn:.*|https?://.*|@[\w.]+@|!\w+)$"
);
pattern!(
    has_form_of_a_path,
    r"^(?:(?:\.{1,2}|~)?/[\w.@+-]+(?:/[\w.@+-]*)+|(?:\.{1,2}|~)/[\w.@+-]+|[\w.@+-]+(?:/[\w.@+-]+)*\.[a-z]{1,5}|[a-z]:\\.*)$"
);
pattern!(is_uuid_form, r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");
pattern!(
    has_form_of_words,
    r"^_*(?:[A-Za-z]{2,}\d{0,2}|[A-Za-z]\d{0,2}|\d{1,4}[A-Za-z]{0,2})(?:[-_. :/]+(?:[A-Za-z]{2,}\d{0,2}|[A-Za-z]\d{0,2}|\d{1,4}[A-Za-z]{0,2}))*_*$"
);
pattern!(is_moment, r"^\d{4}-\d\d-\d\d(?:[T ]|$)");
pattern!(
    says_sealed,
    r"^(?:\$2[abxy]?\$|\$argon2|\$[156]\$|\$apr1\$|\$scrypt|\$pbkdf2|pbkdf2[_:$]|scrypt[:$]|bcrypt[_$]|argon2|\{S?SHA|\{bcrypt\}|\{cipher\}|\{AES|ENC[\[(]|vault:v\d|\$ANSIBLE|AQICAH|sha\d+[:_-]|md5[:_-]|age1|ssh-(?:rsa|ed25519|dss)|ecdsa-sha2|\{\w{1,10}\}\$?2)"
);

/// Shannon entropy in bits a byte of the value's own distribution.
pub fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|b| counts[usize::from(*b)] += 1);
    let len = value.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / len).map(|p| -p * p.log2()).sum()
}

/// How many different bytes it has.
pub fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    seen.iter().filter(|s| **s).count()
}

/// How many bytes of each class: lower case, upper case, digits, others.
pub fn classes(value: &[u8]) -> [usize; 4] {
    let mut n = [0; 4];
    for b in value {
        let class = match b {
            b'a'..=b'z' => 0,
            b'A'..=b'Z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        n[class] += 1;
    }
    n
}

/// How values begin that standards and manuals print, and that everybody copies: RFC 5849, RFC 6749, RFC 6750, the
/// manuals of AWS and of FastAPI.
const PUBLISHED: &[&str] = &[
    "2YotnFZF", "tGzv3JOk", "SplxlOBe", "0685bd91", "ad180jjd", "dpf43f3p", "kd94hf93", "wJalrXUt", "7Fjfp0ZB",
    "gX1fBat3", "mF_9.B5f", "09d25e09", "9djdj82h", "jjd999tj", "j49sk3j2", "SlAV32hk", "czZCaGRS", "8xLOxBtZ",
    "_5#y2L", "Eby8vdM0", "C2y6yDjf",
];

/// Whether it is written as an example: it says so, or it runs on (`aaaaaaaa`, `abcdefgh`).
pub fn is_example(value: &[u8]) -> bool {
    let mut same = 1;
    for pair in value.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        if same >= 8 {
            return true;
        }
    }
    says_example(value)
        || runs_on(value)
        || value.rsplit(|b| b"-_.".contains(b)).next().is_some_and(runs_on)
        || PUBLISHED.iter().any(|start| value.starts_with(start.as_bytes()))
}

/// Whether more than half of its neighbours count up or down by one, or repeat what came a few bytes before.
fn runs_on(value: &[u8]) -> bool {
    if value.len() < 8 {
        return false;
    }
    let rising = value.windows(2).filter(|p| p[1] == p[0].wrapping_add(1) || p[0] == p[1].wrapping_add(1)).count();
    if rising * 2 > value.len() {
        return true;
    }
    (1..=8).filter(|n| value.len() >= 3 * n).any(|n| (n..value.len()).all(|i| value[i] == value[i - n]))
}

/// Whether it is a usual word or number in such a place.
pub fn is_ordinary(value: &[u8]) -> bool {
    says_ordinary(value)
}

pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36 && is_uuid_form(value)
}

pub fn is_date(value: &[u8]) -> bool {
    is_moment(value)
}

/// Whether it is words with separators.
pub fn is_words(value: &[u8]) -> bool {
    has_form_of_words(value)
}

/// Whether it is a hash, a cipher text or a public key, which are meant to be kept.
pub fn is_sealed(value: &[u8]) -> bool {
    says_sealed(value)
}

/// Whether it is no secret value: already redacted, a reference to where the value is kept, or a path.
pub fn is_inert(value: &[u8]) -> bool {
    let rest: Vec<u8> = value.iter().copied().filter(|b| *b != BLANK).collect();
    let rest = rest.trim_ascii();
    rest.is_empty() || is_reference(rest) || is_path(rest)
}

/// Whether it is a path, and none of its parts looks random.
pub fn is_path(value: &[u8]) -> bool {
    has_form_of_a_path(value)
        && !value.split(|b| *b == b'/').any(|p| p.len() >= 16 && p.iter().any(u8::is_ascii_digit) && entropy(p) > 3.5)
}

/// Whether it is a word of prose: lower case, maybe joined and capitalised.
pub fn is_prose(value: &[u8]) -> bool {
    let rest = value.strip_suffix(b".").or(value.strip_suffix(b":")).or(value.strip_suffix(b"!")).unwrap_or(value);
    let rest = rest.strip_suffix(b"?").unwrap_or(rest);
    let Some((first, tail)) = rest.split_first() else { return false };
    first.is_ascii_alphabetic()
        && tail.last().is_none_or(u8::is_ascii_lowercase)
        && tail.iter().all(|b| b.is_ascii_lowercase() || b"-_./".contains(b))
}

pub fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

/// Whether it holds only the letters, digits and signs of base64 and of its URL form.
pub fn is_base64(value: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b))
}

/// The first bytes that base64 stands for, at most `limit`; stops at what is not base64.
pub fn decoded(value: &[u8], limit: usize) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for b in value {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
            if out.len() >= limit {
                break;
            }
        }
    }
    out
}
