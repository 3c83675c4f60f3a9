//! Exact ranges of what a Markdown document refers to: destinations, HTML attributes, code spans, MDX imports.
//!
//! The CommonMark parser gives the range of a link and its decoded destination, not the range of the destination.
//! That is searched for within the link, and taken only if it decodes to the same destination.
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::{edges, esm, markup};

/// The most `](` or `]:` that are tried to find the destination of one link.
const TRIES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A destination as `(a/b.md)`; `value` is the decoded destination.
    Bare,
    /// A destination as `(<a b.md>)`, without the brackets; `value` is the decoded destination.
    Angle,
    /// A value of an HTML or JSX attribute, without its quotes; `value` is the attribute's name.
    Attribute,
    /// The content of a code span on one line; `value` is the content.
    Code,
    /// The specifier of an MDX import or export, without its quotes; `value` is the specifier.
    Specifier,
    /// A front matter block; `value` is empty.
    Metadata,
    /// A fenced code block with its fences; `value` is the info string.
    Fence,
    /// An indented code block; `value` is empty.
    Indented,
    /// A link whose destination has no provable range; `value` is the decoded destination.
    Unlocated,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Angle => "angle",
            Self::Attribute => "attribute",
            Self::Code => "code",
            Self::Specifier => "specifier",
            Self::Metadata => "metadata",
            Self::Fence => "fence",
            Self::Indented => "indented",
            Self::Unlocated => "unlocated",
        }
    }
}

/// One part of a document: its range (bytes, or characters after `in_characters`) and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub kind: Kind,
    pub range: Range<usize>,
    pub value: String,
}

/// Every part of `text`, by its start. Remote destinations and anchors are left out. `mdx`: with imports, exports and
/// JSX. Any text is a document: there are no errors.
pub fn parts(text: &str, mdx: bool) -> Vec<Part> {
    let mut reader = Reader { text, mdx, found: Vec::new(), open: Vec::new(), block: None, code: Vec::new() };
    let mut events = Parser::new_ext(text, options()).into_offset_iter();
    for (event, range) in events.by_ref() {
        reader.take(event, range);
    }
    for (_, definition) in events.reference_definitions().iter() {
        let span = definition.span.start..definition.span.end.min(text.len());
        reader.link(span.clone(), span.start, b"]:", &definition.dest);
    }
    if mdx {
        reader.jsx();
    }
    let mut found = reader.found;
    found.sort_by_key(|part| (part.range.start, part.range.end, part.kind as u8));
    found.dedup_by_key(|part| part.range.clone());
    found
}

/// The same parts with ranges counted in characters, in time linear in the text.
pub fn in_characters(text: &str, mut parts: Vec<Part>) -> Vec<Part> {
    edges::in_characters(
        text,
        parts.iter_mut().flat_map(|part| [&mut part.range.start, &mut part.range.end]).collect(),
    );
    parts
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
}

/// An open link: its range, its decoded destination, the end of the last thing within its text.
struct Open {
    range: Range<usize>,
    inline: bool,
    destination: String,
    last: usize,
}

