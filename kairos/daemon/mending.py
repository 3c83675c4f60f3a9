"""A red check and a model: whether it is still red, and whether a patch turns it green.

Both are asked of the check itself, run confined on a scratch tree: what a model says is never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.acting.checking import CheckResult, checks_lock, run_check
from kairos.agent.outputs import Failure
from kairos.domain.action import PatchAction, apply_edit
from kairos.domain.amounts import listed
from kairos.domain.checks import runners
from kairos.domain.checks.reading import WHOLE
from kairos.domain.checks.state import NamedCheck
from kairos.domain.events import CheckJudged
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.errors import TryAgain
from kairos.home import Home
from kairos.repo.beneath import Unreadable, read_beneath

LOCK_S = 60.0
"""Seconds to wait for another check that runs."""
_OUTPUT_AT_MOST = 8_000

Changes = Mapping[str, tuple[bytes, int] | None]


class Bench(NamedTuple):
    """Where a check is run: on the tree of a commit, in a scratch tree."""

    home: Home
    root: Path
    check: NamedCheck
    commit: str
    cancelled: Callable[[], bool]

    def run(self, cases: Sequence[str], changes: Changes) -> CheckResult:
        """Runs these cases, or all where they cannot be run alone, with `changes` on top. TryAgain if another check
        runs, or files change meanwhile."""
        alone = [] if WHOLE in cases or runners.selecting(self.check.command, list(cases)) is None else cases
        with checks_lock(self.home, wait_s=LOCK_S):
            return run_check(
                self.home, self.root, self.check, self.commit, cases=alone, changes=changes, cancelled=self.cancelled
            )


def failure_of(bench: Bench, judged: CheckJudged) -> tuple[Failure | None, str]:
    """(the failure, empty) if cases of the verdict are still red, else (None, why there is nothing to explain)."""
    try:
        result = bench.run(judged.cases, {})
    except TryAgain as error:
        return None, f"whether it is still red could not be tried: {error.message}"
    if result.outcome == "broken":
        return None, f"whether it is still red could not be tried: {result.why}"
    red = _red(result, judged.cases)
    if not red:
        return None, "it is green by now: there is nothing to mend"
    said = result.output[-_OUTPUT_AT_MOST:]
    return Failure(check=judged.check, cases=red, output=said, culprit=judged.culprit), ""


def proven(bench: Bench, failure: Failure, finding: Finding) -> tuple[Finding | None, str]:
    """(the finding with what was proven, empty) if its patch turns the red cases green, else (None, why it is not
    proposed)."""
    if not isinstance(finding.action, PatchAction):
        return None, "its patch would carry a credential"
    try:
        changes = _changes(bench.root, finding.action)
        result = bench.run(failure.cases, changes)
    except (TryAgain, ValueError, OSError, Unreadable) as error:
        return None, f"its patch could not be tried: {error}"
    first = shown(failure.cases[0], 120)
    if result.outcome == "broken":
        return None, f"its patch could not be tried: {result.why}"
    if _red(result, failure.cases):
        return None, f"with its patch `{shown(failure.check)}` is still red: {first}"
    cases = listed([first, *failure.cases[1:]], 1)
    what = f"`{shown(failure.check)}`" if failure.cases == [WHOLE] else f"{shown(failure.check)}: {cases}"
    told = f"Tried in a scratch tree: {what} red without the patch, green with it."
    return msgspec.structs.replace(finding, claim=f"{finding.claim} {told}"), ""


def _red(result: CheckResult, cases: Sequence[str]) -> list[str]:
    """The cases that are red in a run."""
    failed = {case.id for case in result.report.failed}
    return [case for case in cases if case in failed or (case == WHOLE and result.outcome == "failed")]


def _changes(root: Path, action: PatchAction) -> Changes:
    """The files of a patch as they are with it."""
    after: dict[str, tuple[bytes, int] | None] = {}
    for change in action.edits:
        before = read_beneath(root, change.fs).data if change.before is not None else None
        content = apply_edit(change, before)
        after[change.fs] = None if content is None or change.after is None else (content, change.after.mode)
    return after
