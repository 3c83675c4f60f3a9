"""The card on the screen of a review: where it is scrolled to, what of it was seen, which of its files are folded."""

from __future__ import annotations

from typing import NamedTuple

from cli.console.screen import Screen
from cli.console.seen_lines import LaidLine, PartLines, SeenLines, laid_out
from cli.console.viewport import Viewport, opened
from cli.context import Context
from cli.look.card import FULL, NONE, PATCH, STAT, CardPart, card_parts, diff_lines
from kairos.desk.cards import FilePatch, card, file_patches
from kairos.domain.proposal import Proposal

_FOOTER = 2
"""The usual lines of the footer. A card that does not fit above them goes without the empty lines between its parts."""
BODIES = (FULL, STAT, NONE)


class _Anchor(NamedTuple):
    """The line at the top of the screen: its part, its place there, and how many of its rows are above the screen."""

    part: str = ""
    at: int = 0
    hidden: int = 0


class UnseenPatch(NamedTuple):
    """How many lines of a patch, in how many files, have never been on the screen."""

    lines: int
    files: int


class Cards:
    """How each card of a review is shown; kept by digest, so that a revised proposal is read from its beginning."""

    def __init__(self, context: Context, screen: Screen) -> None:
        self._context = context
        self._screen = screen
        self._body = 0
        self._marked: set[tuple[str, str]] = set()
        self._last_marked = ("", "")
        self._seen: dict[str, SeenLines] = {}
        self._anchors: dict[str, _Anchor] = {}
        self._parts: list[CardPart] = []
        self._layout: list[LaidLine] = []
        self._drawn: list[PartLines] = []
        self._wrapped: dict[str, tuple[str, int, PartLines]] = {}

    def parts(self, proposal: Proposal) -> list[CardPart]:
        """The parts of the card, from the present state of the log."""
        digest = proposal.raised.digest
        folded = {path for marked, path in self._marked if marked == digest}
        data = card(self._context.desk, proposal)
        return card_parts(
            self._context, proposal, data, body=BODIES[self._body], folded=folded,
            unseen=lambda file: self._unseen_in(digest, file),
        )  # fmt: skip

    def view(self, proposal: Proposal, parts: list[CardPart], rows: int) -> Viewport:
        """The part of the card that is on a screen with so many rows; it counts as seen from now on."""
        digest = proposal.raised.digest
        laid = [self._laid(part) for part in parts]
        if sum(len(line) for part in laid for line in part.lines) > self._screen.height - _FOOTER:
            laid = [part if part.name.startswith("/") else _tight(part) for part in laid]
        if laid != self._drawn:
            self._drawn, self._layout = laid, laid_out(laid)
        self._parts = parts
        view = opened([[row for line in part.lines for row in line] for part in laid], rows)
        view = view.scrolled(self._row(self._anchors.get(digest, _Anchor())))
        self._of(digest).look(self._layout, view.top, view.bottom)
        return view

    def _laid(self, part: CardPart) -> PartLines:
        """The lines of a part as rows; a long diff is laid out once, not at every key."""
        known = self._wrapped.get(part.name)
        if known is None or known[:2] != (part.text, self._screen.columns):
            lines = PartLines(part.name, [self._screen.lines_of(line) for line in part.text.split("\n")])
            known = self._wrapped[part.name] = (part.text, self._screen.columns, lines)
        return known[2]

    def moved(self, proposal: Proposal, view: Viewport) -> None:
        """Keeps where the card was scrolled to."""
        self._last_marked = ("", "")
        line = next((x for x in self._layout if x.end > view.top), None)
        if line is not None:
            self._anchors[proposal.raised.digest] = _Anchor(line.id.part, line.id.at, view.top - line.first)

    def unseen(self, proposal: Proposal) -> int:
        """How many lines of the card, as it is shown now, have not been on the screen."""
        return self._of(proposal.raised.digest).unseen(self._layout)

    def unseen_above(self, proposal: Proposal, view: Viewport) -> bool:
        """Whether a line above the screen has not been on it, because somebody jumped over it."""
        return 0 <= self._of(proposal.raised.digest).first_unseen(self._layout) < view.top

    def unseen_patch(self, proposal: Proposal) -> UnseenPatch:
        """What of the patch has never been on the screen, because it is folded."""
        files = file_patches(self._context.desk, proposal)
        counts = [n for file in files if (n := self._unseen_in(proposal.raised.digest, file))]
        return UnseenPatch(sum(counts), len(counts))

    def cycle(self) -> None:
        """The next way to show patches."""
        self._body = (self._body + 1) % len(BODIES)
        self._last_marked = ("", "")

    def mark(self, proposal: Proposal, view: Viewport) -> bool:
        """Folds the file at the top of the screen, or the first one below, and goes on to the next part; unfolds it if
        it was folded, and again folds or unfolds that file until the person scrolls. False if there is none."""
        digest = proposal.raised.digest
        in_sight = [
            at
            for at in range(view.part(view.top), len(self._parts))
            if self._parts[at].path and view.starts[at] < view.top + view.rows
        ]
        last = [at for at, part in enumerate(self._parts) if part.path and (digest, part.path) == self._last_marked]
        for at in [*last, *in_sight][:1]:
            self._last_marked = mark = (digest, self._parts[at].path)
            self._marked ^= {mark}
            self._anchors[digest] = _Anchor(self._parts[min(at + (mark in self._marked), len(self._parts) - 1)].name)
            return True
        return False

    def file_at(self, view: Viewport) -> str:
        """The file whose diff is at the top of the screen, or the first one below; empty if there is none."""
        return next((part.path for part in self._parts[view.part(view.top) :] if part.path), "")

    def _of(self, digest: str) -> SeenLines:
        return self._seen.setdefault(digest, SeenLines())

    def _unseen_in(self, digest: str, file: FilePatch) -> int:
        part = CardPart("", file.path)
        return self._of(digest).unseen_of(part.name, len(diff_lines(file)))

    def _row(self, anchor: _Anchor) -> int:
        """The row that an anchor is at in the present layout; of a file that is not shown, where the patch begins."""
        for line in self._layout:
            if line.id.part == anchor.part and line.id.at >= anchor.at:
                exact = line.id.at == anchor.at
                return line.first + (min(anchor.hidden, line.end - line.first - 1) if exact else 0)
        name = PATCH if anchor.part.startswith("/") else anchor.part
        return next((line.first for line in self._layout if line.id.part == name), 0)


def _tight(part: PartLines) -> PartLines:
    """The part without its empty lines."""
    return part._replace(lines=[line if any(line) else [] for line in part.lines])
