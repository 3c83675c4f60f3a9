"""The common loop of the daemon's threads: catch up from the log, handle new events, do what is possible, sleep."""

from __future__ import annotations

import threading
from itertools import islice

from kairos.daemon.folded import World
from kairos.eventlog.leases import HeldLeases
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, Recorded

AT_ONCE = 1_000
"""How many events a component handles at most before it checks whether to stop."""


class Component:
    """The work of one thread over the daemon's shared `World`. `run` returns after `stop`; any thread may call `wake`
    and `stop`.

    Subclasses set `name`, `reads` (the topics passed to `handle`) and `wakes` (further topics after which `step` is
    called), and define some of `fences`, `catch_up`, `handle`, `step`, `leave` and `close`."""

    name: str
    reads: frozenset[str] = frozenset()
    wakes: frozenset[str] = frozenset()
    alone = False
    """Whether the daemon goes on without it: what ends it is reported, and it begins again after a while."""

    def __init__(self, log: Log, world: World, held: HeldLeases) -> None:
        """`log`: a handle that only this component uses. `held`: the leases that this daemon holds."""
        self._log = log
        self._world = world
        self._held = held
        self.position = 0
        self.stopped = False
        self._woken = threading.Event()
        world.tell(self.reads | self.wakes, self.wake)

    def run(self) -> None:
        """Works until stopped. When the set of held leases changes, it starts over, as after a start of the daemon."""
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
        """Makes `run` return after its present step."""
        self.stopped = True
        self._woken.set()

    def fences(self) -> tuple[Fence, ...]:
        """The fences that every append of `run` requires."""
        return ()

    def catch_up(self) -> int:
        """Finishes work that a crash interrupted; returns the position after which `handle` continues."""
        return self._world.catch_up()

    def handle(self, recorded: Recorded) -> None:
        """Processes one event of `reads`."""

    def step(self) -> float | None:
        """Does what can be done now; returns the seconds until the next step, None to wait for new events."""
        return None

    def leave(self) -> None:
        """Called before the component starts over or ends, while the fences still hold."""

    def close(self) -> None:
        """Releases its resources. Called once, when its thread has ended."""
        self._log.close()

    def _take(self) -> bool:
        """Handles new events; returns False while there are more."""
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
