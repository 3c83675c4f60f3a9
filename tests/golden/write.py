"""Writes golden files for what has none: `python tests/golden/write.py`. What exists is never changed.

A golden file is history: what an earlier Kairos wrote, which every later one must read. A new version of an event
gets a new file beside the old one; a new field without a new version gets a variant (`Topic.v1.name.json`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from kairos.domain import events as ev
from kairos.domain.action import Effects, PatchAction, digest, edit
from kairos.domain.events import REGISTRY, Event, Name, name_fields
from kairos.eventlog import codec
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Track
from kairos.eventlog.schema import SCHEMA_VERSION

HERE = Path(__file__).resolve().parent


def samples(cls: type[Event]) -> Iterator[tuple[str, Event]]:
    """(variant, event): one with every field set, and one more for each further kind of a field's value."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    whole = {f.name: list(values(f.type, f.name, f.default)) for f in info.fields}
    first = {name: kinds[0][1] for name, kinds in whole.items()}
    yield "", cls(**first)
    for name, kinds in whole.items():
        for variant, value in kinds[1:]:
            yield f".{variant}", cls(**{**first, name: value})


def values(type_: inspect.Type, name: str, default: Any = None) -> Iterator[tuple[str, Any]]:
    """(kind, value) for each kind of value that a field may have, None left out: that is a default."""
    match type_:
        case inspect.Metadata():
            yield from values(type_.type, name, default)
        case inspect.StructType():
            yield from ((str(type_.tag or type_.cls.__name__), value) for value in structs(type_))
        case inspect.UnionType():
            kinds = [t for t in type_.types if not isinstance(t, inspect.NoneType)]
            for kind in sorted(kinds, key=lambda t: str(getattr(t, "tag", "")), reverse=True):
                yield from values(kind, name, default)
        case inspect.ListType():
            yield "", [value for _, value in values(type_.item_type, name)]
        case inspect.LiteralType():
            yield "", max((v for v in type_.values if v != default), key=str)
        case inspect.StrType():
            yield "", f"{name} é"
        case inspect.IntType():
            yield "", 1_000 + sum(name.encode())
        case inspect.FloatType():
            yield "", 0.5 + sum(name.encode())
        case inspect.BoolType():
            yield "", default is not True
        case _:
            raise TypeError(f"no sample for {type_!r}")


def structs(info: inspect.StructType) -> Iterator[Any]:
    fields = {f.name: next(values(f.type, f.name, f.default))[1] for f in info.fields}
    if not issubclass(info.cls, Name):
        yield info.cls(**fields)
        return
    for path in ("src/é.py", "caf\udce9.txt"):
        yield info.cls(**{**fields, "path": None, "path_b64": None, **name_fields(path)})


