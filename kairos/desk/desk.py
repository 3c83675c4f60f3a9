"""The home, the configuration and the log that an entry point works with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.moment import Moment, at_one_moment
from kairos.eventlog.opener import open_log
from kairos.eventlog.views.projection import Projection
from kairos.home import Home, find_home
from kairos.settings import Config, load_config

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
P = ParamSpec("P")


class Desk:
    """The context passed to every function of this package. Everything is opened on first use; belongs to one thread.
    `home_override`: a directory that holds all of the state; without it the environment or the platform decides."""

    def __init__(self, home_override: str | None = None) -> None:
        self.home_override = home_override
        self.lenient = False
        """Whether the log is opened even if the configuration is wrong, for commands that must always work."""
        self.guarded = True
        """Whether a home that others can write is refused. Off for the doctor, which examines it."""
        self._log: Log | None = None
        self._has_log = False
        self._moment: Moment | None = None

    @cached_property
    def home(self) -> Home:
        """The home. Denied (6) while others can write there."""
        return find_home(self.home_override, guarded=self.guarded)

    @cached_property
    def config(self) -> Config:
        """config.toml. UsageError (2) names a wrong key."""
        return load_config(self.home)

    @property
    def log(self) -> Log:
        """The log of the home. UsageError (2) while the configuration is wrong."""
        if self._log is None:
            if not self.lenient:
                _ = self.config
            self._log = open_log(self.home, self._clean)
        return self._log

    @property
    def has_log(self) -> bool:
        """Whether the home has a log. Checking an empty home creates nothing."""
        self._has_log = self._has_log or self.log.exists()
        return self._has_log

    @property
    def actor(self) -> str:
        """The identifier of this process among the processes that share the log."""
        from kairos.eventlog.leases import holder

        return holder(self.log.owner, os.getpid())

    def daemon_running(self) -> bool:
        """Whether a daemon holds this home. The check creates and changes nothing."""
        from kairos.daemon.presence import running

        return running(self.home) is not None

    def errors(self) -> AbstractContextManager[None]:
        """Converts exceptions of the log's database into errors that a person can act on."""
        return self.log.errors()

    def again(self) -> Desk:
        """Another desk on the same home, for another thread of a running daemon."""
        other = Desk(self.home_override)
        other.lenient = True  # the daemon runs on the configuration that it started with
        return other

    def at_one_moment(self, build: Callable[[], T]) -> T:
        """The result of `build` on one consistent state of the log, even if events are appended meanwhile and however
        many views it reads. `build` must only read, may be called more than once, and must not print or prompt."""
        if self._moment is not None:
            return build()

        def of(moment: Moment) -> T:
            self._moment = moment
            try:
                return build()
            finally:
                self._moment = None

        return at_one_moment(self.log if self.has_log else None, of)

    def view(self, wanted: Projection[S]) -> S:
        """The state of a view: inside `at_one_moment` that of the moment being read, else the present one; empty
        without a log."""

        def read() -> S:
            assert self._moment is not None
            return self._moment.view(wanted)

        return self.at_one_moment(read)

    def close(self) -> None:
        """Closes the log; safe to repeat."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _clean(self, log: Log, needles: Sequence[bytes]) -> None:
        from kairos.desk.traces import clean  # needed only after a `forget`

        clean(self.home, log, needles)


def of_one_moment(function: Callable[Concatenate[Desk, P], T]) -> Callable[Concatenate[Desk, P], T]:
    """Decorator for functions that only read: their whole answer comes from one state of the log."""

    @wraps(function)
    def read(desk: Desk, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return desk.at_one_moment(lambda: function(desk, *args, **kwargs))

    return read
