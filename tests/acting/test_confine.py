"""Confined execution: what a run tells, what it keeps apart, and that any failed layer means no run at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kairos import _native
from kairos.acting.confine import ConfinedRun, Limits, SeedRefused, run, tier
from kairos.acting.exporting import export
from kairos.acting.scratch_home import sweep
from kairos.errors import SandboxUnavailable, UsageError
from tests.processes import running, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
LAYERS = [
    "namespaces", "mounts", "proc", "overlay", "seed", "network", "limits", "descriptors", "capabilities", "landlock",
    "seccomp",
]  # fmt: skip


class Place:
    """A tree, a scratch home, and a short way to run a shell line there."""

    def __init__(self, place: Path) -> None:
        self.tree, self.scratch = place / "tree", place / "scratch"
        self.tree.mkdir()
        (self.tree / "a.txt").write_text("one\n")
        (self.tree / "sub").mkdir()
        (self.tree / "sub/b.txt").write_text("two\n")

    def sh(self, line: str, **wish: object) -> ConfinedRun:
        return run(self.tree, ["sh", "-c", line], scratch_home=self.scratch, **wish)  # type: ignore[arg-type]

    def picture(self) -> dict[str, tuple[os.stat_result, bytes]]:
        paths = sorted(self.tree.rglob("*"))
        return {str(path): (path.lstat(), path.read_bytes() if path.is_file() else b"") for path in paths}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def kinds(done: ConfinedRun) -> list[tuple[str, str, int | None]]:
    return [(change.path, change.kind, change.mode) for change in done.changes]


def test_a_run_tells_its_exit_output_and_layers(place: Place) -> None:
    with place.sh("echo out; echo err >&2; exit 3") as done:
        assert (done.exit, done.signal, done.stopped, done.timed_out) == (3, None, None, False)
        assert (done.stdout, done.stderr, done.truncated) == (b"out\n", b"err\n", 0)
        assert done.tier in ("T2", "T3") and set(LAYERS) <= set(done.layers)
        assert done.changes == () and done.refused == ()


def test_a_signal_is_told_apart_from_an_exit(place: Place) -> None:
    with place.sh("kill -SEGV $$") as done:
        assert (done.exit, done.signal, done.stopped) == (None, signal.SIGSEGV, None)


@pytest.mark.parametrize(("argv", "code"), [(["no-such-program"], 127), (["./a.txt"], 126), (["/tmp"], 126)])
def test_a_program_that_cannot_be_started_is_an_outcome_like_in_a_shell(
    place: Place, argv: list[str], code: int
) -> None:
    with run(place.tree, argv, scratch_home=place.scratch) as done:
        assert done.exit == code and b"cannot run" in done.stderr


def test_an_empty_command_and_a_missing_tree_are_usage_errors(place: Place, tmp_path: Path) -> None:
    for root, argv in (
        (place.tree, []),
        (place.tree, [""]),
        (tmp_path / "none", ["true"]),
        (place.tree / "a.txt", ["x"]),
    ):
        with pytest.raises(UsageError):
            run(root, argv, scratch_home=place.scratch)


def test_a_broken_pipe_ends_the_writer_silently(place: Place) -> None:
    with place.sh("yes | head -1") as done:
        assert (done.stdout, done.stderr) == (b"y\n", b"")


def test_a_planted_program_is_not_found_by_name(place: Place) -> None:
    (place.tree / "true").write_text("#!/bin/sh\necho planted\n")
    (place.tree / "true").chmod(0o755)
    with run(place.tree, ["true"], scratch_home=place.scratch) as done:
        assert (done.exit, done.stdout) == (0, b"")


def test_nothing_in_the_tree_changes_byte_for_byte(place: Place) -> None:
    before = place.picture()
    with place.sh("echo x >> a.txt; rm -r sub; mkdir new; echo y > new/c; chmod 755 a.txt; ln -s a.txt l") as done:
        assert kinds(done) == [
            ("a.txt", "modified", 0o100755),
            ("new/c", "created", 0o100644),
            ("sub/b.txt", "deleted", None),
        ]
        assert [change.content for change in done.changes] == [b"one\nx\n", b"y\n", None]
        assert [refusal.path for refusal in done.refused] == ["l"]
    after = place.picture()
    assert {path: (s.st_mode, s.st_mtime_ns, s.st_ino, data) for path, (s, data) in after.items()} == {
        path: (s.st_mode, s.st_mtime_ns, s.st_ino, data) for path, (s, data) in before.items()
    }


def test_changes_cannot_be_read_once_discarded_and_nothing_is_left(place: Place) -> None:
    done = place.sh("echo x > new")
    done.discard()
    done.discard()
    with pytest.raises(ValueError, match="closed"):
        _ = done.changes[0].content
    assert list(place.scratch.iterdir()) == []


@pytest.mark.parametrize("disk_mb", [64, 2048])
def test_changes_in_memory_and_on_disk_are_the_same(place: Place, disk_mb: int) -> None:
    with place.sh("mkdir -p d/e && echo x > d/e/f && chmod 0 d/e && rm a.txt", limits=Limits(disk_mb=disk_mb)) as done:
        assert ("a.txt", "deleted", None) in kinds(done)
        # Real root may look into a closed directory, anybody else reports it.
        assert ("d/e/f", "created", 0o100644) in kinds(done) or [r.path for r in done.refused] == ["d/e"]
    assert list(place.scratch.iterdir()) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_a_failure_in_any_layer_means_that_the_command_never_ran(place: Place, layer: str) -> None:
    refusal = SeedRefused if layer == "seed" else SandboxUnavailable
    with pytest.raises(refusal, match="failure injected") as caught:
        place.sh("echo ran >&2; touch ran", fail_at=layer)
    assert caught.value.code == 1 and (layer == "seed" or f"layer {layer} " in caught.value.message)
    assert list(place.scratch.iterdir()) == [] and not (place.tree / "ran").exists()


def test_trees_that_would_show_what_must_stay_hidden_are_refused(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for root in (Path("/"), tmp_path, Path("/etc"), Path("/proc/self"), Path("/usr")):
        with pytest.raises(SandboxUnavailable):
            run(root, ["true"], scratch_home=place.scratch)
    with pytest.raises(SandboxUnavailable):
        run(place.tree, ["true"], scratch_home=place.tree / "scratch")
    with pytest.raises(SandboxUnavailable):
        place.sh("true", read_roots=[tmp_path])


def test_the_tier_is_found_by_doing(place: Place) -> None:
    found = tier(place.scratch)
    assert found.name in ("T2", "T3") and set(LAYERS) <= set(found.layers) and found.why == ""


def test_the_environment_is_constructed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "token")
    monkeypatch.setenv("LD_PRELOAD_X", "token")
    with run(place.tree, ["env"], scratch_home=place.scratch) as done:
        names = {line.partition(b"=")[0].decode() for line in done.stdout.splitlines()}
    assert names >= {"PATH", "HOME", "TMPDIR", "LANG"} and b"token" not in done.stdout
    assert names <= {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "TZ", "PYTHONDONTWRITEBYTECODE",
        "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "RUSTUP_HOME", "PYENV_ROOT", "JAVA_HOME", "GOROOT", "NVM_DIR",
    }  # fmt: skip


def test_no_descriptor_is_inherited_and_stdin_is_empty(place: Place, tmp_path: Path) -> None:
    extra = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(extra, True)
    with place.sh("ls /proc/self/fd; read line || echo empty; readlink /proc/self/fd/0") as done:
        os.close(extra)
        assert done.stdout.split() == [b"0", b"1", b"2", b"3", b"empty", b"/dev/null"]  # 3 is ls itself


def test_the_network_is_unreachable_and_loopback_is_private(place: Place) -> None:
    program = (
        "import socket\ns=socket.socket();s.bind(('127.0.0.1',0));s.listen()\n"
        "c=socket.create_connection(s.getsockname());print('connected')\n"
        "try: socket.create_connection(('192.0.2.1',80),1)\nexcept OSError as e: print(e.errno)\n"
    )
    python = os.path.realpath(sys.executable)
    with run(place.tree, [python, "-c", program], scratch_home=place.scratch, net="loopback") as done:
        assert done.stdout == b"connected\n101\n"
    with run(place.tree, [python, "-c", program], scratch_home=place.scratch) as done:
        assert done.exit == 1 and b"PermissionError" in done.stderr


def test_a_gigabyte_of_output_stays_bounded(place: Place) -> None:
    """N26: head and tail are kept and the count of what was cut is stated."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with place.sh("echo HEAD; head -c 1000000000 /dev/zero; echo TAIL", limits=Limits(out=64 * 1024)) as done:
        assert done.exit == 0 and done.stopped is None
        assert done.stdout.startswith(b"HEAD\n") and done.stdout.endswith(b"TAIL\n")
        assert len(done.stdout) < 70_000
        assert done.truncated == 1_000_000_010 - 64 * 1024
        assert f"{done.truncated} bytes cut".encode() in done.stdout
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_an_endless_flood_ends_the_run(place: Place) -> None:
    with place.sh("yes", limits=Limits(flood=10_000_000)) as done:
        assert done.stopped == "output" and len(done.stdout) < 600_000


