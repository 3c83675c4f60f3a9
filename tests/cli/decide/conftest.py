"""A crash in the middle of what a command does, and what became of a proposal."""

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


@pytest.fixture
def state_of(kairos: Any) -> Callable[[str], str]:
    """The state of a proposal, as `show` says it."""

    def state(id_: str) -> str:
        said: str = kairos("show", id_, "--json").data["state"]
        return said

    return state
