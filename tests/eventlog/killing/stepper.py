"""Kills a process at its N-th system call that changes something: before the call, or after half of a write.

The child is forked warm, traces itself and filters with seccomp, so that only calls which change state stop it. Plain
ptrace of one's own child: no privilege and no other program is needed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import select
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_X86 = {
    "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "sendfile": 40, "copy_file_range": 326, "close": 3,
    "fsync": 74, "fdatasync": 75, "sync_file_range": 277, "msync": 26, "ftruncate": 77, "truncate": 76,
    "fallocate": 285, "rename": 82, "renameat": 264, "renameat2": 316, "unlink": 87, "unlinkat": 263, "link": 86,
    "linkat": 265, "symlinkat": 266, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "fcntl": 72, "flock": 73,
    "fchmod": 91, "fchmodat": 268, "utimensat": 280, "pwritev2": 328, "openat": 257,
}  # fmt: skip
_ARM = {
    "write": 64, "pwrite64": 68, "writev": 66, "pwritev": 70, "sendfile": 71, "copy_file_range": 285, "close": 57,
    "fsync": 82, "fdatasync": 83, "sync_file_range": 84, "msync": 227, "ftruncate": 46, "truncate": 45,
    "fallocate": 47, "renameat": 38, "renameat2": 276, "unlinkat": 35, "linkat": 37, "symlinkat": 36, "mkdirat": 34,
    "fcntl": 25, "flock": 32, "fchmod": 52, "fchmodat": 53, "utimensat": 88, "openat": 56,
}  # fmt: skip
NUMBERS, _ARCH = {"x86_64": (_X86, 0xC000003E), "aarch64": (_ARM, 0xC00000B7)}[platform.machine()]
LOCKS = frozenset({"fcntl", "flock", "close"})
"""Calls that change only what dies with the process; stopped at with `locks`."""
NAMES = [*sorted(set(NUMBERS) - {"openat"}, key=NUMBERS.__getitem__), "openat"]

_TRACEME, _CONT, _SETOPTIONS, _GETEVENTMSG = 0, 7, 0x4200, 0x4201
_OPTIONS = 0x80 | 0x100000 | 0x8 | 0x4 | 0x2  # seccomp stops, the child dies with us, threads and forks too
_SECCOMP_STOP = 7
_WALL = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


@dataclass
class Call:
    """One stopped call: its name, and the file it is about where there is one (its place under the folder)."""

    name: str
    path: str


@dataclass
class Run:
    """What became of a child: `status` as subprocess gives it (negative: the signal), `calls` that it made."""

    status: int = 0
    count: int = 0
    calls: list[Call] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


def run(
    act: Callable[[], object],
    *,
    kill_at: int = 0,
    torn: bool = False,
    watch: bool = False,
    locks: bool = False,
    seen: Callable[[Call], None] | None = None,
) -> Run:
    """Runs `act` in a child and kills it at its `kill_at`-th call (0: never). `torn`: if that is a write, half of
    it is on disk by then. `watch`: the calls are recorded by name and file; `seen` is told each before it happens.
    `locks`: stops at `LOCKS` too."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_traced(act, locks)
    done = Run()
    _wait(child)
    _ptrace(_SETOPTIONS, child, _OPTIONS)
    _ptrace(_CONT, child)
    while True:
        pid, status = os.waitpid(-1, _WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if pid == child:
                done.status = os.waitstatus_to_exitcode(status)
                return done
            continue
        number = os.WSTOPSIG(status)
        deliver = 0
        if status >> 16 == _SECCOMP_STOP:
            done.count += 1
            if watch or seen is not None:
                done.calls.append(_seen(pid))
                if seen is not None:
                    seen(done.calls[-1])
            if done.count == kill_at:
                if torn:
                    _write_half(pid)
                os.kill(child, signal.SIGKILL)
                continue
        elif number not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = number
        _ptrace(_CONT, pid, deliver)


def kill_after(act: Callable[[], object], seconds: float) -> bool:
    """Runs `act` in a child and kills it after a time; whether it was still at work."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _do(act)
    ended = os.pidfd_open(child)
    try:
        still = not select.select([ended], [], [], seconds)[0]
        if still:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(ended)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status > 0:
        raise RuntimeError(f"the child failed with {status}")
    return status == -signal.SIGKILL


def _be_traced(act: Callable[[], object], locks: bool) -> None:
    _libc.prctl(38, 1, 0, 0, 0)
    _ptrace(_TRACEME, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    program = _filter(locks)
    block = (_Instruction * len(program))(*program)
    if _libc.prctl(22, 2, ctypes.byref(_Program(len(program), block)), 0, 0) != 0:
        os._exit(70)
    _do(act)


def _do(act: Callable[[], object]) -> None:
    try:
        act()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _filter(locks: bool) -> list[_Instruction]:
    """Stops at each named call with its index; `openat` only where it may create or empty a file."""
    load, equal, anyset, give = 0x20, 0x15, 0x45, 0x06
    allow, trace = 0x7FFF0000, 0x7FF00000
    out = [_Instruction(load, 0, 0, 4), _Instruction(equal, 1, 0, _ARCH), _Instruction(give, 0, 0, allow)]
    out.append(_Instruction(load, 0, 0, 0))
    for index, name in enumerate(NAMES[:-1]):
        if name in LOCKS and not locks:
            continue
        out += [_Instruction(equal, 0, 1, NUMBERS[name]), _Instruction(give, 0, 0, trace | index)]
    out += [_Instruction(equal, 0, 3, NUMBERS["openat"]), _Instruction(load, 0, 0, 32)]
    out += [_Instruction(anyset, 0, 1, os.O_CREAT | os.O_TRUNC), _Instruction(give, 0, 0, trace | len(NAMES) - 1)]
    return [*out, _Instruction(give, 0, 0, allow)]


def _seen(pid: int) -> Call:
    message = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, pid, ctypes.addressof(message))
    name = NAMES[message.value]
    arguments = _arguments(pid)
    if name.startswith(("rename", "unlink", "mkdir", "link", "open", "rmdir", "trunc")):
        at = 1 if name.endswith("at") or name == "renameat2" else 0
        last = {"rename": 1, "link": 1, "renameat": 3, "renameat2": 3, "linkat": 3}.get(name, at)
        return Call(name, _text(pid, arguments[last]))
    return Call(name, _opened(pid, arguments[0]))


def _arguments(pid: int) -> list[int]:
    return [int(part, 16) for part in Path(f"/proc/{pid}/syscall").read_text().split()[1:7]]


def _text(pid: int, address: int) -> str:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        memory.seek(address)
        return os.fsdecode(memory.read(4096).partition(b"\0")[0])


def _opened(pid: int, number: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/fd/{number}").readlink())
    except FileNotFoundError:
        return ""


def _write_half(pid: int) -> None:
    """Does the first half of the write that the process is about to make, in its place in the file."""
    message = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, pid, ctypes.addressof(message))
    name = NAMES[message.value]
    number, address, size, offset = _arguments(pid)[:4]
    path = _opened(pid, number)
    if name not in ("write", "pwrite64") or size < 2 or not path.startswith("/") or path.startswith("/dev/pts"):
        return
    if name == "write":
        about = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
        offset = int(about.partition("pos:")[2].split()[0])
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        memory.seek(address)
        content = memory.read(size // 2)
    with open(f"/proc/{pid}/fd/{number}", "r+b", buffering=0) as target:  # noqa: PTH123
        target.seek(offset)
        target.write(content)


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) == -1:
        error = ctypes.get_errno()
        if error != 3:  # gone meanwhile: the wait says how
            raise OSError(error, f"ptrace {request}: {os.strerror(error)}")


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, _WALL)
    if not os.WIFSTOPPED(status):
        raise RuntimeError(f"the child ended before it was traced: {status}")
