//! JavaScript, TypeScript and TSX: module specifiers, and strings that may be paths.
use std::{ops::Range, sync::LazyLock};

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference, LONGEST};

pub enum Dialect {
    JavaScript,
    TypeScript,
    Tsx,
}

const QUERY: &str = include_str!("queries/javascript.scm");
const TYPES: &str = include_str!("queries/typescript.scm");

static JAVASCRIPT: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(tree_sitter_javascript::LANGUAGE.into(), QUERY));
static TYPESCRIPT: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), &format!("{QUERY}{TYPES}")));
static TSX: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_typescript::LANGUAGE_TSX.into(), &format!("{QUERY}{TYPES}")));

/// `specifier`: what an import, an export, `require`, `import()` or a mock names, also in the types of a documentation
/// comment; `string`: another string.
pub fn references(text: &str, dialect: Dialect) -> Result<Vec<Reference>, Error> {
    let grammar = match dialect {
        Dialect::JavaScript => &JAVASCRIPT,
        Dialect::TypeScript => &TYPESCRIPT,
        Dialect::Tsx => &TSX,
    };
    let mut comments = Vec::new();
    let mut found = captured(grammar, text, &["specifier", "string"], |name, range| {
        if name == "comment" {
            comments.push(range);
        }
    })?;
    found.extend(comments.into_iter().flat_map(|range| documented(text, range)));
    Ok(found)
}

/// The specifiers of `import("…")` and of `@import … from "…"` in a documentation comment.
fn documented(text: &str, comment: Range<usize>) -> Vec<Reference> {
    let Some(words) = text.get(comment.clone()).filter(|words| words.starts_with("/**")) else { return Vec::new() };
    let mut found = Vec::new();
    for (at, word) in words.match_indices("import") {
        let (before, rest) = (&words[..at], &words[at + word.len()..]);
        let quoted = if before.ends_with('@') {
            // What is imported stands before `from`, and no other tag does.
            let tag = rest.split('@').next().unwrap_or(rest);
            tag.match_indices("from").find_map(|(from, _)| quoted(rest, from + "from".len()))
        } else if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.')) {
            None
        } else {
            rest.starts_with('(').then(|| quoted(rest, 1)).flatten()
        };
        if let Some(inner) = quoted {
            let start = comment.start + at + word.len() + inner.start;
            let value = rest[inner].to_owned();
            found.push(Reference { kind: "specifier", range: start..start + value.len(), value });
        }
    }
    found
}

/// The range of what stands in quotes right behind `at`, if it may be a specifier.
fn quoted(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    let quote = text[start..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &text[start + 1..];
    let end = inner.find(|c: char| c == quote || c == '\\' || c.is_whitespace()).filter(|end| *end <= LONGEST)?;
    (end > 0 && inner[end..].starts_with(quote)).then_some(start + 1..start + 1 + end)
}
