//! Java: the package, the imports, the names that may be those of types, and what the file itself declares.
use std::{ops::Range, sync::LazyLock};

use tree_sitter::{Language, Node};

use crate::{error::Error, grammar};

use super::{may_name_a_file, Reference, LONGEST};

static JAVA: LazyLock<Language> = LazyLock::new(|| tree_sitter_java::LANGUAGE.into());
/// Tags of a documentation comment after which a type stands.
const TAGS: [&str; 6] = ["@link", "@linkplain", "@see", "@throws", "@exception", "@value"];

/// `package`: the name after `package`; `import`, `static` and `all`: the name in an import, in a static one, and
/// before `.*`; `type`: the name of a type of the file's top level; `declared`: any other name that the file declares
/// and that would hide a type; `constructor`: the name of one; `name`: the first word of what may name a type;
/// `qualified`: a name of several words; `doc`: one in a documentation comment; `string`: a string.
pub fn references(text: &str) -> Result<Vec<Reference>, Error> {
    let tree = grammar::parse(&JAVA, text)?;
    let mut reader = Reader { text, found: Vec::new() };
    let mut cursor = tree.walk();
    loop {
        if reader.goes_into(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Ok(reader.found);
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    found: Vec<Reference>,
}

impl Reader<'_> {
    fn add(&mut self, kind: &'static str, range: Range<usize>) {
        let Some(value) = self.text.get(range.clone()) else { return };
        if !value.is_empty() && value.len() <= LONGEST {
            self.found.push(Reference { kind, range, value: value.to_owned() });
        }
    }

    /// Reads a node. Whether what it holds is read, too.
    fn goes_into(&mut self, node: Node) -> bool {
        match node.kind() {
            "package_declaration" => {
                self.whole_name(node, "package");
                return false;
            }
            "import_declaration" => {
                let has = |kind| (0..node.child_count()).filter_map(|at| child(node, at)).any(|c| c.kind() == kind);
                let kind = match (has("static"), has("asterisk")) {
                    (true, _) => "static",
                    (false, true) => "all",
                    (false, false) => "import",
                };
                self.whole_name(node, kind);
                return false;
            }
            "scoped_identifier" | "scoped_type_identifier" | "field_access" => {
                let range = node.byte_range();
                let Some(words) = self.text.get(range.clone()) else { return true };
                if words.split('.').all(is_word) {
                    let first = words.find('.').map_or(range.end, |at| range.start + at);
                    self.add("name", range.start..first);
                    self.add("qualified", range);
                    return false;
                }
            }
            "identifier" => {
                if let Some(kind) = role(node) {
                    self.add(kind, node.byte_range());
                }
            }
            "type_identifier" => match node.parent() {
                Some(outer) if outer.kind() == "type_parameter" => self.add("declared", node.byte_range()),
                Some(outer) if outer.kind() == "scoped_type_identifier" && outer.named_child(0) != Some(node) => {}
                _ => self.add("name", node.byte_range()),
            },
            "block_comment" => self.documentation(node.byte_range()),
            "string_fragment" if self.text.get(node.byte_range()).is_some_and(may_name_a_file) => {
                self.add("string", node.byte_range());
            }
            _ => {}
        }
        true
    }

    fn whole_name(&mut self, node: Node, kind: &'static str) {
        let name = (0..node.child_count())
            .filter_map(|at| child(node, at))
            .find(|child| matches!(child.kind(), "identifier" | "scoped_identifier"));
        if let Some(name) = name {
            if self.text.get(name.byte_range()).is_some_and(|words| words.split('.').all(is_word)) {
                self.add(kind, name.byte_range());
            }
        }
    }

    /// The types that a documentation comment names after its tags.
    fn documentation(&mut self, range: Range<usize>) {
        let Some(text) = self.text.get(range.clone()).filter(|text| text.starts_with("/**")) else { return };
        for (at, _) in text.match_indices('@') {
            let rest = &text[at..];
            let tag = rest[1..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| end + 1);
            if !TAGS.contains(&&rest[..tag]) {
                continue;
            }
            let start = tag + rest[tag..].len() - rest[tag..].trim_start_matches([' ', '\t']).len();
            let end = rest[start..].find(|c: char| !is_part(c) && c != '.').map_or(rest.len(), |end| start + end);
            let name = rest[start..end].trim_end_matches('.');
            if start > tag && name.split('.').all(is_word) {
                let begin = range.start + at + start;
                self.add("doc", begin..begin + name.len());
            }
        }
    }
}

fn child(node: Node<'_>, at: usize) -> Option<Node<'_>> {
    node.child(u32::try_from(at).ok()?)
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn is_word(word: &str) -> bool {
    word.chars().all(is_part) && word.starts_with(|c: char| !c.is_numeric())
}

/// What an identifier is; None if it can be no type.
fn role(node: Node) -> Option<&'static str> {
    let outer = node.parent()?;
    let is = |field| outer.child_by_field_name(field) == Some(node);
    match outer.kind() {
        "class_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "record_declaration"
        | "annotation_type_declaration" => {
            let top = outer.parent().is_some_and(|above| above.kind() == "program");
            Some(if top { "type" } else { "declared" })
        }
        "constructor_declaration" | "compact_constructor_declaration" if is("name") => Some("constructor"),
        "method_declaration"
        | "annotation_type_element_declaration"
        | "labeled_statement"
        | "break_statement"
        | "continue_statement"
        | "module_declaration" => None,
        "method_invocation" if is("name") => None,
        "field_access" if is("field") => None,
        "element_value_pair" if is("key") => None,
        "method_reference" if outer.named_child(0) != Some(node) => None,
        "variable_declarator"
        | "formal_parameter"
        | "catch_formal_parameter"
        | "resource"
        | "enhanced_for_statement"
        | "instanceof_expression"
        | "enum_constant"
            if is("name") =>
        {
            Some("declared")
        }
        "inferred_parameters" | "type_pattern" | "record_pattern_component" | "spread_parameter" => Some("declared"),
        "lambda_expression" if is("parameters") => Some("declared"),
        _ => Some("name"),
    }
}
