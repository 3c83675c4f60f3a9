//! JavaScript, TypeScript and TSX: module specifiers, and strings that may be paths.
use std::sync::LazyLock;

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference};

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

/// `specifier`: what an import, an export, `require`, `import()` or a mock names; `string`: another string.
pub fn references(text: &str, dialect: Dialect) -> Result<Vec<Reference>, Error> {
    let grammar = match dialect {
        Dialect::JavaScript => &JAVASCRIPT,
        Dialect::TypeScript => &TYPESCRIPT,
        Dialect::Tsx => &TSX,
    };
    captured(grammar, text, &["specifier", "string"])
}
