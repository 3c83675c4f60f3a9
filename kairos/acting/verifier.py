"""Verifies a proposal before a person is asked: whether the patch applies, and whether the configured check passes.

The check comes from the person's configuration, never from the repository, and runs confined in a scratch tree.
Without a sandbox no check is run, and the proposal says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kairos.acting import gate, policy_file, scratch
from kairos.acting.before_runs import BeforeRun, before_run
from kairos.acting.checking import for_proposals
from kairos.acting.confine import Limits, Seed
from kairos.acting.drift import BY_HAND
from kairos.acting.keeping import note
from kairos.acting.lacking import lacking, sentence
from kairos.acting.performing import append, open_tree, standing
from kairos.acting.scratch import Verification
from kairos.acting.worktree import WorkTree
from kairos.clock import SECOND, now_us
from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.action import PatchAction
from kairos.domain.events import Event
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal
from kairos.domain.secrets import redact_all
from kairos.errors import Conflict, Denied, SandboxUnavailable, TryAgain, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import InboxView
from kairos.home import Home
from kairos.settings import Check, Config

_TRIES = 5
_BEFORE_TAIL = 1_024
"""Characters from the end of the output without the patch that are recorded: enough for its summary."""
NO_CHECK = "the patch applies; no check command is configured for this repository"
NOT_RUN = "the patch applies; your check was not run"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a trial. `passed`: the action may be approved by a rule, without asking a person; `before`: the
    check without the patch, if it was run."""

    ok: bool
    why: str
    passed: bool = False
    shown: Verification | None = None
    before: BeforeRun | None = None


