//! Rust: module declarations, paths, and strings that name files.
//!
//! A path is not one node: in a `use` tree its parts are spread over lists, in a macro it is plain tokens. So the words
//! are read in order, and what stands between two of them says whether a path goes on.
use std::{ops::Range, sync::LazyLock};

use tree_sitter::{Language, Node};

use crate::{error::Error, grammar};

use super::{may_name_a_file, Reference, LONGEST};

static RUST: LazyLock<Language> = LazyLock::new(|| tree_sitter_rust::LANGUAGE.into());
const INCLUDES: [&str; 3] = ["include", "include_str", "include_bytes"];
/// A longer path is no path of modules.
const DEEPEST: usize = 16;

/// `mod`: the name in `mod name;`; `use` and `path`: one word of a path in a `use` and elsewhere, with the whole path
/// up to it; `file`: a string in `#[path]`; `include`: one in `include_str!` and the like; `string`: another string.
/// The value of the first three is `inline modules around it|path`, both with `::` between words.
pub fn references(text: &str) -> Result<Vec<Reference>, Error> {
    let tree = grammar::parse(&RUST, text)?;
    let mut reader = Reader::new(text);
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        reader.enter(node);
        if cursor.goto_first_child() {
            continue;
        }
        reader.leaf(node);
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
    /// (name, end) of the inline modules around the current place.
    inline: Vec<(&'t str, usize)>,
    /// The words of the current path.
    path: Vec<&'t str>,
    /// A first word, which is a reference only if a path follows.
    single: Option<Reference>,
    /// For each open list of a `use` tree, how many words stand before it.
    lists: Vec<usize>,
    /// Where the tree of the current `use` begins, after its visibility, and where it ends.
    tree: usize,
    usage: usize,
    renamed: bool,
    /// Where the last word or comment ended.
    last: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
            inline: Vec::new(),
            path: Vec::new(),
            single: None,
            lists: Vec::new(),
            tree: 0,
            usage: 0,
            renamed: false,
            last: 0,
        }
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or("")
    }

    fn enter(&mut self, node: Node) {
        match node.kind() {
            "mod_item" => {
                let Some(name) = node.child_by_field_name("name") else { return };
                if node.child_by_field_name("body").is_some() {
                    self.leave(node.start_byte());
                    self.inline.push((self.slice(name.byte_range()), node.end_byte()));
                } else {
                    self.leave(node.start_byte());
                    let value = format!("{}|{}", self.around(), self.slice(name.byte_range()));
                    self.found.push(Reference { kind: "mod", range: name.byte_range(), value });
                }
            }
            "use_declaration" => {
                self.usage = node.end_byte();
                self.path.clear();
                self.lists.clear();
                self.renamed = false;
                self.tree = node.child_by_field_name("argument").map_or(self.usage, |tree| tree.start_byte());
                self.last = self.tree;
            }
            _ => {}
        }
    }

    fn leave(&mut self, at: usize) {
        while self.inline.last().is_some_and(|(_, end)| *end <= at) {
            self.inline.pop();
        }
    }

    fn around(&self) -> String {
        self.inline.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("::")
    }

    fn leaf(&mut self, node: Node) {
        let range = node.byte_range();
        if range.start < self.tree {
            return;
        }
        match node.kind() {
            "line_comment" | "block_comment" => self.last = self.last.max(range.end),
            "string_content" => self.string(node),
            "identifier" | "type_identifier" | "crate" | "self" | "super" | "metavariable" => self.word(range),
            "as" if range.start < self.usage => {
                self.follow(range.start);
                self.renamed = true;
                self.last = range.end;
            }
            _ => {}
        }
    }

    fn word(&mut self, range: Range<usize>) {
        self.leave(range.start);
        let in_use = range.start < self.usage;
        let goes_on = if in_use {
            self.follow(range.start)
        } else {
            self.slice(self.last..range.start).trim() == "::" && !self.path.is_empty()
        };
        let word = self.slice(range.clone());
        self.last = range.end;
        if self.renamed {
            return;
        }
        if !goes_on && !in_use {
            self.path.clear();
        }
        if self.path.len() >= DEEPEST || (in_use && self.lists.len() >= DEEPEST) {
            return;
        }
        self.path.push(word);
        let value = format!("{}|{}", self.around(), self.path.join("::"));
        if value.len() > LONGEST {
            return;
        }
        let part = Reference { kind: if in_use { "use" } else { "path" }, range, value };
        if in_use {
            self.found.push(part);
        } else if goes_on {
            self.found.extend(self.single.take());
            self.found.push(part);
        } else {
            self.single = Some(part);
        }
    }

    /// Reads the punctuation of a `use` tree up to `end`. Whether the path goes on.
    fn follow(&mut self, end: usize) -> bool {
        let mut goes_on = false;
        for sign in self.slice(self.last..end).chars() {
            match sign {
                ':' => goes_on = true,
                '{' => self.lists.push(self.path.len()),
                ',' => {
                    self.path.truncate(self.lists.last().copied().unwrap_or(0));
                    self.renamed = false;
                }
                '}' => {
                    let before = self.lists.pop().unwrap_or(0);
                    self.path.truncate(before);
                    self.renamed = false;
                }
                _ => {}
            }
        }
        goes_on
    }

    fn string(&mut self, node: Node) {
        let range = node.byte_range();
        let value = self.slice(range.clone());
        let Some(literal) = node.parent() else { return };
        if value.is_empty() || value.len() > LONGEST || literal.named_child_count() > 1 {
            return; // with an escape it has several parts
        }
        let kind = match literal.parent() {
            Some(outer) if outer.kind() == "attribute" => {
                let name = outer.named_child(0).map_or("", |child| self.slice(child.byte_range()));
                if name == "path" {
                    "file"
                } else {
                    "string"
                }
            }
            Some(outer) if outer.kind() == "token_tree" => {
                let invocation = outer.parent().filter(|node| node.kind() == "macro_invocation");
                let name = invocation
                    .and_then(|node| node.child_by_field_name("macro"))
                    .map_or("", |name| self.slice(name.byte_range()));
                if INCLUDES.contains(&name) {
                    "include"
                } else {
                    "string"
                }
            }
            _ => "string",
        };
        if kind != "string" || may_name_a_file(value) {
            self.found.push(Reference { kind, range, value: value.to_owned() });
        }
    }
}