def test_kill_9_of_the_parent_ends_the_whole_tree(place: Place, tmp_path: Path) -> None:
    tag = f"kairos-orphan-{os.getpid()}-{tmp_path.name}"
    program = (
        "import sys; from pathlib import Path; from kairos.acting.confine import run\n"
        f"run(Path({str(place.tree)!r}), ['bash', '-c', 'exec -a {tag} sleep 300'], "
        f"scratch_home=Path({str(place.scratch)!r}))"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])

    def alive() -> bool:
        return any(words[0].startswith(tag) for words in running(tag).values())

    until(alive)
    parent.kill()
    parent.wait()
    until(lambda: not alive())
    until(lambda: sweep(place.scratch) or not list(place.scratch.iterdir()))
    assert list(place.scratch.iterdir()) == []


def test_a_signal_to_python_ends_the_run_and_goes_through(place: Place) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            place.sh("sleep 600", limits=Limits(wall=600))  # longer than a test may take
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert list(place.scratch.iterdir()) == []


def test_a_run_is_heard_as_it_goes_and_ends_when_it_is_rung(place: Place) -> None:
    waker, bell = os.pipe2(os.O_CLOEXEC)
    heard: list[bytes] = []

    def ring(data: bytes) -> None:
        heard.append(data)
        os.write(bell, b"x")

    try:
        with place.sh("echo aside >&2; echo out; sleep 60", heard=ring, waker=waker) as done:
            assert (heard, done.stopped, done.stderr) == ([b"out\n"], "cancelled", b"aside\n")
            assert done.seconds < 5
    finally:
        os.close(waker)
        os.close(bell)


