"""What must hold after a kill: at once, and after the next run has tidied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from logs import CANARY, Place, Rows, rows

from kairos._native import blake3_hash
from kairos.desk.traces import clean
from kairos.domain.events import Resumed
from kairos.errors import IntegrityError
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.cold.leftovers import UNFINISHED, finish_if_possible
from kairos.eventlog.cold.segment import segment_rows
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.watched_tree import fold_tree

ERASED = 9
"""Where a row has its payload."""


def holds(place: Place) -> None:
    """Nothing lost, nothing doubled, all of it proven."""
    with closing(place.open()) as log:
        found = rows(log)
        assert [r[0] for r in found] == list(range(1, len(found) + 1)), "a position is missing or doubled"
        assert found[: len(place.before)] == place.before, "what was written is not what is read"
        assert [r.position for r in log.read()] == [r[0] for r in found if r[ERASED] is not None]
        proven(log)


def proven(log: Log) -> None:
    """It verifies, and each position is a hot row or in a segment that the manifest names and whose file is the sealed
    one."""
    problems = verify_log(log).problems
    assert not problems, problems
    with closing(sqlite3.connect(f"file:{log.path}?mode=ro", uri=True)) as db:
        there = {p for (p,) in db.execute("SELECT position FROM events")}
    for first, last, file, _, digest, *_ in log.reader().segments():
        assert blake3_hash((log.segments / file).read_bytes()) == digest, f"{file} is not what was sealed"
        there.update(range(first, last + 1))
    assert there >= set(range(1, log.head() + 1)), "a row was deleted that is in no segment"


def appended(place: Place) -> None:
    """The batch and its view are there as a whole, or not at all."""
    holds(place)
    with closing(place.open()) as log:
        more = log.head() - len(place.before)
        assert more in (0, 3)
        assert log.view("batch") == ({} if more == 0 else {b"k": b"v"})


def settles(place: Place) -> None:
    """After the next compaction: all the same, sealed once, retired, no stray file; and then nothing to do."""
    with closing(place.open()) as log:
        compaction.compact(log)
    holds(place)
    with closing(place.open()) as log:
        assert log.sealed_upto() >= len(place.before)
        manifest = log.reader().segments()
        assert [s[0] for s in manifest] == [1, *(s[1] + 1 for s in manifest[:-1])]
        assert all(s[7] for s in manifest), "a segment is not retired"
        no_stray(log)
        head = log.head()
        assert compaction.compact(log, before=1).sealed == []
        assert log.head() == head, "a second run wrote something"


def no_stray(log: Log) -> None:
    named = {s[2] for s in log.reader().segments()}
    there = {p.name for p in log.segments.iterdir() if p.name != ".lock"}
    assert there == named, there ^ named


def forgotten_or_not(place: Place) -> None:
    """A killed forgetting is done or not done; and when it is done, whoever opens the log next leaves no byte of it:
    the door that knows the home, not one; till then the names stand in one view, to clean the home by."""
    with closing(place.open()) as log:
        proven(log)
        now = rows(log, len(place.before))
        erased = {r[0] for r in now if r[ERASED] is None}
        assert [r[:ERASED] for r in now] == [r[:ERASED] for r in place.before]
        assert all(a == b for a, b in zip(now, place.before, strict=True) if a[0] not in erased)
        assert erased in (set(), _naming(place.before)), "half forgotten"
        told = {p for r in log.read(topics={"Erased"}) for p in r.event.positions}  # type: ignore[attr-defined]
        assert told == erased
        log.append([NewEvent("s", Resumed())])
        if erased:
            assert traces(log.segments) == [], "in a segment, after anybody opened the log to write"
    with closing(open_log(place.home, partial(clean, place.home))) as log:
        assert finish_if_possible(log)
        if erased:
            assert log.view(UNFINISHED) == {}
            assert traces(place.folder) == []
        proven(log)


def _naming(before: Rows) -> set[object]:
    return {r[0] for r in before if isinstance(r[ERASED], bytes) and CANARY.encode() in r[ERASED]}


def traces(folder: Path) -> list[str]:
    """Files that hold the canary; in a segment it is compressed."""
    return [p.name for p in folder.rglob("*") if p.is_file() and (CANARY.encode() in p.read_bytes() or _tells(p))]


def _tells(path: Path) -> bool:
    try:
        return path.suffix == ".parquet" and any(CANARY.encode() in (row[ERASED] or b"") for row in segment_rows(path))
    except IntegrityError:
        return False  # cut off before it was whole


def compacts(place: Place) -> None:
    with closing(place.open()) as log:
        compaction.compact(log)
        proven(log)
        no_stray(log)


def folded_or_not(place: Place) -> None:
    """Each segment is folded or not; all that is no observation, or is cited, is as it was; the tree folds the same."""
    with closing(place.open()) as log:
        problems = verify_log(log).problems
        assert not problems, problems
        now = {r[0]: r for r in rows(log, len(place.before)) if r[3]}
        before = {r[0]: r for r in place.before}
        assert now == {p: before[p] for p in now}
        gone = before.keys() - now.keys()
        assert gone <= place.foldable, "more was folded than may be"
        for first, last, *_ in log.reader().segments():
            within = {p for p in place.foldable if first <= p <= last}
            assert within & gone in (set(), within), "half folded"
        assert fold_tree(log, "repo-1") == place.tree


def folds(place: Place) -> None:
    """The next run finishes; a second has nothing to do."""
    with closing(place.open()) as log:
        fold(log, 2**60)
        head = log.head()
        assert fold(log, 2**60).segments == []
        assert log.head() == head
        no_stray(log)
        left = {r[0] for r in rows(log, len(place.before)) if r[3]}
        assert not place.foldable & left
    folded_or_not(place)


def upgraded(place: Place) -> None:
    """The database is whole in the one layout or the other, as any SQLite sees it; opening it brings it up to date."""
    with closing(sqlite3.connect(place.home.log)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        layout = db.execute("PRAGMA user_version").fetchone()[0]
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        assert ("events_by_stream" in names) == (layout == 2)
        assert "events_1" not in names
    holds(place)
    with closing(sqlite3.connect(place.home.log)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    with closing(place.open()) as log:
        versions = {str(r[1]): r[2] for r in place.before}
        assert {s: log.version(s) for s in versions} == versions
        assert log.append([NewEvent("s0", Resumed())]) == [len(place.before) + 1]
        assert log.at(log.head()).version == log.version("s0")
