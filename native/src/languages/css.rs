//! CSS: imports and URLs.
use std::sync::LazyLock;

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference};

static CSS: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_css::LANGUAGE.into(), include_str!("queries/css.scm")));

/// `url`: a destination of `@import` or `url(…)`, quoted or not.
pub fn references(text: &str) -> Result<Vec<Reference>, Error> {
    captured(&CSS, text, &["url"], |_, _| {})
}
