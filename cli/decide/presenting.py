"""Which card a review shows: the one on screen until a person goes on, and what of it changed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cli import render
from cli.context import Context
from cli.decide.showing import Cards
from cli.look.card import CardPart
from kairos.desk.deciding import not_now
from kairos.desk.reading import inbox, undecided
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError

PROMPT = "[y n e s t c l w d m u j k q ?] "
MARKED_PROMPT = "[w d m u j k q ?] "
PASSING_PROMPT = "any key goes on "
DECIDING = frozenset("ynlestc")
"""The keys that decide a card or change it. They do nothing while it does not wait for a decision."""


class Shown(NamedTuple):
    """The card on screen. `mark`: why no key decides it now, empty if one does; `passing`: the next key ends that."""

    proposal: Proposal
    parts: list[CardPart]
    place: str
    mark: str = ""
    passing: bool = False

    @property
    def prompt(self) -> str:
        return PASSING_PROMPT if self.passing else MARKED_PROMPT if self.mark else PROMPT


class Presenting:
    """The cards of one review, and the one on screen.

    The card on screen stays there whatever the log says, until a person goes on: one that no longer waits is marked,
    and so is one that changed, until a key is pressed. So no key decides what was not on screen before it."""

    def __init__(self, context: Context, cards: Cards, ids: list[str]) -> None:
        self._context = context
        self._cards = cards
        self.ids = ids
        self._at = 0
        self._on: Shown | None = None

    def present(self) -> Shown | None:
        """The card on screen as it is now; when a person went on, the next one that waits. None when nothing is
        left."""
        self._on = self._context.desk.at_one_moment(self._present)
        return self._on

    def _present(self) -> Shown | None:
        desk, before = self._context.desk, self._on
        left = undecided(desk, self.ids)
        if before is None:
            self._at = self._at % len(left) if left else 0
            return self._shown(left[self._at], len(left)) if left else None
        on = inbox(desk).proposals[before.proposal.id]
        refused = not_now(desk, on)
        if refused is not None:
            return Shown(on, self._cards.parts(on), "not to be decided now", sentence(refused))
        self._at = [p.id for p in left].index(on.id)
        shown = self._shown(on, len(left))
        same = before.proposal.raised.digest == on.raised.digest
        if same and not before.mark:
            return shown
        changed = on.revisions[-1].changed if on.revisions else on.why
        what = "waits for you again" if same else f"is not what you read: {changed}"
        return shown._replace(mark=render.inert(f"{on.id} {what}"), passing=True)

    def _shown(self, proposal: Proposal, of: int) -> Shown:
        return Shown(proposal, self._cards.parts(proposal), f"{self._at + 1} of {of}")

    def is_news(self) -> bool:
        """Whether the card on screen is not as it was: what it is decided by, its state, or why it does not wait."""
        if self._on is None:
            return False
        return _standing(inbox(self._context.desk).proposals[self._on.proposal.id]) != _standing(self._on.proposal)

    def go_on(self, step: int = 0) -> None:
        """Lets the next card be shown: so many further, or (0) the one that takes the place of this one."""
        marked = self._on is not None and self._on.mark and not self._on.passing
        self._at += step - 1 if marked and step > 0 else step  # a marked card is none of those that are left
        self._on = None

    def show(self, id_: str) -> None:
        """Lets a card be shown, if it waits for a decision."""
        if id_ and id_ not in self.ids:
            self.ids.append(id_)
        left = [p.id for p in undecided(self._context.desk, self.ids)]
        self._at = left.index(id_) if id_ in left else self._at
        self._on = None

    def parked(self) -> list[str]:
        """What is to be said of the cards of this review that are parked."""
        known = inbox(self._context.desk).proposals
        return not_now_sentences(self._context, [p for i in self.ids if (p := known[i]).state == "parked"])


def not_now_sentences(context: Context, proposals: Sequence[Proposal]) -> list[str]:
    """Why proposals cannot be decided now, and what brings them back."""
    refused = [not_now(context.desk, p) for p in proposals]
    return [sentence(error) for error in refused if error is not None]


def sentence(error: KairosError) -> str:
    """An error with its hint, in one line."""
    hint = f" {render.inert(error.hint, lines=True)}" if error.hint else ""
    return f"{render.inert(error.message, lines=True)}.{hint}"


def _standing(p: Proposal) -> tuple[object, ...]:
    return p.state, p.raised.digest, p.parked, p.verified, p.deferred_until, p.why
