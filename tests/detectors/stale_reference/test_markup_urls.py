"""The destinations of HTML and CSS follow, in the escapes of their writer."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.markup_urls import resolved
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

MOVES = Moves({"a/x.png": "a/y z.png"}, frozenset({"a/gone.css"}), frozenset({"a/y z.png", "p/i.html"}))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("attribute", '"../a/x.png"', ["../a/y%20z.png"]),
        ("attribute", '"/a/x.png?v=1#top"', ["/a/y%20z.png?v=1#top"]),
        ("attribute", '"https://a/x.png"', [None]),
        ("attribute", '"{{ base }}/../a/x.png"', [None]),
        ("attribute", '"../a/gone.css"', [""]),
        ("url", '"../a/x.png"', ["../a/y%20z.png"]),
    ],
)
def test_a_destination_follows(kind, text, expected):
    parts = [SourceReference(kind, 1, len(text) - 1, "src" if kind == "attribute" else text[1:-1])]
    assert [
        row[2].new for row in resolved("p/i.html", parts, text, MOVES, Projects(MOVES, lambda path: None))
    ] == expected


def test_each_image_of_a_srcset_follows():
    text = '"../a/x.png 1x, other.png 2x"'
    parts = [SourceReference("attribute", 1, len(text) - 1, "srcset")]
    rows = list(resolved("p/i.html", parts, text, MOVES, Projects(MOVES, lambda path: None)))
    assert [text[start:end] for start, end, _ in rows] == ["../a/x.png", "other.png"]
    assert [followed.new for _, _, followed in rows] == ["../a/y%20z.png", None]
