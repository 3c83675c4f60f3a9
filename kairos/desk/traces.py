"""Finds and removes traces of forgotten data outside of the log: stored contents, memory files, status, scratch
trees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kairos.acting import preimages
from kairos.acting.lock import exec_lock
from kairos.acting.scratch_home import sweep
from kairos.daemon.daemon_log import former
from kairos.domain.events import ExecutionStarted
from kairos.durable import locked, sync_folder
from kairos.errors import TryAgain
from kairos.eventlog.cold.mentions import Names, betraying
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Write
from kairos.home import Home
from kairos.privacy import make_private

_FILES = "dream/files"
"""The view that names each memory file with its hash; a file that is not in it is published again."""
_INDEX = "MEMORY.md"


def remaining(home: Home, told: Names[bytes]) -> list[Path]:
    """The person's own files in the home in which `told` finds something (configuration, exports). They are not
    changed."""
    return sorted(
        path
        for root in home.roots
        for path in root.rglob("*")
        if path.is_file() and not path.is_relative_to(home.log.parent) and _betrays(path, root, told)
    )


def clean(home: Home, log: Log, needles: Sequence[bytes]) -> None:
    """Removes from the home everything that contains one of these byte strings, and contents that no event names any
    more. May be repeated after a crash. TryAgain while a process runs that may still hold such data."""
    if not needles:
        return
    told = betraying(needles)
    with _no_dream(home), exec_lock(home):
        living = {r.event.store for r in log.read(topics={"ExecutionStarted"}) if isinstance(r.event, ExecutionStarted)}
        preimages.forget(home, living, told)
        _clean_memory(home, log, told)
        sweep(home.scratch)
        for folder in (home.run, home.data, home.config):
            for path in folder.glob("*") if folder.is_dir() else ():
                passing = path in (home.status_file, home.daemon_log, former(home.daemon_log))
                passing = passing or path.name.endswith(".new")
                if passing and path.is_file() and _betrays(path, folder, told):
                    path.unlink()
        _sync(home)


def _sync(home: Home) -> None:
    """Makes the removals durable before the log drops the list of what to remove."""
    within = (path for root in (home.memory, home.undo) for path in root.rglob("*"))
    for path in (home.memory, home.undo, *within, home.scratch, home.run, home.data, home.config):
        if path.is_dir() and not path.is_symlink():
            sync_folder(path)


def _clean_memory(home: Home, log: Log, told: Names[bytes]) -> None:
    """Removes memory files that contain forgotten data, including a person's edited copies. The index is removed too;
    the next dream writes both anew from the log."""
    found = [p for p in home.memory.rglob("*") if p.is_file() and _betrays(p, home.memory, told)]
    if not found:
        return
    index = home.memory / _INDEX
    for path in {*found, *([index] if index.exists() else [])}:
        path.unlink()
    for folder in sorted((p for p in home.memory.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    gone = [os.fsencode(p.relative_to(home.memory)) for p in {*found, index}]
    writes: list[Write] = [Drop(log.of_home(_FILES), name) for name in gone]
    log.append([], writes=writes)


def _betrays(path: Path, root: Path, told: Names[bytes]) -> bool:
    return told.search(os.fsencode(path.relative_to(root))) or told.search(path.read_bytes())


@contextmanager
def _no_dream(home: Home) -> Iterator[None]:
    """Prevents dreams from running: one that is running would publish what it read before."""
    make_private(home.run)
    busy = TryAgain("a dream is running", "Let it finish, then run the command again.")
    with locked(home.dream_lock, lambda: busy):
        yield
