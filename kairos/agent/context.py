"""The first messages to the model: the change that is the reason for the turn, bounded and redacted."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import PurePosixPath

import msgspec

from kairos.agent.outputs import Assignment
from kairos.agent.repository_files import Files, left_out, shown
from kairos.agent.tools.output import wrapped
from kairos.domain.amounts import count
from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.domain.inert import escape
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.memory.claims import MemoryView
from kairos.repo.beneath import Unreadable

DIFF_AT_MOST = 24_000
MEMORY_AT_MOST = 2_000
COMMITS_AT_MOST, PATHS_AT_MOST, MEMORIES_AT_MOST = 8, 40, 10
SECONDS = 20.0
"""After so long the opening holds what was read so far, and says that there is more."""
_SHARE_AT_LEAST = 1_000
_STEPS_UP = 10


class ReviewSubject(msgspec.Struct, frozen=True):
    """The subject of a review: commits (newest last) or, if there are none, changed paths of the work tree. `earlier`:
    how many older commits of the same moves are left out; `patches`: the hashes of their patches, but of those
    that are too large."""

    commits: list[str]
    paths: list[str]
    earlier: int = 0
    patches: list[str] = []


def subject_of(log: Log, files: Files, assignment: Assignment) -> ReviewSubject:
    """What the events at the assignment's positions, or those that caused them, are about: every commit that the
    branches moved over, from the first move's start to the last one's end, or the paths that changed."""
    commits: list[str] = []
    moved: dict[str, tuple[str | None, str]] = {}
    paths: list[str] = []
    for recorded in _causes(log, [*assignment.evidence, assignment.cause]):
        event = recorded.event
        if getattr(event, "repo", None) != assignment.repo:
            continue
        match event:
            case CommitRecorded():
                commits.append(event.oid)
            case GitMoved():
                for ref in event.refs:
                    if ref.new and (ref.name.startswith("refs/heads/") or ref.name == "HEAD"):
                        start = moved[ref.name][0] if ref.name in moved else ref.old
                        moved[ref.name] = (start, ref.new)
            case FilesChanged():
                paths += [change.fs for change in event.changes]
    found = commits or [oid for start, end in moved.values() for oid in files.between(start, end)]
    found = list(dict.fromkeys(found))
    last = found[-COMMITS_AT_MOST:]
    return ReviewSubject(last, [] if commits or moved else list(dict.fromkeys(paths)), len(found) - len(last))


def unseen(files: Files, subject: ReviewSubject, seen: Collection[str]) -> ReviewSubject:
    """The subject without the commits whose patch was looked at before, under whatever id (a rebase, a cherry-pick, a
    new message), with the patches of the others."""
    until = time.monotonic() + SECONDS
    kept = [(oid, files.patch_id(oid) if time.monotonic() < until else "") for oid in subject.commits]
    kept = [(oid, patch) for oid, patch in kept if not patch or patch not in seen]
    patches = [patch for _, patch in kept if patch]
    return ReviewSubject([oid for oid, _ in kept], subject.paths, subject.earlier, patches)


def opening(
    files: Files, assignment: Assignment, subject: ReviewSubject, memory: Sequence[str]
) -> list[dict[str, str]]:
    """The system message and the first user message. Each commit has its share of the space that is left."""
    until, left = time.monotonic() + SECONDS, DIFF_AT_MOST
    parts = [f"Repository: {escape(PurePosixPath(assignment.root).name)}. Moment: {assignment.boundary}."]
    if subject.earlier:
        parts.append(f"{count(subject.earlier, 'earlier commit')} of the same move are left out.")
    for place, name in enumerate(subject.commits):
        commit = files.commit(name)
        if commit is None:
            parts.append(f"Commit {name[:12]} is not there any more.")
            continue
        parts.append(f"Commit {commit}.")
        parts.append(wrapped("its message", files.subject(commit), 1_500))
        share = max(left // (len(subject.commits) - place), _SHARE_AT_LEAST)
        diff = wrapped("its diff", "".join(files.commit_diff(commit, share, until)), share)
        parts.append(diff)
        left -= len(diff.encode())
    if subject.paths:
        diff = _tree_diffs(files, subject.paths, until)
        parts.append(wrapped("the diff of the work tree", diff, DIFF_AT_MOST))
    if memory:
        parts.append(wrapped("remembered about this repository", "\n".join(memory), MEMORY_AT_MOST))
    parts.append("Review it. End with `propose_patch` or `nothing`.")
    return [{"role": "system", "content": prompt()}, {"role": "user", "content": "\n\n".join(parts)}]


def prompt(name: str = "review_change") -> str:
    """A prompt shipped with the package."""
    return resources.files("kairos.agent").joinpath(f"prompts/{name}.md").read_text("utf-8")


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


def _tree_diffs(files: Files, paths: Sequence[str], until: float) -> str:
    sections: list[str] = []
    size = 0
    for path in paths[:PATHS_AT_MOST]:
        if size >= DIFF_AT_MOST or time.monotonic() >= until:
            break
        try:
            sections.append(files.tree_diff(path))
        except Unreadable as why:
            sections.append(f"{escape(path)}: {why}\n" if shown(path) else "")
        size += len(sections[-1])
    return "".join(sections) + left_out(len(paths) - len(sections), len(paths))


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
