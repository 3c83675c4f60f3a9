"""A view of what a daemon tells, in this process or in another one: it follows the log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from kairos.daemon.presence import running
from kairos.desk.deliveries import Delivered, by_rule, delivered, moved_on
from kairos.desk.desk import Desk
from kairos.domain.events import ExecutionFinished, ProposalDelivered, ProposalRevised
from kairos.errors import KairosError
from kairos.eventlog.follow import Follower
from kairos.eventlog.record import Recorded

LOOK_S = 2.0
"""Seconds between looks whether another process's daemon still runs."""


class Viewing:
    """Yields what is told from now on. `stop` from any thread ends it, after what was told until then."""

    def __init__(self, desk: Desk) -> None:
        """Belongs to the thread that makes it, as its desk does."""
        self._desk = desk
        self._follower = Follower(desk.log, desk.log.head())

    def stop(self) -> None:
        self._follower.stop()

    def __iter__(self) -> Iterator[Delivered]:
        """Until `stop` is called."""
        while True:
            last = self._follower.stopped
            yield from self._new()
            if last:
                return
            self._follower.wait()

    def of_daemon(self) -> Iterator[Delivered]:
        """Until no daemon runs on the home any more."""
        while True:
            last = running(self._desk.home) is None
            yield from self._new()
            if last:
                return
            self._follower.wait(LOOK_S)

    def _new(self) -> Iterator[Delivered]:
        while found := self._follower.new():
            for recorded in found:
                told = _told(self._desk, recorded)
                if told is not None:
                    yield told


def _told(desk: Desk, recorded: Recorded) -> Delivered | None:
    match recorded.event:
        case ProposalDelivered(id=id_):
            return delivered(desk, id_)
        case ProposalRevised(id=id_):
            return moved_on(desk, id_, recorded.position)
        case ExecutionFinished(id=id_, run="apply", outcome=outcome):
            return by_rule(desk, id_, done=outcome in ("done", "rolled_forward"))
        case _:
            return None


def beside(desk: Desk, tell: Callable[[Delivered], None], failed: Callable[[KairosError], None]) -> Callable[[], None]:
    """Begins a view in a thread of its own; returns what ends it, and returns when all was told. `failed` hears why the
    view ended early, as by a log that cannot be read: what it stands beside goes on."""
    begun, made = threading.Event(), list[Viewing]()

    def view() -> None:
        mine = desk.again()
        try:
            made.append(Viewing(mine))
            begun.set()
            for told in made[0]:
                tell(told)
        except KairosError as error:
            failed(error)
        finally:
            begun.set()
            mine.close()

    thread = threading.Thread(target=view, name="view")
    thread.start()
    begun.wait()

    def end() -> None:
        for viewing in made:
            viewing.stop()
        thread.join()

    return end
