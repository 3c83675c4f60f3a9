"""The reading side of the log: hot rows from the database and cold rows from segments, read as one sequence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.database import Database, Sink
from kairos.eventlog.record import Manifested, Plain, Row, hot_row, row_of
from kairos.eventlog.schema import FEW, MANY, PLAIN_COLUMNS, ROW_COLUMNS, SEGMENT_COLUMNS

if TYPE_CHECKING:
    from kairos.eventlog.cold.segment import Stamp

_CHUNK = 2_000


class Rewritten(TryAgain):
    """The state of the log that is being read refers to a segment file that was rewritten meanwhile or is lost."""

    def __init__(self, file: str) -> None:
        super().__init__(f"the segment {file} was rewritten while it was read", "Try again.")
        self.file = file


class Reader:
    """Reads the log of one database. Manifest and hot rows come from one read transaction, and hot rows at positions
    that are already sealed are skipped, so a caller does not see sealing and retiring happen."""

    def __init__(self, database: Database, segment: Callable[[str], Path]) -> None:
        self._db = database
        self._segment = segment
        self._sound: dict[tuple[str, bytes], Stamp] = {}
        """The stamp of each segment whose bytes were compared with the manifest, by file and digest. The comparison
        keeps a damaged segment from silently losing rows; a segment that was touched since is compared again."""

        self._held = False

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside comes from one state of the log. Rewritten (75) if that state refers to a segment
        file that was replaced meanwhile."""
        before, self._held = self._held, True
        try:
            with self._db.snapshot():
                yield
        finally:
            self._held = before

    def head(self) -> tuple[int, bytes, int]:
        """(last position, its link, sealed_upto)."""
        row = self._one("SELECT position, link, sealed_upto FROM head")
        if row is None or [type(value) for value in row] != [int, bytes, int]:
            raise IntegrityError("the log has no head row", "Restore the database from a backup.")
        return row[0], row[1], row[2]

    def rows(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Row]:
        """Stored rows with after < position <= upto, ascending. A leaf that can be computed from the payload is empty,
        and so is the link of a cold row. A jump row replaces a run of positions that were folded away (see `jumps`)."""
        for cold, chunk in self._chunks(ROW_COLUMNS, after, limit, topics, upto):
            for values in chunk:
                yield row_of(values) if cold else hot_row(values)

    def plain(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Sequence[Plain]]:
        """The same rows without hashes, in chunks, for decoding."""
        for _, chunk in self._chunks(PLAIN_COLUMNS, after, limit, topics, upto):
            yield chunk

    def feed(self, sink: Sink, first: int, last: int) -> int:
        """Passes the hot rows of these positions to the writer of a segment; returns how many."""
        rows = f"SELECT {SEGMENT_COLUMNS} FROM events WHERE position BETWEEN ? AND ? ORDER BY position"
        return self._db.feed(sink, rows, [first, last])

    def _chunks(
        self, columns: str, after: int, limit: int | None, topics: Collection[str], upto: int | None
    ) -> Iterator[tuple[bool, list[tuple[Any, ...]]]]:
        """Pairs of (whether cold, rows). Rows are fetched in chunks: no read transaction stays open while the caller
        works, so a slow reader does not delay the checkpoint. An open segment stays open, so removing its file
        meanwhile does not interrupt the read."""
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
            from kairos.eventlog.cold.segment import OpenSegment  # not needed to read hot rows

            file, end, digest = cold
            path = self._segment(file)
            try:
                known = self._sound.get((file, digest))
                segment = OpenSegment(path, after, min(last, end), topics, sealed=digest, known=known)
            except IntegrityError as error:
                if file == gone or path.exists():
                    raise
                if self._held:
                    raise Rewritten(file) from error
                gone = file  # rewritten since the glance: the manifest names another file by now
                continue
            if segment.stamp is not None:
                self._sound[file, digest] = segment.stamp
            while left > 0 and (rows := segment.read(min(left, _CHUNK))):
                yield True, rows
                left -= len(rows)
            after = segment.scanned

    def _glance(
        self, columns: str, after: int, limit: int, last: int, topics: Collection[str]
    ) -> tuple[tuple[str, int, bytes] | None, list[tuple[Any, ...]], bool]:
        """What comes next, from one read transaction: (file, end and digest of the next segment or None, else the next
        hot rows, whether these are the last)."""
        among = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        if topics and not set(topics) & set(MANY):
            among += f" AND {FEW}"  # the exact condition of the partial index, so that the index is used
        with self._db.snapshot():
            sealed = self._db.all("SELECT sealed_upto FROM head")[0][0]
            if after < sealed:
                cold = self._one(
                    "SELECT file, last, digest FROM segments WHERE last > ? ORDER BY last LIMIT 1", (after,)
                )
                if cold is None:
                    raise IntegrityError(f"no segment holds position {after + 1}", "Run `kairos log verify`.")
                return (cold[0], cold[1], cold[2]), [], False
            hot = self._db.all(
                f"SELECT {columns} FROM events WHERE position > ? AND position <= ?{among} ORDER BY position LIMIT ?",
                (after, last, *topics, limit),
            )
            return None, hot, len(hot) < limit

    def stream(self, stream: str, first: int = 1) -> list[Row]:
        """Every row of a stream from version `first` on, in order. Rows that are cold or of an unindexed topic are
        searched for only if the indexed hot rows do not reach the version of the stream."""
        wanted = self.version(stream) - first + 1
        found = self._hot_stream(stream, first, FEW)
        if len(found) < wanted:
            found = sorted([*found, *self._hot_stream(stream, first, f"NOT ({FEW})")], key=lambda row: row.position)
        if len(found) < wanted:
            sealed = self.head()[2]
            cold = [row for row in self.rows(0, upto=sealed) if row.stream == stream and row.version >= first]
            found = cold + [row for row in found if row.position > sealed]
        return found

    def _hot_stream(self, stream: str, first: int, topics: str) -> list[Row]:
        sql = (
            f"SELECT {ROW_COLUMNS} FROM events WHERE originator_id = ? AND originator_version >= ? AND {topics}"
            " ORDER BY originator_version"
        )
        return [hot_row(row) for row in self._db.all(sql, (stream, first))]

    def version(self, stream: str) -> int:
        row = self._one("SELECT version FROM streams WHERE stream = ?", (stream,))
        return row[0] if row else 0

    def view(self, view: str) -> dict[bytes, bytes]:
        return dict(self._db.all("SELECT key, value FROM views WHERE view = ?", (view,)))

    def view_names(self) -> list[str]:
        return [row[0] for row in self._db.all("SELECT DISTINCT view FROM views ORDER BY view")]

    def view_size(self, view: str) -> int:
        found: int = self._db.all("SELECT count(*) FROM views WHERE view = ?", (view,))[0][0]
        return found

    def view_row(self, view: str, key: bytes) -> bytes | None:
        row = self._one("SELECT value FROM views WHERE view = ? AND key = ?", (view, key))
        return row[0] if row else None

    def view_keys(self, view: str, first: bytes, before: bytes, limit: int, *, backwards: bool = False) -> list[bytes]:
        order = "DESC" if backwards else "ASC"
        sql = f"SELECT key FROM views WHERE view = ? AND key >= ? AND key < ? ORDER BY key {order} LIMIT ?"
        return [bytes(row[0]) for row in self._db.all(sql, (view, first, before, limit))]

    def view_rows(self, view: str, first: bytes, before: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        sql = "SELECT key, value FROM views WHERE view = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
        return [(bytes(row[0]), bytes(row[1])) for row in self._db.all(sql, (view, first, before, limit))]

    def kept(self, view: str) -> tuple[bytes | None, int]:
        """The state and tracking position of a view, read in one statement: with two, a save between them could make
        them disagree."""
        row = self._one(
            "SELECT value, position FROM views JOIN tracking ON name = view WHERE view = ? AND key = ?",
            (view, b"state"),
        )
        return (row[0], row[1]) if row else (None, 0)

    def tracking(self, name: str) -> int:
        row = self._one("SELECT position FROM tracking WHERE name = ?", (name,))
        return row[0] if row else 0

    def trackings(self) -> dict[str, int]:
        return dict(self._db.all("SELECT name, position FROM tracking"))

    def topics(self) -> list[str]:
        """The types of the hot rows, from a skip scan of the index with one step per type. Types that are too frequent
        for the index (`MANY`) are left out."""
        return [
            topic
            for (topic,) in self._db.all(
                f"WITH RECURSIVE one(topic) AS (SELECT MIN(topic) FROM events WHERE {FEW} UNION ALL"
                f" SELECT (SELECT MIN(topic) FROM events WHERE topic > one.topic AND {FEW})"
                " FROM one WHERE one.topic IS NOT NULL) SELECT topic FROM one WHERE topic IS NOT NULL"
            )
        ]

    def segments(self) -> list[Manifested]:
        """The manifest, ascending."""
        return [Manifested(*row) for row in self._db.all("SELECT * FROM segments ORDER BY first")]

    def last_hot(self, first: int, wanted: int, limit: int) -> tuple[int, bytes] | None:
        """(position, link) of the last hot row from `first` up to `wanted`; if there is none, of the first hot row up
        to `limit`, because a jump row has the position at which its run ends."""
        upto = self._one(
            "SELECT position, link FROM events WHERE position BETWEEN ? AND ? ORDER BY position DESC LIMIT 1",
            (first, wanted),
        )
        row = upto or self._one(
            "SELECT position, link FROM events WHERE position BETWEEN ? AND ? ORDER BY position LIMIT 1", (first, limit)
        )
        return None if row is None else (row[0], bytes(row[1]))

    def link_at(self, position: int) -> bytes:
        """The link of the last row of the segment that ends at `position`; 32 zero bytes if no segment does."""
        row = self._one("SELECT after FROM segments WHERE last = ?", (position,))
        return row[0] if row else bytes(32)

    def next_position(self, stream: str, topics: Collection[str], after: int, head: int) -> int:
        """The position up to which a follower of one stream has nothing to read: just before its next row of these
        topics, or `head` if there is none."""
        found = self._db.all(
            f"SELECT MIN(position) FROM events WHERE originator_id = ? AND position > ?"
            f" AND topic IN ({','.join('?' * len(topics))})",
            (stream, after, *topics),
        )[0][0]
        return head if found is None else max(after, found - 1)

    def last_before(self, at: int, upto: int) -> int:
        """The last position, at most `upto`, such that every event up to it was recorded before `at` (us)."""
        found = self._db.all(
            "SELECT MIN(position) FROM events WHERE at >= ? AND position > (SELECT sealed_upto FROM head)", (at,)
        )[0][0]
        return upto if found is None else min(upto, found - 1)

    def _one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        return next(iter(self._db.all(sql, parameters)), None)
