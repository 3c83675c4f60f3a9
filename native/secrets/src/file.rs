//! A file as the detector and the guard see it: its text, what of it may be made up, and the lines of what it holds.
use std::borrow::Cow;

use memchr::{memchr_iter, memmem};

use crate::engine::find_in;
use crate::fences::Fences;
use crate::found::{Context, Purpose};
use crate::table::Confidence;
use crate::value::decoded;

/// A value that looks like a real credential, with its line from 1 on. `value` is for comparison only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub kind: &'static str,
    pub line: usize,
    pub value: Vec<u8>,
    pub confidence: Confidence,
}

#[derive(Debug, Default)]
pub struct Scanned {
    pub held: Vec<Held>,
    /// The file is text; what is binary is not searched.
    pub text: bool,
    /// The file is in a folder of code that others published: only tokens of an issuer's form were looked for.
    pub others: bool,
}

/// Kinds that tests and examples often make up: not reported there. A token with an issuer's prefix is reported.
const MADE_UP_KINDS: &[&str] = &["credential", "url-password", "private-key", "jwt", "otp-secret"];
/// Folders of code that others wrote and published: what looks like a password there is theirs, and public. A token of
/// an issuer's form is reported, because a person may have put it there.
const OTHERS: &[&[u8]] = &[
    b"vendor",
    b"_vendor",
    b"node_modules",
    b"third_party",
    b"third-party",
    b"bower_components",
    b"site-packages",
    b".venv",
    b"godeps",
    b"_workspace",
];
const MADE_UP_FOLDERS: &[&[u8]] = &[
    b"t",
    b"funtests",
    b"unittests",
    b"spec",
    b"specs",
    b"__tests__",
    b"fixture",
    b"fixtures",
    b"example",
    b"examples",
    b"sample",
    b"samples",
    b"mock",
    b"mocks",
    b"doc",
    b"docs",
    b"e2e",
    b"__mocks__",
    b"__fixtures__",
    b"demo",
    b"demos",
    b"benchmarks",
    b"cassettes",
];
/// Words that end as those of folders of tests do.
const TESTLIKE: &[&[u8]] = &[b"latest", b"contest", b"attest", b"protest", b"greatest", b"fastest"];
const MADE_UP_ENDS: &[&[u8]] = &[b"example", b"sample", b"template", b".dist", b".tmpl", b".po", b".ipynb"];
/// Ends of the names of texts for people. What stands there in a block of code is an example; what is written within a
/// sentence may be a password, but nobody is to be disturbed for it.
const PROSE_ENDS: &[&[u8]] = &[b".md", b".rst", b".adoc", b".mdx"];
const LOCK_FILES: &[&[u8]] = &[
    b"package-lock.json",
    b"yarn.lock",
    b"pnpm-lock.yaml",
    b"cargo.lock",
    b"poetry.lock",
    b"uv.lock",
    b"pipfile.lock",
    b"composer.lock",
    b"gemfile.lock",
    b"go.sum",
    b"flake.lock",
    b"requirements.lock",
    b"npm-shrinkwrap.json",
];
const SETTINGS: &[&[u8]] = &[
    b".env",
    b".ini",
    b".cfg",
    b".conf",
    b".properties",
    b".toml",
    b".yml",
    b".yaml",
    b".tfvars",
    b"rc",
    b".netrc",
    b"dockerfile",
    b".config",
    b".credentials",
    b"credentials",
    b".cnf",
    b".service",
    b".txt",
];
/// A person's own word that a line holds no secret, in the forms that tools know.
const ALLOWED: &[&[u8]] = &[
    b"gitleaks:allow",
    b"allowlist secret",
    b"whitelist secret",
    b"trufflehog:ignore",
    b"kairos:allow",
    b"nosec B10",
    b"noqa: S10",
    b"ggignore",
];
/// What a file of encrypted values says: the values are meant to be kept.
const SEALED: &[&[u8]] = &[
    b"kind: SealedSecret",
    b"encryptedData:",
    b"ENC[AES256_GCM",
    b"$ANSIBLE_VAULT;",
    b"\"SealedSecret\"",
    b"-----BEGIN AGE ENCRYPTED",
];
const LOOKED_AT: usize = 8000;
/// How far from a value its pattern is looked for.
const NEAR: usize = 400;

