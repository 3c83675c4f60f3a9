//! Go: the import paths of a file, its package clause, and strings that may be paths.
use std::sync::LazyLock;

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference};

static GO: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_go::LANGUAGE.into(), include_str!("queries/go.scm")));

/// `import`: an import path; `alias`: the name that an import gives to its package; `package`: the name after
/// `package`; `qualifier`: a name before a dot; `embed`: a `//go:embed` comment; `string`: another string.
pub fn references(text: &str) -> Result<Vec<Reference>, Error> {
    captured(&GO, text, &["import", "alias", "package", "qualifier", "embed", "string"], |_, _| {})
}
