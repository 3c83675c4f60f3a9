"""Links of Markdown follow a moved file; code, other places and what only looks like a link stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.stale_reference.markdown_links import find_links, parts_of
from kairos.detectors.stale_reference.moves import Moves

MOVES = Moves(
    {"docs/old.md": "docs/new.md", "img/a b.png": "img/c d.png", "lib/x.py": "src/x.py"},
    frozenset({"docs/gone.md"}),
    frozenset({"docs/new.md", "img/c d.png", "src/x.py", "README.md", "docs/page.md"}),
)


def rewritten(path, text):
    found = find_links(path, text, MOVES)
    for start, end, new in sorted(found.spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](docs/old.md)", "[a](docs/new.md)"), ("[a](./docs/old.md#part)", "[a](./docs/new.md#part)"),
        ("[a](/docs/old.md?x#y)", "[a](/docs/new.md?x#y)"), ("![a](<img/a b.png>)", "![a](<img/c d.png>)"),
        ("![a](img/a%20b.png \"title\")", "![a](img/c%20d.png \"title\")"),
        ("[a]: docs/old.md", "[a]: docs/new.md"), ("<a href='docs/old.md'>x</a>", "<a href='docs/new.md'>x</a>"),
        ('<img alt="x" src="img/a%20b.png">', '<img alt="x" src="img/c%20d.png">'),
        ("[a](docs/old.md) and [b](docs/old.md)", "[a](docs/new.md) and [b](docs/new.md)"),
        ("[dir](lib/)", "[dir](src/)"), ("[page](docs/old.html#part)", "[page](docs/new.html#part)"),
    ],
)  # fmt: skip
def test_a_link_follows_its_file(before, after):
    assert rewritten("README.md", before) == after


@pytest.mark.parametrize(
    "text",
    ["`[a](docs/old.md)`", "```\n[a](docs/old.md)\n```", "~~~~\n[a](docs/old.md)\n```\n~~~~", "https://x/docs/old.md",
     "[a](https://host/docs/old.md)", "[a](#docs/old.md)", "[a](//docs/old.md)", "[a](mailto:docs/old.md)",
     "docs/old.md in text", "\\[a\\](docs/old.md)", "[a](docs/other.md)", "[a](old.md)", "```\n[a](docs/old.md)"],
)  # fmt: skip
def test_what_is_no_link_to_it_stays(text):
    assert find_links("README.md", text, MOVES).spans == []


def test_links_are_relative_to_the_file_and_those_of_a_moved_file_are_put_right():
    assert rewritten("docs/page.md", "[a](old.md) [b](../lib/x.py)") == "[a](new.md) [b](../src/x.py)"
    moved = Moves({"docs/page.md": "page.md"}, frozenset(), frozenset({"page.md", "docs/b.md"}))
    found = find_links("page.md", "[b](b.md)", moved)
    assert [s.new for s in found.spans] == ["docs/b.md"]


def test_a_link_to_a_deleted_file_is_dead_and_not_rewritten():
    found = find_links("README.md", "text\n\n[a](docs/gone.md)\n", MOVES)
    assert (found.dead, found.spans) == ({2}, [])


HTML = [
    '<p align="center">\n  <img\n    src="docs/old.md"\n    width="200">\n</p>\n',
    '<a\n  href="docs/old.md">x</a>\n',
    "> <a class=x\n>   href='docs/old.md'>x</a>\n",
    '<picture>\n<source srcset="docs/old.md 1x, docs/old.md 2x,\n  other.png 3x">\n</picture>\n',
    '<video poster="docs/old.md" src=docs/old.md></video>\n',
    '<object data="docs/old.md"></object>\n',
    '- item\n\n  <div>\n  <img src="docs/old.md">\n  </div>\n',
    "| a |\n|---|\n| <img src='docs/old.md'> |\n",
    "Text <IMG SRC=docs/old.md> more\n",
]
FENCES = [
    "1. ```sh\n   make\n   ```\n2. then read [x](docs/old.md)\n",
    "- ~~~\n  [y](docs/other.md)\n  ~~~\n- [x](docs/old.md)\n",
    "> ```\n> code\n> ```\n> [x](docs/old.md)\n",
    "* a\n  1. ````\n     ```\n     ````\n  2. [x](docs/old.md)\n",
    "```\nopen `` ` ``\n```\n[x](docs/old.md)\n",
]
DEFINITIONS = [
    "> [x][g]\n>\n> [g]: docs/old.md\n",
    "[x][g]\n\n[g]:\n  docs/old.md\n",
    "[x](\n  docs/old.md\n)\n",
    "> [x](\n> docs/old.md)\n",
    "[x][g]\n\n  [G]: <docs/old.md>\n  'title'\n",
    "- [x]\n\n  [x]: docs/old.md#part (title)\n",
    "[![i](docs/old.md)](docs/old.md 'a](b')\n",
    "[a [b] `](` c](docs/old.md)\n",
]


@pytest.mark.parametrize("text", [*HTML, *FENCES, *DEFINITIONS])
def test_a_destination_is_found_wherever_the_grammar_allows_one(text):
    assert rewritten("README.md", text) == text.replace("docs/old.md", "docs/new.md")


@pytest.mark.parametrize(
    "text",
    [
        "1. ```sh\n   [x](docs/old.md)\n   ```\n",
        "<!-- <img src='docs/old.md'> -->\n",
        "<script>\nlet x = '<a href=\"docs/old.md\">'\n</script>\n",
        "[^1]: docs/old.md\n\n[^1]\n",
        "    [x](docs/old.md)\n",
        "<a title='href=docs/old.md'>x</a>\n",
        "[x]\\(docs/old.md)\n",
    ],
)
def test_what_the_grammar_takes_for_text_stays(text):
    assert find_links("README.md", text, MOVES).spans == []


STYLES = Moves(
    {"docs/call(2).md": "docs/call(3).md", "a&b.md": "c&d.md", "a b.md": "c d.md", "x_1.md": "y_2.md", "ä.md": "ö.md"},
    frozenset(),
    frozenset({"docs/call(3).md", "c&d.md", "c d.md", "y_2.md", "ö.md", "README.md"}),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[x](docs/call\\(2\\).md)", "[x](docs/call%283%29.md)"),
        ("[x](docs/call(2).md)", "[x](docs/call(3).md)"),
        ("[x](docs/call%282%29.md?q#a)", "[x](docs/call%283%29.md?q#a)"),
        ("[x](<docs/call(2).md>)", "[x](<docs/call(3).md>)"),
        ("[x](a&amp;b.md)", "[x](c&amp;d.md)"),
        ("[x](a&b.md)", "[x](c&d.md)"),
        ("[x](a\\&b.md)", "[x](c\\&d.md)"),
        ("<a href='a&amp;b.md'>x</a>", "<a href='c&amp;d.md'>x</a>"),
        ("[x](a%20b.md)", "[x](c%20d.md)"),
        ("[x](<a b.md>)", "[x](<c d.md>)"),
        ("[x](x\\_1.md)", "[x](y\\_2.md)"),
        ("[x](&auml;.md)", "[x](ö.md)"),
        ("[x](%C3%A4.md)", "[x](%C3%B6.md)"),
    ],
)
def test_a_rewritten_destination_keeps_its_style(before, after):
    text = before
    for start, end, new in sorted(find_links("README.md", text, STYLES).spans, reverse=True):
        text = text[:start] + new + text[end:]
    assert text == after


SITE = {"docs/_part.mdx": "# Part\n" * 9, "docs/img/a.png": b"\x89PNG\0", "docs/Box.jsx": "export default 1\n" * 9}
SITE_MOVES = [
    ("docs/_part.mdx", "docs/_intro.mdx"),
    ("docs/img/a.png", "docs/img/b.png"),
    ("docs/Box.jsx", "docs/Card.jsx"),
]


@pytest.mark.parametrize(
    "page",
    [
        "import Part from './_part.mdx'\n\n<Part />\n",
        'import Part, {x} from "./_part.mdx";\nimport "./Box.jsx"\n',
        "export {default} from './_part.mdx'\n",
        "import Part from '@site/docs/_part.mdx'\n",
        "import Box from './Box'\n\n# Title\n",
        "import {\n  Box,\n} from './Box'\n",
        "export const img = require('./img/a.png')\n",
        "<Image src={require('./img/a.png')} />\n",
        "Text <img src={'./img/a.png'} alt='a' />\n",
    ],
)
def test_imports_of_mdx_follow(applied, text, page):
    applied({**SITE, "docs/page.mdx": page}, SITE_MOVES)
    expected = page.replace("_part", "_intro").replace("a.png", "b.png").replace("./Box", "./Card")
    assert text("docs/page.mdx") == expected


def test_imports_in_code_and_in_plain_markdown_stay(applied, text):
    page = "```js\nimport Part from './_part.mdx'\n```\n"
    applied({**SITE, "docs/page.mdx": page, "docs/page.md": "import Part from './_part.mdx'\n"}, SITE_MOVES)
    assert text("docs/page.mdx") == page and text("docs/page.md") == "import Part from './_part.mdx'\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("see `docs/old.md`", "see `docs/new.md`"),
        ("see `` docs/old.md `` and `lib/x.py`", "see `` docs/new.md `` and `src/x.py`"),
        ("in `lib/`", "in `src/`"),
        ("---\nimage: docs/old.md\n---\n", "---\nimage: docs/new.md\n---\n"),
        ("`docs/old.md` is now `docs/new.md`", "`docs/old.md` is now `docs/new.md`"),
        ("`cat docs/old.md`", "`cat docs/old.md`"),
        ("`old.md` and `x/docs/old.md`", "`old.md` and `x/docs/old.md`"),
        ("`pkg.mod.f` and `docs.old`", "`pkg.mod.f` and `docs.old`"),
    ],
)
def test_a_code_span_that_is_exactly_the_path_follows(before, after):
    assert rewritten("README.md", before) == after


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_parsed_and_its_parts_lie_in_it(text, mdx):
    for part in parts_of("a.mdx" if mdx else "a.md", text):
        assert 0 <= part.start <= part.end <= len(text)
        if part.kind in ("code", "specifier"):
            assert text[part.start : part.end] == part.value


PIECES = [
    *HTML,
    *FENCES,
    *DEFINITIONS,
    "`",
    "```\n",
    "> ",
    "- ",
    "\\",
    "é😀",
    "<!--",
    "-->",
    "\t",
    "[x](docs/old.md)",
    "\r\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_a_rewritten_document_is_the_same_but_for_its_destinations(text):
    after = rewritten("README.md", text)
    assert after.replace("docs/new.md", "docs/old.md") == text.replace("docs/new.md", "docs/old.md")
    before_parts, after_parts = parts_of("README.md", text), parts_of("README.md", after)
    assert [p.kind for p in before_parts] == [p.kind for p in after_parts]


@pytest.mark.parametrize(
    "piece", ["[", "![", "[x](", "<a href='", "> ", "- ", "`", "*a", "[a]: b\n", "<!--", "{", "::: a.b\n"]
)
def test_a_hostile_document_takes_linear_time(piece):
    text = piece * (300_000 // len(piece))
    find_links("README.mdx", text, MOVES)  # what is not linear does not end within the time limit of a test


BOOK = {
    "guide/book.toml": "[book]\ntitle = 'x'\n",
    "guide/src/theme/README.md": "Themes.\n" * 5,
    "guide/src/theme/other.md": "Other things.\n" * 5,
}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("guide/src/look/README.md", "look/index.html#a"),
        ("guide/src/look.md", "look.html#a"),
        ("guide/src/README.md", "index.html#a"),
    ],
)
def test_in_a_book_a_link_to_the_index_follows_the_readme(applied, text, new, expected):
    applied({**BOOK, "guide/src/start.md": "[t]: theme/index.html#a\n"}, [("guide/src/theme/README.md", new)])
    assert text("guide/src/start.md") == f"[t]: {expected}\n"


def test_in_a_book_a_page_that_becomes_a_readme_is_called_index(applied, text):
    applied({**BOOK, "guide/src/start.md": "[t](theme/other.html)\n"},
            [("guide/src/theme/other.md", "guide/src/other/README.md")])  # fmt: skip
    assert text("guide/src/start.md") == "[t](other/index.html)\n"


@pytest.mark.parametrize("page", ["page.md", "guide/page.md"])
def test_outside_of_a_book_an_index_is_no_readme(applied, text, page):
    link = "[t](guide/src/theme/index.html)\n" if page == "page.md" else "[t](src/theme/index.html)\n"
    applied({**BOOK, page: link}, [("guide/src/theme/README.md", "guide/src/look/README.md")])
    assert text(page) == link


def test_an_index_that_the_book_has_is_no_readme(applied, text):
    files = {**BOOK, "guide/src/theme/index.md": "The index itself.\n", "guide/src/start.md": "[t](theme/index.html)\n"}
    applied(files, [("guide/src/theme/README.md", "guide/src/look/README.md")])
    assert text("guide/src/start.md") == "[t](theme/index.html)\n"
