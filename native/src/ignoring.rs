//! git's ignore rules: one file of patterns, and the chain of files that judges a path.
//!
//! The rules are gitignore(5) down to git's own corner cases, because a file that git tracks or shows and
//! we do not see is a change missed. `tests/native/test_ignoring.py` holds them against `git` itself.
use std::{collections::HashMap, sync::Arc};

use crate::pattern::Pattern;

/// What git refuses to read as a file of patterns.
pub const FILE_LIMIT: u64 = 100 << 20;

/// One file of patterns. Later lines win over earlier ones.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Places in `rules` of plain names without a slash, which most lines of most files are.
    by_name: HashMap<Box<[u8]>, Vec<u32>>,
    /// Places in `rules` of all others.
    others: Vec<u32>,
}

#[derive(Debug)]
struct Rule {
    negated: bool,
    dir_only: bool,
    /// Without a slash a pattern is held against the name alone, at any depth.
    name_only: bool,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Literal(Box<[u8]>),
    Suffix(Box<[u8]>),
    /// git compares the part before the first wildcard by itself and matches only the rest, so that the
    /// `**` of `a/b**` stands at the beginning of a pattern. We keep to that.
    Glob(Box<[u8]>, Pattern),
}

impl Rules {
    pub fn parse(text: &[u8]) -> Self {
        let mut found = Self::default();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // git reads C strings.
            let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            if let Some(rule) = Rule::parse(without_trailing_spaces(line)) {
                let place = found.rules.len() as u32;
                match &rule.shape {
                    Shape::Literal(name) if rule.name_only => {
                        found.by_name.entry(name.clone()).or_default().push(place);
                    }
                    _ => found.others.push(place),
                }
                found.rules.push(rule);
            }
        }
        found
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The word of the last line that matches: `Some(true)` ignored, `Some(false)` taken back by `!`,
    /// `None` nothing said. `path` is relative to the directory the rules are for.
    pub fn judge(&self, path: &[u8], is_dir: bool) -> Option<bool> {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let applies = |place: &&u32| is_dir || !self.rules[**place as usize].dir_only;
        let by_name = self.by_name.get(name).and_then(|places| places.iter().rev().find(applies));
        let other = self
            .others
            .iter()
            .rev()
            .take_while(|place| by_name.is_none_or(|found| found < *place))
            .filter(applies)
            .find(|place| self.rules[**place as usize].matches(path, name));
        other.or(by_name).map(|place| !self.rules[*place as usize].negated)
    }
}

impl Rule {
    /// `None` for a pattern that can match nothing.
    fn parse(line: &[u8]) -> Option<Self> {
        let (negated, glob) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
        let (dir_only, glob) = glob.strip_suffix(b"/").map_or((false, glob), |rest| (true, rest));
        let name_only = !glob.contains(&b'/');
        let glob = glob.strip_prefix(b"/").unwrap_or(glob);
        if glob.is_empty() {
            return None;
        }
        let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let shape = match glob.iter().position(special) {
            None => Shape::Literal(glob.into()),
            // `*name/` never takes git's short cut, but means the same.
            Some(0) if name_only && glob[0] == b'*' && !glob[1..].iter().any(special) => {
                Shape::Suffix(glob[1..].into())
            }
            Some(_) if name_only => Shape::Glob(Box::default(), Pattern::new(glob)),
            Some(plain) => Shape::Glob(glob[..plain].into(), Pattern::new(&glob[plain..])),
        };
        Some(Self { negated, dir_only, name_only, shape })
    }

    fn matches(&self, path: &[u8], name: &[u8]) -> bool {
        let text = if self.name_only { name } else { path };
        match &self.shape {
            Shape::Literal(literal) => text == &literal[..],
            Shape::Suffix(suffix) => text.ends_with(suffix),
            Shape::Glob(plain, rest) => text.strip_prefix(&plain[..]).is_some_and(|text| rest.matches(text)),
        }
    }
}

/// Trailing spaces go, unless a backslash keeps them.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = None;
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => end = end.or(Some(at)),
            b'\\' => {
                at += 1;
                if at == line.len() {
                    return line;
                }
                end = None;
            }
            _ => end = None,
        }
        at += 1;
    }
    &line[..end.unwrap_or(line.len())]
}

/// The files of patterns that judge the entries of one directory, nearest first.
#[derive(Clone, Default)]
pub struct Chain(Option<Arc<Link>>);

struct Link {
    rules: Arc<Rules>,
    /// How many leading bytes of a path name the directory of these rules (its slash included).
    base: usize,
    outer: Chain,
}

impl Chain {
    /// This chain with `rules` of the directory `dir` (relative to the root) in front.
    pub fn with(&self, rules: Arc<Rules>, dir: &[u8]) -> Self {
        if rules.is_empty() {
            return self.clone();
        }
        let base = if dir.is_empty() { 0 } else { dir.len() + 1 };
        Self(Some(Arc::new(Link { rules, base, outer: self.clone() })))
    }

    /// Whether `path` (relative to the root, in a directory that is not ignored) is ignored.
    pub fn ignores(&self, path: &[u8], is_dir: bool) -> bool {
        let mut chain = self;
        while let Some(link) = &chain.0 {
            if let Some(verdict) = link.rules.judge(&path[link.base..], is_dir) {
                return verdict;
            }
            chain = &link.outer;
        }
        false
    }
}

/// The paths git tracks: ignoring does not apply to them, nor to the directories on the way to them.
#[derive(Debug, Default)]
pub struct Tracked(Vec<Box<[u8]>>);

impl Tracked {
    pub fn new(paths: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut sorted: Vec<Box<[u8]>> = paths.into_iter().map(Vec::into_boxed_slice).collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self(sorted)
    }

    /// Whether `path` is tracked or, for a directory, leads to a tracked path.
    pub fn holds(&self, path: &[u8], is_dir: bool) -> bool {
        if self.0.binary_search_by(|tracked| tracked[..].cmp(path)).is_ok() {
            return true;
        }
        let below = [path, b"/"].concat();
        let place = self.0.partition_point(|tracked| tracked[..] < below[..]);
        is_dir && self.0.get(place).is_some_and(|tracked| tracked.starts_with(&below))
    }
}
