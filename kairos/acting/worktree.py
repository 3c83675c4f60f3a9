"""A repository's work tree, opened so that no path can lead out of it.

Every directory of a path is opened by name from its parent's descriptor without following symbolic links. On every
POSIX system this gives the guarantees of openat2's RESOLVE_BENEATH, NO_SYMLINKS and NO_MAGICLINKS: a component that
was replaced by a link fails, and a directory that was moved is never resolved again. Only regular files are read or
replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.acting.keeping import give_attributes, give_mode, rewrite, swap
from kairos.domain.action import content_sha
from kairos.domain.events import Expected, Signature, name_fields
from kairos.domain.inert import shown
from kairos.domain.policy import unsafe_path
from kairos.errors import Denied, NotFound
from kairos.repo.beneath import DIRECTORY, FILE, descend

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SAME = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
MAX_BYTES = 64 * 1024 * 1024


class NotPlain(Denied):
    """A path that leads through a symbolic link or is not a regular file."""


class Blob(msgspec.Struct, frozen=True):
    """A regular file: content, permission bits (st_mode & 0o7777), lstat signature (`seen`), and how many names it has
    (hard links)."""

    content: bytes
    mode: int
    seen: Signature | None = None
    links: int = 1

    @property
    def sha(self) -> str:
        return content_sha(self.content)

    @property
    def executable(self) -> bool:
        return bool(self.mode & 0o100)

    def same(self, other: Blob | None) -> bool:
        """Whether content and executable bit are equal, as git compares files."""
        return other is not None and self.content == other.content and self.executable == other.executable


def same(a: Blob | None, b: Blob | None) -> bool:
    """Whether two states of a path are the same; None means no file."""
    return b is None if a is None else a.same(b)


def mode_after(executable: bool, before: Blob | None) -> int:
    """The permission bits of a file that becomes executable or not, keeping the bits that git does not track."""
    if before is None:
        return (0o777 if executable else 0o666) & ~umask()
    if executable and not before.executable:
        return before.mode | (before.mode & 0o444) >> 2
    return before.mode if executable or not before.executable else before.mode & ~0o111


def expected(path: str, blob: Blob | None) -> Expected:
    """The state of a path in the form that events record."""
    name = name_fields(path)
    return Expected(
        path=name.get("path"),
        path_b64=name.get("path_b64"),
        sha=None if blob is None else blob.sha,
        mode=None if blob is None else blob.mode,
    )


class WorkTree:
    """An open work tree; a context manager that closes it. Paths are relative `str` as returned by `os` functions."""

    def __init__(self, root: Path, identity: tuple[int, int] | None = None) -> None:
        """Opens `root`. NotFound if it cannot be opened; Denied if it is not the trusted directory (dev, ino)."""
        self.root = root
        try:
            self._fd = os.open(root, DIRECTORY)
        except OSError as error:
            raise NotFound(
                f"{root} cannot be opened: {error.strerror}", "Check that the repository is there."
            ) from error
        found = os.fstat(self._fd)
        if identity is not None and (found.st_dev, found.st_ino) != identity:
            os.close(self._fd)
            raise Denied(f"{root} is not the directory that was trusted; it was replaced", f"Run `kairos init {root}`.")

    def __enter__(self) -> WorkTree:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def read(self, path: str) -> Blob | None:
        """The regular file at a path, None if nothing exists there. NotPlain for anything else."""
        with self._parent(path) as (folder, name):
            return None if folder is None else _read(folder, name, path)

    def staged(self, path: str, temporary: str) -> Blob | None:
        """The file that is staged beside a path, None if there is none. NotPlain for anything else."""
        with self._parent(path) as (folder, _):
            return None if folder is None else _read(folder, temporary, path)

    def free_bytes(self) -> int:
        """The free space, in bytes, on the disk that holds the tree."""
        found = os.fstatvfs(self._fd)
        return found.f_bavail * found.f_frsize

    def signature(self, path: str) -> Signature:
        """The lstat signature of a path; `size` is None if nothing exists there."""
        with self._parent(path) as (folder, name):
            if folder is not None:
                try:
                    return _signature(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
                except FileNotFoundError:
                    return _signature(path, None)
        return _signature(path, None)

    def missing_parents(self, path: str) -> list[str]:
        """The directories on the way to a path that do not exist, outermost first."""
        parts = path.split("/")[:-1]
        for n in range(len(parts)):
            inner = "/".join([*parts[: n + 1], "x"])
            with self._parent(inner) as (folder, _):
                if folder is None:
                    return ["/".join(parts[: k + 1]) for k in range(n, len(parts))]
        return []

    def make_folder(self, path: str) -> None:
        """Makes one directory, if it does not exist. NotPlain if another kind of file has the name."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            try:
                os.mkdir(name, 0o777, dir_fd=folder)
            except FileExistsError:
                if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise NotPlain(f"{shown(path)} is not a directory") from None

    def remove_folder(self, path: str) -> bool:
        """Removes a directory if it exists and is empty; returns whether it was removed."""
        with self._parent(path) as (folder, name):
            if folder is None:
                return False
            try:
                os.rmdir(name, dir_fd=folder)
            except OSError:
                return False
            return True

    def stage(self, path: str, temporary: str, blob: Blob) -> bool:
        """Writes `blob` durably under the name `temporary` beside `path`, with the owner and the attributes of the file
        at `path`. Returns whether it may take that file's place: False if something of it could not be kept (other
        names, owner, attributes), so that it must be rewritten in place."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            fd = os.open(temporary, _NEW, 0o600, dir_fd=folder)
            with os.fdopen(fd, "wb") as file:
                kept = _take_after(fd, folder, name)
                give_mode(fd, blob.mode)
                file.write(blob.content)
                file.flush()
                os.fsync(fd)
            return kept

    def rewrite(self, path: str, blob: Blob, on_piece: Callable[[], None]) -> None:
        """Makes `blob` the content and mode of the file at `path`, which stays the same file with all its names. A kill
        in the middle leaves a mixture (`keeping.is_torn`)."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            fd = os.open(name, _SAME, dir_fd=folder)
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise NotPlain(f"{shown(path)} is not a regular file")
                rewrite(fd, blob.content, blob.mode, on_piece)
            finally:
                os.close(fd)

    def set_aside(self, path: str, temporary: str) -> None:
        """Renames the file at `path` to `temporary`, so that it can be brought back as it is."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            os.rename(name, temporary, src_dir_fd=folder, dst_dir_fd=folder)

    def exchange(self, path: str, temporary: str) -> bool:
        """Swaps a staged file and the one at `path`, atomically; False where the file system cannot."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            return swap(folder, temporary, name)

    def put(self, path: str, temporary: str, *, new: bool) -> None:
        """Renames a staged file to its final name. `new`: FileExistsError if the path was created meanwhile."""
        with self._parent(path) as (folder, name):
            if folder is None:
                raise NotPlain(f"{shown(path)} has no parent directory")
            if new:
                try:
                    os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                    os.unlink(temporary, dir_fd=folder)
                    return
                except OSError as error:
                    if error.errno not in _NO_LINKS:
                        raise
                if self.signature(path).size is not None:
                    raise FileExistsError(errno.EEXIST, "appeared meanwhile", path)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, path: str, temporary: str | None = None) -> None:
        """Removes a file, or the temporary file beside it, if it exists."""
        with self._parent(path) as (folder, name):
            if folder is not None:
                try:
                    os.unlink(temporary or name, dir_fd=folder)
                except FileNotFoundError:
                    return

    def sync(self, path: str) -> None:
        """Makes the directory entries of a path's directory durable (fsync)."""
        with self._parent(path) as (folder, _):
            if folder is not None:
                os.fsync(folder)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int | None, str]]:
        """Yields (descriptor of the directory that holds the path, None if it is missing; the last name)."""
        why = unsafe_path(path)
        if why:
            raise NotPlain(f"'{shown(path)}' {why}")
        *parts, name = path.split("/")
        folder: int | None
        try:
            folder = descend(self._fd, parts)
        except FileNotFoundError:
            folder = None
        except OSError as error:
            if error.filename is None:  # out of file descriptors: the path itself is valid
                raise
            through = shown(str(error.filename))
            raise NotPlain(f"{shown(path)} leads through {through}, which is not a plain directory") from error
        try:
            yield folder, name
        finally:
            if folder is not None:
                os.close(folder)


