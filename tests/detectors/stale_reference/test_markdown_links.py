"""Links of Markdown follow a moved file; code, other places and what only looks like a link stay."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.markdown_links import find_links
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
        ("[dir](lib/)", "[dir](src/)"),
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
