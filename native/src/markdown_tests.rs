use super::*;
use proptest::prelude::*;

fn found(text: &str) -> Vec<(Kind, &str)> {
    parts(text, false).into_iter().map(|part| (part.kind, &text[part.range])).collect()
}

fn written(text: &str) -> Vec<&str> {
    let kinds = [Kind::Bare, Kind::Angle, Kind::Attribute, Kind::Specifier];
    found(text).into_iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, written)| written).collect()
}

#[test]
fn destinations_are_found_in_every_form() {
    assert_eq!(
        written("[x](a.md) ![y](b.png 'title') [z](<c d.md>) [v](e(1).md)"),
        ["a.md", "b.png", "c d.md", "e(1).md"]
    );
    assert_eq!(written("[x](\n  docs/a.md\n)"), ["docs/a.md"]);
    assert_eq!(written("> [x](\n> docs/a.md)"), ["docs/a.md"]);
    assert_eq!(written("[x](docs/call\\(2\\).md) [y](a&amp;b.md)"), ["docs/call\\(2\\).md", "a&amp;b.md"]);
    assert_eq!(written("[![b](i.png)](c.md) [a `](` b](d.md) [a ](no) b](e.md)"), ["i.png", "c.md", "d.md", "no"]);
}

#[test]
fn definitions_are_found_in_quotes_and_over_lines() {
    assert_eq!(written("> [x][g]\n>\n> [g]: docs/a.md\n"), ["docs/a.md"]);
    assert_eq!(written("[g]:\n  docs/a.md\n  'title'\n"), ["docs/a.md"]);
    assert_eq!(written("- a\n\n  [g]: <docs/a b.md>\n"), ["docs/a b.md"]);
    assert_eq!(written("[^1]: docs/a.md\n\n[^1]\n"), Vec::<&str>::new());
}

#[test]
fn code_is_no_link_wherever_its_fence_opens() {
    assert_eq!(written("1. ```sh\n   [a](b.md)\n   ```\n2. [x](c.md)\n"), ["c.md"]);
    assert_eq!(written("`[a](b.md)`\n\n    [a](c.md)\n\n\\[a](d.md)\n"), Vec::<&str>::new());
}

#[test]
fn html_is_found_in_blocks_lines_and_quotes() {
    assert_eq!(written("<p>\n  <img\n    src=\"a.png\"\n  >\n</p>\n"), ["a.png"]);
    assert_eq!(written("text <a\n  href='b.md'>x</a>"), ["b.md"]);
    assert_eq!(written("> text <a\n>   href='b.md'>x</a>"), ["b.md"]);
    assert_eq!(written("> <div>\n> <img src=c.png>\n> </div>"), ["c.png"]);
}

#[test]
fn code_spans_front_matter_and_fences_have_ranges() {
    assert_eq!(found("see `` a`b `` and `src/x.py`"), [(Kind::Code, "a`b"), (Kind::Code, "src/x.py")]);
    assert_eq!(found("---\nimage: a.png\n---\n")[0].0, Kind::Metadata);
    assert_eq!(parts("```{include} a.md\n```\n", false)[0].value, "{include} a.md");
    let text = "x\n\n    $ run\n\n    run\n\n- y\n\n      $ go\n";
    let blocks = parts(text, false);
    assert!(blocks.iter().all(|part| part.kind == Kind::Indented));
    assert_eq!(
        blocks.iter().map(|part| text[part.range.clone()].trim()).collect::<Vec<_>>(),
        ["$ run\n\n    run", "$ go"]
    );
}

#[test]
fn mdx_imports_are_found_outside_code_only() {
    let text = "import P from './p.mdx'\n\n```js\nimport Q from './q.js'\n```\n";
    let specifiers: Vec<_> = parts(text, true).into_iter().filter(|part| part.kind == Kind::Specifier).collect();
    assert_eq!(specifiers.len(), 1);
    assert_eq!(specifiers[0].value, "./p.mdx");
}