def verify(
    log: Log,
    home: Home,
    config: Config,
    proposal: Proposal,
    root: Path,
    *,
    now: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Proposal:
    """Verifies an open proposal, records the result and returns the proposal afterwards.

    ok → pending, and approved at once if a person's allow rule applies; not ok → withdrawn; files that changed since →
    stale. A trial that has begun ends even if the proposal is revised meanwhile: if it was started anew each time, none
    would end while someone types. Conflict if the proposal was changed meanwhile; TryAgain (75) if the disk is full or
    `cancelled` (polled while the check runs) returned true. Nothing is recorded after an error. The check is also
    run without the patch, once for a tree (`before_runs`), so that a person sees what the patch changed."""
    policy = policy_file.load_policy(home.policy_file)
    tried: str | None = None
    events: list[Event] = []
    for _ in range(_TRIES):
        at = standing(log, proposal.id)
        if at.proposal.state not in proposals.OPEN or tried not in (None, at.proposal.raised.digest):
            return at.proposal  # decided or revised meanwhile; the new digest has its own trial when it is the moment
        moment = now_us() if now is None else now
        if tried is None:
            events = _tried(log, home, config, at.proposal, root, policy, moment, cancelled)
            tried = at.proposal.raised.digest
        try:
            return append(log, at, events, now=moment).proposal
        except Conflict:
            continue
    raise Conflict(f"{proposal.id} is being changed by other processes", "Try again in a moment.")


def _tried(
    log: Log,
    home: Home,
    config: Config,
    p: Proposal,
    root: Path,
    policy: Policy,
    now: int,
    cancelled: Callable[[], bool] | None,
) -> list[Event]:
    with open_tree(log, p) as tree:
        if tree.root != root:
            raise Denied(f"{p.id} belongs to {tree.root}, not to {root}")
        check = for_proposals(log, config, p.raised.repo, root)
        events, passed = _judge(home, p, tree, policy, check, cancelled, _tried_there(log, p))
    folded: Proposal | None = p
    for event in events:
        folded = proposals.evolve(folded, event, now)
    return [*events, *_by_rule(folded, policy, root, config, now)] if passed and folded is not None else events


def _judge(
    home: Home,
    p: Proposal,
    tree: WorkTree,
    policy: Policy,
    check: Check | None,
    cancelled: Callable[[], bool] | None,
    known: Sequence[Proposal],
) -> tuple[list[Event], bool]:
    """Returns (the events of the trial, whether a rule may approve the proposal)."""
    action = p.raised.action
    why = gate.denial(home, p, policy, tree.root)
    if why:
        return deciding.verified(p, ok=False, why=why), False
    refusal = gate.basis_refusal(p, tree.root)
    if refusal is not None:
        return refusal.events, False
    if not isinstance(action, PatchAction):
        return deciding.verified(p, ok=True), False
    if gate.already_done(tree, action):
        return proposals.supersede(p, BY_HAND, done=True), False
    moved = gate.moved_paths(tree, action)
    if moved:
        return proposals.mark_stale(p, moved), False
    try:
        writes = gate.writes_of(tree, action)
    except ValueError as error:
        return deciding.verified(p, ok=False, why=f"the patch does not apply: {error}"), False
    links = note([(w.path, w.before.links) for w in writes if w.before is not None and w.after is not None])
    if check is None:
        return deciding.verified(p, ok=True, why=_joined(NO_CHECK, links)), True
    seed = {w.path: None if w.after is None else (w.after.content, w.after.mode) for w in writes}

    def run(laid: Seed) -> Verification:
        return _run(home, tree.root, laid, check, cancelled)

    trial = _try(seed, check, run, lambda: before_run(tree.root, check, known, lambda: run({})))
    shown = trial.shown
    events = deciding.verified(
        p, ok=trial.ok, why=_joined(trial.why, links), check=redact_all(check.command),
        exit_status=shown.exit if shown is not None else None,
        output=shown.output_tail if shown is not None else "",
        seconds=round(shown.seconds, 3) if shown is not None else 0.0,
        **_before_fields(trial.before),
    )  # fmt: skip
    return events, trial.passed


def _tried_there(log: Log, p: Proposal) -> list[Proposal]:
    """The proposals of the repository whose trials may have run the check without a patch, this one first."""
    inbox = InboxView().load(log)[0]
    return [p, *(q for q in (*inbox.live(), *inbox.lapsed(p.raised.repo)) if q.raised.repo == p.raised.repo)]


def _before_fields(before: BeforeRun | None) -> dict[str, Any]:
    if before is None:
        return {}
    return {
        "before_exit": before.exit, "before_seconds": before.seconds, "before_output": before.output[-_BEFORE_TAIL:],
        "before_tree": before.tree,
    }  # fmt: skip


def _joined(why: str, more: str) -> str:
    return f"{why}; {more}" if more else why


def _try(seed: Seed, check: Check, run: Callable[[Seed], Verification], without: Callable[[], BeforeRun]) -> Trial:
    """Runs the check on a view with the patch, and asks how it ends on one `without` it."""
    words = f"`{shlex.join(redact_all(check.command))}`"
    try:
        shown = run(seed)
        if not shown.applies:
            return Trial(ok=False, why=f"the patch does not apply: {shown.output_tail}", shown=shown)
        if shown.exit == 0:
            why = f"the patch applies, {words} passed in a scratch tree"
            return Trial(ok=True, why=why, passed=True, shown=shown, before=without())
        if shown.stopped is not None:
            return Trial(
                ok=True, why=f"the patch applies; {words} was stopped by the limit {shown.stopped}", shown=shown
            )
        before = without()
        if before.exit == 0:
            why = f"your check command fails with the patch: {words}"
            return Trial(ok=False, why=why, shown=shown, before=before)
        lack = sentence(lacking(shown.output_tail, shown.missing))
        why = f"the patch applies; {words} fails with it, and without it too" + (f": {lack}" if lack else "")
        return Trial(ok=True, why=why, shown=shown, before=before)
    except (SandboxUnavailable, UsageError) as error:
        return Trial(ok=True, why=f"{NOT_RUN}: {error.message}")
    except OSError as error:
        raise TryAgain(f"the scratch tree cannot be made: {error.strerror}", "Free some space.") from error


def _run(home: Home, root: Path, seed: Seed, check: Check, cancelled: Callable[[], bool] | None) -> Verification:
    done = scratch.verify(
        root,
        seed,
        check.command,
        scratch_home=home.scratch,
        limits=Limits(wall=check.seconds, mem_mb=check.memory_mb),
        read_roots=[Path(place) for place in check.read_roots],
        cancelled=cancelled,
    )
    if done.stopped == "cancelled":
        raise TryAgain("the trial was stopped before it ended", "The daemon tries it again.")
    return done


def _by_rule(p: Proposal, policy: Policy, root: Path, config: Config, now: int) -> list[Event]:
    """The approval by a person's allow rule, if the policy allowed the action when it was raised and still does."""
    raised = p.raised
    verdict = policy.decide(raised.action, risk=raised.risk, detector=raised.detector, repo=raised.repo, root=str(root))
    if p.state != "pending" or verdict.effect != "allow" or raised.verdict != "allow":
        return []
    if policy.version != raised.policy_version:
        return []
    valid_us = round(config.proposals.approval_minutes * 60 * SECOND)
    return deciding.approve(p, raised.digest, now=now, by=deciding.BY_RULE + verdict.rule, valid_us=valid_us)
