"""The stack of a person's decisions: which one `undo` takes back, and which one `redo` makes again.

There is one stack a repository. What was decided about all of them (a pause, a mute everywhere) is in none of these,
but in the one of everything, which `--all` and whoever stands outside of any repository walk. Only a mute or a pause of
all that is the last decision of all is the top everywhere: a slip of the finger is taken back where it was made.

    decided:  approve A   reject B   mute C      undo → C       undo → B
    redo:     nothing                            C              B, then C
                                                 redo → C       reject D: nothing is left to redo

The top is what was decided, or made again, last. A decision that is no longer in effect (a deferral that ended, a pause
that is over) is not in the stack. With an id, `undo` takes the last decision on that proposal out of the middle.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kairos.clock import now_us
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import place, whole
from kairos.desk.reading import inbox, letters, names, proposal_of, repositories
from kairos.domain import controls, taking_back
from kairos.domain.controls import Control
from kairos.domain.decision_stack import StackEntry
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound, Stale
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.repositories import Repository
from kairos.home import machine

_INBOX = "`kairos inbox` lists what is pending."


class DecisionTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of the stack: on a proposal (`entry`), or a control. `is_run`: files changed with it. `repo`: id of
    the repository, empty for all."""

    repo: str
    position: int
    proposal: Proposal | None = None
    entry: StackEntry | None = None
    control: Control | None = None
    is_run: bool = False

    @property
    def name(self) -> str:
        """What `undo` and `redo` are given to mean this one: the id of the proposal, or the position."""
        return self.proposal.id if self.proposal is not None else str(self.position)


@of_one_moment
def target(desk: Desk, run: str, named: str | None, scope: Repository | None) -> DecisionTarget:
    """The decision that `undo` or `redo` (`run`) acts on: the last one on a proposal (id or prefix) or that of an event
    (position), else a mute or a pause of all that was just decided, else the top of the stack of a repository (None: of
    everything). A named one must be of that repository. NotFound (4), Stale (5)."""
    if not desk.has_log:
        raise NotFound(f"there is nothing to {run}", _INBOX)
    if named is not None:
        return _named(desk, run, named, scope)
    found = _slip(desk, run) or _top(desk, run, scope)
    if found is None:
        where = f" in {names(repositories(desk))[scope.id]}" if scope is not None else ""
        hint = "`kairos redo ID` redoes an older undo." if run == "redo" else "`kairos undo ID` works from anywhere."
        if run == "undo" and (last := _top(desk, "redo", scope)) is not None:
            hint = f"{said_of(desk, last)} was taken back: `kairos redo` makes it again. {hint}"
            hint = hint[0].upper() + hint[1:]
        top = _top(desk, run, None) if scope is not None else None
        if top is not None and not top.repo:
            hint = f"The last decision is {said_of(desk, top)}: `kairos {run} --all`."
        raise NotFound(f"there is nothing to {run}{where}", hint)
    return found


@of_one_moment
def next_below(desk: Desk, run: str, found: DecisionTarget, scope: Repository | None) -> DecisionTarget | None:
    """The decision below one that stands in the way: on another proposal, or a control. None if there is none."""
    for other in _stack(desk, run, scope):
        if other.name != found.name:
            return other
    return None


@of_one_moment
def done_above(desk: Desk, found: DecisionTarget) -> list[Proposal]:
    """The proposals carried out after this one that changed a file of it, the last one first."""
    mine = set(found.proposal.raised.effects.files) if found.proposal is not None else set()
    above = []
    for other in _stack(desk, "undo", repositories(desk).by_id.get(found.repo)):
        if other.name == found.name:
            break
        if other.is_run and other.proposal is not None and mine & set(other.proposal.raised.effects.files):
            above.append(other.proposal)
    return above


