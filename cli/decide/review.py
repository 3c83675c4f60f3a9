"""`kairos review`: one card at a time, one key per decision. A key applies to the card on screen, by its digest."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from cli.decide.decide import LETTERS
from cli.decide.keys import QUIT, Keys
from cli.decide.undo import described, receipt, standing
from cli.look.inbox import shown_card
from cli.look.why import steps_text
from kairos.desk import deciding
from kairos.desk.explaining import why
from kairos.desk.reading import chosen, undecided, waiting
from kairos.desk.records.proposals import DecidedOut
from kairos.desk.undoing import TakingBack, take_back
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError, NotFound, UsageError

REASONS = {"1": "wrong", "2": "not_now", "3": "style", "4": "too_risky", "5": "duplicate", "6": "other"}
LATER = {"1": "1h", "2": "tonight", "3": "tomorrow", "4": "next-commit"}
BODIES = ("full", "stat", "none")
HELP = """  y  approve exactly this (high risk: type the first four letters of the id)
  n  reject: 1 wrong  2 not now  3 style  4 too risky  5 duplicate  6 other
  l  later: 1 in an hour  2 tonight  3 tomorrow  4 after the next commit
  w  why: the causal chain        d  the diff: full, in numbers, hidden
  u  undo the last decision       j k  next, previous
  q  quit; what is undecided stays"""
KEYS = frozenset("ynlwdujk?")
PROMPT = "[y n l w d u j k q ?] "
_WAIT_S = 10.0


class Review:
    """The state of one review: the cards, the one on screen, and the last decision."""

    def __init__(self, context: Context, keys: Keys, ids: list[str]) -> None:
        self._context = context
        self._keys = keys
        self._ids = ids
        self._at = 0
        self._body = 0
        self._mine: list[str] = []
        self._said = ""
        self.decided: list[str] = []

    def run(self) -> None:
        """Runs until nothing is undecided or the person quits."""
        while (shown := self._card()) is not None:
            if not self._decide(shown):
                return
        render.emit(self._context, "review", None, f"{self._said}\n\nNothing is left to decide.".strip())

    def _card(self) -> Proposal | None:
        """Shows the present card and returns its proposal: keys decide this version, even if the log changes later."""
        drawn = self._context.desk.at_one_moment(self._drawn)
        if drawn is None:
            return None
        proposal, text = drawn
        render.clear(self._context)
        said = f"{self._said}\n\n" if self._said else ""
        self._said = ""
        render.emit(self._context, "review", None, f"{said}{text}")
        return proposal

    def _drawn(self) -> tuple[Proposal, str] | None:
        """The present proposal and its card; None when nothing is left."""
        left = undecided(self._context.desk, self._ids)
        if not left:
            return None
        self._at %= len(left)
        proposal = left[self._at]
        _, text = shown_card(self._context, lambda: proposal, body=BODIES[self._body])
        return proposal, f"{text}\n\n{self._at + 1} of {len(left)}"

    def _decide(self, shown: Proposal) -> bool:
        """Handles keys until one changes what is on screen; False to quit."""
        self._keys.forget()
        render.prompt(self._context, PROMPT)
        while True:
            key = self._keys.key()
            if key == QUIT:
                render.prompt(self._context, "\n")
                return False
            try:
                if self._act(key, shown):
                    return True
                if key in KEYS:
                    render.prompt(self._context, PROMPT)
            except KairosError as error:
                self._said = f"{render.paint('error:', 'red')} {render.inert(error.message, lines=True)}"
                return True

    def _act(self, key: str, shown: Proposal) -> bool:
        """Performs the action of a key; True if the screen must be redrawn."""
        match key:
            case "y":
                return self._approve(shown)
            case "n":
                return self._reject(shown)
            case "l":
                return self._later(shown)
            case "w":
                self._show_why(shown)
                return False
            case "d":
                self._body = (self._body + 1) % len(BODIES)
                return True
            case "u":
                return self._undo()
            case "j" | "k":
                self._at += 1 if key == "j" else -1
                return True
            case "?":
                render.prompt(self._context, f"\n{HELP}\n")
                return False
            case _:
                return False

    def _approve(self, shown: Proposal) -> bool:
        if shown.raised.risk in ("high", "urgent"):
            wanted = shown.id[:LETTERS]
            render.prompt(self._context, f"\n{shown.raised.risk} risk: type {wanted} and Enter to approve: ")
            if self._keys.line() != wanted:
                render.prompt(self._context, "not approved\n")
                return False
        desk = self._context.desk
        done = deciding.approve(desk, shown, shown.raised.digest, wait_s=_WAIT_S)
        deciding.refuse_if_bad(desk, done, waited_s=_WAIT_S)
        self._settled(done)
        return True

    def _reject(self, shown: Proposal) -> bool:
        choices = "  ".join(f"{k} {v.replace('_', ' ')}" for k, v in REASONS.items())
        render.prompt(self._context, f"\nwhy?  {choices}  ")
        reason = REASONS.get(self._keys.key())
        if reason is None:
            render.prompt(self._context, "\nnot rejected\n")
            return False
        text, never = "", False
        if reason == "other":
            render.prompt(self._context, "\nin your words: ")
            text = self._keys.line()
            render.prompt(self._context, "never propose this here? [y/N] ")
            never = self._keys.key() == "y"
        self._settled(deciding.reject(self._context.desk, shown.id, reason, text, never=never))
        return True

    def _later(self, shown: Proposal) -> bool:
        choices = "  ".join(f"{k} {v}" for k, v in LATER.items())
        render.prompt(self._context, f"\nwhen?  {choices}  ")
        when = LATER.get(self._keys.key())
        if when is None:
            render.prompt(self._context, "\nnot deferred\n")
            return False
        self._settled(deciding.defer(self._context.desk, shown.id, deciding.moment(when)))
        return True

    def _show_why(self, shown: Proposal) -> None:
        render.prompt(self._context, f"\n{steps_text(why(self._context.desk, shown.id))}\n")

    def _undo(self) -> bool:
        """Takes back the last decision of this review; an older one of this repository after a question."""
        mine = self._mine.pop() if self._mine else None
        scope = None if mine is not None else standing(self._context)
        try:
            done = take_back(
                self._context.desk, "undo", mine, lambda plan: bool(mine) or self._agreed(plan), scope=scope
            )
        except NotFound:
            render.prompt(self._context, "\nnothing was decided yet\n")
            return False
        if done is None:
            render.prompt(self._context, "\nnothing was changed\n")
            return False
        if done.id and done.id not in self._ids:
            self._ids.append(done.id)
        left = [p.id for p in undecided(self._context.desk, self._ids)]
        self._at = left.index(done.id) if done.id in left else self._at
        self._said = receipt(self._context, "undo", done)
        return True

    def _agreed(self, plan: TakingBack) -> bool:
        render.prompt(self._context, f"\nnothing was decided here yet. {described(plan)}  Proceed? [y/N] ")
        return self._keys.key() == "y"

    def _settled(self, done: DecidedOut) -> None:
        self._mine.append(done.id)
        self.decided.append(done.id)
        self._said = f"{render.paint('✓', 'green')} {done.id} {done.state}"


@click.command()
@click.argument("ids", metavar="[ID…]", nargs=-1)
@pass_context
def review(context: Context, ids: Sequence[str]) -> None:
    """Decide proposals one by one with single keys; press ? there for what they do."""
    if not context.interactive():
        raise UsageError(
            "review needs a terminal",
            "Use `kairos inbox`, `show ID`, and `approve ID --digest D` or `reject ID -m TEXT`.",
        )
    found = context.desk.at_one_moment(
        lambda: chosen(context.desk, ids) if ids else waiting(context.desk, context.only())
    )
    if not found:
        render.emit(context, "review", None, "  Nothing waits for a decision.")
        return
    with Keys() as keys:
        Review(context, keys, [p.id for p in found]).run()
