"""What meets at the same moment: a reader and a view that is being saved."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from kairos.domain.events import Paused, Resumed
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.projection import Projection


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