struct Reader<'a> {
    text: &'a str,
    mdx: bool,
    found: Vec<Part>,
    open: Vec<Open>,
    /// The text of the open HTML block, and the offset in the document of each of its bytes.
    block: Option<markup::Gathered>,
    /// The ranges of code, in which there is no JSX.
    code: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        let end = range.end;
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) => {
                let inline = link_type == LinkType::Inline;
                let last = range.start + 1;
                self.open.push(Open { range, inline, destination: dest_url.into_string(), last });
                return;
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some(link) = self.open.pop() {
                    if link.inline {
                        self.link(link.range, link.last, b"](", &link.destination);
                    }
                }
            }
            Event::Code(content) => self.code_span(range, &content),
            Event::Start(Tag::HtmlBlock) => self.block = Some(markup::Gathered::default()),
            Event::Html(html) => match &mut self.block {
                Some(block) => block.push(self.text, range, &html),
                None => self.html(range, &html),
            },
            Event::InlineHtml(html) => self.html(range, &html),
            Event::End(TagEnd::HtmlBlock) => {
                if let Some(block) = self.block.take() {
                    self.attributes(&block);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                self.code.push(range.clone());
                self.found.push(Part { kind: Kind::Fence, range, value: info.into_string() });
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                self.found.push(Part { kind: Kind::Indented, range, value: String::new() });
            }
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle)) => {
                self.found.push(Part { kind: Kind::Metadata, range, value: String::new() });
            }
            Event::Start(Tag::Paragraph) if self.mdx => {
                let at = range.start;
                let specifiers = esm::specifiers(&self.text[range]);
                self.found.extend(specifiers.into_iter().map(|inner| {
                    let range = at + inner.start..at + inner.end;
                    Part { kind: Kind::Specifier, value: self.text[range.clone()].to_owned(), range }
                }));
            }
            _ => {}
        }
        if let Some(link) = self.open.last_mut() {
            link.last = link.last.max(end.min(link.range.end));
        }
    }

    /// Records a link or definition: the destination follows one of the next `mark` from `from` on.
    fn link(&mut self, range: Range<usize>, from: usize, mark: &[u8; 2], destination: &str) {
        if !is_local(destination) {
            return;
        }
        let bytes = self.text.as_bytes();
        let mut at = from;
        for _ in 0..TRIES {
            let Some(next) = bytes.get(at..range.end).and_then(|rest| memchr::memmem::find(rest, mark)) else { break };
            at += next + 2;
            if let Some((kind, inner)) = raw(bytes, at, range.end) {
                if decoded(&self.text[inner.clone()]).is_some_and(|found| found == destination) {
                    self.found.push(Part { kind, range: inner, value: destination.to_owned() });
                    return;
                }
            }
        }
        self.found.push(Part { kind: Kind::Unlocated, range, value: destination.to_owned() });
    }

    fn code_span(&mut self, range: Range<usize>, content: &str) {
        self.code.push(range.clone());
        let source = &self.text[range.clone()];
        let inner = source.trim_start_matches('`');
        let ticks = source.len() - inner.len();
        let Some(inner) = inner.get(..inner.len().saturating_sub(ticks)) else { return };
        let stripped = inner.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')).unwrap_or(inner);
        let (kept, before) = if inner == content { (inner, 0) } else { (stripped, 1) };
        if kept == content && !content.is_empty() {
            let start = range.start + ticks + before;
            self.found.push(Part { kind: Kind::Code, range: start..start + kept.len(), value: content.to_owned() });
        }
    }

    fn html(&mut self, range: Range<usize>, html: &str) {
        let mut gathered = markup::Gathered::default();
        gathered.push(self.text, range, html);
        self.attributes(&gathered);
    }

    /// Finds the attributes of JSX tags, which CommonMark takes for text, wherever there is no code.
    fn jsx(&mut self) {
        let mut masked = self.text.as_bytes().to_vec();
        for range in &self.code {
            for byte in &mut masked[range.clone()] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        let Ok(masked) = String::from_utf8(masked) else { return };
        for (name, range) in markup::attributes(&masked, true) {
            self.found.push(Part { kind: Kind::Attribute, range, value: name });
        }
    }

    fn attributes(&mut self, html: &markup::Gathered) {
        for (name, inner) in markup::attributes(html.text(), self.mdx) {
            if let Some(range) = html.place(inner, self.text) {
                self.found.push(Part { kind: Kind::Attribute, range, value: name });
            }
        }
    }
}

/// Whether a destination may be a file of the repository: no scheme, host, anchor or query alone.
fn is_local(destination: &str) -> bool {
    let scheme = destination.find(':').is_some_and(|colon| {
        let name = &destination[..colon];
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    });
    !(scheme || destination.is_empty() || destination.starts_with(['#', '?']) || destination.starts_with("//"))
}

/// The range of a destination as written at `at` or after white space, a line end and container marks.
fn raw(bytes: &[u8], mut at: usize, end: usize) -> Option<(Kind, Range<usize>)> {
    let mut broken = false;
    while at < end {
        match bytes[at] {
            b' ' | b'\t' => {}
            b'\n' | b'\r' => broken = true,
            b'>' if broken => {}
            _ => break,
        }
        at += 1;
    }
    if bytes.get(at) == Some(&b'<') {
        let start = at + 1;
        let mut here = start;
        while here < end {
            match bytes[here] {
                b'\\' => here += 1,
                b'\n' | b'\r' | b'<' => return None,
                b'>' => return Some((Kind::Angle, start..here)),
                _ => {}
            }
            here += 1;
        }
        return None;
    }
    let (start, mut depth, mut here) = (at, 0_usize, at);
    while here < end {
        match bytes[here] {
            b'\\' if bytes.get(here + 1).is_some_and(u8::is_ascii_punctuation) => here += 1,
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b' ' => break,
            byte if byte.is_ascii_control() => break,
            _ => {}
        }
        here += 1;
    }
    let stop = here.min(end);
    (start < stop).then_some((Kind::Bare, start..stop))
}

/// What a written destination means, as the parser itself reads it; `None` if it is no destination. As a destination
/// in angle brackets it has the same escapes and entities, whatever parentheses it holds.
fn decoded(written: &str) -> Option<String> {
    if !written.contains(['\\', '&', '\0']) {
        return Some(written.to_owned());
    }
    let document = format!("[x](<{written}>)");
    Parser::new(&document).find_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    })
}

#[cfg(test)]
#[path = "markdown_tests.rs"]
mod tests;
