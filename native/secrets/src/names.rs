//! What a name says of its value: `DB_PASSWORD`, `apiKey`, `secret_key_base`.
use std::collections::HashSet;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::words::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A password: short values are usual.
    Password,
    /// A secret, a token, a key of an interface.
    Secret,
    /// Some other key: only what is clearly random is a secret.
    Key,
}

/// Lists of words, as `rules/names.toml` has them.
#[derive(Deserialize)]
struct Words {
    passwords: String,
    short_passwords: String,
    secrets: String,
    secret_keys: String,
    later: String,
    earlier: String,
    plain_keys: String,
    redacted: String,
}

struct Lists {
    passwords: Vec<&'static str>,
    short_passwords: HashSet<&'static [u8]>,
    secrets: Vec<&'static str>,
    secret_keys: HashSet<&'static [u8]>,
    later: HashSet<&'static [u8]>,
    earlier: HashSet<&'static [u8]>,
    plain_keys: HashSet<&'static [u8]>,
    redacted: Vec<&'static str>,
}

fn lists() -> &'static Lists {
    static WORDS: OnceLock<Words> = OnceLock::new();
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        let words = WORDS.get_or_init(|| {
            toml::from_str(include_str!("../rules/names.toml")).unwrap_or_else(|e| panic!("rules/names.toml: {e}"))
        });
        let listed = |text: &'static str| text.split_ascii_whitespace().collect();
        let set = |text: &'static str| text.split_ascii_whitespace().map(str::as_bytes).collect();
        Lists {
            passwords: listed(&words.passwords),
            short_passwords: set(&words.short_passwords),
            secrets: listed(&words.secrets),
            secret_keys: set(&words.secret_keys),
            later: set(&words.later),
            earlier: set(&words.earlier),
            plain_keys: set(&words.plain_keys),
            redacted: listed(&words.redacted),
        }
    })
}

fn one_of(word: &[u8], list: &HashSet<&'static [u8]>) -> bool {
    let mut lower = [0_u8; 64];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    list.contains(&*lower)
}

fn is_key(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"key")
}

fn ends_with_one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|w| word.len() >= w.len() && word[word.len() - w.len()..].eq_ignore_ascii_case(w.as_bytes()))
}

/// What the name says, None if its value is no secret.
pub fn role(name: &[u8]) -> Option<Role> {
    let (words, lists) = (words(name), lists());
    let mut found = None;
    for (at, word) in words.iter().enumerate().rev() {
        found = if ends_with_one_of(word, &lists.passwords) || one_of(word, &lists.short_passwords) {
            Some((at, Role::Password))
        } else if ends_with_one_of(word, &lists.secrets)
            || (is_key(word) && at > 0 && one_of(words[at - 1], &lists.secret_keys))
        {
            Some((at, Role::Secret))
        } else if is_key(word) && at > 0 && at + 1 == words.len() && !one_of(words[at - 1], &lists.plain_keys) {
            Some((at, Role::Key))
        } else {
            None
        };
        if found.is_some() {
            break;
        }
    }
    let (at, role) = found?;
    if words[at + 1..].iter().any(|w| one_of(w, &lists.later)) || words[..at].iter().any(|w| one_of(w, &lists.earlier))
    {
        let kept = role == Role::Secret
            && words[..at]
                .iter()
                .any(|w| [&b"ssh"[..], b"host", b"start", b"end"].iter().any(|s| w.eq_ignore_ascii_case(s)))
            && !words[at + 1..].iter().any(|w| one_of(w, &lists.later));
        return kept.then_some(role);
    }
    Some(role)
}

/// Whether a value of this name is redacted: any secret noun in it, wherever.
pub fn is_redacted(name: &[u8]) -> bool {
    let mut flat = [0_u8; 64];
    let mut n = 0;
    for b in name.iter().filter(|b| b.is_ascii_alphanumeric()).take(64) {
        flat[n] = b.to_ascii_lowercase();
        n += 1;
    }
    lists().redacted.iter().any(|word| memchr::memmem::find(&flat[..n], word.as_bytes()).is_some())
}

/// Whether the name only counts or describes, so that digits after it are no secret: `max_tokens`, `token_count`.
pub fn is_counting(name: &[u8]) -> bool {
    let (words, lists) = (words(name), lists());
    words.last().is_some_and(|w| one_of(w, &lists.later) || w.eq_ignore_ascii_case(b"tokens"))
}

/// `pass` as a word of its own: `DB_PASS`, `smtp.pass`.
pub fn is_short_password(name: &[u8]) -> bool {
    words(name).last().is_some_and(|w| one_of(w, &lists().short_passwords))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_value_is() {
        for name in
            ["password", "DB_PASS", "dbPassword", "DBPASSWORD", "pwd", "admin_pw", "password_prod", "PGPASSWORD"]
        {
            assert_eq!(role(name.as_bytes()), Some(Role::Password), "{name}");
        }
        for name in
            ["api_key", "x-api-key", "apiKey", "APIKEY", "secret_key_base", "authToken", "CLIENT_SECRET", "token"]
        {
            assert_eq!(role(name.as_bytes()), Some(Role::Secret), "{name}");
        }
        assert_eq!(role(b"SENDGRID_KEY"), Some(Role::Key));
        for name in [
            "password_file",
            "PASSWORD_TOO_SHORT",
            "INVALID_TOKEN",
            "pageToken",
            "nextPageToken",
            "public_key",
            "tokenizer",
            "max_tokens",
            "cacheKey",
            "key",
            "keyboard",
            "compass",
            "token_count",
            "password_hash",
            "csrf_token",
            "primary_key",
            "api_key_id",
        ] {
            assert_eq!(role(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn redaction_is_wider() {
        for name in ["password_hash", "INVALID_TOKEN", "mytokens", "Api-Key"] {
            assert!(is_redacted(name.as_bytes()), "{name}");
        }
        assert!(!is_redacted(b"compass"));
    }
}
