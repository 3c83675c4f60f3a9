"""Forgetting: payloads are excised, and the chain, which links hashes, survives.

Segments that hold some are written anew beside the old ones and proven; then ONE transaction overwrites the hot rows,
names the new files in the manifest, drops what was folded from the payloads and appends `Erased`. Before it nothing
has happened; after it everything has, and what is left (old files, free pages, the WAL) is cleaned by this run or, if
it was killed, by the next forgetting or compaction.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from kairos.domain import globs
from kairos.domain.events import Change, Erased, FilesChanged, name_fields
from kairos.errors import Conflict, IntegrityError, NotFound, TryAgain, UsageError
from kairos.eventlog.log import Log, sqlite_errors
from kairos.eventlog.record import Drop, Erase, NewEvent, Put, Row, Swap, Write
from kairos.eventlog.segment import file_digest, read_segment, segment_link, sync_folder, without, write_segment
from kairos.eventlog.tree import Entry, apply_changes
from kairos.eventlog.upkeep import UNFINISHED, finish_forgetting, only_one

POSITIONS_AN_EVENT = 10_000
CHANGES_AN_EVENT = 1_000
KEPT = frozenset({"Erased", "SegmentSealed", "SegmentRetired"})
"""What the log says about itself is never excised: `Erased` is what makes a missing payload verify."""
_PATHS = frozenset({"path", "path_b64", "fs"})
_INNER = r"[\w./\\-]"

Touches = Callable[[Row], bool]


class Forgotten(msgspec.Struct, frozen=True):
    """What one run excised. `position` is that of its first `Erased` event, None when there was nothing."""

    positions: list[int]
    position: int | None
    segments: int


def forget_positions(log: Log, positions: Collection[int], reason: str, by: str) -> Forgotten:
    """Excises the payloads at these positions. NotFound, UsageError for one that must stay."""
    for position in positions:
        row = log.at_row(position)
        if row.topic in KEPT:
            raise UsageError(f"{row.topic} at {position} is a fact about the log itself and stays", "")
    wanted = set(positions)
    return _forget(log, lambda row: row.position in wanted, [], reason, by)


def forget_paths(log: Log, pattern: str, reason: str, by: str) -> Forgotten:
    """Excises every payload that names a path which the pattern matches: as a path, or in any text.

    NotFound when no event names one."""
    paths = {p for row in log.reader().rows() for p in _paths(row) if globs.matches(pattern, p)}
    if not paths:
        raise NotFound(f"no event names a path like {pattern}", "`kairos files PATH` lists what is known.")
    return _forget(log, _mentions(paths), sorted(paths), reason, by)


def forget_repository(log: Log, repo: str, root: str, reason: str, by: str) -> Forgotten:
    """Excises every payload of a repository's stream, and each that names its id or root."""
    mentions = _mentions({repo, root})
    return _forget(log, lambda row: row.stream == repo or mentions(row), [repo, root], reason, by)


def _forget(log: Log, touches: Touches, needles: list[str], reason: str, by: str) -> Forgotten:
    log.segments.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(log.segments), sqlite_errors(log.path):
        finish_forgetting(log)
        while True:
            try:
                found = _excise(log, touches, needles, reason, by)
                break
            except Conflict:
                continue  # a repository told something in between: look again
        finish_forgetting(log)
    return found


def _excise(log: Log, touches: Touches, needles: list[str], reason: str, by: str) -> Forgotten:
    rows = (r for r in log.reader().rows() if r.payload is not None and r.topic not in KEPT)
    positions = [row.position for row in rows if touches(row)]
    if not positions:
        return Forgotten([], None, 0)
    swaps = list(_rewritten(log, set(positions)))
    events = [
        NewEvent("log", Erased(positions=positions[i : i + POSITIONS_AN_EVENT], reason=reason, by=by), None, "user")
        for i in range(0, len(positions), POSITIONS_AN_EVENT)
    ]
    told, expected = _told_again(log, set(positions), set(needles))
    writes: list[Write] = [Erase(positions), *swaps, *_drops(log, needles), Put(UNFINISHED, b"", b"")]
    first = log.append([*events, *told], expected=expected, writes=writes)[0]
    return Forgotten(positions, first, len(swaps))


