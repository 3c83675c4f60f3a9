"""Confined execution: runs one command on a scratch view of a tree, and refuses to run it if it cannot be confined.

See tier T2 in DESIGN, "Acting"."""

from __future__ import annotations

import errno
import functools
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from kairos import _native, errors
from kairos.acting.scratch_home import ScratchRoom, take_room
from kairos.acting.surroundings import environment_for, home_directory, interpreter_roots
from kairos.privacy import make_private

LAUNCHER = Path(_native.__file__).parent / "_bin" / "kairos-exec"
Seed = Mapping[str, tuple[bytes, int] | None]
# With a larger disk limit, the changes are kept on disk instead of in memory.
_MOST_IN_MEMORY_MB = 1024
_MB = 1 << 20
_HINTS = {
    "namespaces": "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1, "
    "user.max_user_namespaces above 0 and, on Ubuntu, kernel.apparmor_restrict_unprivileged_userns=0",
    "mounts": "inside a container the mounts must be allowed (Docker: --security-opt seccomp=unconfined)",
    "proc": "inside a container /proc must be unmasked (Docker: --security-opt systempaths=unconfined)",
    "overlay": "overlayfs in a user namespace needs Linux 5.11 or newer, and the tree on an ordinary file system",
    "landlock": "start a kernel with Landlock (5.13 or newer, `landlock` among the lsm= names)",
    "seccomp": "start a kernel with CONFIG_SECCOMP_FILTER",
    "spawn": "reinstall Kairos: its launcher kairos-exec could not be started",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The resource limits of one run. `wall` is in seconds, `out` in bytes for each stream; longer output is cut in
    the middle."""

    wall: float = 60.0
    mem_mb: int = 1024
    pids: int = 128
    out: int = 512 * 1024
    # The run is ended when both streams together exceed this many bytes.
    flood: int = 1536 * _MB
    file_mb: int = 256
    disk_mb: int = 256
    files: int = 65_536
    open_files: int = 1024


class Tier(msgspec.Struct, frozen=True):
    """The confinement this machine supports: T3 with a cgroup, T2 without one, T1 without namespaces, T0 none.

    Commands need T2."""

    name: Literal["T0", "T1", "T2", "T3"]
    layers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    why: str = ""


class ExportedChange(msgspec.Struct, frozen=True):
    """One exportable change. `path` is relative, with undecodable bytes as surrogates; `mode` is 0o100644, 0o100755 or
    None."""

    path: str
    kind: Literal["created", "modified", "deleted"]
    mode: int | None
    held: _native.Changes = msgspec.field()

    @property
    def content(self) -> bytes | None:
        """The new bytes, None for a deletion. They are read on access, so only before the run is discarded."""
        return None if self.kind == "deleted" else self.held.read(os.fsencode(self.path))


class WithheldChange(msgspec.Struct, frozen=True):
    """A change that must not be exported from the sandbox, and the reason."""

    path: str
    why: str


class ConfinedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run. Its changes are kept until `discard`; use it as a context manager.

    `exit` is None if a signal ended the run. `stopped` is the limit that ended the run, None if none did: wall, output,
    memory, processes, disk, cancelled or killed. `truncated` is the number of bytes cut from the output.
    """

    exit: int | None
    signal: int | None
    timed_out: bool
    stopped: str | None
    stdout: bytes
    stderr: bytes
    truncated: int
    tier: str
    layers: tuple[str, ...]
    missing: tuple[str, ...]
    seconds: float
    changes: tuple[ExportedChange, ...]
    refused: tuple[WithheldChange, ...]
    held: _native.Changes | None
    room: ScratchRoom
    # The tree that the run saw as a scratch view, and the (device, inode) of its directory.
    root: Path
    identity: tuple[int, int]

    def discard(self) -> None:
        """Releases the changes and removes the scratch directory. Idempotent."""
        if self.held is not None:
            self.held.close()
        self.room.leave()

    def __enter__(self) -> ConfinedRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


class SeedRefused(errors.KairosError):
    """The seed cannot be applied to the tree: a path escapes it or leads through a link, or there is no file to
    remove."""

    name = "seed_refused"


def run(
    root: Path,
    argv: Sequence[str | bytes],
    *,
    scratch_home: Path,
    seed: Seed | None = None,
    limits: Limits | None = None,
    net: Literal["none", "loopback"] = "none",
    read_roots: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
    place: Path | None = None,
    fail_at: str | None = None,
    heard: Callable[[bytes], None] | None = None,
    waker: int | None = None,
) -> ConfinedRun:
    """Runs `argv` in a scratch view of `root`; nothing in `root` changes.

    `seed` is applied to the view first: path to (content, mode), or to None for a removal. `read_roots` are readable
    besides the system and the usual toolchains. `place` is where the command sees the view (by default at `root`);
    read roots below it are laid over the view. `cancelled` is called ten times a second. `heard` gets the standard
    output as it comes; with `waker`, a descriptor, the run may last for days and ends when that can be read.

    Raises SandboxUnavailable if a layer could not be set up (the command did not run), SeedRefused, UsageError.
    """
    if not argv or not argv[0]:
        raise errors.UsageError("there is no command to run", "Give it after `--`, for example `-- make test`.")
    tree = _real_directory(root)
    identity = (tree.stat().st_dev, tree.stat().st_ino)
    limits = limits or Limits()
    home = home_directory(os.environ)
    seen = tree if place is None else place.resolve()
    visible = (*interpreter_roots(os.environ, home), *(_real_path(place) for place in read_roots))
    with _room_for_a_run(scratch_home) as room:
        answer = _start(
            room,
            limits,
            root=os.fsencode(tree),
            home=os.fsencode(home),
            argv=[os.fsencode(word) for word in argv],
            place=os.fsencode(seen),
            env=_encoded(environment_for(os.environ, home, (*visible, seen))),
            read_roots=[os.fsencode(place) for place in visible],
            seed=[
                (os.fsencode(path), None if file is None else (file[0], file[1])) for path, file in (seed or {}).items()
            ],
            loopback=net == "loopback",
            cancelled=cancelled,
            fail_at=fail_at,
            heard=heard,
            waker=waker,
        )
        return _understood(answer, room, tree, identity)


def _start(room: ScratchRoom, limits: Limits, **wish: object) -> _native._RunAnswer:
    room.prepare()
    try:
        return _native.confined_run(
            launcher=os.fsencode(LAUNCHER),
            scratch=os.fsencode(room.path),
            limits=(
                limits.mem_mb * _MB,
                limits.pids,
                limits.file_mb * _MB,
                limits.disk_mb * _MB,
                limits.files,
                limits.open_files,
                int(limits.wall) + 5,
            ),
            wall=limits.wall,
            keep=limits.out,
            flood=limits.flood,
            on_disk=limits.disk_mb > _MOST_IN_MEMORY_MB or not _memory_keeps_attributes(),
            **wish,  # type: ignore[arg-type]
        )
    except ValueError as error:
        raise errors.SandboxUnavailable(
            f"this cannot be confined: {error}", "Choose a tree that holds neither your home nor the system."
        ) from error
    except OSError as error:
        raise errors.SandboxUnavailable(f"the launcher could not be started: {error}", _HINTS["spawn"]) from error


def _understood(answer: _native._RunAnswer, room: ScratchRoom, tree: Path, identity: tuple[int, int]) -> ConfinedRun:
    exit_code, stderr = answer["exit"], answer["stderr"]
    if answer["failed"] is not None:
        layer, why, code = answer["failed"]
        if layer == "seed":
            raise SeedRefused(f"The patch does not fit the tree: {why}.")
        if layer != "exec":
            raise errors.SandboxUnavailable(
                f"the layer {layer} could not be set up ({why}), so the command was not run",
                _HINTS.get(layer, "See kairos doctor for what this machine lacks."),
            )
        exit_code = 127 if code in (errno.ENOENT, errno.ENOTDIR) else 126
        stderr = f"kairos: cannot run {why}\n".encode("utf-8", "surrogateescape")
    held = answer["changes"]
    changes, refused = held.survey() if held is not None else ([], [])
    return ConfinedRun(
        exit=exit_code,
        signal=answer["signal"],
        timed_out=answer["stopped"] == "wall",
        stopped=answer["stopped"],
        stdout=answer["stdout"],
        stderr=stderr,
        truncated=answer["cut"],
        tier="T3" if "cgroup" in answer["layers"] else "T2",
        layers=tuple(answer["layers"]),
        missing=tuple(answer["missing"]),
        seconds=answer["seconds"],
        changes=tuple(ExportedChange(os.fsdecode(path), kind, mode, held) for path, kind, mode in changes if held),
        refused=tuple(WithheldChange(os.fsdecode(path), why) for path, why in refused),
        held=held,
        room=room,
        root=tree,
        identity=identity,
    )


def tier(scratch_home: Path) -> Tier:
    """The confinement tier of this machine, found by trial runs and cached for the life of the process."""
    return _tier(scratch_home)


@functools.lru_cache(maxsize=8)
def _tier(scratch_home: Path) -> Tier:
    make_private(scratch_home)
    with take_room(scratch_home) as trial_tree:
        tree = trial_tree.path / "tree"
        tree.mkdir()
        try:
            with run(tree, ["/bin/true"], scratch_home=scratch_home, limits=Limits(wall=10)) as done:
                if done.exit == 0:
                    return Tier("T3" if done.tier == "T3" else "T2", done.layers, done.missing)
                why = f"a trial ended with {done.exit or done.signal} ({done.stderr.decode(errors='replace')})"
        except errors.SandboxUnavailable as error:
            why = error.message
    with take_room(scratch_home) as room:
        words: dict[str, str | None] = dict(
            _start(
                room, Limits(wall=10), root=b"/", home=b"/", argv=[], env=[], read_roots=[], seed=[],
                loopback=False, probe=True,
            )["probe"]
        )  # fmt: skip
    works = tuple(layer for layer, fault in words.items() if fault is None)
    name: Literal["T0", "T1"] = "T1" if {"landlock", "seccomp"} <= set(works) else "T0"
    return Tier(name, works, tuple(layer for layer, fault in words.items() if fault is not None), why)


@contextmanager
def _room_for_a_run(scratch_home: Path) -> Iterator[ScratchRoom]:
    """A scratch room that is kept if the block succeeds and removed if it raises."""
    room = take_room(scratch_home)
    try:
        yield room
    except BaseException:
        room.leave()
        raise


def _encoded(environment: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(os.fsencode(name), os.fsencode(value)) for name, value in environment.items()]


def _real_path(place: Path) -> Path:
    try:
        return place.resolve(strict=True)
    except OSError as error:
        raise errors.UsageError(f"{place} cannot be read: {error.strerror}.") from error


def _real_directory(root: Path) -> Path:
    tree = _real_path(root)
    if not tree.is_dir():
        raise errors.UsageError(f"{root} is not a directory.")
    return tree


def _memory_keeps_attributes() -> bool:
    """Whether tmpfs supports the extended attributes that overlayfs needs (Linux 6.6 or newer)."""
    numbers = platform.release().split("-")[0].split(".")
    try:
        return (int(numbers[0]), int(numbers[1])) >= (6, 6)
    except (IndexError, ValueError):
        return False
