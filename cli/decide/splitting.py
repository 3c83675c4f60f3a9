"""Picking hunks of a patch in a review, with the keys of `git add -p`."""

from __future__ import annotations

from collections.abc import Mapping

from cli import render
from cli.console.presses import EOF, ESCAPE, REDRAW
from cli.console.screen import Screen, scrolled
from cli.console.viewport import Viewport, opened
from cli.decide.edit import in_editor
from kairos.desk import editing
from kairos.domain.hunks import HunkGroup, group_text, groups, short_text, split
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError

HELP = """  y  keep this hunk                     n  drop it
  a  keep it and all that follow in this file    d  drop it and all that follow in this file
  q  stop: what was kept so far is kept, the rest is dropped
  j  leave it undecided, next undecided    J  next
  k  leave it undecided, previous undecided    K  previous
  s  split it into smaller hunks        e  edit it
  esc  give up: the patch stays as it is
Hunks that are not kept are dropped: they are proposed again only if their evidence changes."""
KEYS = frozenset("ynqadjJkKse?")
PROMPT = "Keep this hunk [y n q a d j J k K s e ?] "


class Picking:
    """The state of one picking: the hunks, what was decided on each, and the one on the screen."""

    def __init__(self, screen: Screen, proposal: Proposal, base: Mapping[str, bytes]) -> None:
        self._screen = screen
        self._base = base
        action = proposal.raised.action
        self.hunks: list[HunkGroup] = groups(action)  # type: ignore[arg-type]
        self.kept: list[bool | None] = [None] * len(self.hunks)
        self._id = proposal.id
        self._at = 0
        self._said = ""

    def run(self) -> bool:
        """Runs until every hunk is decided or the person stops; false if they gave up."""
        while None in self.kept:
            key = self._key()
            if key in (ESCAPE, EOF):
                return False
            if key == "q":
                return True
            try:
                self._act(key)
            except KairosError as error:
                self._said = render.inert(error.message, lines=True)
        return True

    @property
    def taken(self) -> list[HunkGroup]:
        return [hunk for hunk, kept in zip(self.hunks, self.kept, strict=True) if kept]

    def _key(self) -> str:
        """Shows the hunk, scrolls it, and returns the first key that does something."""
        view: Viewport | None = None
        while True:
            place = f"hunk {self._at + 1} of {len(self.hunks)}, {self.kept.count(True)} kept"
            state = {True: ", kept", False: ", dropped", None: ""}[self.kept[self._at]]
            footer = self._screen.footer(self._said, f"{place}{state}", PROMPT)
            lines = self._screen.lines_of(render.diff(short_text(self.hunks[self._at], self._base).rstrip("\n")))
            after = opened([lines], self._screen.rows_above(footer))
            view = after if view is None else after.scrolled(view.top)
            self._screen.terminal.forget()
            self._screen.draw(view.shown, footer)
            key = self._screen.terminal.key()
            moved = scrolled(view, key)
            if moved is not None:
                view = moved
            elif key in KEYS or key in (ESCAPE, EOF):
                self._said = ""
                return key
            elif key != REDRAW:
                self._said = ""

    def _act(self, key: str) -> None:
        match key:
            case "y" | "n":
                self.kept[self._at] = key == "y"
                self._undecided(1)
            case "a" | "d":
                for at in range(self._at, len(self.hunks)):
                    if self.hunks[at].edit == self.hunks[self._at].edit and self.kept[at] is None:
                        self.kept[at] = key == "a"
                self._undecided(1)
            case "j" | "k":
                self._undecided(1 if key == "j" else -1)
            case "J" | "K":
                self._at = (self._at + (1 if key == "J" else -1)) % len(self.hunks)
            case "s":
                self._split()
            case "e":
                self._edit()
            case _:
                self._screen.page(HELP)

    def _undecided(self, step: int) -> None:
        """Goes to the next hunk that is not decided."""
        for n in range(1, len(self.hunks) + 1):
            at = (self._at + n * step) % len(self.hunks)
            if self.kept[at] is None:
                self._at = at
                return

    def _split(self) -> None:
        parts = split(self.hunks[self._at])
        if len(parts) == 1:
            self._said = "this hunk cannot be split further"
            return
        self.hunks[self._at : self._at + 1] = parts
        self.kept[self._at : self._at + 1] = [None] * len(parts)
        self._said = f"split into {len(parts)} hunks"

    def _edit(self) -> None:
        group = self.hunks[self._at]
        if group.whole:
            self._said = "a file that is created or deleted is edited with e of the review"
            return
        text = in_editor(group_text(group, self._base), self._id, self._screen.terminal.lent())
        self.hunks[self._at] = editing.edited_group(group, text, self._base)
        self.kept[self._at] = True
        self._undecided(1)
