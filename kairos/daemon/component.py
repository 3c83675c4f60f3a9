"""The one loop of the daemon's threads: catch up from the log, handle what comes, do what can be done, sleep."""

from __future__ import annotations

import threading
from itertools import islice

from kairos.daemon.folded import World
from kairos.eventlog.leases import HeldLeases
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, Recorded

AT_ONCE = 1_000
"""So many events are handled before a component looks whether it shall stop."""


class Component:
    """One thread's work over the daemon's one world. `run` returns after `stop`; `wake` and `stop` are for any thread.

    Subclasses set `name`, `reads` (the topics that `handle` gets) and `wakes` (further topics after which `step` is
    called), and define some of `fences`, `catch_up`, `handle`, `step`, `leave` and `close`."""

    name: str
    reads: frozenset[str] = frozenset()
    wakes: frozenset[str] = frozenset()

    def __init__(self, log: Log, world: World, held: HeldLeases) -> None:
        """`log` is this component's own. `held`: what this daemon may work on."""
        self._log = log
        self._world = world
        self._held = held
        self.position = 0
        self.stopped = False
        self._woken = threading.Event()
        world.tell(self.reads | self.wakes, self.wake)

    def run(self) -> None:
        """Works until stopped. When this daemon comes to hold something else, it begins anew, as after a start."""
        while not self.stopped:
            edition = self._held.edition
            with self._log.fenced(self.fences()):
                self.position = self.catch_up()
                while not self.stopped and self._held.edition == edition:
                    if self._take():
                        self._sleep(self.step())
                self.leave()

    def wake(self) -> None:
        """Ends the present sleep, or the next."""
        self._woken.set()

    def stop(self) -> None:
        """Has `run` return after its present step."""
        self.stopped = True
        self._woken.set()

    def fences(self) -> tuple[Fence, ...]:
        """What every append of `run` rests on."""
        return ()

    def catch_up(self) -> int:
        """Does what a crash left undone; returns the position after which `handle` goes on."""
        return self._world.catch_up()

    def handle(self, recorded: Recorded) -> None:
        """Takes note of one event of `reads`."""

    def step(self) -> float | None:
        """Does what can be done now; returns after how many seconds to look again, None if only news can change
        anything."""
        return None

    def leave(self) -> None:
        """Called, while the fences still hold, before it begins anew or ends."""

    def close(self) -> None:
        """Lets go of what it holds. Called once, when its thread has ended."""
        self._log.close()

    def _take(self) -> bool:
        """Handles what is new; False while there is more."""
        upto = self._world.catch_up()
        if not self.reads:
            self.position = upto
            return True
        new = list(islice(self._log.read(self.position, topics=self.reads, upto=upto), AT_ONCE))
        for recorded in new:
            self.handle(recorded)
        whole = len(new) < AT_ONCE
        self.position = upto if whole else new[-1].position
        return whole

    def _sleep(self, seconds: float | None) -> None:
        self._woken.wait(seconds)
        self._woken.clear()
