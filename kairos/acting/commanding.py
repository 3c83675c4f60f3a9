"""Runs an approved command confined, on a scratch view of the tree; nothing in the tree changes.

A command runs at most once: after a crash the outcome is recorded as unknown and the command is not run again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kairos.acting import confine
from kairos.acting.performing import Standing, append, conclude
from kairos.domain import deciding
from kairos.domain.action import CommandAction
from kairos.domain.secrets import redact
from kairos.errors import SandboxUnavailable, UsageError
from kairos.eventlog.log import Log
from kairos.home import Home

_TAIL = 8 * 1024


def run_command(
    log: Log,
    home: Home,
    at: Standing,
    action: CommandAction,
    root: Path,
    *,
    now: int,
    cancelled: Callable[[], bool] | None = None,
) -> Standing:
    """Runs the command and returns the proposal: executed if the exit status is 0, failed otherwise or if the command
    could not be confined. Conflict, before anything ran, if the proposal was changed meanwhile. The caller holds
    `exec.lock`."""
    execution = f"{at.proposal.id}-{at.proposal.version + 1}"
    started = deciding.start_run(at.proposal, "apply", execution=execution, expect=[], before=[], store="", now=now)
    at = append(log, at, started, now=now)
    outcome, why, output = _run(home, action, root, cancelled)
    return conclude(
        log, at, lambda p: deciding.finish_run(p, outcome, signatures=[], why=why, output=output), now=now
    )  # fmt: skip


def _run(home: Home, action: CommandAction, root: Path, cancelled: Callable[[], bool] | None) -> tuple[str, str, str]:
    """(outcome, why, output)"""
    try:
        with confine.run(root, action.argv, scratch_home=home.scratch, cancelled=cancelled) as done:
            output = redact((done.stdout + done.stderr).decode("utf-8", "replace"))[-_TAIL:]
            if done.stopped is not None:
                return "failed", f"stopped by the limit {done.stopped}", output
            if done.exit != 0:
                return (
                    "failed",
                    f"it ended with {done.exit if done.signal is None else f'signal {done.signal}'}",
                    output,
                )
            return "done", "", output
    except (SandboxUnavailable, UsageError) as error:
        return "failed", f"not run: {error.message}", ""
    except OSError as error:
        return "failed", f"not run: {error.strerror}", ""
