"""Checks that only its owner can write a home. The files of a home name commands that run and actions that are allowed
without asking, so anyone who can write there controls Kairos.

Refused are: directories and files of the home that belong to another user or that others can write, and parent
directories in which others could replace them. A sticky directory such as /tmp is accepted. A group-writable file is
accepted if the group is the owner's own and has no other member (the user private groups of most Linux distributions,
with umask 002). Paths owned by root are accepted, because root can write everything anyway.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kairos.errors import Denied, UsageError

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40


@dataclass(frozen=True)
class Exposure:
    """A path that others can write. `ours`: it is part of the home and belongs to this user, so its permissions may be
    tightened."""

    path: Path
    why: str
    ours: bool


def exposures(roots: Iterable[Path], folders: Iterable[Path], files: Iterable[Path]) -> list[Exposure]:
    """The paths of a home, and of its parent directories, that others can write; missing paths are skipped. `folders`
    and `files` are in `roots`, or in each other, or are links."""
    found: dict[Path, Exposure | None] = {}
    for root in roots:
        _look(root, found, is_folder=True)
    for path, is_folder in (*((f, True) for f in folders), *((f, False) for f in files)):
        status = _status(path)
        if status is None or path in found:
            continue
        if stat.S_ISLNK(status.st_mode):
            _look(path, found, is_folder=is_folder)
        else:
            found[path] = _own(path, status, is_folder=is_folder)
    return [one for one in found.values() if one is not None]


def _look(path: Path, found: dict[Path, Exposure | None], *, is_folder: bool) -> None:
    *above, (last, status) = _way(path.absolute())
    for place, passed in above:
        if place not in found:
            found[place] = _passed(place, passed)
    if status is not None:
        found[last] = _own(last, status, is_folder=is_folder)


def refuse(found: list[Exposure]) -> None:
    """Raises Denied (6) with the command that fixes it, if `found` is not empty."""
    if found:
        first = found[0]
        raise Denied(f"{first.path} {first.why}: anyone who can write there decides what Kairos runs", mending(found))


def mending(found: list[Exposure]) -> str:
    """How to fix the exposures, as commands to type."""
    import shlex

    open_ = [shlex.quote(str(e.path)) for e in found if e.why.startswith("can be")]
    if len(open_) == len(found):
        return f"Run `chmod go-w {' '.join(open_)}`" + (
            ", or `kairos doctor --fix`." if all(e.ours for e in found) else ", or name another directory with --home."
        )
    return "Make it yours, or name another directory with --home."


def tighten(found: list[Exposure]) -> list[Exposure]:
    """Removes write permission for others from the home's own paths; returns the exposures that a person must fix."""
    for one in found:
        if one.ours:
            one.path.chmod(stat.S_IMODE(one.path.lstat().st_mode) & ~_OTHERS)
    return [one for one in found if not one.ours]


def make_private(folder: Path) -> None:
    """Creates a folder and its missing parents, each accessible only by its owner under any umask. OSError."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_private(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return
    folder.chmod(0o700)


def open_private(path: Path, flags: int) -> int:
    """Opens a file of the home with these flags and creates it if absent, accessible only by its owner under any umask.
    OSError; FileExistsError if it exists and O_EXCL is among the flags."""
    try:
        made = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(made, 0o600)
    return made


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result | None]]:
    """Every directory and link that leads to an absolute path, in order, and last the path it resolves to; each with
    its status, None if it does not exist or cannot be reached."""
    todo, at, links = [*reversed(path.parts[1:])], Path("/"), 0
    status = _status(at)
    while todo:
        yield at, status
        name = todo.pop()
        step = at.parent if name == ".." else at / name
        status = _status(step)
        if status is None or not stat.S_ISLNK(status.st_mode):
            at = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise UsageError(f"{path} leads through a loop of symlinks", "Name another directory with --home.")
        yield step, status
        target = step.readlink()
        at = Path("/") if target.is_absolute() else at
        status = _status(at)
        todo += reversed(target.parts[target.is_absolute() :])
    yield at, status


def _passed(place: Path, found: os.stat_result | None) -> Exposure | None:
    """The exposure of a parent directory or link that others can redirect; None if they cannot."""
    if found is None:
        return None
    firm = stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX
    why = _why_foreign(found) or ("" if firm else _why_open(place, found, private_group=True))
    return Exposure(place, why, False) if why else None


def _own(place: Path, found: os.stat_result, *, is_folder: bool) -> Exposure | None:
    why = _why_foreign(found) or _why_open(place, found, private_group=not is_folder)
    return Exposure(place, why, found.st_uid == os.geteuid()) if why else None


def _status(place: Path) -> os.stat_result | None:
    try:
        return place.lstat()
    except OSError:
        return None  # missing or not accessible: reported by the code that needs it


def _why_foreign(found: os.stat_result) -> str:
    return "" if found.st_uid in (0, os.geteuid()) else f"belongs to another user (uid {found.st_uid})"


def _why_open(place: Path, found: os.stat_result, *, private_group: bool) -> str:
    if not found.st_mode & _OTHERS:
        return ""
    if private_group and not found.st_mode & stat.S_IWOTH and _is_private_group(place, found):
        return ""
    return f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"


def _is_private_group(place: Path, found: os.stat_result) -> bool:
    """Whether the group is the owner's own: their first group, named like them, without other members."""
    import grp
    import pwd

    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    if "system.posix_acl_access" in os.listxattr(place, follow_symlinks=False):
        return False  # with an ACL the group bits are only a mask, and entries may grant access to anyone
    return owner.pw_gid == group.gr_gid and owner.pw_name == group.gr_name and set(group.gr_mem) <= {owner.pw_name}
