"""A crash in the middle of what a command does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for kill -9: nothing below catches it."""


@contextmanager
def _killed_at(step: str) -> Iterator[Callable[[str], None]]:
    def on_step(name: str) -> None:
        if name.startswith(step):
            raise Killed

    with pytest.raises(Killed):
        yield on_step


@pytest.fixture
def killed_at() -> Any:
    """A block that must end at this step; its value is the `on_step` to pass on."""
    return _killed_at
