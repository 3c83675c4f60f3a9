"""What a run in the scratch tree of a turn gave: values that the rooms hand each other."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Changes = Mapping[str, tuple[bytes, int] | None]
"""Path → content and permission bits, None for a removed file."""


class CommandEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A command that ended. `how`: `exit 0`, `signal 9`, `stopped: memory`; `output`: both streams, redacted and cut;
    `changes`: every file that now differs from the commit; `withheld`: what it changed that is not taken, and why."""

    how: str
    output: str
    seconds: float
    changes: list[tuple[str, tuple[bytes, int] | None]]
    withheld: list[str] = []


class CheckEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A check that ended. `failed`: its red cases with their decisive lines; `why`: what broke it; `output`: its last
    lines, redacted."""

    name: str
    outcome: str
    failed: list[str] = []
    why: str = ""
    output: str = ""
    seconds: float = 0.0