/// What a file of this path (as the repository names it) holds. Time is linear in the data.
pub fn scan(path: &[u8], data: &[u8]) -> Scanned {
    let Some(text) = text_of(data) else { return Scanned::default() };
    let path = path.to_ascii_lowercase();
    let context = Context { purpose: Purpose::Detect, settings: is_settings(&path) };
    let found = find_in(&text, &context);
    let others = folders(&path).any(|f| OTHERS.contains(&f));
    let mut held = Vec::new();
    if !found.is_empty() {
        let guess = !(others || is_made_up(&path) || is_lock_file(&path) || is_sealed(&text));
        let public = is_public(&path, &text);
        let prose = is_prose(&path);
        let (mut line, mut fences, mut at) = (1, Fences::new(&text), 0);
        for m in found {
            line += memchr_iter(b'\n', &text[at..m.start]).count();
            at = m.start;
            let spoken =
                !prose || (m.kind == "credential" && !fences.hold(m.start) && is_spoken(&path, &text, m.start));
            let wanted = (guess && spoken) || !MADE_UP_KINDS.contains(&m.kind);
            let meant = (public && m.kind == "google-api-key")
                || is_search_key(&text, m.start)
                || (m.kind == "jwt" && is_for_everybody(&text[m.start..m.end]))
                || (MADE_UP_KINDS.contains(&m.kind) && is_documented(&text, m.start))
                || is_beside_its_pattern(&text, m.start, m.end);
            if wanted && !meant && !is_allowed(&text, m.start) {
                let value = text[m.start..m.end].to_vec();
                let most = if prose && m.kind == "credential" { Confidence::Medium } else { Confidence::High };
                held.push(Held { kind: m.kind, line, value, confidence: m.confidence.min(most) });
            }
        }
    }
    Scanned { held, text: true, others }
}

/// The text of a file, None for binary content. UTF-16, as Windows shells write it, is text.
fn text_of(data: &[u8]) -> Option<Cow<'_, [u8]>> {
    let wide = match data {
        [0xFF, 0xFE, ..] => Some(false),
        [0xFE, 0xFF, ..] => Some(true),
        _ => None,
    };
    let start = &data[..data.len().min(LOOKED_AT)];
    if memchr::memchr(0, start).is_none() {
        return Some(Cow::Borrowed(data));
    }
    let wide = wide.or_else(|| {
        let even = start.iter().step_by(2).filter(|b| **b == 0).count();
        let odd = start.iter().skip(1).step_by(2).filter(|b| **b == 0).count();
        let half = start.len() / 2;
        (half >= 8 && (even + odd) * 10 >= half * 9 && (even == 0 || odd == 0)).then_some(even > 0)
    })?;
    let units = data.chunks_exact(2).map(|p| {
        if wide {
            u16::from_be_bytes([p[0], p[1]])
        } else {
            u16::from_le_bytes([p[0], p[1]])
        }
    });
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(Cow::Owned(text.into_bytes()))
}

fn name_of(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path[..path.len() - name_of(path).len()].split(|b| *b == b'/')
}

fn is_settings(path: &[u8]) -> bool {
    let name = name_of(path);
    name.starts_with(b".env") || SETTINGS.iter().any(|end| name.ends_with(end))
}

fn is_lock_file(path: &[u8]) -> bool {
    let name = name_of(path);
    LOCK_FILES.contains(&name) || name.ends_with(b".min.js") || name.ends_with(b".map") || name.ends_with(b".svg")
}

/// Whether the name of a folder ends as those of tests do, and is no other word.
fn is_of_tests(folder: &[u8]) -> bool {
    let one = folder.strip_suffix(b"s").unwrap_or(folder);
    one.ends_with(b"test") && !TESTLIKE.contains(&one)
}

