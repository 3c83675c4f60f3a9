"""Attacks on confined execution, each by its own real command. A command prints WON where it got through; what it
did outside is looked at from outside. Every check is made after every attack."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.acting.confine import ConfinedRun, Limits, run
from kairos.acting.exporting import export

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
PYTHON = os.path.realpath(sys.executable)
LIBC = "import ctypes,os;l=ctypes.CDLL(None,use_errno=True);"


def python(code: str) -> str:
    """A shell command that runs `code`; quotes in it are double ones."""
    return f"{PYTHON} -I -c '{code}'"


def syscall(number: int, arguments: str, setup: str = "") -> str:
    return python(f'{LIBC}{setup}r=l.syscall({number},{arguments});print("WON" if r>=0 else ctypes.get_errno())')


WRITING = {
    "an absolute path": "echo WON > {OUT}/absolute",
    "a symlink to a directory": "ln -sfn {OUT} d && echo x > d/through",
    "the parent of the working directory": "echo x > ../outside/parent; echo x > /proc/self/cwd/../outside/parent",
    "the root of process 1": "echo x > /proc/1/root{OUT}/root && echo WON; echo x > /proc/1/cwd/x && echo WON",
    "inherited descriptors": python(
        'import os\nfor f in range(3,1024):\n  try: os.write(f,b"x"); print("WON")\n  except OSError: pass'
    ),
    "removing": "rm -f {OUT}/canary && ls {OUT}/canary",
    "a hard link": "ln {OUT}/canary here && echo x >> here && echo WON",
    "an extended attribute": python('import os;os.setxattr("{OUT}/canary","user.x",b"1");print("WON")'),
    "leaving a chroot": python(
        'import os;os.mkdir("j");f=os.open("/",0);os.chroot("j");os.fchdir(f);os.chroot(".");print("WON")'
    ),
    "mounting": "mount -t tmpfs x /tmp && echo WON; mount --bind / /tmp && echo WON; umount -l /usr && echo WON",
    "remounting writable": "mount -o remount,rw /usr && echo WON; touch /usr/won && echo WON",
    "writing to the system": "for f in /etc/won /usr/bin/won /won /bin/won /dev/won; do echo x > $f && echo WON; done",
    "kernel settings": "echo x > /proc/sys/kernel/core_pattern && echo WON; echo h > /proc/sysrq-trigger && echo WON",
    "the shell start file": "mkdir -p {HOME}; echo x >> {HOME}/.bashrc",
    "the global git configuration": "git config --global core.editor x",
    "a device": "mknod disk b 254 0 && echo WON; mknod tty c 5 0 && echo WON; head -c1 /dev/vda && echo WON",
}
GIT = {
    "a hook": 'printf "#!/bin/sh\\ntouch {MARK}\\n" > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit',
    "a file system monitor": 'git config core.fsmonitor "touch {MARK}; false"',
    "a hooks path": 'git config core.hooksPath h; mkdir h; printf "#!/bin/sh\\ntouch {MARK}\\n" > h/pre-commit; '
    "chmod +x h/pre-commit",
    "a filter": 'git config filter.x.clean "touch {MARK}; cat"; echo "*.txt filter=x" > .gitattributes; '
    "echo z >> a.txt",
    "an alternative spelling": 'mkdir -p .GIT/hooks "git~1/hooks"; echo x > .GIT/hooks/x; echo x > "git~1/hooks/x"',
    "a nested repository": "git init -q sub; printf '#!/bin/sh\\ntouch {MARK}\\n' > sub/.git/hooks/pre-commit; "
    "chmod +x sub/.git/hooks/pre-commit; touch sub/f",
    "a bare repository": 'git init -q --bare sub; git -C sub config core.fsmonitor "touch {MARK}; false"; '
    "touch sub/objects/k sub/refs/k",
    "a git file": "mkdir sub; echo 'gitdir: ../evil' > sub/.git; git init -q --bare evil; echo x > evil/objects/k",
    "a link to the configuration": "ln -s .git/config c; ln -s .git d; echo x > d/hooks/post-checkout",
    "a hidden commit": "git -c user.name=a -c user.email=a@a commit -q --allow-empty -m hidden",
    "removing the repository": "rm -rf .git",
}
SECRETS = {
    "a key file": "cat {HOME}/.ssh/id_ed25519 && echo WON",
    "environments": 'for p in /proc/[0-9]*; do tr "\\0" "\\n" < $p/environ | grep KAIROS_TEST && echo WON; done; env',
    "shadow": "head -1 /etc/shadow && echo WON",
    "memory of another process": python(
        LIBC + "b=ctypes.create_string_buffer(8);v=(ctypes.c_size_t*2)(ctypes.addressof(b),8);"
        'print("WON" if l.process_vm_readv({VICTIM},v,1,v,1,0)>=0 or l.process_vm_readv(1,v,1,v,1,0)>=0 else "no")'
    ),
    "tracing": python(LIBC + 'print("WON" if l.ptrace(16,{VICTIM},0,0)==0 or l.ptrace(16,1,0,0)==0 else "no")'),
    "the scratch directory": "ls {SCRATCH} && echo WON; find / -xdev -name 'run-*' 2>/dev/null | grep . && echo WON",
    "mapped files of process 1": "cat /proc/1/maps | grep . && echo WON; cat /proc/1/mem && echo WON; "
    "for f in /proc/1/fd/*; do readlink $f && echo WON; ls $f/ && echo WON; done",
}
NETWORK = {
    "a local service": "exec 3<>/dev/tcp/127.0.0.1/{TCP} && echo WON >&3",
    "an abstract socket": python('import socket;s=socket.socket(1);s.connect("\\0{ABSTRACT}");print("WON")'),
    "a socket file": python('import socket;s=socket.socket(1);s.connect("{OUT}/socket");print("WON")'),
    "a socket file in the tree": python('import socket;s=socket.socket(1);s.connect("socket");print("WON")'),
    "a route": python('import socket;s=socket.socket(2,2);s.connect(("192.0.2.1",80));print("WON")'),
    "a netlink socket": python('import socket;socket.socket(16,3,0);print("WON")'),
    "a raw packet socket": python('import socket;socket.socket(17,3,0);print("WON")'),
    "the kernel's crypto sockets": python('import socket;socket.socket(38,5,0);print("WON")'),
    "a vsock": python('import socket;socket.socket(40,1,0);print("WON")'),
}
PRIVILEGE = {
    "setuid programs": "su -c id nobody </dev/null && echo WON; grep -q 'NoNewPrivs:.1' /proc/self/status || echo WON",
    "a new user namespace": "unshare -Ur true && echo WON; unshare -m true && echo WON; unshare -n true && echo WON",
    "capabilities": "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -qv '0000000000000000$' && echo WON",
    "another's user number": python('import os;os.setresuid(1,1,1);print("WON")'),
    "killing from inside": "kill -9 {VICTIM} && echo WON; kill -9 {PARENT} && echo WON; kill -9 1 && echo WON",
    "the terminal": "echo x > /dev/tty && echo WON; test -t 0 && echo WON; ls /dev/pts /dev/ptmx && echo WON",
    "raising limits": "ulimit -n 100000 && echo WON; ulimit -c unlimited && echo WON",
    "the user's inotify instances": python(
        'import ctypes;l=ctypes.CDLL(None)\nprint("WON" if sum(l.inotify_init()>=0 for i in range(100))>20 else "no")'
    ),
    "leaving the cgroup": "echo $$ > /sys/fs/cgroup/cgroup.procs && echo WON; ls /sys && echo WON",
}
X86_64 = {
    "keys": syscall(248, '"user","k","v",1,-4'.replace('"', 'b"', 1).replace(',"', ',b"')),
    "perf": syscall(298, 'ctypes.create_string_buffer(b"\\x01\\0\\0\\0\\x70\\0\\0\\0",112),0,-1,-1,0'),
    "bpf": syscall(321, "0,ctypes.create_string_buffer(128),128"),
    "userfaultfd": syscall(323, "1"),
    "io_uring": syscall(425, "8,ctypes.create_string_buffer(256)"),
    "files by handle": syscall(
        303, '-100,b"/tmp",ctypes.create_string_buffer(b"\\x80\\0\\0\\0",256),ctypes.create_string_buffer(8),0'
    ),
    "namespaces by clone": python(
        LIBC + 'r=l.syscall(56,0x10000011,0,0,0,0)\nif r==0: os._exit(0)\nprint("WON" if r>0 else "no")'
    ),
    "clone3": python(
        LIBC + "a=(ctypes.c_uint64*11)(0x10000000,0,0,0,17)\nr=l.syscall(435,a,88)\nif r==0: os._exit(0)\n"
        'print("WON" if r>0 else "no")'
    ),
    "pushing keys into a terminal": syscall(16, '1,0x5412,b"x"'),
    "the same with high bits set": syscall(16, '1,ctypes.c_uint64(0xffffffff00005412),b"x"'),
    "the 32-bit interface": python(
        'import ctypes,mmap;m=mmap.mmap(-1,4096,prot=7);m.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3");'
        'f=ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)));f();print("WON")'
    ),
    "the x32 interface": syscall(0x40000027, "0") + "; true",
    "a memory file": syscall(319, 'b"x",0'),
    "another personality": syscall(135, "0x0400000"),
}
ATTACKS = {
    f"{kind}: {goal}": command
    for kind, table in {
        "writing": WRITING,
        "git": GIT,
        "secrets": SECRETS,
        "network": NETWORK,
        "privilege": PRIVILEGE,
        "calls": X86_64 if platform.machine() == "x86_64" else {},
    }.items()
    for goal, command in table.items()
}


class World:
    """A person's machine in small: secrets at home, files and services outside, a repository."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home, self.outside, self.tree = place / "home", place / "outside", place / "tree"
        self.scratch, self.mark = place / "scratch", place / "mark"
        self.token = uuid.uuid4().hex
        for directory in (self.home / ".ssh", self.outside, self.tree):
            directory.mkdir(parents=True)
        (self.home / ".ssh/id_ed25519").write_text(self.token)
        (self.outside / "canary").write_text("canary")
        (self.tree / "a.txt").write_text("one\n")
        for words in (["init", "-q"], ["add", "a.txt"], ["commit", "-qm", "first"]):
            self.git(*words)
        self.heard: list[bytes] = []
        self.sockets = [socket.socket(), *(socket.socket(socket.AF_UNIX) for _ in range(3))]
        self.sockets[0].bind(("127.0.0.1", 0))
        self.abstract = f"kairos-{self.token}"
        self.sockets[1].bind(f"\0{self.abstract}")
        here = Path.cwd()
        for listener, directory in ((self.sockets[2], self.outside), (self.sockets[3], self.tree)):
            os.chdir(directory)  # a socket's name is limited to 108 bytes
            listener.bind("socket")
        os.chdir(here)
        for listener in self.sockets:
            listener.listen()
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()
        self.victim = subprocess.Popen(["sleep", "300"])

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            self.heard.append(b"called")
            caller.close()

    def git(self, *words: str) -> str:
        quiet = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": os.environ["PATH"]}
        ids = {f"GIT_{who}_{what}": "a@a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(["git", *words], cwd=self.tree, capture_output=True, text=True, env=quiet | ids)
        return done.stdout

    def fill(self, command: str) -> str:
        holes = {
            "OUT": self.outside, "HOME": self.home, "MARK": self.mark, "SCRATCH": self.scratch,
            "VICTIM": self.victim.pid, "PARENT": os.getpid(), "TCP": self.sockets[0].getsockname()[1],
            "ABSTRACT": self.abstract,
        }  # fmt: skip
        for name, value in holes.items():
            command = command.replace(f"{{{name}}}", str(value))
        return command

    def picture(self) -> dict[str, tuple[int, bytes]]:
        """Every path of home, outside and tree with its mode and bytes."""
        paths = [path for top in (self.home, self.outside, self.tree) for path in top.rglob("*")]
        return {
            str(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"") for path in sorted(paths)
        }

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for listener in self.sockets:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path)
    monkeypatch.setenv("HOME", str(world.home))
    monkeypatch.setenv("KAIROS_TEST_TOKEN", world.token)
    yield world
    world.close()


