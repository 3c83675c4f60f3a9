"""The first messages to the model about a comment of a person on a proposed patch, bounded and redacted."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath

from kairos.agent.context import DIFF_AT_MOST, MEMORY_AT_MOST, PATHS_AT_MOST
from kairos.agent.outputs import Assignment
from kairos.agent.repository_files import Files, shown
from kairos.agent.tools.output import wrapped
from kairos.domain.action import FileEdit, PatchAction, unified
from kairos.domain.inert import as_text, escape
from kairos.domain.proposal import Proposal
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import InboxView
from kairos.repo.beneath import Unreadable

COMMENT_AT_MOST, COMMENTS_AT_MOST = 4_000, 5


def proposal_of(log: Log, assignment: Assignment) -> Proposal:
    """The proposal that an assignment is about, as it stands. NotFound."""
    return InboxView().load(log)[0].find(assignment.proposal)


def paths_of(p: Proposal) -> list[str]:
    """The files of its patch."""
    return [e.fs for e in p.raised.action.edits] if isinstance(p.raised.action, PatchAction) else []


def opening(files: Files, assignment: Assignment, p: Proposal, memory: Sequence[str]) -> list[dict[str, str]]:
    """The system message and the first user message: the patch, and what the person says of it."""
    parts = [f"Repository: {escape(PurePosixPath(assignment.root).name)}."]
    parts.append(wrapped("what was found", f"{p.raised.title}\n{p.raised.claim}", 3_000))
    parts.append(wrapped("the present patch", _patch(files, p), DIFF_AT_MOST))
    if memory:
        parts.append(wrapped("remembered about this repository", "\n".join(memory), MEMORY_AT_MOST))
    for comment in p.comments[-COMMENTS_AT_MOST:]:
        of = f" of {escape(comment.file)}" if comment.file else ""
        done = " (answered before)" if comment.answer else ""
        parts.append(f"The person says{of}{done}: {escape(comment.text[:COMMENT_AT_MOST])}")
    parts.append("Make the patch anew. End with `propose_patch` or `nothing`.")
    return [{"role": "system", "content": prompt()}, {"role": "user", "content": "\n\n".join(parts)}]


def prompt() -> str:
    """The system prompt shipped with the package."""
    return resources.files("kairos.agent").joinpath("prompts/answer_comment.md").read_text("utf-8")


def _patch(files: Files, p: Proposal) -> str:
    edits = p.raised.action.edits if isinstance(p.raised.action, PatchAction) else []
    more = f"[{len(edits) - PATHS_AT_MOST} of {len(edits)} files are left out]\n" if len(edits) > PATHS_AT_MOST else ""
    return "".join(_diff(files, e) for e in edits[:PATHS_AT_MOST]) + more


def _diff(files: Files, edit: FileEdit) -> str:
    """The diff of one file; only its name if the file may not be shown."""
    if not shown(edit.fs):
        return f"{escape(edit.fs)}: not shown\n"
    try:
        before = files.raw(edit.fs).data if edit.before is not None else None
        return as_text(unified(edit, before))
    except (Unreadable, ValueError) as why:
        return f"{escape(edit.fs)}: {why}\n"
