"""Decides whether a change is ours, from a fold of our own executions. Uses no time windows.

While an execution is open, a path is ours if its content and mode are exactly what the execution announced. After it
ended, a path is ours if its signature is exactly the recorded one, and only once. Every other change is foreign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from kairos.domain.events import ExecutionFinished, ExecutionStarted, ExecutionUnknown, Name
from kairos.eventlog.record import Recorded

TOPICS = frozenset({"ExecutionStarted", "ExecutionFinished", "ExecutionUnknown"})
_TEMPORARY = re.compile(rb"\.kairos-[0-9a-f-]+\.tmp\Z")
_KEPT = 10_000
_LOOKS = 2


class State(msgspec.Struct, frozen=True, array_like=True):
    """The announced state of a path. `sha` None: no file. `mode`: permission bits, None when it does not matter."""

    sha: str | None
    mode: int | None


class Intent(msgspec.Struct, array_like=True):
    """An open execution: the position of its start, and the state of each path after and before it."""

    position: int
    expect: dict[bytes, State]
    before: dict[bytes, State]


class Closed(msgspec.Struct, array_like=True):
    """The signature of a path at the end of an execution: (ino, size, mode, mtime_ns, ctime_ns), None for no file.
    `looks`: comparisons since then; a recorded absence expires, because it does not explain a later removal."""

    position: int
    signature: tuple[int, int, int, int, int] | None
    looks: int = 0


class Made(msgspec.Struct, array_like=True):
    """A parent directory of a path of an ended execution, which may have been created or removed with the path."""

    position: int
    created: bool
    looks: int = 0


class Provenance(msgspec.Struct):
    """The fold, stored as a row beside the tree. It can be rebuilt from the log. Keys are relative paths."""

    position: int = 0
    open: dict[str, Intent] = {}
    closed: dict[bytes, Closed] = {}
    made: dict[bytes, Made] = {}
    matched: dict[bytes, Closed] = {}
    """What matched in the present comparison: other names of the same files may follow."""

    def touches(self, dir: bytes) -> bool:
        """Whether an open execution writes into a directory or below it."""
        prefix = dir + b"/" if dir else b""
        return any(path.startswith(prefix) for intent in self.open.values() for path in intent.expect)

    def look(self) -> None:
        """Counts one finished comparison of all dirty directories, and drops entries of ended executions that have
        been compared often enough."""
        self.matched = {}
        self.made = {d: m for d, m in self.made.items() if m.looks + 1 < _LOOKS}
        for made in self.made.values():
            made.looks += 1
        for path, closed in list(self.closed.items()):
            closed.looks += 1
            if closed.signature is None and closed.looks >= _LOOKS:
                del self.closed[path]


class PathState(NamedTuple):
    """The present state of a path: type, mode, and the parts of its signature."""

    type: str
    mode: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


Verdict = int | Literal["wait"] | None
"""The position of our ExecutionStarted, `wait` while it cannot be decided yet, None for foreign."""

Hashing = Callable[[bytes, PathState], str | Literal["moved"] | None]
"""SHA-256 of the content of a path if it is still as seen, `moved` if it is not, None if it cannot be read."""


def is_temporary(path: bytes) -> bool:
    """Whether a path is named like a temporary file of our own atomic writes."""
    return _TEMPORARY.match(path.rpartition(b"/")[2]) is not None


def evolve(state: Provenance, recorded: Recorded, repo: str) -> None:
    """Folds one event into `state`, in place."""
    match recorded.event:
        case ExecutionStarted() as e if e.repo == repo:
            state.open[e.execution] = Intent(
                recorded.position,
                {_path(x): State(x.sha, x.mode) for x in e.expect},
                {_path(x): State(x.sha, x.mode) for x in e.before},
            )
        case ExecutionFinished() as e if e.execution in state.open:
            intent = state.open.pop(e.execution)
            for s in e.signatures:
                state.closed[_path(s)] = Closed(
                    intent.position,
                    None if s.size is None else
                    (s.ino or 0, s.size, s.mode or 0, s.mtime_ns or 0, s.ctime_ns or 0),
                )  # fmt: skip
                for dir in _ancestors(_path(s)):
                    state.made[dir] = Made(intent.position, s.size is not None)
            for path in list(state.closed)[: max(0, len(state.closed) - _KEPT)]:
                del state.closed[path]
        case ExecutionUnknown() as e:
            state.open.pop(e.execution, None)
    state.position = max(state.position, recorded.position)


def judge_open(state: Provenance, path: bytes, now: PathState | None, content: Hashing) -> Verdict:
    """Whether a difference was made by an open execution; `now` is the present state of the path."""
    verdict: Verdict = None
    for intent in state.open.values():
        if path not in intent.expect and now is not None and now.type == "file":
            # Another name of a file that is rewritten in place: its signature tells when the execution has ended.
            if content(path, now) in {to_be.sha for to_be in intent.expect.values() if to_be.sha is not None}:
                verdict = "wait"
            continue
        if path not in intent.expect or (now is not None and now.type != "file"):
            continue
        sha = None if now is None else content(path, now)
        if now is not None and sha is None:
            continue
        if sha != "moved" and _is(intent.expect[path], sha, now):
            return intent.position
        if sha == "moved" or (path in intent.before and _is(intent.before[path], sha, now)):
            verdict = "wait"
    return verdict


def judge_closed(state: Provenance, path: bytes, now: PathState | None) -> int | None:
    """Whether a path is exactly as an ended execution left it, by this or another of its names (hard links). A match
    consumes the signature recorded for this path."""
    closed = state.closed.pop(path, None)
    seen = None if now is None else (now.ino, now.size, now.mode, now.mtime_ns, now.ctime_ns)
    if closed is not None and seen == closed.signature:
        state.matched[path] = closed
        return closed.position
    if closed is not None or seen is None:
        return None
    others = {**state.matched, **state.closed}
    return next((c.position for other, c in others.items() if other != path and c.signature == seen), None)


def judge_dir(state: Provenance, path: bytes, *, created: bool) -> int | None:
    """Whether a directory was created or removed by our own writes to a path below it."""
    prefix = path + b"/"
    for intent in state.open.values():
        for expected, to_be in intent.expect.items():
            if expected.startswith(prefix) and (to_be.sha is not None) == created:
                return intent.position
    made = state.made.pop(path, None)
    return made.position if made is not None and made.created == created else None


def _is(state: State, sha: str | None, now: PathState | None) -> bool:
    """Whether a path is in `state`. Modes are compared as git compares them: executable or not."""
    if now is None or state.sha is None:
        return now is None and state.sha is None
    return sha == state.sha and (state.mode is None or bool(now.mode & 0o100) == bool(state.mode & 0o100))


def _path(name: Name) -> bytes:
    return os.fsencode(name.fs)


def _ancestors(path: bytes) -> list[bytes]:
    found = []
    while path := path.rpartition(b"/")[0]:
        found.append(path)
    return found
