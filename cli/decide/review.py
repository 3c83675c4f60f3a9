"""`kairos review`: one card at a time, one key per decision. A key applies to the card on screen, by its digest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from functools import partial

import click

from cli import render
from cli.console.presses import EOF, NEWS, REDRAW
from cli.console.screen import Screen, scrolled
from cli.console.session import Terminal
from cli.console.viewport import Viewport
from cli.context import Context, pass_context
from cli.decide.decide import LETTERS, risk_words
from cli.decide.edit import edited_text, in_editor
from cli.decide.presenting import DECIDING, Presenting, Shown, not_now_sentences, sentence
from cli.decide.showing import Cards
from cli.decide.splitting import Picking
from cli.decide.undo import described, receipt, standing
from cli.look.inbox import listed
from cli.look.why import steps_text
from kairos.desk import deciding, editing
from kairos.desk.cards import comments_go
from kairos.desk.deciding import not_now
from kairos.desk.explaining import why
from kairos.desk.listening import told_of_appends
from kairos.desk.reading import chosen, letters, waiting
from kairos.desk.records.proposals import DecidedOut
from kairos.desk.undoing import TakingBack, take_back
from kairos.desk.units import count
from kairos.domain.proposal import UNDECIDED, Proposal
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
UNSEEN = "Y"
"""The key that approves lines that were never shown: neither a finger that slips nor a key that is held gives it."""
END_PAGE = "Nothing is left to decide."
END_PROMPT = "u takes back the last decision, q ends [u q] "
_WAIT_S = 10.0
_RETURN_S = 5.0


class Review:
    """The state of one review: the cards, the one on screen, and the last decision."""

    def __init__(self, context: Context, screen: Screen, ids: list[str], refused: Sequence[str] = ()) -> None:
        """`refused`: what is to be said of those that cannot be decided now."""
        self._context = context
        self._screen = screen
        self._terminal = screen.terminal
        self._cards = Cards(context, screen)
        self._presenting = Presenting(context, self._cards, ids)
        self._mine: list[str] = []
        self._said = "\n".join(refused)
        self.receipts: list[str] = []
        self._keys: dict[str, Callable[[Proposal, Viewport], None]] = {
            "y": self._approve, "n": self._reject, "l": self._later, "w": self._why, "d": self._cycle,
            "e": self._edit, "s": self._split, "t": self._try, "c": self._comment,
            "m": self._mark, "u": self._undo, "j": self._next, "k": self._previous, "?": self._help,
        }  # fmt: skip

    def run(self) -> bool:
        """Runs until the person quits; true if nothing is left undecided."""
        while True:
            found = self._presenting.present()
            if found is None:
                if not self._at_end():
                    return True
                continue
            key = self._key(found)
            if key in (QUIT, EOF):
                return False
            if found.passing and key != NEWS:
                self._presenting.go_on()
            elif found.mark and key in DECIDING:
                self._say(f"{key} decides nothing now")
            elif key in self._keys:
                self._pressed(partial(self._keys[key], found.proposal, self._view))

    def _pressed(self, act: Callable[[], None]) -> None:
        try:
            act()
        except KairosError as error:
            self._receipt(f"{render.paint('error:', 'red')} {sentence(error)}")

    def _at_end(self) -> bool:
        """The page after the last decision, where that can still be taken back; false if the person ends there."""
        while True:
            self._terminal.forget(QUIT)
            said = "" if self._terminal.full and self._said in self.receipts[-1:] else self._said
            parked = [text for text in self._presenting.parked() if text not in said]
            footer = self._screen.footer(*parked, said, END_PAGE, END_PROMPT)
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

    def _key(self, shown: Shown) -> str:
        """Shows the card and scrolls it; returns the first key that is neither, or `news` when it is not as it was.
        Keys decide this version, even if the log changes meanwhile."""
        while True:
            self._terminal.forget(QUIT)
            self._draw(shown)
            key = self._waited(shown)
            if key in (QUIT, EOF, NEWS) or key in self._keys or (shown.passing and key != REDRAW):
                return key

    def _waited(self, shown: Shown) -> str:
        """The next key that does something; after a scrolling key the view has moved."""
        while True:
            key = self._terminal.key(news=True)
            if key == NEWS and not self._presenting.is_news():
                continue
            moved = scrolled(self._view, key)
            if moved is not None:
                self._cards.moved(shown.proposal, moved)
            ends = shown.passing or key in (NEWS, REDRAW, QUIT, EOF) or key in self._keys
            if moved not in (None, self._view) or ends:
                self._said = ""
                return key

    def _draw(self, shown: Shown) -> None:
        told = f"{shown.proposal.id} is {shown.proposal.state}" in self._said
        mark = render.paint(f"! {shown.mark}", "yellow") if shown.mark and not told else ""
        footer = self._screen.footer(mark, self._said, "…", shown.prompt)
        self._view = view = self._cards.view(shown.proposal, shown.parts, self._screen.rows_above(footer))
        more = f"{count(view.below, 'more line')} below: space" if view.below else "the end"
        self._screen.draw(view.shown, self._screen.footer(mark, self._said, f"{shown.place} · {more}", shown.prompt))

    def _say(self, text: str) -> None:
        """A line for the person, until the next key."""
        self._said = self._screen.say(text)

    def _approve(self, shown: Proposal, view: Viewport) -> None:
        missed = self._cards.unseen(shown)
        if missed:
            where = "above, from home on" if self._cards.unseen_above(shown, view) else "below"
            self._say(f"not approved: the card was not seen to its end ({where}). space scrolls, d folds the patch")
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
        self._decided(shown.id if done.changed else "")
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
        self._decided(shown.id if done.changed else "")
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
        became = "" if after.state in UNDECIDED else f"; {shown.id} is {after.state}"
        self._say(render.inert(f"tried: {said or 'it applies in a scratch tree'}{became}"))

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
        self._presenting.go_on(1)

    def _previous(self, shown: Proposal, view: Viewport) -> None:
        self._presenting.go_on(-1)

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
        self._presenting.show(done.id)
        self._receipt(receipt(self._context, "undo", done))

    def _agreed(self, plan: TakingBack) -> bool:
        return self._screen.choose(f"nothing was decided here yet. {described(plan)}  Proceed? [y/N] ") == "y"

    def _decided(self, id_: str) -> None:
        self._mine += [id_] if id_ else []
        self._presenting.go_on()

    def _settled(self, done: DecidedOut) -> None:
        self._decided(done.id)
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
        render.emit(context, "review", None, context.desk.at_one_moment(lambda: listed(context)).text)
        return
    refused = not_now_sentences(context, found)
    if len(refused) == len(found):
        for said in refused[:-1]:
            render.message(context, render.folded(f"{render.paint('!', 'yellow')} {said}"))
        raise not_now(context.desk, found[-1]) or Stale(refused[-1])
    with Terminal(full=True) as terminal, told_of_appends(context.desk, terminal.tell):
        run = Review(context, Screen(context, terminal), [p.id for p in found], refused)
        empty = run.run()
    receipts = "\n".join(render.folded(r, hang="    ") for r in run.receipts if terminal.full)
    render.emit(context, "review", None, f"{receipts}\n{END_PAGE if empty and terminal.full else ''}".strip())
