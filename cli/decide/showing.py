"""The card on the screen of a review: where it is scrolled to, how far it was seen, which of its files are folded."""

from __future__ import annotations

from typing import NamedTuple

from cli.console.screen import Screen
from cli.console.viewport import Viewport, opened, relaid
from cli.context import Context
from cli.look.card import FULL, NONE, STAT, CardPart, card_parts
from kairos.desk.cards import card
from kairos.domain.proposal import Proposal

_FOOTER = 2
"""The usual lines of the footer. A card that does not fit above them goes without the empty lines between its parts."""
BODIES = (FULL, STAT, NONE)


class _Seen(NamedTuple):
    columns: int
    view: Viewport


class Cards:
    """How each card of a review is shown; kept by digest, so that a revised proposal is read from its beginning."""

    def __init__(self, context: Context, screen: Screen) -> None:
        self._context = context
        self._screen = screen
        self._body = 0
        self._marked: set[tuple[str, str]] = set()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._parts: list[CardPart] = []

    def parts(self, proposal: Proposal) -> list[CardPart]:
        """The parts of the card, from the present state of the log."""
        digest = proposal.raised.digest
        folded = {path for marked, path in self._marked if marked == digest}
        data = card(self._context.desk, proposal)
        return card_parts(self._context, proposal, data, body=BODIES[self._body], folded=folded)

    def view(self, proposal: Proposal, parts: list[CardPart], rows: int, *, done: int | None = None) -> Viewport:
        """The part of the card that is on a screen with so many rows; it counts as seen from now on."""
        key, columns = (proposal.raised.digest, BODIES[self._body]), self._screen.columns
        lines = [self._screen.lines_of(part.text) for part in parts]
        if sum(map(len, lines)) > self._screen.height - _FOOTER:
            lines = [x if part.path else [*filter(None, x)] for x, part in zip(lines, parts, strict=True)]
        known = self._seen.get(key)
        view = opened(lines, rows)
        if known is not None and known.columns == columns and _same_shape(known.view, view):
            view = view._replace(top=known.view.top, seen=known.view.seen).scrolled(0)
        elif known is not None:
            view = relaid(known.view, lines, rows, done=done)
        self._seen[key] = _Seen(columns, view.looked())
        self._parts = parts
        return self._seen[key].view

    def moved(self, proposal: Proposal, view: Viewport) -> None:
        """Keeps where the card was scrolled to."""
        self._seen[proposal.raised.digest, BODIES[self._body]] = _Seen(self._screen.columns, view)

    def cycle(self) -> None:
        """The next way to show patches."""
        self._body = (self._body + 1) % len(BODIES)

    def mark(self, proposal: Proposal, view: Viewport) -> int | None:
        """Folds the file at the top of the screen, or the first one below, as seen; unfolds it if it was folded.
        Returns its part, None if there is none."""
        first = view.part(view.top)
        for at in range(first, len(self._parts)):
            path = self._parts[at].path
            if path and view.starts[at] < view.top + view.rows:
                self._marked ^= {(proposal.raised.digest, path)}
                return at
        return None

    def file_at(self, view: Viewport) -> str:
        """The file whose diff is at the top of the screen, or the first one below; empty if there is none."""
        return next((part.path for part in self._parts[view.part(view.top) :] if part.path), "")


def _same_shape(one: Viewport, other: Viewport) -> bool:
    """Whether two views differ in words at most, such as an age."""
    return one.starts == other.starts and len(one.lines) == len(other.lines)
