"""Files that Markdown includes by the tags of mkdocs, mdBook, Jekyll, Hugo and others."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.inclusions import find_inclusions
from kairos.detectors.stale_reference.moves import Moves

MOVES = Moves(
    {"docs/src/old.py": "docs/src/new.py", "code/old.rs": "code/new.rs", "docs/old.md": "docs/new.md"},
    frozenset({"docs/gone.md"}),
    frozenset({"docs/src/new.py", "code/new.rs", "docs/new.md", "docs/page.md", "docs/deep/page.md"}),
)


def rewritten(path, text):
    for start, end, new in sorted(find_inclusions(path, text, MOVES).spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/page.md", "{!./src/old.py!}"),
        ("docs/deep/page.md", "{!../src/old.py!}"),
        ("docs/deep/page.md", "{! ./src/old.py !}"),
        ("docs/page.md", "{* ../code/old.rs hl[1,2:3] *}"),
        ("docs/page.md", "{{#include ../code/old.rs:2:10}}"),
        ("docs/page.md", "{{#rustdoc_include ../code/old.rs}}"),
        ("docs/page.md", "```py\n--8<-- \"docs/src/old.py\"\n```"),
        ("docs/page.md", "{% include-markdown \"old.md\" %}"),
        ("docs/page.md", "[x]({% link docs/old.md %})"),
        ("docs/page.md", "{{< ref \"old.md#part\" >}}"),
    ],
)  # fmt: skip
def test_an_included_file_follows(path, text):
    assert rewritten(path, text) == text.replace("old.", "new.")


@pytest.mark.parametrize(
    "text", ["{!http://x/old.py!}", "{% if old.md %}", "{{ old.md }}", "{!./src/other.py!}", "{old.md}"]
)
def test_other_tags_stay(text):
    assert find_inclusions("docs/page.md", text, MOVES).spans == []


def test_an_included_file_that_was_deleted_is_dead():
    assert find_inclusions("docs/page.md", "x\n{!gone.md!}", MOVES).dead == {1}
