"""Reads and writes segments: sealed, immutable, compressed files of old events (Parquet, see `native`).

A segment row consists of the header fields in order, the payload (None once erased), and the leaf if it cannot be
computed from the payload.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from kairos import _native
from kairos.durable import sync_folder
from kairos.errors import IntegrityError, TryAgain

NO_LIMIT = 2**62
CHUNK = 2_000
"""Number of rows decoded at a time."""

SegmentRow = tuple[Any, ...]
Stamp = tuple[Any, ...]
"""Identifies a file and its last write: while the stamp is unchanged, so are the bytes."""


class Run(NamedTuple):
    """Positions that were folded away (see `jumps`), and the links around them."""

    first: int
    last: int
    before: bytes
    after: bytes


class Walked(NamedTuple):
    """The result of walking a segment: the number of rows, the link after the last one, and the runs of its jump rows.
    `digest`: BLAKE3 of the file."""

    rows: int
    link: bytes
    runs: list[Run]
    digest: bytes


class NewSegment:
    """A segment file being written. TryAgain if writing fails; the file is removed then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._whole_or_gone():
            self._writer = _native.SegmentWriter(os.fsencode(path))

    def fill(self, give: Callable[[_native.SegmentWriter], int]) -> int:
        """Calls `give` to add rows; returns the number that it returns."""
        with self._whole_or_gone():
            return give(self._writer)

    def finish(self) -> int:
        """Completes and syncs the file; returns its size in bytes."""
        with self._whole_or_gone():
            return self._writer.finish()

    @contextmanager
    def _whole_or_gone(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.path.unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            raise TryAgain(
                f"the segment {self.path.name} could not be written: {error}",
                "Free some space; the events stay in the database.",
            ) from error


def write_segment(path: Path, rows: Iterable[SegmentRow]) -> tuple[int, int]:
    """Writes rows to a file and syncs it; returns (rows, bytes). TryAgain as in `NewSegment`."""
    segment = NewSegment(path)
    return segment.fill(lambda writer: writer.add(rows)), segment.finish()


class Proven(NamedTuple):
    """A file that was read back: its BLAKE3, and the runs in it."""

    digest: bytes
    runs: list[Run]


def prove_segment(path: Path, rows: int, before: bytes, after: bytes) -> Proven:
    """Reads a written file back: it must contain `rows` rows and lead from the link `before` to the link `after`.

    IntegrityError if it does not; the file is removed then."""
    try:
        walked = walk_segment(path, before)
        if walked.rows == rows and walked.link == after:
            return Proven(walked.digest, walked.runs)
    except IntegrityError as error:
        path.unlink()
        raise IntegrityError(f"{error.message}; the events stay in the database", error.hint) from error
    path.unlink()
    raise IntegrityError(
        f"the rows of {path.name} do not match the hashes they were stored with; they stay in the database",
        "Run `kairos log verify` to find the damaged place.",
    )


def without(rows: Iterable[SegmentRow], positions: Collection[int]) -> Iterator[SegmentRow]:
    """The rows with the payloads at these positions excised and their leaves kept."""
    for row in rows:
        if row[0] in positions and row[9] is not None:
            yield (*row[:9], None, _native.blake3_hash(row[9]))
        else:
            yield row


class OpenSegment:
    """A segment file being read: rows with after < position <= upto, of the given topics (none: all). Reading continues
    even if the file is replaced or removed.

    `sealed`: the BLAKE3 that the file must have. Its bytes are hashed before any row is read, unless its stamp equals
    `known`, the stamp of an earlier opening that had this digest. IntegrityError if it cannot be read or differs."""

    def __init__(
        self,
        path: Path,
        after: int = 0,
        upto: int = NO_LIMIT,
        topics: Collection[str] = (),
        *,
        sealed: bytes | None = None,
        known: Stamp | None = None,
    ) -> None:
        self._path = path
        self.scanned = after
        """All requested rows up to this position were read."""
        with damage_named(path):
            file = _native.SegmentFile(os.fsencode(path))
            self.stamp: Stamp | None = file.stamp()
            if sealed is not None and (known is None or self.stamp != known) and file.digest() != sealed:
                raise ValueError("it is not the one that was sealed")
            self._reader = file.rows(after, upto, sorted(topics))

    def read(self, limit: int = CHUNK) -> list[SegmentRow]:
        """The next rows; an empty list at the end."""
        with damage_named(self._path):
            rows, self.scanned = self._reader.read(limit)
        return rows


def segment_rows(
    path: Path,
    after: int = 0,
    upto: int = NO_LIMIT,
    topics: Collection[str] = (),
    *,
    sealed: bytes | None = None,
) -> Iterator[SegmentRow]:
    """Yields the rows of a segment. IntegrityError if it cannot be read or does not have the digest `sealed`."""
    segment = OpenSegment(path, after, upto, topics, sealed=sealed)
    while rows := segment.read():
        yield from rows


def walk_segment(path: Path, before: bytes, upto: int = NO_LIMIT) -> Walked:
    """Walks the chain through the rows up to a position, from headers and payloads alone. IntegrityError if it
    cannot be read."""
    with damage_named(path):
        rows, link, runs, digest = _native.walk_segment(os.fsencode(path), before, upto)
    return Walked(rows, link, [Run(*run) for run in runs], digest)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turns errors raised while reading a segment into an IntegrityError that names the file."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise IntegrityError(
            f"the segment {path.name} cannot be read: {error}",
            "Restore the file from a backup; `kairos log verify` lists all damage.",
        ) from error


def publish(temporary: Path, path: Path) -> None:
    """Renames a verified file to its final name, durably. TryAgain if that fails; the file must then not be used."""
    try:
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise TryAgain(
            f"the segment {path.name} could not be renamed into place: {error}", "Free some space."
        ) from error
