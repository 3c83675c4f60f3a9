"""Follows a log file through rotation, truncation and replacement. Only reads.

```
app.log  inode 7 ──renamed──▶ app.log.1     read to its end, then
app.log  inode 9                            from its first byte
app.log  inode 7, shorter, or begins otherwise (copytruncate)   from its first byte
```
A place in a file is (device, inode, offset) with a hash of how the file begins, so that it is found again after a stop.
"""

from __future__ import annotations

import errno
import os
import stat
from _blake2 import blake2b
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.domain.logs.lines import LogLines, NumberedLine

CHUNK = 1 << 20
BACKLOG = 64 << 20
"""Of what was written while nobody read, at most so many bytes are read; what is before them is skipped and counted."""
PAST = 8 << 20
"""So many bytes of a file are its past when a watch begins."""
_BEGINNING = 256
_MOST_SIBLINGS = 10_000


class FilePlace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in a file. `begins`: a hash of its first `known` bytes; `inside`: within a line that is too long."""

    dev: int = 0
    ino: int = 0
    offset: int = 0
    begins: str = ""
    known: int = 0
    inside: bool = False


class LogRead(NamedTuple):
    """Lines that were read, whether there are more, how many bytes were skipped, and why nothing can be read."""

    lines: list[str]
    more: bool = False
    skipped: int = 0
    why: str = ""


class LogFile:
    """A log file. It holds the file open between two reads, so that what is written to it after its name went is
    read; it lets go of it as soon as another has the name and all of it was read."""

    def __init__(self, path: Path, place: FilePlace | None = None) -> None:
        """`place`: where an earlier reader ended; None: at the first byte, unless `past` is called."""
        self.path = path
        self.place = place or FilePlace()
        self._fd: int | None = None

    def past(self) -> Iterator[list[str]]:
        """The lines that are there already, before them those of the file that was rotated last, at most `PAST` bytes
        of each; `read` goes on after them."""
        for path in (self.path.with_name(f"{self.path.name}.1"), self.path):
            fd = None
            try:
                fd = _opened(path)
                size = os.fstat(fd).st_size
                offset = max(0, size - PAST)
                lines = LogLines(inside=offset > 0)
                while offset < size and (chunk := os.pread(fd, min(CHUNK, size - offset), offset)):
                    offset += len(chunk)
                    yield lines.take(chunk)
                if path == self.path:
                    self._at(fd, offset - len(lines.rest))
            except OSError:
                continue  # what cannot be read is no past; `read` says why
            finally:
                if fd is not None:
                    os.close(fd)

    def read(self) -> LogRead:
        """The next lines, of at most `CHUNK` bytes. Empty if there are none now."""
        try:
            return self._read()
        except OSError as error:
            self.close()
            return LogRead([], why=_why(error))

    def close(self) -> None:
        """Lets go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _read(self) -> LogRead:
        if self._fd is None:
            self._fd = self._found()
        read = self._next(self._fd)
        if read.more or not self._is_replaced():
            return read
        if read.lines:
            return read._replace(more=True)  # its writer may have written more meanwhile: look at it once more
        fd = _opened(self.path)
        self.close()
        self._fd = fd
        self._at(fd, 0)
        return read._replace(more=True)

    def _is_replaced(self) -> bool:
        """Whether another file has the name now. Not if none has: the writer may still write to the old one."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        return (now.st_dev, now.st_ino) != (self.place.dev, self.place.ino)

    def _found(self) -> int:
        """A descriptor of the file in which the place is: under its name, or under that which rotation gave it."""
        fd = None
        try:
            fd = _opened(self.path)
            here = os.fstat(fd)
        except FileNotFoundError:
            if not self.place.ino:
                raise
        if fd is not None and (here.st_dev, here.st_ino) == (self.place.dev, self.place.ino):
            return fd
        old = self._rotated() if self.place.ino else None
        if old is not None:
            if fd is not None:
                os.close(fd)
            return old
        if fd is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._at(fd, 0)
        return fd

    def _rotated(self) -> int | None:
        """A descriptor of the file of the place under another name in the same directory."""
        try:
            with os.scandir(self.path.parent) as entries:
                for entry in islice(entries, _MOST_SIBLINGS):
                    if entry.inode() == self.place.ino and entry.is_file(follow_symlinks=False):
                        fd = _opened(Path(entry.path))
                        if self._begins_alike(fd):
                            return fd
                        os.close(fd)
        except OSError:
            pass  # it cannot be looked for; the file that has the name now is read
        return None

    def _next(self, fd: int) -> LogRead:
        size = os.fstat(fd).st_size
        if size < self.place.offset or not self._begins_alike(fd):
            self._at(fd, 0)
        skipped = max(0, size - self.place.offset - BACKLOG)
        offset, inside = self.place.offset + skipped, self.place.inside or skipped > 0
        chunk = os.pread(fd, CHUNK, offset)
        lines = LogLines(inside=inside)
        found = lines.take(chunk)
        offset += len(chunk)
        self._at(fd, offset - len(lines.rest), inside=lines.inside)
        return LogRead(found, size > offset, skipped)

    def _begins_alike(self, fd: int) -> bool:
        return not self.place.known or _hash(os.pread(fd, self.place.known, 0)) == self.place.begins

    def _at(self, fd: int, offset: int, *, inside: bool = False) -> None:
        """Sets the place to an offset of a file."""
        here, known, begins = os.fstat(fd), min(offset, _BEGINNING), self.place.begins
        if (here.st_dev, here.st_ino, known) != (self.place.dev, self.place.ino, self.place.known):
            begins = _hash(os.pread(fd, known, 0)) if known else ""
        self.place = FilePlace(
            dev=here.st_dev, ino=here.st_ino, offset=offset, begins=begins, known=known, inside=inside
        )  # fmt: skip


def numbered(path: Path) -> Iterator[list[NumberedLine]]:
    """All lines with text of a file as it is now, with their numbers, `CHUNK` bytes at a time; the last one even if it
    has no end. OSError."""
    fd = _opened(path)
    try:
        lines, size, offset = LogLines(), os.fstat(fd).st_size, 0
        while offset < size and (chunk := os.pread(fd, min(CHUNK, size - offset), offset)):
            offset += len(chunk)
            yield lines.numbered(chunk)
        yield lines.numbered(b"\n" if lines.rest else b"")
    finally:
        os.close(fd)


def _opened(path: Path) -> int:
    """A descriptor of a regular file. A link is followed only to a file in its own directory, as rotation makes it.
    OSError."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags)
    except OSError as error:
        target = path.readlink() if error.errno == errno.ELOOP else None
        if target is None or target.name != str(target):
            raise
        fd = os.open(path.with_name(target.name), flags)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file")
    return fd


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link to another directory"
    return (error.strerror or str(error)).lower()


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
