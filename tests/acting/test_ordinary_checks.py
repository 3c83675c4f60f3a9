"""What ordinary test suites use is there in the sandbox, terminals too, and nothing of the outside comes with it."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
from pathlib import Path

import pytest

from kairos.acting.confine import ConfinedRun, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
TERMINALS = {
    "a pair": "import os, pty; m, s = pty.openpty(); os.write(m, b'x\\n'); print(os.ttyname(s), os.read(s, 9))",
    "a session on one": "import pty; pty.spawn(['sh', '-c', 'tty && test -t 0 && echo on one > /dev/tty'])",
    "a fork onto one": """
import os, pty
pid, fd = pty.fork()
if not pid:
    os.execvp("sh", ["sh", "-c", "stty size"])
print(os.read(fd, 9))
""",
    "its size and modes": """
import fcntl, os, pty, struct, termios, tty
m, s = pty.openpty()
fcntl.ioctl(m, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
tty.setraw(s)
assert os.get_terminal_size(s) == (120, 50) and os.isatty(s)
""",
    "a terminal program": "import subprocess; subprocess.run(['script', '-qec', 'tty', '/dev/null'], check=True)",
}
ORDINARY = {
    "shared memory": """
import multiprocessing as m
from multiprocessing import shared_memory as s
assert m.Lock() and m.Queue()
x = s.SharedMemory(create=True, size=1)
x.close()
x.unlink()
""",
    "descriptors by name": """
import subprocess
subprocess.run(["bash", "-c", "cat <(echo a) > /dev/stdout; echo b | tee /dev/fd/1 /dev/stderr"], check=True)
""",
    "a home": """
import pathlib
p = pathlib.Path.home() / ".config/app"
p.mkdir(parents=True)
(p / "f").write_text("x")
""",
    "its user": "import getpass, os, pwd; assert pwd.getpwuid(os.getuid()).pw_name == getpass.getuser()",
    "a locale": "import locale; locale.setlocale(locale.LC_ALL, ''); assert locale.getpreferredencoding() == 'UTF-8'",
    "terminal descriptions": "import curses; curses.setupterm()",
    "itself": "assert all(open('/proc/' + name).read() for name in ('self/status', 'self/maps', 'meminfo', 'cpuinfo'))",
    "pipes and links": "import os; os.mkfifo('p'); os.symlink('p', 'l'); os.link('p', 'q')",
    "attributes": "import os, tempfile; f = tempfile.NamedTemporaryFile(); os.setxattr(f.name, 'user.a', b'b')",
    "local sockets": "import socket; s = socket.socket(socket.AF_UNIX); s.bind('/tmp/s'); socket.socketpair()",
    "sessions and signals": """
import os, signal, subprocess
p = subprocess.Popen(["sleep", "9"], start_new_session=True)
os.killpg(p.pid, signal.SIGTERM)
assert p.wait() == -signal.SIGTERM
""",
}
REACH = """
for f in /dev/tty /dev/console /dev/tty1 /proc/1/fd/0 /proc/1/fd/1; do (echo WON > $f) 2>/dev/null; done
python3 push.py 2>/dev/null && echo WON
exit 0
"""
PUSH = "import fcntl, os, termios\nfcntl.ioctl(os.open('/dev/ptmx', os.O_RDWR), termios.TIOCSTI, b'x')\n"
"""Types a key into a terminal of its own: refused as well, so that none of another can be typed into."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def python(tree: Path, program: str, **wish: str) -> ConfinedRun:
    argv = ["/usr/bin/env", "python3", "-c", program]
    return run(tree, argv, scratch_home=tree.with_name("scratch"), **wish)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TERMINALS)
def test_a_command_opens_terminals_of_its_own(tree: Path, name: str) -> None:
    with python(tree, TERMINALS[name]) as done:
        assert (done.exit, done.stderr) == (0, b"")
        assert "terminals" in done.layers


@pytest.mark.parametrize("name", ORDINARY)
def test_what_ordinary_test_suites_use_is_there(tree: Path, name: str) -> None:
    with python(tree, ORDINARY[name]) as done:
        assert done.exit == 0, done.stderr.decode()


def test_the_terminals_of_a_command_are_its_own_alone_and_few(tree: Path) -> None:
    master, slave = os.openpty()
    try:
        seen = "import os; print([n for n in range(300) if os.path.exists(f'/dev/pts/{n}')])"
        with python(tree, seen) as done:
            assert (done.exit, done.stdout) == (0, b"[]\n")
        many = "import os\nn = 0\ntry:\n  while n < 999: os.openpty(); n += 1\nexcept OSError: print(n)"
        with python(tree, many) as done:
            assert (done.exit, done.stdout) == (0, b"64\n")
    finally:
        os.close(master)
        os.close(slave)


def test_a_command_never_reaches_the_terminal_that_kairos_runs_on(tree: Path, tmp_path: Path) -> None:
    """Kairos has a controlling terminal here; nothing typed into it or shown on it is the command's."""
    (tree / "push.py").write_text(PUSH)
    told = tmp_path / "told"
    program = f"""
from pathlib import Path
from kairos.acting.confine import run
open("/dev/tty", "w").write("mine")
with run(Path({str(tree)!r}), ["sh", "-c", {REACH!r}], scratch_home=Path({str(tmp_path / "scratch")!r})) as done:
    Path({str(told)!r}).write_text(repr((done.exit, done.stdout)))
"""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", program])
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while block := os.read(master, 4096):
            shown += block
    assert os.waitpid(pid, 0)[1] == 0, shown
    os.close(master)
    assert (told.read_text(), shown) == ("(0, b'')", b"mine")


def test_without_terminals_a_command_runs_and_the_run_says_so(tree: Path) -> None:
    with python(tree, "import os; assert not os.path.exists('/dev/ptmx')", fail_at="terminals") as done:
        assert (done.exit, done.stderr) == (0, b"")
        assert "terminals" in done.missing and "terminals" not in done.layers
