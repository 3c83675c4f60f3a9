"""Writes the memory files on disk. They are replaced atomically, and a person's edits are never overwritten.

The hashes of the last published files are rows of the view `dream/files` (name → SHA-256), one view for each home on
the log. A file that matches neither that hash nor the new text was edited by a person and is kept beside the new one.
A file that a person deleted is not written again until its text changes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from kairos.domain.events import MemoryFileEdited
from kairos.durable import replace_file
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, NewEvent, Put, Write
from kairos.privacy import make_private

VIEW = "dream/files"
_GONE = "deleted "


def published(log: Log) -> dict[str, str]:
    """The recorded state of each file: its hash, or `deleted ` and the hash of the file that a person deleted."""
    return {key.decode(): value.decode() for key, value in log.view(log.of_home(VIEW)).items()}


def is_untouched(folder: Path, known: Mapping[str, str]) -> bool:
    """Whether every file is as it was published, or absent if its deletion is already recorded."""
    return all(
        (found := _hash(folder / name)) == (None if value.startswith(_GONE) else value)
        or (found is not None and value == _GONE + found)
        for name, value in known.items()
    )


def publish(log: Log, folder: Path, wanted: Mapping[str, bytes], cause: int | None) -> list[MemoryFileEdited]:
    """Updates the files to `wanted` and returns the changes that a person had made. Safe to repeat and to interrupt:
    an edited file is first kept under another name, then the edit is recorded in the log, then the file is replaced."""
    known, view = published(log), log.of_home(VIEW)
    edits: list[MemoryFileEdited] = []
    writes: list[Write] = []
    for name in sorted({*known, *wanted}):
        found, before = _hash(folder / name), known.get(name, "")
        new = hashlib.sha256(wanted[name]).hexdigest() if name in wanted else None
        if found is None and before and not before.startswith(_GONE):
            edits.append(MemoryFileEdited(file=name, what="deleted"))
            known[name] = _GONE + before
            writes.append(Put(view, name.encode(), known[name].encode()))
        elif found is not None and found not in (new, before):
            edits.append(MemoryFileEdited(file=name, what="edited", kept=_keep(folder, name, found)))
            known[name] = found
            writes.append(Put(view, name.encode(), found.encode()))
    if writes:
        log.append([NewEvent("memory", edit, cause, "user") for edit in edits], writes=writes)
    _write(log, folder, wanted, known)
    return edits


def _write(log: Log, folder: Path, wanted: Mapping[str, bytes], known: Mapping[str, str]) -> None:
    writes: list[Write] = []
    view = log.of_home(VIEW)
    for name in sorted({*known, *wanted}):
        path, before = folder / name, known.get(name)
        if name not in wanted:
            path.unlink(missing_ok=True)
            writes.append(Drop(view, name.encode()))
            continue
        new = hashlib.sha256(wanted[name]).hexdigest()
        if before == _GONE + new:
            continue
        if _hash(path) != new:
            make_private(path.parent)
            replace_file(path, wanted[name])
        if before != new:
            writes.append(Put(view, name.encode(), new.encode()))
    if writes:
        log.append([], writes=writes)


def _keep(folder: Path, name: str, found: str) -> str:
    """Keeps a person's text under an unused name beside the file (a hard link, so no content is copied or lost)."""
    path = folder / name
    number = 0
    while True:
        suffix = ".edited" if number == 0 else f".edited-{number}"
        kept = path.with_name(f"{path.stem}{suffix}{path.suffix}")
        if _hash(kept) == found:
            return str(kept.relative_to(folder))
        if not os.path.lexists(kept):
            os.link(path, kept)
            return str(kept.relative_to(folder))
        number += 1


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
