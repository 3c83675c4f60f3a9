//! The module specifiers of an MDX import or export block.
use std::ops::Range;

/// The ranges of the specifiers in one block, without their quotes: strings after `from`, `import`, `import(` and
/// `require(`. None unless the block begins with `import` or `export`.
pub fn specifiers(block: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if !["import", "export"].iter().any(|word| {
        block.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '\t', '\n', '{', '*', '"', '\'']))
    }) {
        return found;
    }
    let bytes = block.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match bytes[at] {
            b'/' if rest.starts_with(b"//") => at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                at += memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
            }
            quote @ (b'"' | b'\'' | b'`') => {
                let Some(length) = memchr::memchr(quote, &bytes[at + 1..]) else { break };
                let range = at + 1..at + 1 + length;
                let plain = quote != b'`' && !block[range.clone()].contains(['\\', '\n']);
                if plain && !range.is_empty() && is_specifier(block[..at].trim_end()) {
                    found.push(range);
                }
                at += length + 2;
            }
            _ => at += 1,
        }
    }
    found
}

fn is_specifier(before: &str) -> bool {
    ["from", "import", "import(", "require("].iter().any(|word| {
        before
            .strip_suffix(word)
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(block: &str) -> Vec<&str> {
        specifiers(block).into_iter().map(|range| &block[range]).collect()
    }

    #[test]
    fn imports_and_exports_name_their_modules() {
        assert_eq!(found("import Part from './_part.mdx'\nimport './a.css';"), ["./_part.mdx", "./a.css"]);
        assert_eq!(found("export {x} from \"../b.js\" // from 'c'\n"), ["../b.js"]);
        assert_eq!(
            found("export const a = require('./d.png')\nexport const b = () => import('./e')"),
            ["./d.png", "./e"]
        );
    }

    #[test]
    fn other_text_has_none() {
        assert_eq!(found("important: from 'x'"), Vec::<&str>::new());
        assert_eq!(found("export const s = 'from', t = `from 'y'` /* from 'z' */"), Vec::<&str>::new());
        assert_eq!(found("import x from 'open"), Vec::<&str>::new());
    }
}
