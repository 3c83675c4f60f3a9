"""The status of one repository, as `kairos status` shows it."""

from __future__ import annotations

import errno

import msgspec

from kairos.domain.amounts import count
from kairos.sensing.hints import Hints

NO_WATCHES = ("no inotify watch is left", "Raise fs.inotify.max_user_watches with sysctl.")
NO_INSTANCE = (
    "no inotify instance can be had",
    "Raise fs.inotify.max_user_instances with sysctl, or end programs that take many; it is tried again by itself.",
)


class SensorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """state: watching | degraded | lost | stopped. `problem`: why it is not `watching`, `remedy`: what a person can do
    about it. The other fields count directories."""

    path: str
    state: str
    directories: int = 0
    watched: int = 0
    polled: int = 0
    ignored: int = 0
    problem: str = ""
    remedy: str = ""


def status_of(
    path: str, hints: Hints, *, lost: bool, problem: str, remedy: str, directories: int, ignored: int
) -> SensorStatus:
    """The status of a repository that has a sensor."""
    polled = len(hints.polled)
    if polled and not problem:
        what, remedy = NO_WATCHES if hints.shortage == errno.ENOSPC else NO_INSTANCE
        problem = f"{what}: {count(polled, 'directory is', 'directories are')} polled"
    return SensorStatus(
        path=path, state="lost" if lost else "degraded" if problem else "watching", directories=directories,
        watched=hints.watched, polled=polled, ignored=ignored, problem=problem, remedy=remedy,
    )  # fmt: skip