/// Whether a file is a test, an example or documentation, judged by its path in lower case.
fn is_made_up(path: &[u8]) -> bool {
    let name = name_of(path);
    folders(path).any(|f| {
        MADE_UP_FOLDERS.contains(&f)
            || f.starts_with(b"docs")
            || f.starts_with(b"example")
            || f.starts_with(b"tutorial")
            || f.starts_with(b"test")
            || f.ends_with(b"fixtures")
            || is_of_tests(f)
    }) || name.starts_with(b"test_")
        || [&b"_test."[..], b".test.", b".spec.", b"_spec.", b"-test.", b"_tests."]
            .iter()
            .any(|part| memmem::find(name, part).is_some())
        || name == b"conftest.py"
        || memmem::find(name, b"localhost").is_some()
        || name.starts_with(b"changelog")
        || name.starts_with(b"changes")
        || name.starts_with(b"history")
        || MADE_UP_ENDS.iter().any(|end| name.ends_with(end))
        || [&b".example."[..], b".sample.", b".template.", b"example_", b"-example.", b"_example."]
            .iter()
            .any(|part| memmem::find(name, part).is_some())
}

/// Whether a file is a text for people.
fn is_prose(path: &[u8]) -> bool {
    name_of(path).starts_with(b"readme") || PROSE_ENDS.iter().any(|end| path.ends_with(end))
}

fn is_sealed(text: &[u8]) -> bool {
    SEALED.iter().any(|word| memmem::find(text, word).is_some())
}

/// Whether the file is the settings of a client, whose key of an interface is public.
fn is_public(path: &[u8], text: &[u8]) -> bool {
    let name = name_of(path);
    [&b"google-services.json"[..], b"googleservice-info.plist"].contains(&name)
        || [&b"authDomain"[..], b"messagingSenderId", b"firebaseapp.com", b"maps.googleapis.com"]
            .iter()
            .any(|word| memmem::find(text, word).is_some())
}

/// Whether the value is the public key of a search, which is written beside the name of its index.
fn is_search_key(text: &[u8], at: usize) -> bool {
    let near = &text[at.saturating_sub(400)..text.len().min(at + 400)];
    memmem::find(near, b"indexName").is_some() && memmem::find(near, b"apiKey").is_some()
}

/// Whether a signed web token says that it is for whoever visits, as Supabase's public keys do.
fn is_for_everybody(token: &[u8]) -> bool {
    let payload = token.split(|b| *b == b'.').nth(1).unwrap_or_default();
    memmem::find(&decoded(payload, 512), b"\"role\":\"anon\"").is_some()
}

/// Whether a value in a text for people stands in no indented block of code; in a README, in code within a sentence.
fn is_spoken(path: &[u8], text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(NEAR)..at];
    let line = memchr::memrchr(b'\n', before).map_or(before, |n| &before[n + 1..]);
    let readme = name_of(path).starts_with(b"readme");
    !(line.starts_with(b"    ") || line.starts_with(b"\t")) && (!readme || line.contains(&b'`'))
}

/// Whether a value stands in an example within the documentation of code: a doctest, or a `///` comment.
fn is_documented(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(NEAR)..at];
    let line = before.iter().rposition(|b| *b == b'\n').map_or(before, |n| &before[n + 1..]).trim_ascii_start();
    [&b">>> "[..], b"///", b"//!"].iter().any(|mark| line.starts_with(mark))
}

/// Whether a regular expression that describes the value stands near it, as in the rules of a scanner and their
/// examples: `ghp_[a-zA-Z0-9]{36}`.
fn is_beside_its_pattern(text: &[u8], start: usize, end: usize) -> bool {
    let value = &text[start..end];
    let head = value.iter().take(12).take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b)).count();
    let around = &text[start.saturating_sub(NEAR)..text.len().min(end + NEAR)];
    (4..=head).any(|n| {
        memmem::find_iter(around, &value[..n]).any(|at| {
            let next = &around[at + n..];
            next.starts_with(b"[") || next.starts_with(b"\\w") || next.starts_with(b"(?:") || next.starts_with(b"\\d")
        })
    })
}

/// Whether a person marked the line of `at` as no secret.
fn is_allowed(text: &[u8], at: usize) -> bool {
    let around = 512;
    let start = memchr::memrchr(b'\n', &text[at.saturating_sub(around)..at])
        .map_or(at.saturating_sub(around), |i| at.saturating_sub(around) + i);
    let until = text.len().min(at + around);
    let end = memchr::memchr(b'\n', &text[at..until]).map_or(until, |i| at + i);
    ALLOWED.iter().any(|word| memmem::find(&text[start..end], word).is_some())
}
