//! The attributes of HTML and JSX tags that name files, with the ranges of their values.
//!
//! A scanner of tags, not a tree: in time linear in the text it skips comments, declarations and the content of
//! scripts and styles, as a browser would.
use std::ops::Range;

const NAMES: [&str; 12] = [
    "href",
    "src",
    "srcset",
    "poster",
    "data",
    "xlink:href",
    "background",
    "data-src",
    "data-srcset",
    "imagesrcset",
    "longdesc",
    "cite",
];
/// Elements whose content is text, not markup.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];
/// More than this in one JSX expression is code, not a value.
const EXPRESSION: usize = 400;

/// A text put together from parts of a document, less the marks of its containers (`> `), with the place of each byte.
#[derive(Default)]
pub struct Gathered {
    text: String,
    /// (offset in `text`, offset in the document) where a run of equal bytes begins.
    runs: Vec<(usize, usize)>,
}

impl Gathered {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends `part`, which the parser made from `range` of the document by leaving out container marks.
    pub fn push(&mut self, document: &str, range: Range<usize>, part: &str) {
        let source = &document.as_bytes()[range.clone()];
        let (mut at, mut expected) = (0, usize::MAX);
        for (index, byte) in part.bytes().enumerate() {
            while at < source.len() && source[at] != byte && b"> \t\r".contains(&source[at]) {
                at += 1;
            }
            if source.get(at) != Some(&byte) {
                // The rest was changed by the parser (a NUL): it has no place.
                self.runs.push((self.text.len() + index, usize::MAX));
                break;
            }
            if at != expected {
                self.runs.push((self.text.len() + index, range.start + at));
            }
            at += 1;
            expected = at;
        }
        self.text.push_str(part);
    }

    /// The range in the document of a range of `text`; `None` if it is not one whole there.
    pub fn place(&self, inner: Range<usize>, document: &str) -> Option<Range<usize>> {
        let after = self.runs.partition_point(|run| run.0 <= inner.start);
        let (from, to) = *self.runs.get(after.checked_sub(1)?)?;
        let start = to.checked_add(inner.start - from)?;
        let range = start..start.checked_add(inner.len())?;
        (document.get(range.clone()) == self.text.get(inner)).then_some(range)
    }
}

/// (name, range of the value without quotes) of every attribute of `html` that may name a file. `jsx`: values may be
/// expressions in braces, of which whole strings and those in `require(…)` are found.
pub fn attributes(html: &str, jsx: bool) -> Vec<(String, Range<usize>)> {
    let bytes = html.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'<', &bytes[at.min(bytes.len())..]) {
        at += next + 1;
        match bytes.get(at) {
            Some(b'!' | b'?') => at = skip_declaration(bytes, at),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (name, stop) = tag(html, at, jsx, &mut found);
                at = if RAW.contains(&name.as_str()) { skip_raw(bytes, stop, &name) } else { stop };
            }
            _ => {}
        }
    }
    found
}

/// The name of a tag at `at` and the offset behind it; its attributes are appended to `found`.
fn tag(html: &str, at: usize, jsx: bool, found: &mut Vec<(String, Range<usize>)>) -> (String, usize) {
    let bytes = html.as_bytes();
    let is_end = |byte: u8| byte.is_ascii_whitespace() || byte == b'>' || byte == b'/';
    let mut here = run(bytes, at, |byte| !is_end(byte));
    let element = html[at..here].to_ascii_lowercase();
    loop {
        here = run(bytes, here, |byte| byte.is_ascii_whitespace() || byte == b'/');
        match bytes.get(here) {
            None => return (element, here),
            Some(b'>') => return (element, here + 1),
            Some(b'<') => return (element, here), // no tag after all: the next one begins
            Some(_) => {}
        }
        let name_end = run(bytes, here + 1, |byte| !is_end(byte) && byte != b'=' && byte != b'<').min(bytes.len());
        let Some(name) = html.get(here..name_end).map(str::to_ascii_lowercase) else { return (element, name_end) };
        here = run(bytes, name_end, |byte| byte.is_ascii_whitespace());
        if bytes.get(here) != Some(&b'=') {
            continue;
        }
        here = run(bytes, here + 1, |byte| byte.is_ascii_whitespace());
        let (value, after) = match bytes.get(here) {
            Some(quote @ (b'"' | b'\'')) => {
                let stop = memchr::memchr(*quote, &bytes[here + 1..]).map_or(bytes.len(), |n| here + 1 + n);
                (here + 1..stop, stop + 1)
            }
            Some(b'{') if jsx => {
                let stop = braces(bytes, here);
                (string_in(bytes, here + 1..stop.saturating_sub(1)), stop)
            }
            _ => {
                let stop = run(bytes, here, |byte| !byte.is_ascii_whitespace() && byte != b'>');
                (here..stop, stop)
            }
        };
        here = after.min(bytes.len());
        let wanted = NAMES.contains(&name.as_str()) && (name != "data" || element == "object");
        if wanted && !value.is_empty() && html.get(value.clone()).is_some() {
            found.push((name, value));
        }
    }
}

