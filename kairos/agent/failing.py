"""The first messages to the model about a check that became red, bounded and redacted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath

from kairos.agent.context import DIFF_AT_MOST, MEMORY_AT_MOST, SECONDS
from kairos.agent.outputs import Assignment, Failure
from kairos.agent.repository_files import Files
from kairos.agent.tools import wrapped
from kairos.domain.amounts import count
from kairos.domain.inert import escape

CASES_AT_MOST = 20
SAID_AT_MOST = 6_000


def opening(files: Files, assignment: Assignment, failure: Failure, memory: Sequence[str]) -> list[dict[str, str]]:
    """The system message and the first user message: what is red, what it said, and the commit that is to blame."""
    until = time.monotonic() + SECONDS
    parts = [f"Repository: {escape(PurePosixPath(assignment.root).name)}. The check `{escape(failure.check)}` is red."]
    cases = [escape(case) for case in failure.cases[:CASES_AT_MOST]]
    if len(failure.cases) > CASES_AT_MOST:
        cases.append(f"[{len(failure.cases) - CASES_AT_MOST} of {count(len(failure.cases), 'case')} are left out]")
    parts.append(wrapped("the red cases", "\n".join(cases), 4_000))
    parts.append(wrapped("what the check said just now", failure.output, SAID_AT_MOST))
    commit = files.commit(failure.culprit) if failure.culprit else None
    if commit is not None:
        parts.append(f"They are red since commit {commit}.")
        parts.append(wrapped("its message", files.subject(commit), 1_500))
        parts.append(wrapped("its diff", "".join(files.commit_diff(commit, DIFF_AT_MOST, until)), DIFF_AT_MOST))
    if memory:
        parts.append(wrapped("remembered about this repository", "\n".join(memory), MEMORY_AT_MOST))
    parts.append("Find the cause. End with `propose_patch` or `nothing`.")
    return [{"role": "system", "content": prompt()}, {"role": "user", "content": "\n\n".join(parts)}]


def paths_of(files: Files, failure: Failure) -> list[str]:
    """Every path that the commit to blame changes."""
    commit = files.commit(failure.culprit) if failure.culprit else None
    return [change.path for change in files.changes(commit)] if commit is not None else []


def prompt() -> str:
    """The system prompt shipped with the package."""
    return resources.files("kairos.agent").joinpath("prompts/explain_failure.md").read_text("utf-8")
