"""Forgetting: excises payloads. The hash chain stays verifiable, because it links hashes and not payloads.

Segments that contain such payloads are rewritten beside the old files and verified. Then ONE transaction overwrites
the hot rows, names the new files in the manifest, drops the derived view rows and appends `Erased`. A run killed before
the transaction changes nothing. After it, the remaining traces (old files, free pages, the WAL, files outside of the
log) are cleaned by this run or, if it was killed, by the next process that opens the log for writing.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec

from kairos.domain import globs
from kairos.domain.activity import words
from kairos.domain.events import ActivityFolded, Change, Erased, FilesChanged, name_fields
from kairos.errors import Conflict, NotFound, UsageError
from kairos.eventlog.cold.leftovers import beginning, finish_forgetting, only_one
from kairos.eventlog.cold.mentions import Touches, mentions, naming, needles, paths
from kairos.eventlog.cold.segment import prove_segment, publish, segment_rows, without, write_segment
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Erase, NewEvent, Recorded, Row, Swap, Write
from kairos.eventlog.views.watched_tree import TOPICS

POSITIONS_AN_EVENT = 10_000
CHANGES_AN_EVENT = 1_000
KEPT = frozenset({"Erased", "SegmentFolded", "SegmentRetired", "SegmentSealed"})
"""Topics about the log itself are never excised: without `Erased`, a missing payload would not verify."""

_Told = dict[bytes, tuple[int, Change | None]]
"""Path → (position of the newest observation of it, its last change; None: the path was deleted)."""


class Forgotten(msgspec.Struct, frozen=True):
    """What one run excised. `position` is that of its first `Erased` event, None if nothing was excised; `names` are
    those that must not remain anywhere."""

    positions: list[int]
    position: int | None
    segments: int
    names: list[str] = []


class _Wanted(msgspec.Struct, frozen=True):
    """What to forget: a test for rows, and the names that must not remain anywhere."""

    touches: Touches
    names: Callable[[Collection[int]], set[str]]
    reason: str
    by: str


def forget_positions(log: Log, positions: Collection[int], reason: str, by: str) -> Forgotten:
    """Excises the payloads at these positions, and memories whose only evidence they are.

    NotFound for an unknown position, UsageError for one that must be kept."""
    with log.errors():
        for position in positions:
            row = log.at_row(position)
            if row.topic in KEPT:
                raise UsageError(
                    f"{row.topic} at {position} describes the log itself and cannot be forgotten",
                    "Choose other positions.",
                )
    wanted = set(positions)
    return _forget(log, _Wanted(lambda row: row.position in wanted, lambda at: _only_there(log, at), reason, by))


def forget_paths(log: Log, pattern: str, reason: str, by: str) -> Forgotten:
    """Excises every payload that names a path matching the pattern, in a path field or in any text.

    NotFound if no event names such a path, UsageError if the reason does."""
    with log.errors():
        found = {
            path
            for row in log.reader().rows()
            if row.payload is not None and row.topic not in KEPT
            for path in paths(row)
            if globs.matches(pattern, path)
        }
    if not found:
        raise NotFound(f"no event names a path like {pattern}", "`kairos files PATH` lists what is known.")
    return _forget(log, _named(found, mentions(found), reason, by))


def forget_repository(log: Log, repo: str, root: str, reason: str, by: str) -> Forgotten:
    """Excises every payload in a repository's stream, and every other payload that names its id or root."""
    names = {repo, root}
    touches = mentions(names)
    return _forget(log, _named(names, lambda row: row.stream == repo or touches(row), reason, by))


def _named(names: set[str], touches: Touches, reason: str, by: str) -> _Wanted:
    if naming(names).search(reason):
        raise UsageError(
            "the reason contains the name to forget, and the log keeps the reason",
            "Give a reason that does not name it.",
        )
    return _Wanted(touches, lambda _: names, reason, by)


def _forget(log: Log, wanted: _Wanted) -> Forgotten:
    with only_one(log), log.errors():
        finish_forgetting(log)
        while True:
            try:
                found = _excise(log, wanted)
                break
            except Conflict:
                continue  # another process appended an observation in between: start over
        finish_forgetting(log)
    return found


def _excise(log: Log, wanted: _Wanted) -> Forgotten:
    positions = _concerned(log, wanted.touches)
    if not positions:
        return Forgotten([], None, 0)
    names = wanted.names(positions)
    betraying = needles(names | set(_remembered(log, positions)))
    swaps = list(_rewritten(log, set(positions)))
    erased = [
        Erased(positions=positions[i : i + POSITIONS_AN_EVENT], reason=wanted.reason, by=wanted.by)
        for i in range(0, len(positions), POSITIONS_AN_EVENT)
    ]
    told, expected = _told_again(log, set(positions), names)
    events = [*(NewEvent("log", event, None, "user") for event in erased), *told]
    writes: list[Write] = [Erase(positions), *swaps, *_drops(log, names, betraying), *beginning(log, betraying)]
    first = log.append(events, expected=expected, writes=writes)[0]
    return Forgotten(positions, first, len(swaps), sorted(names))


def _concerned(log: Log, touches: Touches) -> list[int]:
    """The positions to excise: the requested ones, and memories whose only evidence they are."""
    found: list[int] = []
    gone: set[int] = set()
    for row in log.reader().rows():
        if row.payload is None:
            gone.add(row.position)
        elif row.topic not in KEPT and (touches(row) or _rests_on(row, gone)):
            gone.add(row.position)
            found.append(row.position)
    return found


