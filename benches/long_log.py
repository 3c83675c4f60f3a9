"""A long log: what `why COMMIT`, `doctor`, `memory related` and a night cost on it.

usage: python -m benches.long_log [--commits 1000000] [--place /dev/shm]

The log holds that many recorded commits of about four files each out of 30 000, and as many observations. Peer is the
same answer from a reading of everything: every recorded commit, the whole chain, every count.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benches.table import Row, show
from kairos.domain.events import Change, CommitChange, CommitRecorded, FilesChanged
from kairos.eventlog.cold.recheck import recheck, remember
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.commits import CommitsView, events_of_commit, objects_of
from kairos.eventlog.views.projection import keep_views
from kairos.memory.history import HistoryView

FILES, BATCH = 30_000, 2_000


def events(commits: int) -> Iterator[NewEvent]:
    """Commits of neighbouring files, each beside an observation."""
    draw = random.Random(7)
    for number in range(commits):
        first = int(FILES * draw.random() ** 2)
        paths = dict.fromkeys(f"src/{(first + draw.randrange(12)) % FILES}.py" for _ in range(1 + draw.randrange(7)))
        yield NewEvent("repo", CommitRecorded(
            repo="repo", oid=f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:024x}", parents=[], author="ada",
            subject="change some files of one folder", at_s=1_500_000_000 + number * 600,
            changes=[CommitChange(status="M", path=path) for path in paths],
        ), None, "history")  # fmt: skip
        change = Change(path=next(iter(paths)), kind="modified", size=number, mode=0o644, mtime_ns=number)
        yield NewEvent("repo", FilesChanged(repo="repo", burst="b", part=1, parts=1, changes=[change]))


def fill(log: Log, commits: int) -> None:
    batch: list[NewEvent] = []
    for event in events(commits):
        batch.append(event)
        if len(batch) == BATCH:
            log.append(batch)
            batch = []
    log.append(batch)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000


def _walked(log: Log, oid: str) -> list[int]:
    """What `why COMMIT` did before there was an index."""
    return [
        r.position for r in log.read(topics={"CommitRecorded", "GitMoved"})
        if any(o.startswith(oid) for o in objects_of(r.event))
    ]  # fmt: skip


def rows(commits: int = 100_000, place: Path = Path("/dev/shm")) -> list[Row]:
    view = HistoryView()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        log = Log(Path(folder) / "log.db")
        print(f"filled: {timed(lambda: fill(log, commits)) / 1_000:.0f} s, {log.head()} events")
        saving = timed(lambda: keep_views(log, [CommitsView(), view])) / 1_000
        print(f"views saved: {saving:.0f} s, {_peak()} MB at most, {log.hot_bytes() >> 20} MB of log")
        oid = f"{(commits // 2) * 0x9E3779B97F4A7C15 % 2**64:016x}"[:10]
        found = [
            ("why COMMIT", timed(lambda: _walked(log, oid)),
             timed(lambda: events_of_commit(log, CommitsView().load(log)[0], oid, 500))),
        ]  # fmt: skip
        known = None

        def whole() -> None:
            nonlocal known
            known = remember(log, verify_log(log))

        before = timed(whole)
        fill(log, 1_000)
        found.append(("doctor after 2 000 new events", before, timed(lambda: recheck(log, known))))
        found.append(("doctor, nothing verified before", before, timed(lambda: recheck(log, None))))

        def night() -> None:
            state, position = view.load(log)
            log.append([], writes=view.saving(state, position))

        everything = timed(lambda: sum(1 for _ in view.load(log)[0].of("repo").evidence.nodes()))
        found.append(("a night's 1 000 commits: load, learn, save", everything, timed(night)))
        found.append(("related files of one path", everything,
                      timed(lambda: view.load(log)[0].of("repo").related(["src/77.py"], guess=False))))  # fmt: skip
        pairs = timed(lambda: sum(1 for _ in view.load(log)[0].of("repo").couples(3)))
        print(f"co-change pairs for the dream: {pairs:.0f} ms; {_peak()} MB at most in all")
        log.close()
    return [(what, "ms", peer, ours, peer / ours) for what, peer, ours in found]


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1_000_000)
    parser.add_argument("--place", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args()
    show(rows(options.commits, options.place))
