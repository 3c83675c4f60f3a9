"""Segments as rows of the log: sealed, immutable, compressed files of old events (Parquet, see `native`)."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from kairos import _native
from kairos.errors import IntegrityError
from kairos.eventlog.record import Row, header_of

NO_LIMIT = 2**62


def write_segment(path: Path, rows: Sequence[Row]) -> int:
    """Writes rows to a file and syncs it; returns its size in bytes."""
    plain = [(*header_of(r), r.payload, r.leaf if r.payload is None else None) for r in rows]
    return _native.write_segment(os.fsencode(path), plain)


def without(rows: Sequence[Row], positions: Collection[int]) -> list[Row]:
    """The rows with the payloads at these positions excised and their leaves kept."""
    return [
        msgspec.structs.replace(r, payload=None, leaf=_native.blake3_hash(r.payload))
        if r.position in positions and r.payload is not None
        else r
        for r in rows
    ]


def read_plain(
    path: Path, after: int, upto: int, limit: int, topics: Collection[str] = ()
) -> tuple[list[tuple[Any, ...]], int]:
    """(rows, scanned): rows as (header fields, payload, kept leaf) in whole row groups, up to about `limit`; every
    wanted one up to position `scanned` is among them. IntegrityError."""
    with _damage_named(path):
        return _native.read_segment(os.fsencode(path), after, upto, limit, set(topics))


def read_segment(path: Path) -> list[Row]:
    """All rows of a segment. Leaf and link are empty where they follow from the content. IntegrityError."""
    rows, _ = read_plain(path, 0, NO_LIMIT, NO_LIMIT)
    return [Row(*(*r[:10], r[10] or b"", b"")) for r in rows]


def segment_link(path: Path, before: bytes, upto: int = NO_LIMIT) -> bytes:
    """The link after the rows up to a position, computed from headers and payloads alone. IntegrityError."""
    with _damage_named(path):
        return _native.segment_link(os.fsencode(path), before, upto)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise IntegrityError(
            f"the segment {path.name} cannot be read: {error}",
            "Restore the file from a backup; `kairos log verify` shows what else is concerned.",
        ) from error


def sync_folder(path: Path) -> None:
    """Makes renames in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def file_digest(path: Path) -> bytes:
    """BLAKE3 of a segment file. IntegrityError if it cannot be read."""
    try:
        return _native.blake3_hash(path.read_bytes())
    except OSError as error:
        raise IntegrityError(f"the segment {path.name} cannot be read: {error}", "Restore it from a backup.") from error
