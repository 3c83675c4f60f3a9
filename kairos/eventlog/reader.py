"""The reading side of the log: hot rows from SQLite read-only, cold rows from segments, seen as one sequence."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kairos.errors import IntegrityError
from kairos.eventlog.record import Plain, Row
from kairos.eventlog.schema import FEW, MANY, PLAIN_COLUMNS, ROW_COLUMNS, SCHEMA_VERSION, VERSION

_CHUNK = 2_000
_GROUP = 8_192
"""Rows in a row group of a segment: read whole, so that none is decoded twice."""


class Unmade(Exception):
    """The file is an empty database: making the log was cut short, by a full disk or a crash."""


class Reader:
    """Opens `path` read-only. Manifest and hot rows come from one read transaction, and hot positions that are
    already sealed are passed over, so that sealing and retiring are never seen."""

    def __init__(self, path: Path, segments: Path) -> None:
        self._segments = segments
        self._db = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            self._db.close()
            if "readonly" not in str(error):
                raise
            raise Unmade from error  # a journal that a crash left behind: only a writer may roll it back
        if version == 0 and self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            raise Unmade
        if version != SCHEMA_VERSION:
            raise IntegrityError(
                f"{path} has layout {version}; this program knows {SCHEMA_VERSION}",
                "It was written by another Kairos (upgrade), or is not a log at all.",
            )

    def close(self) -> None:
        self._db.close()

    def head(self) -> tuple[int, bytes, int]:
        """(last position, its link, sealed_upto)."""
        row = self._db.execute("SELECT position, link, sealed_upto FROM head").fetchone()
        if row is None:
            raise IntegrityError("the log has no head row", "Restore the database from a backup.")
        return row[0], row[1], row[2]

    def rows(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Row]:
        """Stored rows with after < position <= upto, ascending; leaf and link of cold ones follow from the content
        and are empty."""
        for cold, chunk in self._chunks(ROW_COLUMNS, after, limit, topics, upto):
            for values in chunk:
                yield Row(*((*values[:10], values[10] or b"", b"") if cold else values))

    def plain(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Sequence[Plain]]:
        """The same without hashes, in chunks: for decoding."""
        for _, chunk in self._chunks(PLAIN_COLUMNS, after, limit, topics, upto):
            yield chunk

    def _chunks(
        self, columns: str, after: int, limit: int | None, topics: Collection[str], upto: int | None
    ) -> Iterator[tuple[bool, list[tuple[Any, ...]]]]:
        """(whether cold, rows). Fetched in chunks: no read transaction stays open while the caller works, so a slow
        reader does not hold back the checkpoint."""
        left = 2**62 if limit is None else limit
        last = 2**62 if upto is None else upto
        gone = ""
        while left > 0 and after < last:
            cold, hot, ended = self._glance(columns, after, min(left, _CHUNK), last, topics)
            if cold is None:
                if hot:
                    yield False, hot
                    after, left = hot[-1][0], left - len(hot)
                if ended:
                    return
                continue
            from kairos.eventlog.segment import read_plain

            file, end = cold
            try:
                rows, scanned = read_plain(self._segments / file, after, min(last, end), min(left, _GROUP), topics)
            except IntegrityError:
                if file == gone or (self._segments / file).exists():
                    raise
                gone = file  # rewritten since the glance: the manifest names another file by now
                continue
            if rows:
                yield True, rows
            after, left = max(after, scanned), left - len(rows)

    def _glance(
        self, columns: str, after: int, limit: int, last: int, topics: Collection[str]
    ) -> tuple[tuple[str, int] | None, list[tuple[Any, ...]], bool]:
        """From one read transaction: (the segment that comes next and its end, or the hot rows that do, whether they
        are the last)."""
        among = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        if topics and not set(topics) & set(MANY):
            among += f" AND {FEW}"  # said in these words, the index over the other topics serves
        self._db.execute("BEGIN")
        try:
            sealed = self._db.execute("SELECT sealed_upto FROM head").fetchone()[0]
            if after < sealed:
                cold = self._db.execute(
                    "SELECT file, last FROM segments WHERE last > ? ORDER BY last LIMIT 1", (after,)
                ).fetchone()
                if cold is None:
                    raise IntegrityError(f"no segment holds position {after + 1}", "Run `kairos log verify`.")
                return cold, [], False
            hot = self._db.execute(
                f"SELECT {columns} FROM events WHERE position > ? AND position <= ?{among} ORDER BY position LIMIT ?",
                (after, last, *topics, limit),
            ).fetchall()
            return None, hot, len(hot) < limit
        finally:
            self._db.execute("COMMIT")

    def stream(self, stream: str) -> list[Row]:
        """Every row of a stream. Cold segments are read only when hot rows do not reach back to version 1."""
        hot = [
            Row(*r)
            for r in self._db.execute(
                f"SELECT {ROW_COLUMNS} FROM events WHERE originator_id = ? ORDER BY originator_version", (stream,)
            )
        ]
        if self.version(stream) == len(hot):
            return hot
        sealed = self.head()[2]
        cold = [row for row in self.rows(0, upto=sealed) if row.stream == stream]
        return cold + [row for row in hot if row.position > sealed]

    def version(self, stream: str) -> int:
        found: int = self._db.execute(
            f"WITH wanted (stream) AS (VALUES (?)) SELECT {VERSION} FROM wanted", (stream,)
        ).fetchone()[0]
        return found

    def view(self, view: str) -> dict[bytes, bytes]:
        return dict(self._db.execute("SELECT key, value FROM views WHERE view = ?", (view,)).fetchall())

    def view_names(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT DISTINCT view FROM views ORDER BY view")]

    def view_size(self, view: str) -> int:
        found: int = self._db.execute("SELECT count(*) FROM views WHERE view = ?", (view,)).fetchone()[0]
        return found

    def view_row(self, view: str, key: bytes) -> bytes | None:
        row = self._db.execute("SELECT value FROM views WHERE view = ? AND key = ?", (view, key)).fetchone()
        return row[0] if row else None

    def kept(self, view: str) -> tuple[bytes | None, int]:
        """The state and tracking position of a view in one statement: a save between two would tear them apart."""
        row = self._db.execute(
            "SELECT value, position FROM views JOIN tracking ON name = view WHERE view = ? AND key = ?",
            (view, b"state"),
        ).fetchone()
        return (row[0], row[1]) if row else (None, 0)

    def tracking(self, name: str) -> int:
        row = self._db.execute("SELECT position FROM tracking WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def trackings(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT name, position FROM tracking").fetchall())

    def topics(self) -> list[str]:
        """The types of the hot rows, by leaps over the index: as many steps as there are types. Those too frequent
        for the index are left out."""
        return [
            topic
            for (topic,) in self._db.execute(
                f"WITH RECURSIVE one(topic) AS (SELECT MIN(topic) FROM events WHERE {FEW} UNION ALL"
                f" SELECT (SELECT MIN(topic) FROM events WHERE topic > one.topic AND {FEW})"
                " FROM one WHERE one.topic IS NOT NULL) SELECT topic FROM one WHERE topic IS NOT NULL"
            )
        ]

    def segments(self) -> list[tuple[int, int, str, int, bytes, bytes, bytes, int]]:
        """The manifest: (first, last, file, bytes, BLAKE3 of the file, link before, link after, retired), ascending."""
        return self._db.execute("SELECT * FROM segments ORDER BY first").fetchall()

    def link_at(self, position: int) -> bytes:
        """The link of the last sealed row, or of the row before the first (zeros)."""
        row = self._db.execute("SELECT after FROM segments WHERE last = ?", (position,)).fetchone()
        return row[0] if row else bytes(32)

    def next_position(self, stream: str, topics: Collection[str], after: int, head: int) -> int:
        """How far a follower of one stream has effectively come: to just before its next row of these topics."""
        row = self._db.execute(
            f"SELECT MIN(position) FROM events WHERE originator_id = ? AND position > ?"
            f" AND topic IN ({','.join('?' * len(topics))})",
            (stream, after, *topics),
        ).fetchone()
        return head if row[0] is None else max(after, row[0] - 1)

    def last_before(self, at: int, upto: int) -> int:
        """The last position up to `upto` such that everything to it was recorded before a time (us)."""
        row = self._db.execute(
            "SELECT MIN(position) FROM events WHERE at >= ? AND position > (SELECT sealed_upto FROM head)", (at,)
        ).fetchone()
        return upto if row[0] is None else min(upto, row[0] - 1)