def attack(world: World, command: str, limits: Limits | None = None) -> ConfinedRun:
    return run(world.tree, ["bash", "-c", world.fill(command)], scratch_home=world.scratch, limits=limits)


@pytest.mark.parametrize("goal", ATTACKS)
def test_an_attack_fails(world: World, goal: str) -> None:
    before = world.picture()
    descriptor = os.open(world.outside / "canary", os.O_WRONLY | os.O_APPEND)
    os.set_inheritable(descriptor, True)
    try:
        with attack(world, ATTACKS[goal], Limits(wall=10)) as done:
            assert b"WON" not in done.stdout
            assert world.token.encode() not in done.stdout + done.stderr
            assert world.picture() == before
            assert not world.heard
            assert world.victim.poll() is None
            assert done.stopped is None
            export(done)
    finally:
        os.close(descriptor)
    head = world.git("rev-parse", "HEAD")
    for words in (["status"], ["diff"], ["-C", "sub", "status"], ["commit", "--allow-empty", "-qm", "x"]):
        world.git(*words)
    assert not world.mark.exists()
    assert world.git("rev-parse", "HEAD~1") == head
    assert {path: seen for path, seen in world.picture().items() if str(world.tree) not in path} == {
        path: seen for path, seen in before.items() if str(world.tree) not in path
    }


