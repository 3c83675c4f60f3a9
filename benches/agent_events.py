"""Replaying what a coding agent leaves: a store of one JSON file an event against our log.

The peer is the published design of the OpenHands Software Agent SDK (arXiv 2511.03690): `events/event-00000-ID.json`,
listed, sorted by a pattern over their names, read and validated by pydantic. Sizes follow its published measurements:
actions of 1 071 bytes (median) and 2.05 KB (mean), observations of 2 254 bytes and 9.51 KB, one system prompt of
24 500, at most 260 KB each; 1 500 events are some 8 MB.
"""

from __future__ import annotations

import math
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from benches.append import disk
from benches.table import Row, show
from kairos.domain.events import ProposalVerified
from kairos.eventlog.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

EVENTS = 1_500
REPEATS = 7
LARGEST = 260_000
EVICT = """
import os, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*"):
    if path.is_file():
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
"""
"""In a process of its own: one that uses SQLite must not open and close its files."""
NAME = re.compile(r"^event-(?P<index>\d{5})-(?P<id>[0-9a-fA-F\-]{8,})\.json$")


class Observed(BaseModel):
    """The peer's event: the same fields."""

    id: str
    digest: str
    ok: bool
    check: list[str]
    exit: int | None
    output: str
    seconds: float
    why: str


def events(seed: int = 7) -> list[ProposalVerified]:
    """Actions and observations in turns, after one long prompt; what they hold is lines of code and of test output."""
    chance = random.Random(seed)
    out = []
    for number in range(EVENTS):
        median, mean = (1_071, 2_050) if number % 2 else (2_254, 9_510)
        spread = math.sqrt(2 * math.log(mean / median))
        size = chance.lognormvariate(math.log(median), spread) if number else 24_500
        lines = []
        left = min(LARGEST, int(size)) - 150
        while left > 0:
            lines.append(f'tests/orders/test_{chance.randrange(999)}.py::test_total["{chance.random():.6f}"] PASSED')
            left -= len(lines[-1]) + 4
        text, digest = "\n".join(lines), f"{chance.getrandbits(128):032x}"
        out.append(ProposalVerified(id=f"{number:05}", digest=digest, ok=True, check=["pytest"], exit=0, output=text))
    return out


def store(folder: Path, found: list[ProposalVerified]) -> Callable[[], int]:
    folder.mkdir()
    for number, event in enumerate(found):
        model = Observed(**{name: getattr(event, name) for name in Observed.model_fields})
        (folder / f"event-{number:05}-{UUID(int=number)}.json").write_text(model.model_dump_json())

    def replay() -> int:
        named = ((match, path) for path in folder.iterdir() if (match := NAME.match(path.name)))
        ordered = sorted(named, key=lambda pair: int(pair[0]["index"]))
        return len([Observed.model_validate_json(path.read_text()) for _, path in ordered])

    return replay


def rows() -> list[Row]:
    """(what, unit, peer, ours, peer ÷ ours), medians of `REPEATS` in turns."""
    place = disk()
    try:
        found = events()
        peer = store(place / "events", found)
        log = Log(place / "kairos" / "log.db")
        log.append([NewEvent(f"proposal-{event.id}", event) for event in found])
        assert [r.event for r in log.read()] == found
        out = [_compare("hot", peer, log)]
        out.append(_compare("hot, first read", peer, log, evicted=place))
        compact(log)
        out.append(_compare("cold", peer, log))
        out.append(_compare("cold, first read", peer, log, evicted=place))
        log.close()
        return out
    finally:
        shutil.rmtree(place)


def _compare(what: str, peer: Callable[[], int], log: Log, *, evicted: Path | None = None) -> Row:
    """`evicted`: a folder whose files are put out of the page cache before each reading."""
    theirs, mine = [], []
    for _ in range(REPEATS):
        for times, replay in ((theirs, peer), (mine, lambda: len(list(log.read(upto=EVENTS))))):
            if evicted is not None:
                log.close()
                subprocess.run([sys.executable, "-c", EVICT, evicted], check=True)
            times.append(_milliseconds(replay))
    slow, fast = statistics.median(theirs), statistics.median(mine)
    return f"{EVENTS} agent-sized events, a file each, {what}", "ms", slow, fast, slow / fast


def _milliseconds(run: Callable[[], int]) -> float:
    begun = time.perf_counter()
    count = run()
    assert count == EVENTS, count
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    show(rows())
