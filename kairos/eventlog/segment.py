"""Segments as rows of the log: sealed, immutable, compressed files of old events (Parquet, see `native`)."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from kairos import _native
from kairos.errors import IntegrityError
from kairos.eventlog.record import Row, header_bytes

NO_LIMIT = 2**62


def write_segment(path: Path, rows: Sequence[Row]) -> int:
    """Writes rows to a file and syncs it; returns its size in bytes."""
    plain = [(*_header(r), r.payload, r.leaf if r.payload is None else None) for r in rows]
    return _native.write_segment(os.fsencode(path), plain)


def read_segment(
    path: Path, *, after: int = 0, upto: int = NO_LIMIT, limit: int = NO_LIMIT, topics: Collection[str] = ()
) -> list[Row]:
    """Rows of a segment. Leaf and link are empty where they follow from the content. IntegrityError."""
    try:
        rows = _native.read_segment(os.fsencode(path), after, upto, limit, set(topics))
    except (OSError, ValueError) as error:
        raise IntegrityError(
            f"the segment {path.name} cannot be read: {error}",
            "Restore the file from a backup; `kairos log verify` shows what else is concerned.",
        ) from error
    return [Row(*r[:10], r[10] or b"", b"") for r in rows]


def file_digest(path: Path) -> bytes:
    """BLAKE3 of a segment file. IntegrityError if it cannot be read."""
    try:
        return _native.blake3_hash(path.read_bytes())
    except OSError as error:
        raise IntegrityError(f"the segment {path.name} cannot be read: {error}", "Restore it from a backup.") from error


def chain(rows: Sequence[Row], before: bytes) -> bytes:
    """The link after these rows, computed from headers and payloads (or the kept leaf of an erased one)."""
    link = before
    for row in rows:
        if row.payload is not None:
            link = _native.extend_chain(link, [(header_bytes(_header(row)), row.payload)])[0][1]
        else:
            link = _native.link_leaf(link, header_bytes(_header(row)), row.leaf)
    return link


def header_of(row: Row) -> bytes:
    """The canonical header bytes of a row."""
    return header_bytes(_header(row))


def _header(row: Row) -> tuple[int, str, int, str, int, int, int | None, int, str]:
    return (
        row.position, row.stream, row.version, row.topic, row.v, row.at, row.caused_by, row.correlation, row.origin,
    )  # fmt: skip