MEMORY = Limits(wall=20, mem_mb=128, disk_mb=32)
GREEDY = {
    "memory of one process": python('b=bytearray(b"x"*(1<<28));print("WON")'),
    "memory of many processes": python(
        'import os,time\nfor i in range(12):\n  if os.fork()==0:\n    b=bytearray(b"x"*(40<<20))\n'
        '    time.sleep(9);os._exit(0)\ntime.sleep(8);print("WON")'
    ),
    "shared memory": python(
        'import mmap,time\nm=mmap.mmap(-1,1<<30)\nfor i in range(1<<10): m[i<<20:(i+1)<<20]=b"x"*(1<<20)\nprint("WON")'
    ),
    "one big file": "head -c 300M /dev/zero > big && echo WON",
    "many files": "for i in $(seq 40); do head -c 1M /dev/zero > f$i || exit; done; echo WON",
    "a sparse file": "truncate -s 1T sparse && echo WON",
    "the temporary directory": "head -c 300M /dev/zero > /tmp/big && echo WON; "
    "head -c 90M /dev/zero > /dev/shm/b && echo WON",
    "file names": python(
        'import os\nfor i in range(70000): os.mkdir(f"d{i}")\nprint("WON")'
    ),
    "unlinked files": python(
        'import os\nfor i in range(40):\n  f=open(f"f{i}","wb");os.unlink(f"f{i}");f.write(b"x"*(1<<20));f.flush();'
        'globals()[f"k{i}"]=f\nprint("WON")'
    ),
    "processes": python(
        'import os,time\nn=0\nwhile n<400:\n  try: p=os.fork()\n  except OSError: break\n'
        '  if p==0: time.sleep(9);os._exit(0)\n  n+=1\nprint("WON" if n>140 else n)'
    ),
    "threads": python(
        "import threading,time\nn=0\nwhile n<400:\n"
        "  try: threading.Thread(target=time.sleep,args=(9,),daemon=True).start()\n"
        '  except RuntimeError: break\n  n+=1\nprint("WON" if n>140 else n)'
    ),
}  # fmt: skip


