//! C and C++: what files include.
use std::sync::LazyLock;

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference};

pub enum Dialect {
    C,
    Cpp,
}

const QUERY: &str = include_str!("queries/c.scm");

static C: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(tree_sitter_c::LANGUAGE.into(), QUERY));
static CPP: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(tree_sitter_cpp::LANGUAGE.into(), QUERY));

/// `include`: a path in quotes; `system`: a path in angle brackets; `string`: another string.
pub fn references(text: &str, dialect: Dialect) -> Result<Vec<Reference>, Error> {
    let grammar = match dialect {
        Dialect::C => &C,
        Dialect::Cpp => &CPP,
    };
    let mut found = captured(grammar, text, &["include", "system", "string"], |_, _| {})?;
    for part in found.iter_mut().filter(|part| part.kind == "system") {
        part.range = part.range.start + 1..part.range.end - 1;
        part.value = part.value[1..part.value.len() - 1].to_owned();
    }
    Ok(found)
}
