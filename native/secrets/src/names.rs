//! What a name says of its value: `DB_PASSWORD`, `apiKey`, `secret_key_base`.
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

const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "passwort", "pwd", "passcode", "userpass"];
const SHORT_PASSWORDS: &[&str] = &["pass", "pw", "dbpass", "passw"];
const SECRETS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "authkey",
    "privatekey",
    "credential",
    "credentials",
    "authtoken",
    "accountkey",
    "apitoken",
];
/// What makes a `key` a secret when it stands before it.
const SECRET_KEYS: &[&str] = &[
    "api",
    "access",
    "auth",
    "account",
    "signing",
    "encryption",
    "private",
    "master",
    "secret",
    "shared",
    "storage",
    "service",
    "subscription",
    "app",
    "application",
    "session",
    "cookie",
    "hmac",
    "jwt",
    "crypt",
    "crypto",
    "aes",
    "license",
    "deploy",
    "server",
    "admin",
    "consumer",
    "client",
    "webhook",
    "integration",
    "functions",
    "host",
    "function",
    "ingest",
    "ingestion",
    "write",
    "read",
    "project",
    "live",
    "prod",
    "bot",
    "provider",
    "license",
    "ssh",
    "sas",
    "fernet",
];
/// Names of values that are not secret, though a secret is named: `password_file`, `token_count`, `PASSWORD_TOO_SHORT`.
const LAST: &[&str] = &[
    "file",
    "filename",
    "path",
    "dir",
    "url",
    "uri",
    "host",
    "name",
    "names",
    "type",
    "types",
    "id",
    "ids",
    "count",
    "counts",
    "limit",
    "limits",
    "ttl",
    "len",
    "length",
    "size",
    "field",
    "fields",
    "header",
    "headers",
    "regex",
    "pattern",
    "env",
    "var",
    "vars",
    "param",
    "params",
    "prefix",
    "suffix",
    "hash",
    "hashes",
    "sha",
    "digest",
    "fingerprint",
    "checksum",
    "class",
    "policy",
    "hint",
    "label",
    "version",
    "versions",
    "kind",
    "usage",
    "reset",
    "required",
    "enabled",
    "expiry",
    "expires",
    "expiration",
    "expire",
    "expired",
    "too",
    "short",
    "long",
    "invalid",
    "error",
    "errors",
    "message",
    "msg",
    "description",
    "title",
    "placeholder",
    "strength",
    "min",
    "max",
    "mode",
    "format",
    "template",
    "changed",
    "date",
    "time",
    "timeout",
    "missing",
    "mismatch",
    "index",
    "position",
    "offset",
    "mask",
    "valid",
    "validator",
    "validation",
    "store",
    "provider",
    "manager",
    "service",
    "endpoint",
    "address",
    "arn",
    "ref",
    "reference",
    "scope",
    "scopes",
    "link",
    "page",
    "column",
    "table",
    "code",
    "codes",
    "status",
    "state",
    "algorithm",
    "alg",
    "encoder",
    "decoder",
    "parser",
    "factory",
    "handler",
    "input",
    "output",
    "confirmation",
    "confirm",
    "generator",
    "rotation",
    "lifetime",
    "age",
    "issuer",
    "audience",
    "claim",
    "claims",
    "role",
    "exists",
    "event",
    "action",
    "command",
    "option",
    "selector",
    "locator",
    "xpath",
    "tests",
    "test",
    "pk",
    "iteration",
    "iterations",
];
/// Names whose first words say that the value is no secret: `pageToken`, `public_key`, `INVALID_TOKEN`.
const FIRST: &[&str] = &[
    "public",
    "pub",
    "page",
    "next",
    "continuation",
    "continue",
    "sync",
    "cursor",
    "resume",
    "csrf",
    "xsrf",
    "invalid",
    "cancel",
    "cancellation",
    "start",
    "end",
    "stop",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "sep",
    "cls",
    "special",
    "primary",
    "foreign",
    "cache",
    "sort",
    "partition",
    "row",
    "i18n",
    "translation",
    "publishable",
    "anon",
    "site",
    "idempotency",
    "dedup",
    "deduplication",
    "expired",
    "wrong",
    "bad",
    "missing",
    "no",
    "hashed",
    "encrypted",
    "hash",
    "num",
    "max",
    "min",
    "total",
    "object",
    "map",
    "dict",
    "index",
    "lookup",
    "host",
    "ssh",
    "known",
    "sealed",
    "pagination",
];
/// Names of keys that are not secret: `cache_key`, `objectKey`.
const PLAIN_KEYS: &[&str] = &[
    "cache",
    "sort",
    "partition",
    "row",
    "i18n",
    "translation",
    "object",
    "map",
    "dict",
    "index",
    "lookup",
    "group",
    "hot",
    "config",
    "settings",
    "data",
    "json",
    "storage",
    "local",
    "item",
    "meta",
    "state",
    "event",
    "query",
    "feature",
    "flag",
    "idempotency",
    "checkout",
    "registry",
    "bucket",
    "s3",
    "react",
    "measurement",
];
/// Parts of a name whose value is redacted, in lower case without separators.
const REDACTED: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "authkey",
    "accountkey",
    "signingkey",
    "encryptionkey",
    "privatekey",
    "masterkey",
    "sharedkey",
];

fn one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
}

fn ends_with_one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|w| word.len() >= w.len() && word[word.len() - w.len()..].eq_ignore_ascii_case(w.as_bytes()))
}

/// What the name says, None if its value is no secret.
pub fn role(name: &[u8]) -> Option<Role> {
    let words = words(name);
    let mut found = None;
    for (at, word) in words.iter().enumerate().rev() {
        found = if ends_with_one_of(word, &PASSWORDS) || one_of(word, &SHORT_PASSWORDS) {
            Some((at, Role::Password))
        } else if ends_with_one_of(word, &SECRETS) {
            Some((at, Role::Secret))
        } else if one_of(word, &["key"]) && at > 0 && one_of(words[at - 1], &SECRET_KEYS) {
            Some((at, Role::Secret))
        } else if one_of(word, &["key"]) && at > 0 && at + 1 == words.len() && !one_of(words[at - 1], &PLAIN_KEYS) {
            Some((at, Role::Key))
        } else {
            None
        };
        if found.is_some() {
            break;
        }
    }
    let (at, role) = found?;
    if words[at + 1..].iter().any(|w| one_of(w, &LAST)) || words[..at].iter().any(|w| one_of(w, &FIRST)) {
        let kept = role == Role::Secret
            && words[..at].iter().any(|w| one_of(w, &["ssh", "host", "start", "end"]))
            && !words[at + 1..].iter().any(|w| one_of(w, &LAST));
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
    REDACTED.iter().any(|word| memchr::memmem::find(&flat[..n], word.as_bytes()).is_some())
}

/// Whether the name only counts or describes, so that digits after it are no secret: `max_tokens`, `token_count`.
pub fn is_counting(name: &[u8]) -> bool {
    let words = words(name);
    words.last().is_some_and(|w| one_of(w, &LAST) || one_of(w, &["tokens"]))
}

/// `pass` as a word of its own: `DB_PASS`, `smtp.pass`.
pub fn is_short_password(name: &[u8]) -> bool {
    words(name).last().is_some_and(|w| one_of(w, &SHORT_PASSWORDS))
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