def _read(folder: int, name: str, path: str) -> Blob | None:
    try:
        fd = os.open(name, FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPlain(f"{shown(path)} is not a plain file: {error.strerror}") from error
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise NotPlain(f"{shown(path)} is not a regular file")
    with os.fdopen(fd, "rb") as file:
        if found.st_size > MAX_BYTES:
            raise NotPlain(f"{shown(path)} is too large to be changed: {found.st_size} bytes")
        content = file.read(MAX_BYTES + 1)
        return Blob(content, stat.S_IMODE(found.st_mode), _signature(path, found), found.st_nlink)


def _take_after(fd: int, folder: int, name: str) -> bool:
    """Gives a new file what the present one has besides content and mode; whether all of it could be given."""
    try:
        present = os.open(name, FILE, dir_fd=folder)
    except FileNotFoundError:
        return True
    try:
        return give_attributes(present, fd) and os.fstat(present).st_nlink == 1
    finally:
        os.close(present)


def umask() -> int:
    """The umask of this process, read from /proc: `os.umask` would change it and race with other threads."""
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    except OSError:
        return 0o022
    return 0o022


def _signature(path: str, found: os.stat_result | None) -> Signature:
    name = name_fields(path)
    return Signature(
        path=name.get("path"),
        path_b64=name.get("path_b64"),
        ino=found.st_ino if found else None,
        size=found.st_size if found else None,
        mode=stat.S_IMODE(found.st_mode) if found else None,
        mtime_ns=found.st_mtime_ns if found else None,
        ctime_ns=found.st_ctime_ns if found else None,
    )
