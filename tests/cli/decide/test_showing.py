"""The card of a review: what is folded and how far it was seen, by digest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.console.screen import Screen
from cli.context import Context
from cli.decide.showing import Cards
from kairos.desk.reading import waiting

AFTER = b"# Demo\n" + b"more\n" * 60


@pytest.fixture
def cards(home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    context = Context()
    yield context, Cards(context, Screen(context, cast(Any, SimpleNamespace(full=True))))
    context.close()


def test_each_way_to_show_a_patch_is_seen_for_itself(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    assert not shown.view(proposal, shown.parts(proposal), 21).whole
    shown.cycle()
    assert shown.view(proposal, shown.parts(proposal), 21).whole
    shown.cycle()
    shown.cycle()
    assert not shown.view(proposal, shown.parts(proposal), 21).whole


def test_a_footer_of_another_height_moves_nothing(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    parts = shown.parts(proposal)
    view = shown.view(proposal, parts, 21)
    shown.moved(proposal, view.paged(1))
    assert shown.view(proposal, parts, 21).seen == 41
    again = shown.view(proposal, parts, 19)
    assert (again.top, again.seen) == (20, 41)


def test_a_marked_file_is_one_line_until_it_is_marked_again(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    view = shown.view(proposal, shown.parts(proposal), 21)
    part = shown.mark(proposal, view)
    assert part is not None
    folded = shown.view(proposal, shown.parts(proposal), 21, done=part)
    assert folded.whole and any("✓" in line for line in folded.lines)
    assert shown.mark(proposal, folded) == part
    assert len(shown.view(proposal, shown.parts(proposal), 21).lines) == len(view.lines)


def test_a_note_has_no_file_to_mark(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.note())
    context, shown = cards
    proposal = waiting(context.desk)[0]
    assert shown.mark(proposal, shown.view(proposal, shown.parts(proposal), 21)) is None
