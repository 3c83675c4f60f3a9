"""Carries out one approved action, holding `exec.lock` from the gate to the recorded outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kairos.acting import gate, policy_file, recovery
from kairos.acting.applying import OnStep, no_step
from kairos.acting.commanding import run_command
from kairos.acting.lock import exec_lock
from kairos.acting.performing import Standing, append, open_tree, perform, standing
from kairos.acting.worktree import WorkTree
from kairos.clock import now_us
from kairos.domain.action import CommandAction
from kairos.domain.policy import Policy
from kairos.domain.proposal import DONE, Proposal
from kairos.errors import Conflict, Denied, Stale
from kairos.eventlog.log import Log
from kairos.home import Home
from kairos.settings import Config

_TRIES = 8


def execute(
    log: Log,
    home: Home,
    config: Config,
    proposal: Proposal,
    root: Path,
    *,
    now: int | None = None,
    on_step: OnStep = no_step,
    cancelled: Callable[[], bool] | None = None,
) -> Proposal:
    """Carries out an approved action and returns the proposal afterwards: executed, failed or unknown.

    `root`: where the caller expects the repository; Denied if the log records another root. Repeating the call is safe:
    an executed action is not run again, and a run left open by a crash is settled instead of rerun. Stale (5) if the
    gate refuses (nothing written), Denied (6) by policy, TryAgain (75) while paused or if the log cannot be written.
    `cancelled` is polled while a command runs."""
    policy = policy_file.load_policy(home.policy_file)
    with exec_lock(home):
        for _ in range(_TRIES):
            at = standing(log, proposal.id)
            with open_tree(log, at.proposal) as tree:
                if tree.root != root:
                    raise Denied(f"{at.proposal.id} belongs to {tree.root}, not to {root}")
                try:
                    moment = now_us() if now is None else now
                    return _once(log, home, at, tree, policy, moment, on_step, cancelled).proposal
                except Conflict:
                    continue
    raise Stale(
        f"{proposal.id} is being changed by other processes; nothing was written", "Look at it again, then decide."
    )


def _once(
    log: Log,
    home: Home,
    at: Standing,
    tree: WorkTree,
    policy: Policy,
    now: int,
    on_step: OnStep,
    cancelled: Callable[[], bool] | None,
) -> Standing:
    """One attempt. Conflict, with nothing written, if the proposal was changed before the run started."""
    if at.proposal.state == "executing":
        return recovery.settle(log, home, at, tree, now=now)
    if at.proposal.state in DONE:
        return at
    gate.refuse_if_paused(log, at.proposal.raised.repo, now)
    judged = gate.check(home, at.proposal, tree, policy, now)
    if isinstance(judged, gate.GateRefusal):
        append(log, at, judged.events, now=now)
        raise judged.error
    if isinstance(at.proposal.raised.action, CommandAction):
        return run_command(log, home, at, at.proposal.raised.action, tree.root, now=now, cancelled=cancelled)
    return perform(log, home, at, "apply", tree, judged, now=now, on_step=on_step)