def _rewritten(log: Log, positions: set[int]) -> Iterator[Swap]:
    """New files for the segments that hold some of these positions, each proven to give the same link."""
    for first, last, file, _, sealed, before, after, _ in log.reader().segments():
        if not any(first <= p <= last for p in positions):
            continue
        if file_digest(log.segments / file) != sealed:
            raise IntegrityError(f"the segment {file} is not the one that was sealed", "Run `kairos log verify`.")
        name = f"{first:012d}-{last:012d}.{log.head():012d}.parquet"
        path, temporary = log.segments / name, log.segments / f"{name}.tmp"
        try:
            size = write_segment(temporary, without(read_segment(log.segments / file), positions))
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise TryAgain(f"the segment {name} could not be written: {error}", "Free some space.") from error
        if segment_link(temporary, before) != after:
            temporary.unlink()
            raise IntegrityError(f"the segment {file} does not give the link it was sealed with", "`kairos log verify`")
        digest = file_digest(temporary)
        temporary.rename(path)
        sync_folder(log.segments)
        yield Swap(first, name, size, digest)


def _told_again(log: Log, positions: set[int], forgotten: set[str]) -> tuple[list[NewEvent], dict[str, int]]:
    """What the excised observations said of other paths is told again, so that the tree folds to what it was."""
    trees: dict[str, tuple[dict[bytes, Entry], dict[bytes, Entry]]] = {}
    concerned: set[str] = set()
    for recorded in log.read(topics={"FilesChanged"}):
        if isinstance(recorded.event, FilesChanged):
            whole, rest = trees.setdefault(recorded.event.repo, ({}, {}))
            apply_changes(whole, recorded.event)
            if recorded.position in positions:
                concerned.add(recorded.event.repo)
            else:
                apply_changes(rest, recorded.event)
    events, expected = [], {}
    for repo in sorted(concerned - forgotten):
        whole, rest = trees[repo]
        changes = [
            _change(path, whole.get(path), rest.get(path))
            for path in sorted(whole.keys() | rest.keys())
            if whole.get(path) != rest.get(path) and os.fsdecode(path) not in forgotten
        ]
        parts = [changes[i : i + CHANGES_AN_EVENT] for i in range(0, len(changes), CHANGES_AN_EVENT)]
        burst = f"forget-{min(positions)}"
        for part, some in enumerate(parts, 1):
            event = FilesChanged(repo=repo, burst=burst, part=part, parts=len(parts), changes=some)
            events.append(NewEvent(repo, event, None, "baseline"))
        expected[repo] = log.version(repo)
    return events, expected


def _change(path: bytes, now: Entry | None, was: Entry | None) -> Change:
    names: dict[str, Any] = name_fields(os.fsdecode(path))
    if now is None:
        return Change(**names, kind="deleted", type=was.type if was else "file")
    kind: Any = "created" if was is None else "modified"
    return Change(**names, kind=kind, type=now.type, size=now.size, mode=now.mode, mtime_ns=now.mtime_ns)


def _drops(log: Log, needles: list[str]) -> list[Write]:
    """Drops every kept fold, and of the other views what holds one of the needles: all of it is made anew."""
    raw = [os.fsencode(n) for n in needles]
    places = {os.path.split(n) for n in raw if b"/" in n or raw}
    out: list[Write] = []
    for view in log.reader().view_names():
        if view.startswith("snapshot/") or any(n in view for n in needles):
            out.append(Drop(view))
            continue
        for key, value in log.view(view).items():
            held = any(n in key or n in value for n in raw)
            if held or any(key == folder and name in value for folder, name in places):
                out.append(Drop(view, key))
    return out


def _strings(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of every text in a decoded payload."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, field)


def _paths(row: Row) -> Iterator[str]:
    if row.payload is None or row.topic in KEPT:
        return
    for field, text in _strings(msgspec.json.decode(row.payload)):
        if field == "path_b64":
            yield os.fsdecode(base64.b64decode(text))
        elif field in _PATHS:
            yield text


def _mentions(names: set[str]) -> Touches:
    """Whether a payload names one of these, whole: `a.py` is not named by `data.py`, nor `src/a` by `src/a/b`."""
    b64 = {base64.b64encode(os.fsencode(n)).decode("ascii") for n in names}
    ordered = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<!{_INNER})(?:{'|'.join(map(re.escape, ordered))})(?![\w/\\-]|\.\w)")

    def touches(row: Row) -> bool:
        texts = _strings(msgspec.json.decode(row.payload or b"null"))
        return any(pattern.search(text) or (field == "path_b64" and text in b64) for field, text in texts)

    return touches
