"""`kairos review`: one card at a time, one key per decision. A key applies to the card on screen, by its digest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import partial

import click

from cli import render
from cli.console.presses import EOF, REDRAW
from cli.console.screen import Screen, scrolled
from cli.console.session import Terminal
from cli.console.viewport import Viewport
from cli.context import Context, pass_context
from cli.decide.decide import LETTERS, risk_words
from cli.decide.edit import edited_text, in_editor
from cli.decide.showing import Cards
from cli.decide.splitting import Picking
from cli.decide.undo import described, receipt, standing
from cli.look.card import CardPart
from cli.look.why import steps_text
from kairos.desk import deciding, editing
from kairos.desk.cards import comments_go
from kairos.desk.explaining import why
from kairos.desk.reading import chosen, letters, undecided, waiting
from kairos.desk.records.proposals import DecidedOut
from kairos.desk.undoing import TakingBack, take_back
from kairos.desk.units import count
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError, NotFound, Stale, UsageError

REASONS = {"1": "wrong", "2": "not_now", "3": "style", "4": "too_risky", "5": "duplicate", "6": "other"}
LATER = {"1": "1h", "2": "tonight", "3": "tomorrow", "4": "next-commit", "5": "evidence"}
HELP = """  y  approve exactly this, once you saw its end (high risk: type the first four letters of the id)
  n  reject: 1 wrong  2 not now  3 style  4 too risky  5 duplicate  6 other
  l  later: 1 in an hour  2 tonight  3 tomorrow  4 after the next commit  5 when its evidence changes
  e  edit the patch in your editor: the same proposal, a new digest
  s  split: pick hunks, with the keys of git add -p; the others are dropped
  t  try it now in a scratch tree, with your check, and keep the result on the card
  c  comment on the file at the top of the screen, or on the whole: with a model configured it changes the patch
  w  why: the causal chain
  d  the diff: full, in numbers, hidden; y then asks once more if lines of it were never shown
  m  fold the file at the top of the screen; again to unfold it
  u  undo the last decision
  j k  next, previous
  space, arrows, page up and down, home, end  scroll
  q  quit; what is undecided stays"""
QUIT = "q"
PROMPT = "[y n e s t c l w d m u j k q ?] "
UNSEEN = "Y"
"""The key that approves lines that were never shown: neither a finger that slips nor a key that is held gives it."""
END_PAGE = "Nothing is left to decide."
END_PROMPT = "u takes back the last decision, q ends [u q] "
_WAIT_S = 10.0
_RETURN_S = 5.0


class Review:
    """The state of one review: the cards, the one on screen, and the last decision."""

    def __init__(self, context: Context, screen: Screen, ids: list[str]) -> None:
        self._context = context
        self._screen = screen
        self._terminal = screen.terminal
        self._cards = Cards(context, screen)
        self._ids = ids
        self._at = 0
        self._mine: list[str] = []
        self._said = ""
        self.receipts: list[str] = []
        self._keys: dict[str, Callable[[Proposal, Viewport], None]] = {
            "y": self._approve, "n": self._reject, "l": self._later, "w": self._why, "d": self._cycle,
            "e": self._edit, "s": self._split, "t": self._try, "c": self._comment,
            "m": self._mark, "u": self._undo, "j": self._next, "k": self._previous, "?": self._help,
        }  # fmt: skip

    def run(self) -> bool:
        """Runs until the person quits; true if nothing is left undecided."""
        while True:
            found = self._context.desk.at_one_moment(self._present)
            if found is None:
                if not self._at_end():
                    return True
                continue
            shown, parts, place = found
            key = self._key(shown, parts, place)
            if key in (QUIT, EOF):
                return False
            if key in self._keys:
                self._pressed(partial(self._keys[key], shown, self._view))

    def _pressed(self, act: Callable[[], None]) -> None:
        try:
            act()
        except KairosError as error:
            hint = f" {render.inert(error.hint, lines=True)}" if error.hint else ""
            self._receipt(f"{render.paint('error:', 'red')} {render.inert(error.message, lines=True)}.{hint}")

    def _at_end(self) -> bool:
        """The page after the last decision, where that can still be taken back; false if the person ends there."""
        while True:
            self._terminal.forget()
            footer = self._screen.footer(self._said, END_PAGE, END_PROMPT)
            rows = [line for text in self.receipts for line in self._screen.lines_of(text)]
            self._screen.draw(rows[-self._screen.rows_above(footer) :] if self._terminal.full else [], footer)
            key = self._terminal.key()
            if key in (QUIT, EOF):
                return False
            if key == "u":
                self._pressed(self._take_back)
                return True
            if key != REDRAW:
                self._said = ""

    def _present(self) -> tuple[Proposal, list[CardPart], str] | None:
        """The present proposal, its card and its place among the undecided; None when nothing is left."""
        left = undecided(self._context.desk, self._ids)
        if not left:
            return None
        self._at %= len(left)
        proposal = left[self._at]
        return proposal, self._cards.parts(proposal), f"{self._at + 1} of {len(left)}"

    def _key(self, shown: Proposal, parts: list[CardPart], place: str) -> str:
        """Shows the card and scrolls it; returns the first key that is neither. Keys decide this version, even if the
        log changes meanwhile."""
        while True:
            self._terminal.forget()
            self._draw(shown, parts, place)
            key = self._waited(shown)
            if key in (QUIT, EOF) or key in self._keys:
                return key

    def _waited(self, shown: Proposal) -> str:
        """The next key that does something; after a scrolling key the view has moved."""
        while True:
            key = self._terminal.key()
            moved = scrolled(self._view, key)
            if moved is not None:
                self._cards.moved(shown, moved)
            if moved not in (None, self._view) or key in (REDRAW, QUIT, EOF) or key in self._keys:
                self._said = ""
                return key

    def _draw(self, shown: Proposal, parts: list[CardPart], place: str) -> None:
        footer = self._screen.footer(self._said, "…", PROMPT)
        self._view = view = self._cards.view(shown, parts, self._screen.rows_above(footer))
        more = f"{count(view.below, 'more line')} below: space" if view.below else "the end"
        self._screen.draw(view.shown, self._screen.footer(self._said, f"{place} · {more}", PROMPT))

    def _say(self, text: str) -> None:
        """A line for the person, until the next key."""
        self._said = self._screen.say(text)

    def _approve(self, shown: Proposal, view: Viewport) -> None:
        missed = self._cards.unseen(shown)
        if missed:
            were = f"{count(missed, 'line')} of the card {'was' if missed == 1 else 'were'} not seen"
            where = "above, from home on" if self._cards.unseen_above(shown, view) else "below"
            self._say(f"not approved: {were} ({where}). space scrolls, d folds the patch")
            return
        if not self._sure(shown):
            self._say("not approved")
            return
        desk = self._context.desk
        try:
            done = deciding.approve(desk, shown, shown.raised.digest, wait_s=_WAIT_S)
            deciding.refuse_if_bad(desk, done, waited_s=_WAIT_S)
        except Stale:
            deciding.await_return(desk, shown.id, _RETURN_S)  # so that its new card is shown, not the end
            raise
        self._settled(done)

    def _sure(self, shown: Proposal) -> bool:
        """Asks once more before high risk, and before lines of the patch are approved that were never shown."""
        lines, files = self._cards.unseen_patch(shown)
        blind = f"{count(lines, 'line')} in {count(files, 'file')} {'was' if lines == 1 else 'were'} never shown"
        if shown.raised.risk in ("high", "urgent"):
            wanted = shown.id[:LETTERS]
            words = f"{risk_words(shown)}{f', and {blind}' if lines else ''}"
            return self._screen.typed(f"{words}: type {wanted} and Enter to approve: ") == wanted
        if not lines:
            return True
        question = f"{blind}. Press {UNSEEN} (capital) to approve them unseen, any other key to go back "
        return self._screen.choose(question) == UNSEEN

    def _reject(self, shown: Proposal, view: Viewport) -> None:
        choices = "  ".join(f"{k} {v.replace('_', ' ')}" for k, v in REASONS.items())
        reason = REASONS.get(self._screen.choose(f"why?  {choices}  "))
        if reason is None:
            self._say("not rejected")
            return
        text, never = "; ".join(c.text for c in shown.comments), False
        if reason == "other":
            words = self._screen.typed("in your words: ", pasteable=True)
            if words is None:
                self._say("not rejected")
                return
            text = words or text
            never = self._screen.choose("never propose this here? [y/N] ") == "y"
        self._settled(deciding.reject(self._context.desk, shown.id, reason, text, never=never))

    def _later(self, shown: Proposal, view: Viewport) -> None:
        when = LATER.get(self._screen.choose(f"when?  {'  '.join(f'{k} {v}' for k, v in LATER.items())}  "))
        if when is None:
            self._say("not deferred")
            return
        self._settled(deciding.later(self._context.desk, shown.id, when))

    def _edit(self, shown: Proposal, view: Viewport) -> None:
        text = editing.patch_to_edit(self._context.desk, shown)
        after = in_editor(text, shown.id, self._terminal.lent())
        done = editing.edit_patch(self._context.desk, shown, after)
        self._mine += [shown.id] if done.changed else []
        self._say(edited_text(self._context, done))

    def _split(self, shown: Proposal, view: Viewport) -> None:
        desk = self._context.desk
        picking = Picking(self._screen, shown, editing.base_of(desk, shown))
        if not picking.run() or len(picking.taken) == len(picking.hunks):
            self._say("the patch stays as it is")
            return
        if not picking.taken:
            self._say("no hunk was kept: the patch stays as it is; n rejects it")
            return
        done = editing.keep_hunks(desk, shown, picking.taken, len(picking.hunks) - len(picking.taken))
        self._mine += [shown.id] if done.changed else []
        self._say(edited_text(self._context, done))

    def _try(self, shown: Proposal, view: Viewport) -> None:
        check = editing.check_of(self._context.desk, shown)
        self._screen.tell(f"trying it in a scratch tree{f': {shlex.join(check)}' if check else ''} … Ctrl-C stops it ")
        try:
            after = editing.try_now(self._context.desk, shown)
        except KeyboardInterrupt:
            self._say("the trial was stopped; nothing was recorded")
            return
        said = after.verified.why if after.verified is not None else ""
        self._say(render.inert(f"{shown.id} is {after.state}: {said or 'it applies in a scratch tree'}"))

    def _comment(self, shown: Proposal, view: Viewport) -> None:
        file = self._cards.file_at(view)
        text = self._screen.typed(f"comment on {render.inert(file) or 'the proposal'}: ", pasteable=True)
        if not text:
            self._say("no comment")
            return
        deciding.comment(self._context.desk, shown.id, text, file)
        self._say(f"your comment is on the card; {comments_go(self._context.desk)}. A rejection takes it as its reason")

    def _why(self, shown: Proposal, view: Viewport) -> None:
        self._screen.page(steps_text(why(self._context.desk, shown.id)))

    def _help(self, shown: Proposal, view: Viewport) -> None:
        self._screen.page(HELP)

    def _cycle(self, shown: Proposal, view: Viewport) -> None:
        self._cards.cycle()

    def _mark(self, shown: Proposal, view: Viewport) -> None:
        if not self._cards.mark(shown, view):
            self._say("there is no file of the patch on the screen")

    def _next(self, shown: Proposal, view: Viewport) -> None:
        self._at += 1

    def _previous(self, shown: Proposal, view: Viewport) -> None:
        self._at -= 1

    def _undo(self, shown: Proposal, view: Viewport) -> None:
        self._take_back()

    def _take_back(self) -> None:
        """Takes back the last decision of this review; after a question an older one of this repository."""
        mine = self._mine.pop() if self._mine else None
        scope = None if mine is not None else standing(self._context)
        try:
            done = take_back(
                self._context.desk, "undo", mine, lambda plan: bool(mine) or self._agreed(plan), scope=scope
            )
        except NotFound:
            self._say("nothing was decided yet")
            return
        if done is None:
            self._say("nothing was changed")
            return
        if done.id and done.id not in self._ids:
            self._ids.append(done.id)
        left = [p.id for p in undecided(self._context.desk, self._ids)]
        self._at = left.index(done.id) if done.id in left else self._at
        self._receipt(receipt(self._context, "undo", done))

    def _agreed(self, plan: TakingBack) -> bool:
        return self._screen.choose(f"nothing was decided here yet. {described(plan)}  Proceed? [y/N] ") == "y"

    def _settled(self, done: DecidedOut) -> None:
        self._mine.append(done.id)
        undo = f"undo: kairos undo {letters(self._context.desk, done.id)}"
        self._receipt(f"{render.paint('✓', 'green')} {done.id} {done.state} · {undo}")

    def _receipt(self, text: str) -> None:
        self.receipts.append(text)
        self._say(text)


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
        lambda: chosen(context.desk, ids, context.only()) if ids else waiting(context.desk, context.only())
    )
    if not found:
        render.emit(context, "review", None, "  Nothing waits for a decision.")
        return
    with Terminal(full=True) as terminal:
        run = Review(context, Screen(context, terminal), [p.id for p in found])
        empty = run.run()
    receipts = "\n".join(run.receipts if terminal.full else [])
    render.emit(context, "review", None, f"{receipts}\n{END_PAGE if empty and terminal.full else ''}".strip())
