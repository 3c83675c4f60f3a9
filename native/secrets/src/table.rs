//! The table of rules: `rules/*.toml`, compiled into the library and read once. A rule's pattern is compiled when its
//! hint first occurs in a text, so a process that checks little pays for little.
use std::collections::HashMap;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

/// How sure a match is. `Low` is redacted and never reported; `Medium` is reported and can wait; `High` cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// Which byte must not stand beside a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    Any,
    /// A letter or a digit.
    Alnum,
    /// A letter, a digit, `_` or `-`.
    Word,
}

/// What a rule's value must look like to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Not written as an example.
    Token,
    /// As `Token`, with digits and letters of both cases.
    Mixed,
    /// As `Token`, with digits and letters.
    Digits,
    /// A password in a command or a file of logins.
    Login,
    /// A credential in a header.
    Header,
    /// Whatever a secret-named key could hold.
    Secret,
    /// Base64 of a private key.
    Key,
}

fn ahead() -> usize {
    2048
}

fn alnum() -> Edge {
    Edge::Alnum
}

fn any() -> Edge {
    Edge::Any
}

fn token() -> Check {
    Check::Token
}

fn high() -> Confidence {
    Confidence::High
}

/// A value that is known by its own form or by the words before it. The group `v` is the value, else the whole match.
#[derive(Deserialize)]
pub struct Rule {
    pub kind: String,
    #[serde(default)]
    pub label: String,
    /// One of these literals, in any case, is in every text that can match.
    pub hints: Vec<String>,
    pub pattern: String,
    /// How many bytes before the hint the match may begin; 0: it begins at the hint.
    #[serde(default)]
    pub back: usize,
    #[serde(default = "alnum")]
    pub left: Edge,
    #[serde(default = "any")]
    pub right: Edge,
    #[serde(default = "token")]
    pub check: Check,
    #[serde(default = "high")]
    pub confidence: Confidence,
    /// How many bytes behind the hint are looked at.
    #[serde(default = "ahead")]
    pub ahead: usize,
    #[serde(skip)]
    pub phrase: bool,
    #[serde(skip)]
    pub any_case: bool,
    #[serde(skip)]
    compiled: OnceLock<Regex>,
}

/// How a value is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// Quoted, or bare.
    Any,
    Quoted,
    Bare,
    /// Up to the next tag.
    Text,
    /// A part of a query: up to `&`.
    Query,
    /// A part of a connection string: up to `;`.
    Segment,
    /// Up to `}`.
    Braced,
}

/// What may stand between a secret-named key and its value.
#[derive(Deserialize)]
pub struct Place {
    pub name: String,
    /// The bytes that can follow the key.
    pub first: String,
    /// Matches from the end of the key to the value.
    pub after: String,
    /// Matches the text before the key, to its start.
    #[serde(default)]
    pub before: String,
    pub reading: Reading,
    /// The most that a match in this place can be.
    #[serde(default = "high")]
    pub confidence: Confidence,
    /// It is reported in files of settings only.
    #[serde(default)]
    pub settings: bool,
    #[serde(skip)]
    compiled: OnceLock<(Regex, Option<Regex>)>,
}

#[derive(Deserialize, Default)]
struct Book {
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    place: Vec<Place>,
}

fn compile(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).unicode(false).build().unwrap_or_else(|e| panic!("the rule {pattern}: {e}"))
}

impl Rule {
    pub fn regex(&self) -> &Regex {
        let start = if self.back == 0 { r"\A" } else { "" };
        self.compiled.get_or_init(|| compile(&format!("{start}(?:{})", self.pattern)))
    }
}

impl Place {
    pub fn regexes(&self) -> &(Regex, Option<Regex>) {
        self.compiled.get_or_init(|| {
            let before = (!self.before.is_empty()).then(|| compile(&format!(r"(?:{})\z", self.before)));
            (compile(&format!(r"\A(?:{})", self.after)), before)
        })
    }
}

/// What a hint of the prefilter leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Rule(usize),
    /// A part of a secret-named key.
    Name,
    Url,
    PrivateKey,
}

pub struct Table {
    pub rules: Vec<Rule>,
    pub places: Vec<Place>,
    pub hints: AhoCorasick,
    /// Each hint, as it is written, and what it leads to.
    pub targets: Vec<Vec<(Target, Vec<u8>)>>,
    /// For each byte, which places it can begin (a bit a place).
    pub firsts: [u32; 256],
}

/// A part of every secret-named key.
const NAMES: [&str; 7] = ["pass", "pwd", "secret", "token", "credential", "key", "_pw"];
const SOURCES: [&str; 5] = [
    include_str!("../rules/hosting.toml"),
    include_str!("../rules/models.toml"),
    include_str!("../rules/services.toml"),
    include_str!("../rules/phrases.toml"),
    include_str!("../rules/places.toml"),
];

pub fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(read)
}

fn read() -> Table {
    let (mut rules, mut places) = (Vec::new(), Vec::new());
    for source in SOURCES {
        let book: Book = toml::from_str(source).unwrap_or_else(|e| panic!("the rules: {e}"));
        for mut rule in book.rule {
            rule.phrase = rule.pattern.contains("(?P<v>");
            rule.any_case = rule.pattern.contains("(?i)");
            rules.push(rule);
        }
        places.extend(book.place);
    }
    let mut words: Vec<String> = Vec::new();
    let mut targets: Vec<Vec<(Target, Vec<u8>)>> = Vec::new();
    let mut places_of: HashMap<String, usize> = HashMap::new();
    let mut add = |hint: &str, target: Target| {
        let written = hint.as_bytes().to_vec();
        let hint = hint.to_ascii_lowercase();
        let at = *places_of.entry(hint.clone()).or_insert_with(|| {
            words.push(hint);
            targets.push(Vec::new());
            words.len() - 1
        });
        targets[at].push((target, written));
    };
    for (index, rule) in rules.iter().enumerate() {
        rule.hints.iter().for_each(|hint| add(hint, Target::Rule(index)));
    }
    NAMES.iter().for_each(|name| add(name, Target::Name));
    add("://", Target::Url);
    add("-----begin ", Target::PrivateKey);
    let mut firsts = [0_u32; 256];
    for (index, place) in places.iter().enumerate() {
        place.first.bytes().for_each(|b| firsts[usize::from(b)] |= 1 << index);
    }
    let hints = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(&words)
        .expect("the hints are few and short");
    Table { rules, places, hints, targets, firsts }
}

/// What a person calls a kind of credential: `AWS key`.
pub fn label(kind: &str) -> &'static str {
    match kind {
        "credential" => "credential",
        "private-key" => "private key",
        "url-password" => "password in a URL",
        _ => table().rules.iter().find(|r| r.kind == kind && !r.label.is_empty()).map_or("credential", |r| &r.label),
    }
}
