"""Followers sleep until there is news."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from kairos.domain.events import Paused
from kairos.eventlog import follow
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


@pytest.fixture
def log(any_log: Log, monkeypatch: pytest.MonkeyPatch) -> Log:
    """On either engine; nothing but the bell wakes its followers."""
    for name in ("FALLBACK_S", "SHARED_FALLBACK_S"):
        monkeypatch.setattr(follow, name, 100_000.0)
    return any_log


def test_a_follower_sees_each_event_once_as_it_comes(log: Log) -> None:
    log.append([NewEvent("a", Paused())])
    tail = Log(log.path, url=log.url)
    follower = Follower(tail, 0)
    seen: list[int] = []

    def go_along() -> None:
        for recorded in follower:
            seen.append(recorded.position)
            if recorded.position == 20:
                follower.stop()

    thread = threading.Thread(target=go_along)
    thread.start()
    for _ in range(19):
        log.append([NewEvent("a", Paused())])
    thread.join(60)
    assert seen == list(range(1, 21))
    tail.close()


def test_an_event_between_the_last_read_and_the_wait_wakes_the_follower(log: Log) -> None:
    log.append([NewEvent("a", Paused())])
    tail = Log(log.path, url=log.url)
    follower = Follower(tail, 0)
    assert len(follower.new()) == 1
    log.append([NewEvent("a", Paused())])
    follower.wait()
    assert [r.position for r in follower.new()] == [2]
    tail.close()


def test_many_erased_events_in_a_row_do_not_hold_a_follower(log: Log) -> None:
    log.append([NewEvent("a", Paused(until=n)) for n in range(1_200)])
    forget_positions(log, range(1, 1_201), "mine", "user")
    assert [r.topic for r in Follower(log, 0).new()] == ["Erased"]


WRITER = """
import sys
from pathlib import Path
from kairos.domain.events import Paused
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
log = Log(Path(sys.argv[1]), url=sys.argv[2])
print("there", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[4])):
    log.append([NewEvent(sys.argv[3], Paused(until=n)) for _ in range(1 + n % 3)])
log.close()
"""


def test_a_tailing_reader_sees_each_position_once_and_in_order_while_two_processes_write(log: Log) -> None:
    appends = 60
    log.append([NewEvent("begin", Paused())])
    tail = Log(log.path, url=log.url)
    follower = Follower(tail, 0)
    seen: list[tuple[int, str, int]] = []
    total = 1 + 2 * sum(1 + n % 3 for n in range(appends))

    def go_along() -> None:
        for recorded in follower:
            seen.append((recorded.position, recorded.stream, recorded.version))
            if recorded.position == total:
                follower.stop()

    thread = threading.Thread(target=go_along)
    thread.start()
    args = [sys.executable, "-c", WRITER, str(log.path), log.url]
    writers = [
        subprocess.Popen([*args, name, str(appends)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == b"there\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    thread.join(timeout=30)
    follower.stop()
    assert [position for position, _, _ in seen] == list(range(1, total + 1))
    for name in ("one", "two"):
        versions = [version for _, stream, version in seen if stream == name]
        assert versions == list(range(1, len(versions) + 1))
    tail.close()
