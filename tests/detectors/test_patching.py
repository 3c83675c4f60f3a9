"""Spans become hunks that give exactly the text they promise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.patching import Lines, Span, ordered, replaced, spliced
from kairos.domain.action import apply_edit

TEXT = st.text(st.sampled_from("ab\n\ré\x85\u2028"), max_size=40)


@st.composite
def edits(draw):
    text = draw(TEXT)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = [Span(a, b, draw(TEXT)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    return text, spans


@given(edits())
def test_the_edit_applies_and_gives_the_replaced_text(made):
    text, spans = made
    disjoint = ordered(spans)
    if disjoint is None:
        return
    content = text.encode()
    edit = spliced("a", content, 0o755, disjoint)
    assert apply_edit(edit, content) == replaced(text, disjoint).encode()
    assert edit.after is not None
    assert edit.after.mode == 0o755


def test_overlapping_spans_are_refused_and_repeated_ones_joined():
    assert ordered([Span(0, 3, "x"), Span(2, 4, "y")]) is None
    assert ordered([Span(2, 4, "y"), Span(0, 2, "x"), Span(2, 4, "y")]) == [Span(0, 2, "x"), Span(2, 4, "y")]


def test_only_a_newline_ends_a_line():
    lines = Lines("a\r\x85\u2028b\nc")
    assert lines.number(4) == 0
    assert lines.slice(0, 0) == "a\r\x85\u2028b\n"
    assert lines.slice(1, 1) == "c"
