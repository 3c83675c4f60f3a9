"""Being told of what is appended while a person looks at something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from kairos.desk.desk import Desk
from kairos.eventlog.follow import Follower


@contextmanager
def told_of_appends(desk: Desk, tell: Callable[[], None]) -> Iterator[None]:
    """Calls `tell` after each append, from a thread of its own, until the context ends. It may be called without one,
    too."""
    follower = Follower(desk.log, desk.log.head())

    def listen() -> None:
        while not follower.stopped:
            follower.wait()
            if not follower.stopped:
                tell()

    thread = Thread(target=listen, name="appends", daemon=True)
    thread.start()
    try:
        yield
    finally:
        follower.stop()
        thread.join()