def said_of(desk: Desk, found: DecisionTarget) -> str:
    """A decision in words, as `the rejection of abcd “Title”` or `the pause of all repositories`."""
    if found.control is not None:
        of = f" of {found.control.detector}" if found.control.detector else ""
        where = f" in {names(repositories(desk)).get(found.repo, found.repo)}" if found.repo else " of all repositories"
        return f"the {taking_back.NOUNS[found.control.what]}{of}{where}"
    assert found.proposal is not None and found.entry is not None
    noun = taking_back.NOUNS[found.entry.what]
    return f"the {noun} of {letters(desk, found.proposal.id)} “{found.proposal.raised.title}”"


def around(desk: Desk, folder: Path) -> Repository | None:
    """The registered repository that a person stands in; None outside of any repository. NotFound (4) in a repository
    that is not registered."""
    known = repositories(desk)
    found = place(str(folder))
    for above in (found, *found.parents):
        repository = known.at(str(above), machine())
        if repository is not None:
            return repository
        if (above / ".git").exists():
            raise NotFound(
                f"{above} is not a repository that Kairos knows", "Name another one with --repo PATH, or a proposal."
            )
    return None


def _top(desk: Desk, run: str, scope: Repository | None) -> DecisionTarget | None:
    return next(_stack(desk, run, scope), None)


def _slip(desk: Desk, run: str) -> DecisionTarget | None:
    """A mute or a pause of all repositories, if nothing was decided after it."""
    state, now = desk.view(ControlsView()), now_us()
    last = max(inbox(desk).newest(None), controls.newest(state, None))
    decided = controls.in_effect(state, "", now) if run == "undo" else controls.taken_back(state, "", now)
    slips = (c for c in decided if c.position == last and c.what in ("mute", "pause"))
    return next(map(_of_control, slips), None)


def _stack(desk: Desk, run: str, scope: Repository | None) -> Iterator[DecisionTarget]:
    """What `undo` takes back (or `redo` makes again), from the top down."""
    known, state, now = inbox(desk), desk.view(ControlsView()), now_us()
    repo = None if scope is None else scope.id
    if run == "undo":
        places, decided, floor = known.in_effect(repo), controls.in_effect(state, repo, now), 0
    else:
        places, decided = known.taken_back(repo), controls.taken_back(state, repo, now)
        floor = max(known.newest(repo), controls.newest(state, repo))
    of_proposals = ((place_.position, place_.id, None) for place_ in places)
    of_controls = ((control.moved, "", control) for control in decided)
    for position, id_, control in heapq.merge(of_proposals, of_controls, key=lambda e: e[0], reverse=True):
        if position <= floor:
            return
        yield _of_control(control) if control is not None else _of_proposal(desk, run, id_)


def _named(desk: Desk, run: str, named: str, only: Repository | None) -> DecisionTarget:
    position = whole(named.replace(" ", ""))
    if not position:
        return _of_proposal(desk, run, proposal_of(desk, named, only).id)
    event = desk.log.at(position).event
    id_ = getattr(event, "id", "")
    if isinstance(id_, str) and id_ in inbox(desk).proposals:
        found = _of_proposal(desk, run, proposal_of(desk, id_, only).id)
        if found.position == position:
            return found
    state = desk.view(ControlsView())
    for control in state.done if run == "undo" else state.undone:
        if control.position == position and (only is None or control.repo in ("", only.id)):
            return _of_control(control)
    raise Stale(f"the event {position} is no decision that can be {run}ne now", f"`kairos why {position}` shows it.")


def _of_control(control: Control) -> DecisionTarget:
    return DecisionTarget(repo=control.repo, position=control.position, control=control)


def _of_proposal(desk: Desk, run: str, id_: str) -> DecisionTarget:
    filed = inbox(desk).filings[id_]
    p = filed.proposal
    entry = taking_back.last_done(p) if run == "undo" else taking_back.last_undone(p) or taking_back.last_carried_out(p)
    if entry is None:
        raise Stale(f"{p.id} is {p.state}: there is nothing to {run}", f"`kairos show {p.id}`.")
    return DecisionTarget(
        repo=p.raised.repo, position=filed.at(entry.version), proposal=p, entry=entry,
        is_run=taking_back.is_run(p, entry) or p.state == "executing",
    )  # fmt: skip