fn run(bytes: &[u8], at: usize, keep: impl Fn(u8) -> bool) -> usize {
    bytes.get(at..).map_or(bytes.len(), |rest| at + rest.iter().take_while(|byte| keep(**byte)).count())
}

fn skip_declaration(bytes: &[u8], at: usize) -> usize {
    let (from, end): (usize, &[u8]) = match bytes[at..] {
        [b'!', b'-', b'-', ..] => (at + 3, b"-->"),
        [b'!', b'[', ..] => (at + 2, b"]]>"),
        [b'?', ..] => (at + 1, b"?>"),
        _ => (at, b">"),
    };
    memchr::memmem::find(&bytes[from..], end).map_or(bytes.len(), |found| from + found + end.len())
}

fn skip_raw(bytes: &[u8], mut at: usize, name: &str) -> usize {
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memmem::find(rest, b"</")) {
        at += next + 2;
        if bytes.get(at..at + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return at;
        }
    }
    bytes.len()
}

/// The offset behind the brace that closes the one at `at`.
fn braces(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut here) = (0_usize, at);
    while here < bytes.len().min(at + EXPRESSION) {
        match bytes[here] {
            b'{' => depth += 1,
            b'}' if depth == 1 => return here + 1,
            b'}' => depth -= 1,
            quote @ (b'"' | b'\'' | b'`') => {
                here = memchr::memchr(quote, &bytes[here + 1..]).map_or(bytes.len(), |found| here + 1 + found);
            }
            _ => {}
        }
        here += 1;
    }
    bytes.len().min(here)
}

/// The inside of the only string of an expression, whole or in `require(…)`; empty if there is none.
fn string_in(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Some(inner) = bytes.get(range.clone()) else { return 0..0 };
    let Some(open) = inner.iter().position(|byte| b"\"'".contains(byte)) else { return 0..0 };
    let Some(length) = memchr::memchr(inner[open], &inner[open + 1..]) else { return 0..0 };
    let before = inner[..open].trim_ascii();
    let rest = &inner[open + length + 2..];
    let whole = before.is_empty() && rest.trim_ascii().is_empty();
    let start = range.start + open + 1;
    if whole || (before.ends_with(b"require(") && rest.starts_with(b")")) {
        start..start + length
    } else {
        0..0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(html: &str) -> Vec<&str> {
        attributes(html, false).into_iter().map(|(_, range)| &html[range]).collect()
    }

    #[test]
    fn attributes_are_found_however_they_are_written() {
        assert_eq!(values("<img\n  alt = 'x'\n  SRC = \"a b.png\"\n/>"), ["a b.png"]);
        assert_eq!(values("<a href=docs/x.md>y</a><video poster='p.png' src=v.mp4>"), ["docs/x.md", "p.png", "v.mp4"]);
        assert_eq!(values("<object data='a.svg'></object><x-y data='b'>"), ["a.svg"]);
    }

    #[test]
    fn comments_scripts_and_other_attributes_are_left_out() {
        assert_eq!(
            values("<!-- <a href='x'> --><script src='s.js'>'<a href=\"y\">'</script><b title='href=z'>"),
            ["s.js"]
        );
        assert_eq!(values("a < b href='x' <?php <a href='y'> ?> <!DOCTYPE html> <3 href='z'>"), Vec::<&str>::new());
    }

    #[test]
    fn a_jsx_value_is_found_if_it_is_one_string() {
        let found = |jsx: &str| -> Vec<String> {
            attributes(jsx, true).into_iter().map(|(_, range)| jsx[range].to_owned()).collect()
        };
        assert_eq!(found("<Img src={require('./a.png').default} />"), ["./a.png"]);
        assert_eq!(found("<Img src={require('./a.png')} alt={{a: '}'}} href={'b.md'} />"), ["./a.png", "b.md"]);
        assert_eq!(found("<Img src={a + 'b'} />"), Vec::<String>::new());
    }

    #[test]
    fn text_without_container_marks_keeps_its_places() {
        let document = "> <img\n>   src='a.png'>";
        let mut gathered = Gathered::default();
        gathered.push(document, 2..document.len(), "<img\n  src='a.png'>");
        let (_, inner) = attributes(gathered.text(), false).remove(0);
        assert_eq!(gathered.place(inner, document).map(|range| &document[range]), Some("a.png"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[<>=a-c'\"{}!?/ \\-\n\u{e9}]{0,60}", jsx: bool) {
            for (_, range) in attributes(&text, jsx) {
                assert!(text.get(range).is_some());
            }
        }
    }
}
