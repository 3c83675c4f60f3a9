"""A log that a command prints, with real processes: what is its past, what is new, and nothing twice."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import log_command
from kairos.daemon import log_followed, log_heard
from kairos.daemon.log_heard import HeardLog
from kairos.daemon.log_kept import LogKept, kept_of
from kairos.domain.logs.state import WatchedLog
from kairos.eventlog.log import Log
from kairos.home import Home
from tests.daemon.journalctl import Journal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
UNIT = WatchedLog(name="app", kind="unit", named=1, unit="app.service")
DISK, DATABASE = "ERROR the disk is full", "ERROR could not reach the database at 10.0.0.7"


class Listener:
    """Works on one log as the daemon does, and keeps what was told."""

    def __init__(self, log: Log, home: Home, root: Path, watch: WatchedLog) -> None:
        self.log, self.rang = log, threading.Event()
        kept = kept_of(log, "r", watch)
        self.heard = HeardLog("r", watch, kept, home=home, root=root, woken=self.rang.set)
        self.told: list[str] = []

    @property
    def kept(self) -> LogKept | None:
        return kept_of(self.log, "r", self.heard.watch)

    def step(self, *, ending: bool = False) -> None:
        self.heard.work()
        news, _ = self.heard.due(ending=ending)
        if news or self.heard.unsaved(ending=ending):
            self.told += [n.template.text for n in news]
            self.log.append([], writes=[self.heard.saving()])
            self.heard.saved()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < end, (self.told, self.kept)
            left = self.heard.due()[1]
            self.rang.wait(0.05 if left is None else min(left, 0.05))
            self.rang.clear()
            self.step()

    def end(self) -> None:
        self.heard.close()
        self.step(ending=True)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    found = Journal(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{found.folder}:{os.environ['PATH']}")
    return found


@pytest.fixture
def listen(
    log: Log, home: Home, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[WatchedLog], Listener]]:
    monkeypatch.setattr(log_followed, "SETTLE_S", 0.1)
    monkeypatch.setattr(log_followed, "ENTRY_S", 0.05)
    monkeypatch.setattr(log_heard, "BURST_S", 1.0)
    begun: list[Listener] = []

    def make(watch: WatchedLog) -> Listener:
        begun.append(Listener(log, home, repo.root, watch))
        return begun[-1]

    yield make
    for listener in begun:
        listener.heard.close()


def entries(listener: Listener) -> int:
    return 0 if listener.kept is None else listener.kept.past.entries


def test_the_past_of_a_unit_is_learnt_and_what_is_new_since_is_told_once(
    journal: Journal, listen: Callable[[WatchedLog], Listener]
) -> None:
    journal.add(*(f"INFO GET /item/{n}" for n in range(200)), DATABASE, at=time.time() - 3_600)
    first = listen(UNIT)
    first.until(lambda: entries(first) == 201)
    assert first.told == []
    journal.add(DATABASE, DISK)
    first.until(lambda: first.told)
    assert first.told == ["host app[*]: ERROR the disk is full"]
    first.end()
    journal.add(DISK, "ERROR the cache is gone for good")
    second = listen(UNIT)
    second.until(lambda: second.told)
    assert second.told == ["host app[*]: ERROR the cache is gone for good"]
    second.end()
    assert entries(second) == 205, "each line counts once, though journalctl begins again at whole seconds"


def test_a_journal_that_cannot_be_read_is_said_and_read_from_where_it_was_left(
    journal: Journal, listen: Callable[[WatchedLog], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_command, "AGAIN_S", 0.05)
    monkeypatch.setattr(log_command, "AGAIN_MOST_S", 0.1)
    monkeypatch.setattr(log_command, "STEADY_S", 0.0)
    journal.add(*(f"INFO GET /item/{n}" for n in range(200)), at=time.time() - 3_600)
    (journal.folder / "broken").touch()
    listener = listen(UNIT)
    listener.until(lambda: listener.kept is not None and listener.kept.why)
    assert listener.heard.why == "it ended (exit 1): Failed to get journal access: Permission denied"
    (journal.folder / "broken").unlink()
    listener.until(lambda: entries(listener) == 200 and listener.kept is not None and not listener.kept.why)
    journal.add(DISK)
    listener.until(lambda: listener.told)
    assert len(listener.told) == 1


def test_while_it_begins_it_asks_again_only_for_a_reason(
    listen: Callable[[WatchedLog], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_heard, "BURST_S", 60.0)
    monkeypatch.setattr(log_heard, "BURST_MOST_S", 60.0)
    monkeypatch.setattr(log_command, "AGAIN_S", 60.0)
    listener = listen(WatchedLog(name="app", kind="command", named=1, command=("no-such-program",)))
    listener.until(lambda: listener.heard.why)
    left = listener.heard.due()[1]
    assert left is not None and left > 1


def test_without_journalctl_a_unit_says_so(
    listen: Callable[[WatchedLog], Listener], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    listener = listen(UNIT)
    listener.until(lambda: listener.heard.why)
    assert listener.heard.why == "`journalctl` is not installed"


def test_a_unit_of_the_person_is_asked_for_as_one(
    tmp_path: Path, listen: Callable[[WatchedLog], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "bin", "user-app.service")
    monkeypatch.setenv("PATH", f"{journal.folder}:{os.environ['PATH']}")
    journal.add("INFO up", at=time.time() - 60)
    listener = listen(WatchedLog(name="app", kind="unit", named=1, unit="app.service", user=True))
    listener.until(lambda: entries(listener) == 1)


def test_the_burst_with_which_a_command_begins_is_its_past_and_later_no_burst(
    repo: Any, listen: Callable[[WatchedLog], Listener]
) -> None:
    repo.write("app.log", "".join(f"INFO GET /item/{n}\n" for n in range(200)) + f"{DATABASE}\n")
    watch = WatchedLog(name="app", kind="command", named=1, command=("tail", "-n", "+1", "-F", "app.log"))
    first = listen(watch)
    first.until(lambda: entries(first) == 201)
    with (repo.root / "app.log").open("a") as out:
        out.write(f"{DATABASE}\n{DISK}\n")
    first.until(lambda: first.told)
    assert first.told == [DISK]
    first.end()
    second = listen(watch)
    second.until(lambda: entries(second) == 2 * 203)
    assert second.told == [], "what it prints again is known"
