"""What `kairos export` writes."""

from __future__ import annotations

from typing import Any, Literal

from kairos.desk.records.base import Output


class ExportLineOut(Output, frozen=True, kw_only=True):
    """One line of an export. `export` comes first and says what follows; a `proposal` is shaped as `show` gives it, and
    has its `decisions` as events; a `memory` as `memory show`, an `event` as a line of `log`."""

    kind: Literal["export", "repository", "proposal", "memory", "event"]
    data: dict[str, Any]


class ExportedOut(Output, frozen=True, kw_only=True):
    """How many records of each kind were written, and where; `path` is null for standard output."""

    path: str | None
    repositories: int
    proposals: int
    memories: int
    events: int
