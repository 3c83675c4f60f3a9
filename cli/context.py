"""What every command is handed: the global flags, and the home, configuration and log they lead to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.given import place
from kairos.errors import UsageError
from kairos.eventlog.log import Log
from kairos.home import Home, find_home
from kairos.settings import Config, load_config

if TYPE_CHECKING:
    from kairos.eventlog.moment import Moment


class Context:
    """Global flags as attributes, everything else opened on first use. One command, one thread."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self.no_color = False
        self.no_input = False
        self.repo: str | None = None
        self.home_override: str | None = None
        self.lenient = False
        """Whether the log is opened although the configuration is wrong: for what must always work."""
        self.guarded = True
        """Whether a home that others can write is refused; the doctor looks at it."""
        self.moment: Moment | None = None
        """What is read is of this moment, if there is one: see `cli.reading.at_one_moment`."""
        self._log: Log | None = None
        self._has_log = False

    @cached_property
    def home(self) -> Home:
        """Where everything lies. Denied (6) while others can write there."""
        return find_home(self.home_override, guarded=self.guarded)

    @cached_property
    def config(self) -> Config:
        """config.toml. UsageError (2) names a wrong key."""
        return load_config(self.home)

    @property
    def actor(self) -> str:
        """How this command is called among those who share the log."""
        from kairos.eventlog.leases import holder

        return holder(self.log.owner, os.getpid())

    @property
    def has_log(self) -> bool:
        """Whether anything was ever recorded here: looking at an empty home must not create one."""
        self._has_log = self._has_log or self.log.exists()
        return self._has_log

    @property
    def log(self) -> Log:
        """The log of the home. UsageError (2) while the configuration is wrong: nothing is done half configured."""
        if self._log is None:
            if not self.lenient:
                _ = self.config
            self._log = Log.of(self.home)
            self._log.clean = self._clean
        return self._log

    def _clean(self, needles: Sequence[bytes]) -> None:
        from kairos.daemon.traces import clean  # only after a forgetting

        clean(self.home, self.log, needles)

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def interactive(self) -> bool:
        """Whether a question can be asked."""
        if self.no_input or self.json:
            return False
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))

    def daemon_running(self) -> bool:
        """Whether a daemon holds this home. Nothing is created or changed by asking."""
        from kairos.daemon.presence import running

        return running(self.home) is not None

    def repo_path(self) -> Path | None:
        """--repo as an absolute path, if given. UsageError when there is no such directory."""
        if self.repo is None:
            return None
        found = place(self.repo)
        if not found.is_dir():
            raise UsageError(f"--repo {self.repo} is not a directory", "Name a directory.")
        return found


F = TypeVar("F", bound=Callable[..., Any])
pass_context: Callable[[F], F] = click.make_pass_decorator(Context, ensure=True)  # type: ignore[assignment]
"""Decorator: the command's function gets the Context as its first argument."""