#[test]
fn jsx_is_found_outside_code_only() {
    let text = "<Img src={require('./a.png')} />\n\n`<Img src='./b.png'>` <X href={'./c.md'}>\n\n```\n<Img src='./d.png'>\n```\n";
    let found: Vec<_> = parts(text, true).into_iter().filter(|part| part.kind == Kind::Attribute).collect();
    let values: Vec<_> = found.into_iter().map(|part| &text[part.range]).collect();
    assert_eq!(values, ["./a.png", "./c.md"]);
}

#[test]
fn ranges_in_characters_cut_the_same_text() {
    let text = "é [ü](ä.md) 😀 <img src='ö.png'>";
    let characters: Vec<char> = text.chars().collect();
    let (bytes, chars) = (parts(text, false), in_characters(text, parts(text, false)));
    for (byte, character) in bytes.into_iter().zip(chars) {
        assert_eq!(text[byte.range], characters[character.range].iter().collect::<String>());
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    let pieces = [
        "[",
        "![",
        "[]()",
        "](",
        "<",
        "<a ",
        "*",
        "`",
        "> ",
        "- ",
        "\\",
        "&",
        "[a]: b\n",
        "<a href='",
        "{",
        "((((",
        "<!--",
        "[x](<",
        "_*",
    ];
    for piece in pieces {
        let text = piece.repeat((256 << 10) / piece.len());
        let start = std::time::Instant::now();
        parts(&text, true);
        let took = start.elapsed();
        assert!(took.as_secs() < 20, "{piece:?}: {took:?}");
    }
}

/// Text that is likely to have structure.
fn documents() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[x](a.md)",
        "![y](<b c.png> 't')",
        "[g]: d.md\n",
        "> ",
        "- ",
        "1. ",
        "```\n",
        "~~~ sh\n",
        "\n",
        "\n\n",
        " ",
        "    ",
        "`",
        "`a.md`",
        "<img src='e.png'>",
        "<a\nhref=f.md>",
        "<!--",
        "-->",
        "\\",
        "(",
        ")",
        "[",
        "]",
        "](",
        "<",
        ">",
        "&amp;",
        "é",
        "😀",
        "\t",
        "\r\n",
        "| a | b |\n|--|--|\n",
        "---\n",
        "import x from './g.mdx'\n",
        "\0",
        "{",
        "}",
        "text",
        "*",
        "_",
        "[x][g]",
        "<p>\n",
        "</p>",
    ]);
    let pieces = || prop::collection::vec(piece.clone(), 0..16);
    (pieces(), pieces()).prop_map(|(before, after)| format!("{}[x](y.md){}", before.concat(), after.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), mdx: bool) {
        let text = String::from_utf8_lossy(&bytes);
        for part in parts(&text, mdx) {
            prop_assert!(text.get(part.range).is_some());
        }
    }

    #[test]
    fn another_destination_gives_the_same_document_but_for_it(text in documents(), mdx: bool, pick: prop::sample::Index) {
        let before = parts(&text, mdx);
        let places: Vec<usize> = (0..before.len())
            .filter(|i| matches!(before[*i].kind, Kind::Bare | Kind::Angle))
            .collect();
        if places.is_empty() {
            return Ok(()); // the link stands in code
        }
        let chosen = places[pick.index(places.len())];
        let range = before[chosen].range.clone();
        let changed = format!("{}{}{}", &text[..range.start], "other/new.md", &text[range.end..]);
        let after = parts(&changed, mdx);
        prop_assert_eq!(before.len(), after.len());
        for (index, (old, new)) in before.iter().zip(&after).enumerate() {
            prop_assert_eq!(old.kind, new.kind);
            if index == chosen {
                prop_assert_eq!("other/new.md", new.value.as_str());
            } else {
                prop_assert_eq!(&old.value, &new.value);
            }
        }
    }
}
