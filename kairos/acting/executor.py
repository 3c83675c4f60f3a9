"""Carrying out one approved action, under the lock from gate to outcome."""

from __future__ import annotations

from pathlib import Path

from kairos.acting import gate, policy_file, recovery
from kairos.acting.applying import OnStep, no_step
from kairos.acting.lock import exec_lock
from kairos.acting.performing import append, open_tree, perform, standing
from kairos.clock import now_us
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, Denied, Stale
from kairos.eventlog.log import Log
from kairos.settings import Config, Home


def execute(
    log: Log,
    home: Home,
    config: Config,
    proposal: Proposal,
    root: Path,
    *,
    now: int | None = None,
    on_step: OnStep = no_step,
) -> Proposal:
    """Carries an approved patch out and returns the proposal as it is then: executed, failed or unknown.

    `root`: where the caller believes the repository is; Denied if the log says otherwise. Repeating it is safe:
    what was executed stays so, and a run that a crash left open is settled instead of rerun. Stale (5) when the gate
    refuses (nothing written), Denied (6) by policy, TryAgain (75) while paused or when the log cannot be written."""
    policy = policy_file.load_policy(home.policy_file)
    with exec_lock(home):
        at = standing(log, proposal.id)
        moment = now_us() if now is None else now
        with open_tree(log, at.proposal) as tree:
            if tree.root != root:
                raise Denied(f"{at.proposal.id} belongs to {tree.root}, not to {root}")
            if at.proposal.state == "executing":
                return recovery.settle(log, home, at, tree, now=moment).proposal
            if at.proposal.state in ("executed", "redone"):
                return at.proposal
            gate.refuse_if_paused(log, moment)
            judged = gate.check(home, at.proposal, tree, policy, moment)
            try:
                if isinstance(judged, gate.Refused):
                    append(log, at, judged.events, now=moment)
                    raise judged.error
                return perform(log, home, at, "apply", tree, judged, now=moment, on_step=on_step).proposal
            except Conflict as error:
                raise Stale(
                    f"{at.proposal.id} changed at the same moment: nothing was written", "Look again and decide anew."
                ) from error
