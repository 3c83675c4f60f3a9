"""Decisions: approve and carry out, reject, defer, and wait for the end. The rules are in `kairos.domain.deciding`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from kairos.clock import local_zone, now_us
from kairos.desk.cards import held_by
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.leased import is_here, leased
from kairos.desk.reading import inbox, letters, names, proposal_of, repositories, unwatched
from kairos.desk.records.proposals import DecidedOut
from kairos.desk.when import deferred_to, until
from kairos.domain.action import PatchAction
from kairos.domain.amounts import count
from kairos.domain.deciding import decided as no_longer
from kairos.domain.deciding import reason as reason_of
from kairos.domain.inert import shown
from kairos.domain.proposal import LASTING, TERMINAL, UNDECIDED, Proposal
from kairos.errors import KairosError, OutcomeUnknown, Stale, TryAgain
from kairos.eventlog.views.repositories import Repository

LEAST_DIGEST = 8
"""The least number of digits of a digest that stands for the whole."""
_NAMED = 4
EVIDENCE = "evidence"
"""Of a deferral: until what the proposal rests on changes."""


def approve(desk: Desk, proposal: Proposal, digest: str, *, wait_s: float | None = None) -> DecidedOut:
    """Approves exactly `digest`. Without a daemon the action is carried out here, or settled if a crash interrupted it.
    With a daemon it is left to the daemon, and awaited up to `wait_s` seconds if given. Stale (5) too if its repository
    is not watched."""
    from kairos.acting.decisions import approve as append_approval

    away = _unwatched(desk, proposal)
    if away is not None:
        raise away
    if len(digest) >= LEAST_DIGEST and proposal.raised.digest.startswith(digest.lower()):
        digest = proposal.raised.digest  # as a card shows it, shortened
    now = append_approval(desk.log, desk.home, desk.config, proposal.id, digest).proposal
    todo = now.state in ("approved", "executing")
    done = todo and not desk.daemon_running() and carried_out(desk, now)
    if not done and wait_s is not None and now.state not in TERMINAL:
        await_end(desk, proposal.id, wait_s)
    return decided(desk, proposal.id, since=("ProposalApproved", "ProposalAcknowledged"))


@of_one_moment
def not_now(desk: Desk, proposal: Proposal) -> Stale | None:
    """Why a proposal cannot be decided now and what brings it back, in the words with which `approve` refuses it; None
    if it waits for a decision."""
    away = _unwatched(desk, proposal)
    if away is not None or proposal.state in UNDECIDED:
        return away
    if proposal.state != "deferred":
        return no_longer(proposal)
    name = letters(desk, proposal.id)
    return Stale(
        f"{proposal.id} is deferred until "
        + deferred_to(proposal.deferred_until, on_evidence=proposal.deferred_on_evidence),
        f"It returns by itself; now: `kairos undo {name}` or `kairos approve {name}`.",
    )


def _unwatched(desk: Desk, proposal: Proposal) -> Stale | None:
    root = unwatched(desk).get(proposal.raised.repo)
    if root is None or proposal.state not in LASTING:
        return None
    return Stale(
        f"{proposal.id} is of {root}, which is not watched: it would never be carried out",
        f"`kairos init {shlex.quote(root)}` (or `kairos watch {shlex.quote(root)}`) brings it back.",
    )


def reject(desk: Desk, id_: str, reason: str, text: str, *, never: bool = False) -> DecidedOut:
    """Says no. `reason`: wrong | not_now | style | too_risky | duplicate | other; `never`: never propose it here."""
    from kairos.acting.decisions import reject as append_rejection

    append_rejection(desk.log, id_, reason, text, never=never)
    done = decided(desk, id_, since=("ProposalRejected",))
    return msgspec.structs.replace(done, never=never_again(desk, id_)) if never else done


def never_again(desk: Desk, id_: str) -> str:
    """What a rejection for good keeps from being raised, in words (see `raising.is_here`)."""
    raised = inbox(desk).proposals[id_].raised
    action, where = raised.action, names(repositories(desk)).get(raised.repo, raised.repo)
    if not isinstance(action, PatchAction):
        return f"{raised.detector} in {where}: “{raised.title}”"
    files = [shown(e.fs) for e in action.edits]
    more = f" and {count(len(files) - _NAMED, 'more file')}" if len(files) > _NAMED else ""
    return f"{raised.detector} in {where}: changes to {', '.join(files[:_NAMED])}{more} and to no other file"


def moment(text: str) -> int | None:
    """A future time as a person types it (see `when.until`): microseconds, None for the next commit. UsageError."""
    return until(text, now_us(), local_zone())


def check_later(text: str) -> None:
    """UsageError unless `later` knows the text."""
    if text.strip().lower() != EVIDENCE:
        moment(text)


def later(desk: Desk, id_: str, text: str) -> DecidedOut:
    """Decides later, as a person types it: `evidence` (when what the proposal rests on changes), or what `moment`
    knows. The proposal returns by itself. UsageError."""
    on_evidence = text.strip().lower() == EVIDENCE
    return defer(desk, id_, None if on_evidence else moment(text), on_evidence=on_evidence)


def defer(desk: Desk, id_: str, until_us: int | None, *, on_evidence: bool = False) -> DecidedOut:
    """Decides later; the proposal returns by itself at `until_us`, or (None) after the next commit, or when what it
    rests on changes."""
    from kairos.acting.decisions import defer as append_deferral

    append_deferral(desk.log, id_, until_us, on_evidence=on_evidence)
    return decided(desk, id_, since=("ProposalDeferred",))


def comment(desk: Desk, id_: str, text: str, file: str = "") -> DecidedOut:
    """Keeps what a person says about a proposal, or about one file of its patch."""
    from kairos.acting.decisions import comment as append_comment

    append_comment(desk.log, id_, text, file)
    return decided(desk, id_, since=("ProposalCommented",))


def each(
    desk: Desk,
    ids: Sequence[str],
    decide: Callable[[Proposal], DecidedOut | None],
    *,
    only: Repository | None = None,
    wait_s: float | None = None,
) -> tuple[list[DecidedOut], KairosError | None]:
    """Decides proposals one after another; returns (the decisions made, the error that stopped it). `only`: the
    repository that they must be of. NotFound before anything is decided."""
    chosen = [proposal_of(desk, prefix, only) for prefix in dict.fromkeys(ids)]
    results: list[DecidedOut] = []
    for proposal in {p.id: p for p in chosen}.values():
        try:
            done = decide(proposal)
            if done is not None:
                results.append(done)
                refuse_if_bad(desk, done, waited_s=wait_s)
        except KairosError as error:
            return results, error
    return results, None


@of_one_moment
def decided(desk: Desk, id_: str, *, since: Sequence[str] = ()) -> DecidedOut:
    """A proposal in its present state. `positions`: its events from the first of the topics `since` on."""
    known = inbox(desk)
    positions = known.positions[id_]
    topics = [desk.log.at(position).topic for position in positions]
    first = next((index for index, topic in enumerate(topics) if topic in since), 0)
    return DecidedOut(id=id_, state=known.proposals[id_].state, positions=positions[first:])


def await_end(desk: Desk, id_: str, wait_s: float) -> None:
    """Sleeps until an approved proposal came to an end, or waits for a decision again (it was made anew), or `wait_s`
    seconds have passed."""
    _await(desk, id_, TERMINAL | {"parked"} | UNDECIDED, wait_s)


def _await(desk: Desk, id_: str, states: Collection[str], wait_s: float) -> None:
    from kairos.eventlog.follow import Follower

    deadline = time.monotonic() + wait_s
    follower = Follower(desk.log, desk.log.head())
    while inbox(desk).proposals[id_].state not in states:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        follower.wait(min(left, 1.0))
        follower.new()


def await_return(desk: Desk, id_: str, wait_s: float) -> None:
    """Sleeps until a proposal that went stale waits for a decision again, made anew by the daemon, or `wait_s` seconds
    have passed. Returns at once without a daemon, and for one that is parked: it waits for a person."""
    if desk.daemon_running() and inbox(desk).proposals[id_].state != "parked":
        _await(desk, id_, UNDECIDED, wait_s)


def refuse_if_bad(desk: Desk, done: DecidedOut, *, waited_s: float | None = None) -> None:
    """Raises the error for a state that is not success: failed 1, unknown 8, stale and similar 5, and 75 if waiting for
    the end timed out. The message says what stood in the way."""
    proposal = inbox(desk).proposals[done.id]
    hint = f"`kairos show {done.id}` has the details."
    why = reason_of(proposal)
    if done.state == "failed":
        raise KairosError(f"{done.id} failed and changed nothing: {proposal.why or 'no reason was given'}", hint)
    if done.state == "unknown":
        raise OutcomeUnknown(f"the outcome of {done.id} is unknown: look at its files", hint)
    if done.state == "parked":
        raise no_longer(proposal)
    if done.state in ("stale", "superseded", "expired", "withdrawn"):
        raise Stale(f"{done.id} is {done.state}{f': {why}' if why else ''}; nothing was written", hint)
    if done.state in UNDECIDED:
        said = proposal.revisions[-1].changed if proposal.voided and proposal.revisions else "its approval ended"
        raise Stale(f"{done.id} waits for you again: {said}; nothing was written", f"`kairos review {done.id}`.")
    if waited_s is not None and done.state not in TERMINAL:
        held = held_by(desk, done.id)
        if held:
            raise TryAgain(f"{done.id} is approved and not carried out: {held}", hint)
        raise TryAgain(
            f"{done.id} is {done.state} after {waited_s:g} s", f"It goes on: {hint[:-1]}, or wait longer with --wait."
        )


def carried_out(desk: Desk, proposal: Proposal) -> bool:
    """Carries out the action in this process. False if another home holds the repository, or it is on another
    machine."""
    if not is_here(desk, repositories(desk).by_id[proposal.raised.repo]):
        return False
    from kairos.acting.executor import execute

    with leased(desk, proposal.raised.repo) as mine:
        if mine:
            execute(desk.log, desk.home, desk.config, proposal, root_of(desk, proposal))
        return mine


def root_of(desk: Desk, proposal: Proposal) -> Path:
    """The root directory of the proposal's repository."""
    return Path(repositories(desk).by_id[proposal.raised.repo].root)
