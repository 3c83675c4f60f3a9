"""The one loop: what came is handled once and in order, and nobody sleeps over news."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from kairos.daemon import component
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.domain.events import Paused, Resumed
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence, NewEvent, Recorded
from kairos.home import Home


class Noting(Component):
    """Notes what it is called for."""

    name = "noting"
    reads = frozenset({"Paused"})

    def __init__(self, log: Log, world: World, held: Everything | None = None) -> None:
        super().__init__(log, world, held or Everything())
        self.begun: list[int] = []
        self.handled: list[int] = []
        self.steps: list[int] = []
        self.left: list[tuple[Fence, ...]] = []
        self.sleep: float | None = None

    def catch_up(self) -> int:
        self.begun.append(super().catch_up())
        return self.begun[-1]

    def handle(self, recorded: Recorded) -> None:
        self.handled.append(recorded.position)

    def step(self) -> float | None:
        self.steps.append(len(self.handled))
        return self.sleep

    def leave(self) -> None:
        self.left.append(self._log.fences)


@pytest.fixture
def noting(home: Home, world: World) -> Noting:
    return Noting(open_log(home), world)


def test_each_event_is_handled_once_in_order(
    log: Log, noting: Noting, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    log.append([NewEvent("control", Paused())])  # before the start: what catches up is told of it, not this loop
    with running(noting):
        until(lambda: noting.begun)
        for n in range(40):
            log.append([NewEvent("control", Paused() if n % 2 else Resumed())])
        until(lambda: len(noting.handled) == 20)
    assert noting.begun == [1]
    assert noting.handled == list(range(3, 42, 2))
    assert noting.position == 41


def test_only_what_concerns_a_component_wakes_it(
    log: Log, noting: Noting, world: World, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    with running(noting):
        until(lambda: noting.steps)
        log.append([NewEvent("control", Resumed())])
        until(lambda: world.position == 1)
        log.append([NewEvent("control", Paused())])
        until(lambda: noting.handled)
    assert noting.steps in ([0, 1], [0, 1, 1]), "once at the start, once for the pause; the stop may find it awake"


def test_a_storm_is_handled_whole_before_the_next_step(
    log: Log, noting: Noting, running: Callable[..., Any], until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "AT_ONCE", 7)
    gate = threading.Event()
    noting.catch_up = lambda: gate.wait() * 0  # type: ignore[method-assign]
    with running(noting):
        log.append([NewEvent("control", Paused()) for _ in range(50)])
        gate.set()
        until(lambda: noting.steps)
    assert noting.steps[0] == 50


def test_an_event_that_comes_during_a_step_is_not_slept_over(
    log: Log, noting: Noting, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def step() -> None:
        inside.set()
        go_on.wait()

    noting.step = step  # type: ignore[method-assign]
    with running(noting):
        assert inside.wait(30)
        log.append([NewEvent("control", Paused())])
        go_on.set()
        until(lambda: noting.handled == [1])


def test_what_is_asked_to_be_looked_at_again_is(
    noting: Noting, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    noting.sleep = 0.001
    with running(noting):
        until(lambda: len(noting.steps) > 5)


class Changing(Everything):
    """Holds something else after each `change`."""

    edition = 0


def test_it_begins_anew_when_something_else_is_held(
    home: Home, world: World, log: Log, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    held = Changing()
    noting = Noting(open_log(home), world, held)
    with running(noting):
        until(lambda: noting.steps)
        log.append([NewEvent("control", Paused())])
        until(lambda: noting.handled)
        held.edition += 1
        noting.wake()
        until(lambda: len(noting.begun) == 2)
        log.append([NewEvent("control", Paused())])
        until(lambda: noting.handled == [1, 2])
    assert noting.begun == [0, 1]


def test_it_leaves_under_its_fences_and_only_where_nothing_failed(
    home: Home, world: World, log: Log, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    noting = Noting(open_log(home), world)
    noting.fences = lambda: (Fence("repo/a", 1),)  # type: ignore[method-assign]
    with running(noting):
        until(lambda: noting.steps)
    assert noting.left == [(Fence("repo/a", 1),)]

    failing = Noting(open_log(home), world)
    failing.step = lambda: 1 / 0  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError), running(failing):
        until(lambda: failing.begun)
    assert failing.left == []


def test_a_stop_before_the_start_is_a_stop(noting: Noting) -> None:
    noting.stop()
    noting.run()
    assert noting.begun == []
    noting.close()