def _rests_on(row: Row, gone: Collection[int]) -> bool:
    """Whether a row is a memory all of whose evidence is gone. Evidence always precedes the memory in the log."""
    if row.topic != "MemoryAccepted":
        return False
    cites = msgspec.json.decode(row.payload or b"null")["memory"]["cites"]
    return bool(cites) and all(position in gone for position in cites)


def _remembered(log: Log, positions: Sequence[int]) -> Iterator[str]:
    """The sentences of excised memories, as written to the memory files."""
    for position in positions:
        row = log.at_row(position)
        if row.topic == "MemoryAccepted":
            yield msgspec.json.decode(row.payload or b"null")["memory"]["text"]


def _only_there(log: Log, positions: Collection[int]) -> set[str]:
    """The paths that only these events name and that are in no current tree."""
    named: set[str] = set()
    elsewhere: set[str] = set()
    trees: dict[str, _Told] = {}
    for row in log.reader().rows():
        if row.payload is not None and row.topic not in KEPT:
            (named if row.position in positions else elsewhere).update(paths(row))
    for recorded in log.read(topics=TOPICS):
        _tell(trees.setdefault(getattr(recorded.event, "repo", ""), {}), recorded)
    return named - elsewhere - {os.fsdecode(p) for tree in trees.values() for p, (_, last) in tree.items() if last}


def _rewritten(log: Log, positions: set[int]) -> Iterator[Swap]:
    """Rewrites the segments that contain any of these positions; each new file is verified to give the same link."""
    ordered = sorted(positions)
    for first, last, file, _, sealed, before, after, _ in log.reader().segments():
        if bisect_left(ordered, first) == bisect_right(ordered, last):
            continue
        name = f"{first:012d}-{last:012d}.{log.head():012d}.parquet"
        temporary = log.segments / f"{name}.tmp"
        rows, size = write_segment(temporary, without(segment_rows(log.segment(file), sealed=sealed), positions))
        proven = prove_segment(temporary, rows, before, after)
        publish(temporary, log.segments / name)
        yield Swap(first, name, size, proven.digest)


def _told_again(log: Log, positions: set[int], forgotten: set[str]) -> tuple[list[NewEvent], dict[str, int]]:
    """New observations that repeat what the excised ones recorded about other paths, so that the folded tree does not
    change; and the expected version of each repository's stream."""
    whole: dict[str, _Told] = {}
    rest: dict[str, _Told] = {}
    concerned: set[str] = set()
    for recorded in log.read(topics=TOPICS):
        repo = getattr(recorded.event, "repo", "")
        _tell(whole.setdefault(repo, {}), recorded)
        if recorded.position in positions:
            concerned.add(repo)
        else:
            _tell(rest.setdefault(repo, {}), recorded)
    events, expected = [], {}
    for repo in sorted(concerned - forgotten):
        changes = list(_differences(whole[repo], rest.get(repo, {}), forgotten))
        parts = [changes[i : i + CHANGES_AN_EVENT] for i in range(0, len(changes), CHANGES_AN_EVENT)]
        burst = f"forget-{min(positions)}"
        for part, some in enumerate(parts, 1):
            event = FilesChanged(repo=repo, burst=burst, part=part, parts=len(parts), changes=some)
            events.append(NewEvent(repo, event, None, "baseline"))
        expected[repo] = log.version(repo)
    return events, expected


def _tell(told: _Told, recorded: Recorded) -> None:
    """Notes the newest change of each path, by the position of its observation."""
    match recorded.event:
        case FilesChanged() as event:
            news = [(path, recorded.position, change) for path, change in words(event)]
        case ActivityFolded() as event:
            news = [(os.fsencode(a.fs), a.position, a.last) for a in event.paths if a.position and a.last]
        case _:
            return
    for path, position, change in news:
        if told.get(path, (0, None))[0] <= position:
            told[path] = (position, None if change is None or change.kind == "deleted" else change)


def _differences(whole: _Told, rest: _Told, forgotten: set[str]) -> Iterator[Change]:
    """The changes that turn the tree `rest` into `whole`, without forgotten paths."""
    nothing = (0, None)
    for path in sorted(whole.keys() | rest.keys()):
        now, was = whole.get(path, nothing)[1], rest.get(path, nothing)[1]
        if os.fsdecode(path) in forgotten or (now and _state(now)) == (was and _state(was)):
            continue
        names: dict[str, Any] = name_fields(os.fsdecode(path))
        if now is None:
            yield Change(**names, kind="deleted", type=was.type if was else "file")
        else:
            yield Change(**names, kind="modified" if was else "created", **_state(now))


def _state(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in ("type", "size", "mode", "mtime_ns", "sha")}


def _drops(log: Log, names: set[str], betraying: Sequence[bytes]) -> list[Write]:
    """Drops every snapshot, and the rows of other views that contain one of the names; all of them are rebuilt."""
    raw = {os.fsencode(name) for name in names}
    places = {os.path.split(name) for name in raw}
    out: list[Write] = []
    for view in log.reader().view_names():
        if view.startswith("snapshot/") or any(n in view.encode() for n in betraying):
            out.append(Drop(view))
            continue
        for key, value in log.view(view).items():
            if view.startswith("tree/"):  # listings: key is a folder, value the names in it
                held = key in raw or any(key == folder and name in value for folder, name in places)
            else:
                held = any(n in key or n in value for n in betraying)
            if held:
                out.append(Drop(view, key))
    return out
