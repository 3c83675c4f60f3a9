"""The context of every command: the global flags, and the desk that they select."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import click

from kairos.desk.desk import Desk
from kairos.desk.given import place
from kairos.desk.reading import selected
from kairos.errors import UsageError


class Context:
    """Global flags as attributes, and the desk, opened on first use. For one command and one thread."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self.no_color = False
        self.no_input = False
        self.repo: str | None = None
        self.home_override: str | None = None

    @cached_property
    def desk(self) -> Desk:
        return Desk(self.home_override)

    def only(self) -> Any:
        """The repository that --repo names; None without the flag. UsageError if it is not a directory, NotFound if it
        is not registered."""
        if self.repo is None:
            return None
        found = place(self.repo)
        if not found.is_dir():
            raise UsageError(f"--repo {self.repo} is not a directory", "Name a directory.")
        return selected(self.desk, found)

    def interactive(self) -> bool:
        """Whether a person can be asked a question."""
        if self.no_input or self.json:
            return False
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))

    def close(self) -> None:
        """Closes what was opened; safe to repeat."""
        if "desk" in self.__dict__:
            self.desk.close()


F = TypeVar("F", bound=Callable[..., Any])
pass_context: Callable[[F], F] = click.make_pass_decorator(Context, ensure=True)  # type: ignore[assignment]
"""Decorator: the command's function gets the Context as its first argument."""
