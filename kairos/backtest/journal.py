"""What the detectors of a backtest said, commit by commit, in a file that a killed run goes on from.

One line of JSON a commit at which something was found or looked at again, and a line now and then that says how far
it came. A last line that was cut off is left out. Everything else of a replay follows from these lines and from git.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kairos.domain.finding import Finding
from kairos.domain.hindsight import Again
from kairos.domain.raising import without_secret
from kairos.domain.secrets import redact
from kairos.privacy import open_private

_EVERY_S = 0.5


class LookSaid(msgspec.Struct, frozen=True):
    """The findings of one look at a commit, and what detectors could not finish."""

    boundary: str
    findings: list[Finding] = []
    failures: list[str] = []


class JournalEntry(msgspec.Struct, frozen=True):
    """What was said at the commit with this number, in the order of the walk."""

    number: int
    looks: list[LookSaid] = []
    again: list[Again] = []


class Journal:
    """The file of one backtest. What it holds when it is opened is `kept`; `upto`: the number of the last commit that
    was looked at."""

    def __init__(self, path: Path) -> None:
        self.kept: dict[int, JournalEntry] = {}
        self.upto = -1
        whole = self._read(path)
        self._file = os.fdopen(open_private(path, os.O_RDWR), "r+b")
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)
        self._written = time.monotonic()

    def add(self, entry: JournalEntry, *, always: bool = False) -> None:
        """Keeps what was said at a commit; nothing is written for most of the quiet ones, unless `always`."""
        if always or entry.looks or entry.again or time.monotonic() - self._written > _EVERY_S:
            self._put(entry)

    def close(self) -> None:
        self._file.close()

    def _put(self, entry: JournalEntry) -> None:
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()
        self._written = time.monotonic()

    def _read(self, path: Path) -> int:
        """Reads the whole lines, and returns their length in bytes."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return 0
        length = 0
        for line in data.splitlines(keepends=True):
            try:
                entry = msgspec.json.decode(line, type=JournalEntry)
            except msgspec.MsgspecError:
                break
            if not line.endswith(b"\n"):
                break
            length += len(line)
            self.kept[entry.number] = entry
            self.upto = max(self.upto, entry.number)
        return length


def safe(findings: Sequence[Finding]) -> list[Finding]:
    """The findings as they may be stored: credential-like values cut out, as from everything that the log keeps."""
    return [
        msgspec.structs.replace(
            f, title=redact(f.title), claim=redact(f.claim), action=without_secret(f.action, f.claim)
        )
        for f in findings
    ]