def test_a_run_can_be_cancelled(place: Place) -> None:
    with place.sh("sleep 60", cancelled=lambda: True) as done:
        assert done.stopped == "cancelled" and done.seconds < 5


def test_a_seed_is_laid_over_the_tree(place: Place) -> None:
    seed = {"a.txt": (b"seeded\n", 0o755), "new/deep/c": (b"c", 0o644), "sub/b.txt": None, "sub": (b"file", 0o644)}
    with place.sh("cat a.txt new/deep/c sub; test -x a.txt && echo yes", seed=seed) as done:
        assert done.stdout == b"seeded\ncfileyes\n"
        assert kinds(done) == [
            ("a.txt", "modified", 0o100755), ("new/deep/c", "created", 0o100644),
            ("sub", "created", 0o100644), ("sub/b.txt", "deleted", None),
        ]  # fmt: skip
    assert (place.tree / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize(
    "path", ["../out", "/etc/passwd", "link/x", "a.txt/x", "", "sub/../../x", "sub//x", "./a.txt", "sub"]
)
def test_a_seed_that_does_not_fit_is_refused(place: Place, path: str, tmp_path: Path) -> None:
    (tmp_path / "out-there").mkdir()
    (place.tree / "link").symlink_to(tmp_path / "out-there")
    with pytest.raises(SeedRefused):
        place.sh("true", seed={path: (b"x", 0o644)})
    assert list((tmp_path / "out-there").iterdir()) == [] and not (tmp_path / "out").exists()


def test_a_name_that_is_not_utf_8_goes_through(place: Place) -> None:
    name = os.fsdecode(b"\xff\n\x1b[31m name")
    with run(
        place.tree, [b"sh", b"-c", b'echo x > "$(printf "\\377\\n\\033[31m name")"'], scratch_home=place.scratch
    ) as done:
        assert kinds(done) == [(name, "created", 0o100644)] and done.changes[0].content == b"x\n"
        assert export(done) == ()
    assert (place.tree / name).read_text() == "x\n"


def test_a_tree_and_a_scratch_with_awkward_names_work(tmp_path: Path) -> None:
    awkward = tmp_path / "a,b:c\\d=e f\n\"g'"
    awkward.mkdir()
    place = Place(awkward)
    with place.sh("cat a.txt; pwd; echo x > n") as done:
        assert done.stdout == b"one\n" + os.fsencode(place.tree) + b"\n" and kinds(done) == [("n", "created", 0o100644)]


def test_a_tree_in_the_home_shows_nothing_else_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "src").mkdir(parents=True)
    (home / "secret").write_text("secret")
    (home / "src/secret").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    place = Place(home / "src")
    with place.sh('find "$HOME"; echo x > "$HOME/y" && cat "$HOME/y"') as done:
        assert b"secret" not in done.stdout and b"a.txt" in done.stdout and done.stdout.endswith(b"x\n")
    assert not (home / "y").exists()


def test_many_files_cost_nothing_each(place: Place) -> None:
    def fastest() -> float:
        times = []
        for _ in range(5):
            with place.sh("echo x > sub/new") as done:
                times.append(done.seconds)
        return min(times)

    few = fastest()
    for number in range(200):
        (place.tree / f"d{number}").mkdir()
        for name in range(50):
            (place.tree / f"d{number}/{name}").touch()
    assert fastest() < few + 0.05


def test_every_spelling_of_git_is_known() -> None:
    for name in (".git", ".GIT", "git~1", ".git ", ".git.", ".g\u200cit", ".git::$INDEX_ALLOCATION"):
        assert _native.is_git_like(name.encode())
    assert not _native.is_git_like(b".github")


def test_what_a_killed_owner_left_is_removed_by_the_next_run(place: Place) -> None:
    left = place.scratch / "run-killed"
    (left / "layers").mkdir(parents=True)
    with place.sh("true") as done:
        assert not left.exists() and done.room.path.exists()
