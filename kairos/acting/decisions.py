"""Records a person's decision on a proposal once: of two simultaneous reviewers one wins, the other gets an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from kairos.acting import gate, undo
from kairos.acting.performing import Standing, append, standing
from kairos.acting.verifier import verify
from kairos.clock import SECOND, now_us
from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.events import Event
from kairos.domain.proposal import DONE, LASTING, OPEN, Proposal, is_verified
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import Home
from kairos.settings import Config

_TRIES = 10


class Decision(msgspec.Struct, frozen=True):
    """The proposal after a decision. `position`: of the event that records the decision, or of the proposal's last
    event if the decision was recorded before."""

    proposal: Proposal
    position: int


def approve(
    log: Log, home: Home, config: Config, prefix: str, digest: str | None = None, *, now: int | None = None
) -> Decision:
    """Records a person's approval of the digest they read (None: of the pending digest). A note becomes acknowledged.

    A proposal that has not been verified is verified first. Repeating an approval is no error. NotFound (4); Stale (5)
    if the digest differs, the proposal expired, another decision was recorded, git is in the middle of a rebase or the
    like, or it was carried out and its change is not in the tree any more; TryAgain (75)."""
    at = standing(log, prefix)
    if at.proposal.state in DONE:
        undo.refuse_if_gone(log, home, at.proposal)
    if at.proposal.state in LASTING:
        repo = RepositoriesView().load(log)[0].by_id.get(at.proposal.raised.repo)
        if repo is not None and at.proposal.raised.digest == (digest or at.proposal.raised.digest):
            gate.refuse_if_ongoing(at.proposal, Path(repo.root), "approve")
            at = _in_tree(log, at, Path(repo.root), now_us() if now is None else now)
            if at.proposal.state in OPEN and not is_verified(at.proposal):
                verify(log, home, config, at.proposal, Path(repo.root))
    valid_us = round(config.proposals.approval_minutes * 60 * SECOND)
    return _decide(log, prefix, lambda p, t: deciding.approve(p, digest, now=t, valid_us=valid_us), now)


def reject(
    log: Log, prefix: str, reason: str = "other", text: str = "", *, never: bool = False, now: int | None = None
) -> Decision:
    """Records a person's rejection. `reason`: one of `deciding.REASONS`; `never`: do not propose this subject again."""
    return _decide(log, prefix, lambda p, _: deciding.reject(p, reason, text, never=never), now)


def defer(log: Log, prefix: str, until: int | None, *, on_evidence: bool = False, now: int | None = None) -> Decision:
    """Defers a proposal until `until` (us), or with None until the next commit or (`on_evidence`) until its evidence
    changes."""
    return _decide(log, prefix, lambda p, t: deciding.defer(p, until, now=t, on_evidence=on_evidence), now)


def comment(log: Log, prefix: str, text: str, file: str = "", *, now: int | None = None) -> Decision:
    """Records what a person says about a proposal."""
    return _decide(log, prefix, lambda p, _: deciding.comment(p, text, file), now)


def _in_tree(log: Log, at: Standing, root: Path, now: int) -> Standing:
    """Parks or closes a proposal whose basis is not in the tree, and raises Stale (5); returns one to its state that
    was parked and whose basis is there."""
    refusal = gate.basis_refusal(at.proposal, root)
    try:
        if refusal is not None:
            append(log, at, refusal.events, now=now)
        elif at.proposal.state == "parked":
            at = append(log, at, proposals.unpark(at.proposal, None), now=now)
    except Conflict:
        at = standing(log, at.proposal.id)
    if refusal is not None:
        raise refusal.error
    return at


def _decide(log: Log, prefix: str, rule: Callable[[Proposal, int], list[Event]], now: int | None) -> Decision:
    """Reads the proposal, applies `rule` and appends with the version it read; retries if the proposal was changed in
    between. For the losing reviewer, `rule` raises the error that names the decision already recorded."""
    proposal_id = standing(log, prefix).proposal.id
    for _ in range(_TRIES):
        at = standing(log, proposal_id)
        moment = now_us() if now is None else now
        try:
            at = _expire(log, at, moment)
            events = rule(at.proposal, moment)
            after = append(log, at, events, origin="user", now=moment)
        except Conflict:
            continue
        return Decision(after.proposal, after.last)
    raise TryAgain(f"{proposal_id} is being changed by other processes", "Try again in a moment.")


def _expire(log: Log, at: Standing, now: int) -> Standing:
    return append(log, at, proposals.expire(at.proposal, now), now=now)
