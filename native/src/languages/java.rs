//! Java: the package of a file, what it imports, and strings that may be paths.
use std::sync::LazyLock;

use crate::{error::Error, grammar::Grammar};

use super::{captured, Reference};

static JAVA: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_java::LANGUAGE.into(), include_str!("queries/java.scm")));

/// `package`: the name after `package`; `import`: a name after `import`, without `.*`; `string`: another string.
pub fn references(text: &str) -> Result<Vec<Reference>, Error> {
    captured(&JAVA, text, &["import", "package", "string"])
}