def write_events(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for topic, cls in REGISTRY.items():
        if list(folder.glob(f"{topic}.v{cls.version}*.json")):
            continue
        for variant, event in samples(cls):
            (folder / f"{topic}.v{cls.version}{variant}.json").write_bytes(codec.encode(event)[2] + b"\n")


def write_log(folder: Path, *hours: Callable[[Log], None]) -> None:
    """A log of one repository, with what its hours left: `log.db`, `segments/`, `anchor.json`."""
    if folder.exists():
        return
    with tempfile.TemporaryDirectory() as place:
        log = Log(Path(place) / "log.db")
        for hour in hours:
            hour(log)
        position, link = log.anchor()
        log.close()
        folder.mkdir()
        shutil.copy(log.path, folder / "log.db")
        (folder / "segments").mkdir()
        for segment in log.segments.glob("*.parquet"):
            shutil.copy(segment, folder / "segments")
    (folder / "anchor.json").write_text(json.dumps({"position": position, "hash": link}) + "\n")


def morning(log: Log) -> None:
    repo = "repo-0123456789ab"
    trusted = ev.RepoTrusted(repo=repo, root="/srv/shop", dev=1, ino=2, by="user")
    log.append([NewEvent(repo, trusted, None, "user")])
    seen = {"kind": "created", "size": 9, "mode": 0o644, "mtime_ns": 1}
    entries = [msgspec.convert({**seen, **name_fields(p)}, ev.Change) for p in ("a.py", "b\udcff")]
    files = ev.FilesChanged(repo=repo, burst="b1", part=1, parts=1, changes=entries)
    done = ev.BaselineRecorded(repo=repo, entries=2)
    log.append([NewEvent(repo, files, None, "baseline"), NewEvent(repo, done, -1, "baseline")])
    log.append([NewEvent("control", ev.DetectorMuted(detector="secret", repo=repo), None, "user")])


def noon(log: Log) -> None:
    """The first half is sealed in a segment."""
    compact(log)


def night(log: Log) -> None:
    """A busy day folds, but for its fourth observation, on which a turn rests, and for the last."""
    repo = "repo-0123456789ab"
    for size in range(9):
        names = [name_fields(p) for p in ("a.py", "b\udcff")]
        changes = [msgspec.convert({"kind": "modified", "size": size, **name}, ev.Change) for name in names]
        event = ev.FilesChanged(repo=repo, burst=f"b{size}", part=1, parts=1, changes=changes)
        new = [NewEvent(repo, event)]
        if size == 3:
            new.append(NewEvent(repo, ev.AttentionDue(repo=repo, boundary="burst", rule="burst@1"), -1, "system"))
        log.append(new)
    log.append([], writes=[Track(f"reactor/{repo}", log.head())])  # all of it was judged
    compact(log)
    fold(log, 2**60)


def evening(log: Log) -> None:
    repo, patch = "repo-0123456789ab", edit("a.py", (b"import old\n", 0o644), (b"import new\n", 0o644))
    action = PatchAction(repo=repo, edits=[patch])
    effects = Effects(files=["a.py"], added=1, removed=1)
    approved, stream = digest(action, effects, "p1"), "proposal-kkkkllllmmmm"
    moved = ev.GitMoved(
        repo=repo,
        head="refs/heads/main",
        what="commit",
        refs=[ev.RefMove(name="refs/heads/main", old=None, new="0" * 40)],
    )
    raised = ev.ProposalRaised(
        id="kkkkllllmmmm", repo=repo, digest=approved, detector="stale-reference", detector_version=1, engine="rules",
        turn="turn-1", key="k", title="a.py names old", claim="old was renamed to new", risk="low", action=action,
        effects=effects, evidence=[2], expires_at=2**52, policy_version="p1",
    )  # fmt: skip
    verified = ev.ProposalVerified(id=raised.id, digest=approved, ok=True)
    log.append(
        [NewEvent(repo, moved), NewEvent(stream, raised, -1, "system"), NewEvent(stream, verified, -1, "system")]
    )
    yes = ev.ProposalApproved(id=raised.id, digest=approved, by="user", expires_at=2**52)
    log.append([NewEvent(stream, yes, log.head(), "user")])
    for run in ("apply", "undo"):
        started = ev.ExecutionStarted(
            id=raised.id, execution=f"x-{run}", run=run, digest=approved, repo=repo, store="undo/x",
            expect=[ev.Expected(path="a.py", sha=patch.after.sha if patch.after else None, mode=0o644)],
            before=[ev.Expected(path="a.py", sha=patch.before.sha if patch.before else None, mode=0o644)],
        )  # fmt: skip
        ended = ev.ExecutionFinished(id=raised.id, execution=f"x-{run}", run=run, outcome="done")
        log.append([NewEvent(stream, started, log.head(), "system"), NewEvent(stream, ended, -1, "system")])
    log.append([NewEvent(stream, ev.Undone(id=raised.id, execution="x-undo"), log.head(), "user")])


if __name__ == "__main__":
    write_events(HERE / "events")
    write_log(HERE / f"log-v{SCHEMA_VERSION}", morning, noon, evening)
    write_log(HERE / f"folded-v{SCHEMA_VERSION}", morning, night, evening)
