"""The card of a review: what is folded and how far it was seen, by digest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.console.screen import Screen
from cli.context import Context
from cli.decide.showing import Cards
from cli.render import finished
from kairos.desk.reading import waiting

AFTER = b"# Demo\n" + b"more\n" * 60


@pytest.fixture
def cards(home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    context = Context()
    yield context, Cards(context, Screen(context, cast(Any, SimpleNamespace(full=True))))
    context.close()


def opened(shown: Any, proposal: Any, rows: int = 21) -> Any:
    return shown.view(proposal, shown.parts(proposal), rows)


def test_a_folded_patch_was_not_seen(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    opened(shown, proposal)
    missed = shown.unseen_patch(proposal)
    assert missed.files == 1 and 40 < missed.lines < 64
    for text in (
        f"+60  -0\n  {missed.lines} lines in 1 file not shown yet",
        f"Patch\n  {missed.lines} lines in 1 file",
    ):
        shown.cycle()
        view = opened(shown, proposal, 30)
        assert text in "\n".join(map(plain, view.lines))
        assert shown.unseen(proposal) == 0 and shown.unseen_patch(proposal) == missed
    shown.cycle()
    opened(shown, proposal)
    assert shown.unseen(proposal) == missed.lines, "the rest of the card was seen while the patch was folded"


def test_what_was_seen_stays_so_when_it_is_folded(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    view = opened(shown, proposal)
    while view.below:
        shown.moved(proposal, view.paged(1))
        view = opened(shown, proposal)
    assert (shown.unseen(proposal), shown.unseen_patch(proposal)) == (0, (0, 0))
    shown.cycle()
    assert "folded, seen" in "\n".join(map(plain, opened(shown, proposal).lines))


def test_d_stays_where_the_person_reads(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    shown.moved(proposal, opened(shown, proposal, 9).scrolled(30))
    before = opened(shown, proposal, 9)
    assert before.top == 30
    shown.cycle()
    folded = opened(shown, proposal, 9)
    assert "Patch" in plain("".join(folded.shown)), "the part that was read, not the top of the card"
    shown.cycle()
    opened(shown, proposal, 9)
    shown.cycle()
    assert opened(shown, proposal, 9).top == 30


def test_what_was_jumped_over_is_above(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    view = opened(shown, proposal)
    assert not shown.unseen_above(proposal, view), "what is not seen is below"
    shown.moved(proposal, view.scrolled(1_000))
    assert shown.unseen_above(proposal, opened(shown, proposal))


def test_a_footer_of_another_height_moves_nothing(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    view = opened(shown, proposal)
    shown.moved(proposal, view.paged(1))
    assert opened(shown, proposal).top == 20
    missed = shown.unseen(proposal)
    assert opened(shown, proposal, 19).top == 20 and shown.unseen(proposal) == missed


def test_a_marked_file_is_one_line_that_says_what_was_not_shown(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    view = opened(shown, proposal)
    missed = shown.unseen_patch(proposal)
    assert shown.mark(proposal, view)
    folded = opened(shown, proposal)
    assert f"▸ README.md  +60 −0, {missed.lines} lines not shown" in "\n".join(map(plain, folded.lines))
    assert shown.unseen(proposal) == 0 and shown.unseen_patch(proposal) == missed
    assert shown.mark(proposal, folded)
    assert len(opened(shown, proposal).lines) == len(view.lines)


def test_m_again_unfolds_the_same_file_and_after_scrolling_folds_the_next(seeded: Any, cards: Any) -> None:
    (seeded.root / "b.md").write_text("b\n")
    first, second = seeded.patch("README.md", AFTER), seeded.patch("b.md", b"b\n" + b"more\n" * 30)
    seeded.raise_(type(first)(repo=first.repo, edits=[*first.edits, *second.edits]))
    context, shown = cards
    proposal = waiting(context.desk)[0]
    whole = opened(shown, proposal)
    shown.moved(proposal, whole.scrolled(30))  # in the midst of the first file
    for marks in ([True, False], [False, False], [True, False]):
        shown.mark(proposal, opened(shown, proposal))
        text = "\n".join(map(plain, opened(shown, proposal).lines))
        assert ["▸ README.md" in text, "▸ b.md" in text] == marks
    view = opened(shown, proposal)
    shown.moved(proposal, view.scrolled(3))
    shown.mark(proposal, opened(shown, proposal))
    text = "\n".join(map(plain, opened(shown, proposal).lines))
    assert "▸ README.md" in text and "▸ b.md" in text


def test_a_note_has_no_file_to_mark(seeded: Any, cards: Any) -> None:
    seeded.raise_(seeded.note())
    context, shown = cards
    proposal = waiting(context.desk)[0]
    assert not shown.mark(proposal, opened(shown, proposal))


def plain(line: str) -> str:
    """A line without its style marks."""
    return finished(line, colours=False)
