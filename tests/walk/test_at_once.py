"""What meets at the same moment: threads that read something for the first time, a reader and a view being saved."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from kairos.domain.events import Paused, Resumed
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.projection import Projection

TOGETHER = """
import sys, threading
import msgspec
from kairos.daemon.priming import prime
from kairos.daemon.running import run
from kairos.eventlog import views
prime()
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)
def read():
    for kind in (views.Inbox, views.Attention, views.Repositories, views.Ledger):
        raw = msgspec.json.encode(kind())
        start.wait()
        msgspec.json.decode(raw, type=kind)
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.slow
def test_threads_may_read_anything_for_the_first_time_together() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


class Switched(msgspec.Struct):
    times: int = 0


class SwitchedView(Projection[Switched]):
    name = "switched"
    state = Switched
    topics = frozenset({"Paused", "Resumed"})

    def apply(self, state: Switched, recorded: Recorded) -> None:
        state.times += 1


def test_a_view_that_is_saved_meanwhile_is_read_whole(memory: Path) -> None:
    path, view, events = memory / "log.db", SwitchedView(), 40
    log = Log(path)
    log.append([NewEvent("control", Resumed() if n % 2 else Paused(), None, "user") for n in range(events)])
    done = threading.Event()

    def save() -> None:
        own = Log(path)
        for n in range(1_500):
            position = 1 + n * 7 % events
            own.append([], writes=view.saving(Switched(position), position))
        own.close()
        done.set()

    saving = threading.Thread(target=save)
    saving.start()
    seen = set()
    while not done.is_set():
        seen.add(view.load(log)[0].times)
    saving.join()
    log.close()
    assert seen == {events}