@pytest.mark.parametrize("goal", GREEDY)
def test_greed_is_bounded(world: World, goal: str) -> None:
    with attack(world, GREEDY[goal], MEMORY) as done:
        assert b"WON" not in done.stdout
        assert done.stopped in (None, "memory", "processes")


def test_the_host_s_limit_of_process_numbers_is_untouched(world: World) -> None:
    before = Path("/proc/sys/kernel/pid_max").read_text()
    attack(world, "true").discard()
    assert Path("/proc/sys/kernel/pid_max").read_text() == before


def test_ignoring_every_signal_does_not_outlive_the_deadline(world: World) -> None:
    tag = f"kairos-{world.token}"
    stubborn = f"trap '' TERM INT HUP QUIT; exec -a {tag} sleep 60"
    with attack(world, stubborn, Limits(wall=0.5)) as done:
        assert done.timed_out and done.signal == 9 and done.seconds < 5
    assert not _running(tag)


def test_a_daemon_that_leaves_its_session_ends_with_the_command(world: World) -> None:
    tag = f"kairos-{world.token}"
    with attack(world, f"(setsid bash -c 'exec -a {tag} sleep 60' &) ; (trap '' HUP; sleep 60 &); echo done") as done:
        assert done.stdout == b"done\n" and done.exit == 0 and done.seconds < 5
    assert not _running(tag)


def _running(tag: str) -> bool:
    lines = (path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit())
    found = []
    for line in lines:
        try:
            found.append(line.read_bytes().startswith(tag.encode()))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return any(found)
