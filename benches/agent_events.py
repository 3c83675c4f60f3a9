"""Replaying what a coding agent leaves: one JSON file an event (see `file_events`) against our log.

Sizes follow the published measurements of the OpenHands Software Agent SDK: actions of 1 071 bytes (median) and 2.05 KB
(mean), observations of 2 254 bytes and 9.51 KB, one system prompt of 24 500, at most 260 KB each; 1 500 events are some
8 MB. An event of ours is as large as the peer's: what its envelope is shorter, its text is longer.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from benches import file_events as peer
from benches.append import disk
from benches.table import Row, show
from kairos.domain.events import ProposalVerified
from kairos.eventlog import codec
from kairos.eventlog.cold.compaction import compact
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


def texts(seed: int = 7) -> list[str]:
    """Actions and observations in turns, after one long prompt: lines of test output."""
    chance = random.Random(seed)
    out = []
    for number in range(EVENTS):
        median, mean = (1_071, 2_050) if number % 2 else (2_254, 9_510)
        spread = math.sqrt(2 * math.log(mean / median))
        size = chance.lognormvariate(math.log(median), spread) if number else 24_500
        lines = []
        left = min(LARGEST, int(size))
        while left > 0:
            lines.append(f'tests/orders/test_{chance.randrange(999)}.py::test_total["{chance.random():.6f}"] PASSED')
            left -= len(lines[-1]) + 4
        out.append("\n".join(lines))
    return out


def our_event(number: int, text: str) -> ProposalVerified:
    digest = f"{number:032x}"
    return ProposalVerified(id=f"{number:05}", digest=digest, ok=True, check=["pytest"], exit=0, output=text[100:])


def their_event(number: int, text: str) -> peer.Event:
    common: dict[str, Any] = {"id": str(UUID(int=number)), "timestamp": f"2026-01-01T00:00:00.{number:06}"}
    call = f"call_{number // 2:024}"
    if number == 0:
        return peer.SystemPromptEvent(**common, source="agent", system_prompt=peer.Text(text=text))
    if number % 2 == 0:
        seen = peer.TerminalObservation(
            content=[peer.Text(text=text[550:])], command="pytest", exit_code=0, metadata=peer.Metadata()
        )
        return peer.ObservationEvent(
            **common, source="environment", tool_name="terminal", tool_call_id=call, observation=seen,
            action_id=str(UUID(int=number - 1)),
        )  # fmt: skip
    third = max(0, len(text) - 650) // 3  # what it thought, what it called, and the same as an action
    arguments = json.dumps({"command": text[:third]})
    return peer.ActionEvent(
        **common, source="agent", thought=[peer.Text(text=text[:third])],
        action=peer.TerminalAction(command=text[:third]),
        tool_name="terminal", tool_call_id=call, llm_response_id=f"resp_{number:020}",
        tool_call=peer.ToolCall(id=call, name="terminal", arguments=arguments, origin="completion"),
    )  # fmt: skip


def store(folder: Path, found: list[peer.Event]) -> int:
    """Writes the peer's files; returns their bytes."""
    (folder / "events").mkdir(parents=True)
    total = 0
    for number, event in enumerate(found):
        written = event.model_dump_json(exclude_none=True, serialize_as_any=True)
        total += (folder / "events" / f"event-{number:05}-{event.id}.json").write_text(written)
    return total


def rows() -> list[Row]:
    """(what, unit, peer, ours, peer ÷ ours), medians of `REPEATS` in turns."""
    place = disk()
    try:
        told, kept = ([make(n, text) for n, text in enumerate(texts())] for make in (their_event, our_event))
        size = store(place / "peer", told)
        assert list(peer.replay(str(place / "peer"))) == told
        log = Log(place / "kairos" / "log.db")
        log.append([NewEvent(f"proposal-{event.id}", event) for event in kept])
        assert [r.event for r in log.read()] == kept
        assert 0.97 < sum(len(codec.encode(event)[2]) for event in kept) / size < 1.03, size
        out = [_compare("hot", place, log)]
        out.append(_compare("hot, first read", place, log, evicted=True))
        compact(log)
        out.append(_compare("cold", place, log))
        out.append(_compare("cold, first read", place, log, evicted=True))
        log.close()
        return out
    finally:
        shutil.rmtree(place)


def _compare(what: str, place: Path, log: Log, *, evicted: bool = False) -> Row:
    """`evicted`: the files are put out of the page cache before each reading."""
    theirs, mine = [], []
    for _ in range(REPEATS):
        turns = (theirs, lambda: peer.replay(str(place / "peer"))), (mine, lambda: log.read(upto=EVENTS))
        for times, replay in turns:
            if evicted:
                log.close()
                subprocess.run([sys.executable, "-c", EVICT, place], check=True)
            times.append(_milliseconds(replay))
    slow, fast = statistics.median(theirs), statistics.median(mine)
    return f"{EVENTS} agent-sized events, a file each, {what}", "ms", slow, fast, slow / fast


def _milliseconds(replay: Callable[[], Iterator[object]]) -> float:
    begun = time.perf_counter()
    count = len(list(replay()))
    assert count == EVENTS, count
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    show(rows())
