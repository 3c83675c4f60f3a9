"""Exports and imports a log together with the view rows that hold the last observed state of each repository.

These rows cannot be rebuilt from the log. Without them the whole tree would be recorded again, and git activity in
the meantime would be missed. In an export they are placed between the first line and the records.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

import msgspec

from kairos.errors import UsageError
from kairos.eventlog.cold.exchange import export_log, import_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import FROM_ZERO, Drop, Put

CARRIED = ("tree/", "refs/", "commits/", "provenance/", "listed", FROM_ZERO)
"""Name prefixes of the views that cannot be folded from the log."""
_AT_ONCE = 5_000


class _Row(msgspec.Struct, frozen=True, tag="row", tag_field="kairos"):
    """One row of a view; key and value in base64. `crc`: CRC-32 of the three texts, a newline after each."""

    view: str
    key: str
    value: str
    crc: int


def _crc(view: str, key: str, value: str) -> int:
    return zlib.crc32(f"{view}\n{key}\n{value}\n".encode())


_MARK = b'{"kairos":"row"'


def export_all(log: Log, out: IO[bytes]) -> int:
    """Writes the whole log with these rows; returns the number of records.

    The rows are read before the records: rows older than the records only repeat an observation, newer ones would
    hide it."""
    rows = [
        _row(name, base64.b64encode(key).decode(), base64.b64encode(value).decode())
        for name in log.reader().view_names()
        if name.startswith(CARRIED)
        for key, value in sorted(log.view(name).items())
    ]
    return export_log(log, cast(IO[bytes], _Between(out, rows)))


def import_all(log: Log, lines: Iterable[bytes]) -> int:
    """Stores an exported log with these rows in an empty log; returns the number of events. Raises the errors of
    `import_log`; then nothing is stored."""
    unpacked = _Unpacked(log, lines)
    try:
        return import_log(log, unpacked)
    except BaseException:
        if log.head() == 0 and unpacked.views:
            log.append([], writes=[Drop(view) for view in unpacked.views])
        raise


def _row(view: str, key: str, value: str) -> _Row:
    return _Row(view, key, value, _crc(view, key, value))


class _Between:
    """Forwards lines to `out`, and writes the rows after the first line."""

    def __init__(self, out: IO[bytes], rows: list[_Row]) -> None:
        self._out = out
        self._rows = rows

    def write(self, line: bytes) -> int:
        written = self._out.write(line)
        self._out.writelines(msgspec.json.encode(row) + b"\n" for row in self._rows)
        self._rows = []
        return written


class _Unpacked:
    """Yields the first line and the records. Stores the rows between them before it yields the first line, while no
    transaction is open."""

    def __init__(self, log: Log, lines: Iterable[bytes]) -> None:
        self._log = log
        self._lines = lines
        self.views: dict[str, None] = {}

    def __iter__(self) -> Iterator[bytes]:
        lines = iter(self._lines)
        first = next(lines, b"")
        rows: list[Put] = []
        line = next(lines, b"")
        while line.startswith(_MARK):
            rows.append(self._row(line))
            if len(rows) >= _AT_ONCE:
                self._log.append([], writes=rows)
                rows = []
            line = next(lines, b"")
        self._log.append([], writes=rows)
        yield first
        if line:
            yield line
        yield from lines

    def _row(self, line: bytes) -> Put:
        try:
            row = msgspec.json.decode(line, type=_Row)
            put = Put(row.view, base64.b64decode(row.key), base64.b64decode(row.value))
        except ValueError as error:
            raise UsageError(f"a row of the export cannot be read: {error}", "Export it again.") from error
        if row.crc != _crc(row.view, row.key, row.value) or not put.view.startswith(CARRIED):
            raise UsageError(f"a row of `{put.view}` in the export does not match its checksum", "Export it again.")
        self.views[put.view] = None
        return put
