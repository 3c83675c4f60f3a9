"""The scratch tree of a turn on disk: laid out once, from files that were chosen before, and then only read.

A command or a check sees it at the place of the work tree, with the turn's changes on top and with the installed
dependencies of the work tree (virtual environments, node_modules), read-only. Nothing else of the work tree is there:
no `.git`, no file that git ignores. The directory is a room under Kairos's scratch directory: it is removed at the end
of the turn, and after a crash by the next sweep.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kairos.acting.checking import checks_lock, gently, run_check_in
from kairos.acting.confine import ConfinedRun, Limits, run
from kairos.acting.scratch_home import ScratchRoom, take_room
from kairos.domain.checks.state import NamedCheck
from kairos.domain.inert import shown
from kairos.domain.policy import unsafe_path
from kairos.domain.scratch_runs import Changes, CheckEnd, CommandEnd
from kairos.domain.secrets import redact
from kairos.errors import TryAgain, UsageError
from kairos.home import Home
from kairos.repo.git import Git

DEPENDENCIES_AT_MOST = 64
_LOOK_EVERY = 500
_READ_AT_MOST = 16 << 20
_CHANGES_AT_MOST = 10_000
_LOCK_S = 0.5

Files = Callable[[], Iterator[tuple[str, bytes, int]]]
"""The files to lay out: path, content, permission bits."""


class LaidTree:
    """Runs commands and checks on one scratch tree, one at a time. Close it."""

    def __init__(self, home: Home, root: Path, checks: Sequence[NamedCheck], files: Files) -> None:
        self._home, self._root, self._files = home, root.resolve(), files
        self._named = {check.name: check for check in checks}
        self._room: ScratchRoom | None = None
        self._beside: list[Path] = []

    def checks(self) -> Sequence[str]:
        """The names of the checks that a person named."""
        return list(self._named)

    def command(
        self,
        line: str,
        changes: Changes,
        seconds: float,
        cancelled: Callable[[], bool],
        heard: Callable[[bytes], None] | None = None,
    ) -> CommandEnd:
        """Runs a command line with these changes on top; `heard` gets its output as it comes. TryAgain if it was
        cancelled; SandboxUnavailable."""
        limits = Limits(wall=seconds, mem_mb=1024, pids=256, out=64 << 10, flood=256 << 20, file_mb=64, disk_mb=256)
        shell = "bash" if Path("/bin/bash").exists() else "sh"
        words = gently(["sh", "-c", 'exec "$0" -c "$1" 2>&1', shell, line])
        with run(
            self._laid(cancelled), words, scratch_home=self._home.scratch, seed=changes, limits=limits,
            place=self._root, read_roots=self._beside, cancelled=cancelled, heard=heard,
        ) as done:  # fmt: skip
            if done.stopped == "cancelled":
                raise TryAgain("the command was stopped before it ended")
            taken, withheld = _changes_of(done)
            return CommandEnd(
                how=_how(done), output=_said(done), seconds=round(done.seconds, 3), changes=taken, withheld=withheld
            )

    def check(self, name: str, changes: Changes, cancelled: Callable[[], bool]) -> CheckEnd:
        """Runs a check with these changes on top; what it writes is thrown away. TryAgain if it was cancelled."""
        tree = self._laid(cancelled)
        while True:
            try:
                with checks_lock(self._home, wait_s=_LOCK_S):
                    found = run_check_in(
                        self._home, tree, self._root, self._named[name], changes, beside=self._beside,
                        cancelled=cancelled,
                    )  # fmt: skip
            except TryAgain:
                if cancelled():
                    raise
                continue  # another check runs
            failed = [redact(f"{case.id}: {case.message}")[:300] for case in found.report.failed]
            return CheckEnd(
                name=name, outcome=found.outcome, failed=failed, why=found.why, output=found.output,
                seconds=found.seconds,
            )  # fmt: skip

    def close(self) -> None:
        """Removes the tree. Idempotent."""
        if self._room is not None:
            self._room.leave()
            self._room = None

    def _laid(self, cancelled: Callable[[], bool]) -> Path:
        """The directory with the files, laid out at the first call."""
        if self._room is None:
            room = take_room(self._home.scratch)
            try:
                self._lay(room.path / "tree", cancelled)
                self._beside = dependencies(self._root)
            except BaseException:
                room.leave()
                raise
            self._room = room
        return self._room.path / "tree"

    def _lay(self, tree: Path, cancelled: Callable[[], bool]) -> None:
        tree.mkdir()
        folders = {""}
        for number, (path, content, mode) in enumerate(self._files()):
            if number % _LOOK_EVERY == 0 and cancelled():
                raise TryAgain("the tree was not laid out: the turn was stopped")
            if unsafe_path(path):
                raise UsageError(f"{shown(path)} {unsafe_path(path)}")
            folder = path.rpartition("/")[0]
            if folder not in folders:
                (tree / folder).mkdir(parents=True, exist_ok=True)
                folders.add(folder)
            handle = os.open(tree / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, mode)  # whatever the umask is
                file.write(content)


def dependencies(root: Path) -> list[Path]:
    """The installed dependencies of a work tree: virtual environments and node_modules that git does not track, at most
    `DEPENDENCIES_AT_MOST`. GitError."""
    out = Git(root).run("ls-files", "-z", "--others", "--directory")
    found = []
    for name in filter(None, out.split(b"\0")):
        path = root / os.fsdecode(name.rstrip(b"/"))
        installed = name.endswith(b"/") and (path.name == "node_modules" or (path / "pyvenv.cfg").is_file())
        if installed and path.resolve() == path:
            found.append(path)
    return found[:DEPENDENCIES_AT_MOST]


def _how(done: ConfinedRun) -> str:
    if done.stopped is not None:
        return f"stopped by the limit {done.stopped}"
    return f"exit {done.exit}" if done.signal is None else f"signal {done.signal}"


def _said(done: ConfinedRun) -> str:
    text = redact((done.stdout + done.stderr).decode("utf-8", "replace"))
    return f"{text}\n[{done.truncated} bytes were cut out of the middle]" if done.truncated else text


def _changes_of(done: ConfinedRun) -> tuple[list[tuple[str, tuple[bytes, int] | None]], list[str]]:
    """(what differs from the laid tree, what of it is withheld and why). A run that a limit ended keeps its changes."""
    withheld = [f"{shown(change.path)}: {change.why}" for change in done.refused]
    taken: list[tuple[str, tuple[bytes, int] | None]] = []
    for change in done.changes[:_CHANGES_AT_MOST]:
        if change.kind == "deleted":
            taken.append((change.path, None))
            continue
        try:
            content = change.content or b""
        except (OSError, ValueError) as error:
            withheld.append(f"{shown(change.path)}: it cannot be read ({error})")
            continue
        if len(content) > _READ_AT_MOST:
            withheld.append(f"{shown(change.path)}: it is larger than {_READ_AT_MOST >> 20} MiB")
        else:
            taken.append((change.path, (content, (change.mode or 0o644) & 0o777)))
    if len(done.changes) > _CHANGES_AT_MOST:
        withheld.append(f"{len(done.changes) - _CHANGES_AT_MOST} more files: they are too many")
    return taken, withheld
