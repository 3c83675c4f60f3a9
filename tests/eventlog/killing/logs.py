"""The logs that are killed: small, on tmpfs, with a row of every kind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kairos._native import blake3_hash
from kairos.domain.events import (
    AttentionHeld,
    Change,
    CommitChange,
    CommitRecorded,
    FilesChanged,
    Memory,
    MemoryAccepted,
    Paused,
    Resumed,
)
from kairos.eventlog.cold import compaction
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent, Put, header_of
from kairos.home import Home, find_home

CANARY = "private/diary-of-an-owl.txt"
GLOB = "private/diary-*"
EVENTS = 200
Rows = list[tuple[object, ...]]


def sizes() -> None:
    """Small enough that few events go through every branch."""
    compaction.ROWS_A_SEGMENT = 110
    compaction.RETIRE_CHUNK = 60
    compaction.WORTHWHILE = 1


def fill(log: Log) -> None:
    """A log of every kind: observations in bursts, commits, small events, memory, a tree view, causes; some of it
    names the canary."""
    repo = "repo-1"
    first = [_change("a.py"), _change(CANARY), _change("old.py")]
    log.append([NewEvent(repo, _told("b0", first))], writes=[Put(f"tree/{repo}", b"private", b"diary-of-an-owl.txt")])
    log.append([NewEvent(repo, _commit("1" * 40, ["a.py", CANARY]), None, "history")])
    held = AttentionHeld(repo=repo, subject="s", why=f"waits for {CANARY}, which is open", rule="x@1")
    log.append([NewEvent(repo, held, 1)])
    claim = Memory(
        id="k" * 12, repo=repo, kind="co-change", subject="a.py", predicate="changes-with", value=CANARY,
        text="they go together", cites=[2], support=3.0,
    )  # fmt: skip
    log.append([NewEvent("memory", MemoryAccepted(memory=claim), 3)])
    while log.head() < EVENTS:
        number = log.head()
        burst = [_change(f"src/{number % 7}/m{number + i}.py", number) for i in range(3)]
        log.append(
            [NewEvent(repo, _told(f"b{number}", burst)), NewEvent(repo, _commit(f"{number:040x}", ["a.py"]), -1)]
        )
        log.append([NewEvent(repo, _told(f"u{number}-{i}", burst)) for i in range(2)])
        log.append([NewEvent(f"s{number % 3}", Paused(until=number)), NewEvent(f"s{number % 3}", Resumed(), -1)])
    log.append([NewEvent(repo, held, 1), NewEvent(repo, _told("b9", [_change("b.py"), _change(CANARY, 2)]))])
    log.append([], writes=[Put("snapshot/x@1", b"state", CANARY.encode())])


def _change(path: str, size: int = 1) -> Change:
    return Change(path=path, kind="created", size=size, mode=0o644, mtime_ns=1_700_000_000_000_000_000 + size)


def _told(burst: str, changes: list[Change]) -> FilesChanged:
    return FilesChanged(repo="repo-1", burst=burst, part=1, parts=1, changes=changes)


def _commit(oid: str, paths: list[str]) -> CommitRecorded:
    changes = [CommitChange(path=p, status="M") for p in paths]
    return CommitRecorded(
        repo="repo-1", oid=oid, parents=["0" * 40], author="Ada", at_s=1_700_000_000, subject="one", changes=changes
    )


@dataclass
class Place:
    """One copy of the log, and what was in it before."""

    folder: Path
    before: Rows
    foldable: frozenset[int] = frozenset()
    """What one run of folding leaves out."""
    tree: dict[bytes, Any] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return find_home(str(self.folder))

    def open(self) -> Log:
        return open_log(self.home)


def made(base: Path) -> Place:
    """A filled log in a home, with memory files that name the canary."""
    place = Place(base / "made", [])
    place.home.prepare()
    with closing(place.open()) as log:
        fill(log)
    (place.home.memory / "topic.md").write_text(f"# Owls\n\nThey live in {CANARY}.\n")
    (place.home.memory / "MEMORY.md").write_text("# Memory\n\n- topic.md\n")
    return place


GOLDEN = Path(__file__).parents[2] / "golden" / "log-v1"


def to_first_layout(place: Place) -> None:
    """Brings the database to the layout that the golden log of the first version has."""
    with closing(sqlite3.connect(f"file:{GOLDEN}/log.db?mode=ro&immutable=1", uri=True)) as golden:
        tables = dict(golden.execute("SELECT name, sql FROM sqlite_master WHERE sql NOTNULL"))
    with closing(sqlite3.connect(place.home.log, isolation_level=None)) as db:
        db.create_function("blake3", 1, blake3_hash, deterministic=True)
        db.execute("BEGIN IMMEDIATE")
        for statement in (
            "DROP INDEX events_by_topic",
            "DROP INDEX events_by_stream",
            "ALTER TABLE events RENAME TO events_2",
            tables["events"],
            "INSERT INTO events SELECT position, originator_id, originator_version, topic, state, v, at, caused_by,"
            " correlation, origin, coalesce(leaf, blake3(state)), link FROM events_2",
            "DROP TABLE events_2",
            tables["events_by_topic"],
            "DELETE FROM streams WHERE stream IN (SELECT originator_id FROM events)",
            "PRAGMA user_version=1",
        ):
            db.execute(statement)
        db.execute("COMMIT")


def rows(log: Log, upto: int | None = None) -> Rows:
    """Header and payload of every row, hot and cold, in the order in which a reader gets them."""
    return [(*header_of(r), r.payload) for r in log.reader().rows(upto=upto)]
