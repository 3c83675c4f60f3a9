"""Permanent, verifiable removal of payloads from the log and of their traces in the home."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kairos.desk.desk import Desk
from kairos.desk.leased import other_daemons
from kairos.desk.reading import registered_at, repositories
from kairos.desk.records.log import ForgottenOut
from kairos.domain.inert import as_text
from kairos.errors import Denied, NotFound, TryAgain, UsageError

if TYPE_CHECKING:
    from kairos.eventlog.cold.forgetting import Forgotten


def refuse_nonsense(desk: Desk, pattern: str | None, positions: Sequence[int], root: str | None) -> None:
    """Raises UsageError unless exactly one way to select events is used; NotFound if nothing was recorded."""
    if sum((pattern is not None, bool(positions), root is not None)) != 1:
        raise UsageError("select what to forget in exactly one way", "Give --path GLOB, --position N or --repo PATH.")
    if not desk.has_log:
        raise NotFound("the log is empty", "There is nothing to forget.")


def forget(desk: Desk, pattern: str | None, positions: Sequence[int], root: str | None, reason: str) -> ForgottenOut:
    """Excises every event that names a path like `pattern`, these positions, or those of an unwatched repository.

    TryAgain (75) while a daemon or another command uses the log, Locked (11) while a daemon holds the home."""
    refuse_nonsense(desk, pattern, positions, root)
    from kairos.daemon.presence import claim
    from kairos.desk.traces import remaining
    from kairos.eventlog.cold.mentions import betraying, needles

    others = other_daemons(desk)
    if others:  # like our own daemon, they would keep forgotten data in memory
        raise TryAgain(f"{' and '.join(others)} runs a daemon on this log", "Stop it first, then try again.")
    had_index = (desk.home.memory / "MEMORY.md").exists()
    with claim(desk.home):  # a daemon would keep forgotten data in memory
        found = _forgotten(desk, pattern, positions, root, reason)
        names = needles(found.names)
    told = betraying(names) if names else None
    if had_index and not (desk.home.memory / "MEMORY.md").exists():
        _publish_memory(desk)
    return ForgottenOut(
        positions=found.positions, position=found.position, segments=found.segments,
        left=[str(path) for path in remaining(desk.home, told)] if told else [],
        seen=_still_there(desk, found.names) if pattern is not None else [],
    )  # fmt: skip


def _forgotten(desk: Desk, pattern: str | None, positions: Sequence[int], root: str | None, reason: str) -> Forgotten:
    from kairos.eventlog.cold import forgetting
    from kairos.eventlog.cold.leftovers import finish_if_possible

    log = desk.log
    if not finish_if_possible(log):
        raise TryAgain("an earlier forgetting could not be finished", "Stop what uses the log, and try again.")
    if pattern is not None:
        return forgetting.forget_paths(log, pattern, reason, "user")
    if root is not None:
        repo, place = _gone(desk, root)
        return forgetting.forget_repository(log, repo, place, reason, "user")
    return forgetting.forget_positions(log, positions, reason, "user")


def _publish_memory(desk: Desk) -> None:
    """Runs a dream, which writes the memory files that were removed anew from the present log."""
    from kairos.desk.remembering import dream_child

    dream_child(desk, [])


def _still_there(desk: Desk, names: Sequence[str]) -> list[str]:
    """Those of these paths that still exist in a watched tree."""
    roots = [Path(r.root) for r in repositories(desk).watched()]
    found = (root / name for root in roots for name in names)
    return [as_text(str(path)) for path in found if os.path.lexists(path)]


def _gone(desk: Desk, path: str) -> tuple[str, str]:
    """(id, root) of a repository that is no longer watched: a watched one would be recorded again."""
    found = registered_at(desk, path)
    if found.watched:
        raise Denied(f"{path} is still watched, so it would be recorded again", f"Run `kairos unwatch {path}` first.")
    return found.id, found.root
