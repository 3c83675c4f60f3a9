"""The first messages to the model: the change that is the reason for the turn, bounded and redacted."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath

import msgspec

from kairos.agent.outputs import Assignment
from kairos.agent.repository_files import Files, shown
from kairos.agent.tools import wrapped
from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.domain.inert import escape
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.memory.claims import MemoryView
from kairos.repo.beneath import Unreadable

DIFF_AT_MOST = 24_000
MEMORY_AT_MOST = 2_000
COMMITS_AT_MOST, PATHS_AT_MOST, MEMORIES_AT_MOST = 3, 40, 10
_STEPS_UP = 10


class ReviewSubject(msgspec.Struct, frozen=True):
    """The subject of a review: commits (newest last) or, if there are none, changed paths of the work tree."""

    commits: list[str]
    paths: list[str]


def subject_of(log: Log, assignment: Assignment) -> ReviewSubject:
    """The commits and paths named by the events at the assignment's positions, or by the events that caused them."""
    commits: list[str] = []
    heads: list[str] = []
    paths: list[str] = []
    for recorded in _causes(log, [*assignment.evidence, assignment.cause]):
        event = recorded.event
        if getattr(event, "repo", None) != assignment.repo:
            continue
        match event:
            case CommitRecorded():
                commits.append(event.oid)
            case GitMoved():
                heads += [r.new for r in event.refs if r.new and r.name.startswith("refs/heads/")]
            case FilesChanged():
                paths += [change.fs for change in event.changes]
    found = list(dict.fromkeys(commits)) or list(dict.fromkeys(heads))
    return ReviewSubject(found[-COMMITS_AT_MOST:], [] if found else list(dict.fromkeys(paths)))


def opening(
    files: Files, assignment: Assignment, subject: ReviewSubject, memory: Sequence[str]
) -> list[dict[str, str]]:
    """The system message and the first user message."""
    parts = [f"Repository: {escape(PurePosixPath(assignment.root).name)}. Moment: {assignment.boundary}."]
    share = DIFF_AT_MOST // max(len(subject.commits), 1)
    for name in subject.commits:
        commit = files.commit(name)
        if commit is None:
            parts.append(f"Commit {name[:12]} is not there any more.")
            continue
        parts.append(f"Commit {commit}.")
        parts.append(wrapped("its message", files.subject(commit), 1_500))
        parts.append(wrapped("its diff", "".join(files.commit_diff(commit)), share))
    if subject.paths:
        parts.append(wrapped("the diff of the work tree", _tree_diffs(files, subject.paths), DIFF_AT_MOST))
    if memory:
        parts.append(wrapped("remembered about this repository", "\n".join(memory), MEMORY_AT_MOST))
    parts.append("Review it. End with `propose_patch` or `nothing`.")
    return [{"role": "system", "content": prompt()}, {"role": "user", "content": "\n\n".join(parts)}]


def prompt() -> str:
    """The system prompt shipped with the package."""
    return resources.files("kairos.agent").joinpath("prompts/review_change.md").read_text("utf-8")


def remembered(log: Log, repo: str) -> list[tuple[str, str]]:
    """(subject, one line) of every valid memory, the most certain first; quarantined ones are left out."""
    claims = [c.memory for c in MemoryView().load(log)[0].open(repo) if not c.memory.quarantined]
    claims.sort(key=lambda m: (-m.confidence, -m.support, m.id))
    return [(m.subject, " ".join(m.text.split())[:200]) for m in claims]


def about(memories: Sequence[tuple[str, str]], paths: Sequence[str]) -> list[str]:
    """The memory lines about any of these paths."""
    wanted = set(paths)
    return [line for subject, line in memories if subject in wanted][:MEMORIES_AT_MOST]


def paths_of(files: Files, subject: ReviewSubject) -> list[str]:
    """Every path that the subject changes."""
    touched = [c.path for name in subject.commits if (commit := files.commit(name)) for c in files.changes(commit)]
    return [*touched, *subject.paths]


def _tree_diffs(files: Files, paths: Sequence[str]) -> str:
    sections = []
    for path in paths[:PATHS_AT_MOST]:
        try:
            sections.append(files.tree_diff(path))
        except Unreadable as why:
            if shown(path):
                sections.append(f"{escape(path)}: {why}\n")
    if len(paths) > PATHS_AT_MOST:
        sections.append(f"[{len(paths) - PATHS_AT_MOST} of {len(paths)} files are left out]\n")
    return "".join(sections)


def _causes(log: Log, positions: Sequence[int]) -> list[Recorded]:
    """The events at these positions and the chains that caused them, oldest first. Erased ones are left out."""
    found: dict[int, Recorded] = {}
    for start in positions:
        place: int | None = start
        for _ in range(_STEPS_UP):
            if place is None or place in found:
                break
            try:
                found[place] = log.at(place)
            except NotFound:
                break
            place = found[place].caused_by
    return [found[place] for place in sorted(found)]
