//! What source files refer to: one module a language, with its query and the meaning of its captures.
use std::ops::Range;

use crate::{edges, error::Error, grammar::Grammar, markup};

mod c;
mod css;
mod go;
mod java;
mod javascript;
mod rust;
#[cfg(test)]
mod tests;

/// A longer string is no name of a file.
const LONGEST: usize = 300;

/// A part of a source file that refers to something: its range (bytes) and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub kind: &'static str,
    pub range: Range<usize>,
    pub value: String,
}

/// Every part of a source file that may refer to another file, by its start, with ranges in characters. Invalid if the
/// language is unknown, or if the text is too large or too slow to parse.
pub fn references(text: &str, language: &str) -> Result<Vec<Reference>, Error> {
    let mut found = match language {
        "javascript" => javascript::references(text, javascript::Dialect::JavaScript),
        "typescript" => javascript::references(text, javascript::Dialect::TypeScript),
        "tsx" => javascript::references(text, javascript::Dialect::Tsx),
        "go" => go::references(text),
        "rust" => rust::references(text),
        "java" => java::references(text),
        "c" => c::references(text, c::Dialect::C),
        "cpp" => c::references(text, c::Dialect::Cpp),
        "css" => css::references(text),
        "html" => Ok(html(text)),
        _ => Err(Error::Invalid(format!("no grammar for {language:?}"))),
    }?;
    // The first kind that a language names for a range is the more exact one.
    found.sort_by_key(|part| (part.range.start, part.range.end));
    found.dedup_by_key(|part| part.range.clone());
    edges::in_characters(
        text,
        found.iter_mut().flat_map(|part| [&mut part.range.start, &mut part.range.end]).collect(),
    );
    Ok(found)
}

fn html(text: &str) -> Vec<Reference> {
    markup::attributes(text, false)
        .into_iter()
        .map(|(value, range)| Reference { kind: "attribute", range, value })
        .collect()
}

/// The captures of a grammar as references of the kinds of their names: `kinds` in the order of their exactness.
/// A `string` is one only if it may name a file. `other` is given the captures of other names.
fn captured(
    grammar: &Grammar,
    text: &str,
    kinds: &[&'static str],
    mut other: impl FnMut(&str, Range<usize>),
) -> Result<Vec<Reference>, Error> {
    let mut found = Vec::new();
    grammar.captures(text, |name, node| {
        let range = node.byte_range();
        let Some(kind) = kinds.iter().find(|kind| **kind == name) else { return other(name, range) };
        let Some(value) = text.get(range.clone()) else { return };
        if !value.is_empty() && value.len() <= LONGEST && (*kind != "string" || may_name_a_file(value)) {
            found.push(Reference { kind, range, value: value.to_owned() });
        }
    })?;
    found.sort_by_key(|part| kinds.iter().position(|kind| *kind == part.kind));
    Ok(found)
}

fn may_name_a_file(value: &str) -> bool {
    value.contains(['/', '.']) && !value.contains(|c: char| c.is_whitespace() || c.is_control())
}
