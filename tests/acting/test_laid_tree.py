"""Commands and checks on the scratch tree of a turn: confined by the real launcher, at the place of the work tree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.acting.laid_tree import LaidTree, dependencies
from kairos.acting.scratch_home import sweep
from kairos.domain.checks.state import NamedCheck
from kairos.domain.scratch_runs import CommandEnd
from kairos.errors import TryAgain, UsageError
from kairos.home import Home

FILES = [("a.txt", b"one\n", 0o644), ("bin/run.sh", b"#!/bin/sh\necho ran\n", 0o755), ("src/b.py", b"b = 1\n", 0o644)]


@pytest.fixture(autouse=True)
def sandbox(home: Home) -> None:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")


@pytest.fixture
def laid(home: Home, repo: Any) -> Iterator[LaidTree]:
    repo.write("only-in-the-work-tree.txt", "x")
    check = NamedCheck(name="one", kind="test", command=["grep", "-q", "one", "a.txt"], seconds=60, memory_mb=256)
    made = LaidTree(home, repo.root, [check], lambda: iter(FILES))
    yield made
    made.close()


@pytest.fixture
def bash(laid: LaidTree) -> Callable[..., CommandEnd]:
    return lambda line, changes=None, seconds=60.0: laid.command(line, changes or {}, seconds, lambda: False)


def rooms(home: Home) -> list[str]:
    return sorted(p.name for p in home.scratch.iterdir())


def test_a_command_sees_the_laid_files_at_the_place_of_the_work_tree_and_nothing_else(
    bash: Callable[..., CommandEnd], repo: Any
) -> None:
    end = bash("pwd; find . -type f | sort; cat a.txt; bin/run.sh; echo error >&2")
    assert end.how == "exit 0"
    where = str(repo.root.resolve())
    assert end.output == f"{where}\n./a.txt\n./bin/run.sh\n./src/b.py\none\nran\nerror\n"
    assert end.changes == [] and not (repo.root / "a.txt").exists()


def test_what_a_command_changes_comes_back_and_the_next_one_is_given_it(bash: Callable[..., CommandEnd]) -> None:
    made = "echo x > new.sh; chmod +x new.sh; ln -s /etc evil; mkdir .git; : > .git/c"
    end = bash(f"echo two > a.txt; rm src/b.py; {made}")
    assert sorted(end.changes) == [
        ("a.txt", (b"two\n", 0o644)), ("new.sh", (b"x\n", 0o755)), ("src/b.py", None),
    ]  # fmt: skip
    assert sorted(w.split(":")[0] for w in end.withheld) == [".git", "evil"]
    again = bash("cat a.txt; ls", dict(end.changes))
    assert again.output.split() == ["two", "a.txt", "bin", "new.sh"]
    assert sorted(again.changes) == sorted(end.changes)


def test_it_has_no_network_no_home_no_secret_and_no_variable_of_ours(
    bash: Callable[..., CommandEnd], home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "k-" + "1" * 20)
    (tmp_path / "ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "ssh"))
    (tmp_path / "ssh/id_rsa").write_text("PRIVATE")
    (home.data / "secret").write_text("OURS")
    lines = (
        "env; cat /etc/shadow; cat ~/id_rsa; ls -A ~",
        f"cat {home.data}/secret; ls {home.data}",
        "wc -l < /etc/passwd; cat /proc/1/environ",
        "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 1))'",
        "git log; ls -d .git",
    )
    said = [bash(line).output for line in lines]
    assert not any(word in text for text in said for word in ("PRIVATE", "OURS", "SCRIPTED_KEY", "root:$"))
    assert said[2].startswith("2\n"), "a made-up passwd of two lines"
    assert "ConnectionRefused" not in said[3] and ("PermissionError" in said[3] or "Network is" in said[3])
    assert "cannot access '.git'" in said[4]


def test_limits_end_a_command_and_its_children(bash: Callable[..., CommandEnd]) -> None:
    assert bash("sleep 60", seconds=0.5).how == "stopped by the limit wall"
    bomb = bash("bomb() { bomb | bomb & }; bomb; wait", seconds=5.0)
    assert bomb.seconds < 20
    grown = bash("python3 -c 'x = bytearray(3 << 30); print(len(x))'")
    assert "MemoryError" in grown.output or grown.how == "stopped by the limit memory"
    large = bash("head -c 100000000 /dev/zero > large; stat -c %s large")
    assert large.output.split()[-1] == str(64 << 20), "the size of one file is bounded"
    assert large.changes == [] and large.withheld == ["large: it is larger than 16 MiB"]


def test_a_hundred_megabytes_of_output_are_cut_and_counted(bash: Callable[..., CommandEnd]) -> None:
    end = bash("echo begin; yes abcdefg | head -c 100000000; echo end")
    assert end.how == "exit 0" and len(end.output) < 200_000
    assert end.output.startswith("begin\n") and "end\n" in end.output[-200:]
    assert "bytes were cut out of the middle" in end.output


def test_a_credential_in_the_output_is_redacted(bash: Callable[..., CommandEnd]) -> None:
    token = "ghp_" + "A1b2C3d4E5" * 4
    assert token not in bash(f"echo {token}").output


def test_a_cancelled_command_ends_with_its_children(laid: LaidTree) -> None:
    begun = time.monotonic()
    asked = threading.Event()
    threading.Timer(0.5, asked.set).start()
    with pytest.raises(TryAgain):
        laid.command("(sleep 71 & sleep 72)", {}, 60.0, asked.is_set)
    assert time.monotonic() - begun < 10
    assert subprocess.run(["pgrep", "-f", "^sleep 7[12]$"], capture_output=True).stdout == b""


def test_a_check_runs_on_the_changed_tree_and_leaves_nothing(laid: LaidTree) -> None:
    assert laid.checks() == ["one"]
    assert laid.check("one", {}, lambda: False).outcome == "passed"
    red = laid.check("one", {"a.txt": (b"two\n", 0o644)}, lambda: False)
    assert (red.outcome, len(red.failed)) == ("failed", 1)


def test_installed_dependencies_are_there_and_cannot_be_written(home: Home, repo: Any) -> None:
    repo.write(".gitignore", "node_modules/\n.venv/\nsecrets/\n")
    repo.write("pkg/index.js", "")
    repo.commit()
    repo.write("pkg/node_modules/dep/index.js", "dep")
    repo.write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    repo.write("secrets/node_modules", "no directory")
    (repo.root / "node_modules").symlink_to("/etc")
    root = repo.root.resolve()
    assert dependencies(root) == [root / ".venv", root / "pkg/node_modules"]
    laid = LaidTree(home, root, [], lambda: iter(FILES))
    end = laid.command("cat pkg/node_modules/dep/index.js .venv/pyvenv.cfg; echo x > .venv/y", {}, 60, lambda: False)
    laid.close()
    assert end.output.startswith("dephome = /usr/bin\n") and "Read-only file system" in end.output
    assert end.changes == []


def test_the_tree_is_gone_when_it_is_closed_and_swept_after_a_crash(home: Home, laid: LaidTree, repo: Any) -> None:
    laid.command("true", {}, 60, lambda: False)
    assert len(rooms(home)) == 1
    laid.close()
    laid.close()
    assert rooms(home) == []
    script = (
        "import os\nfrom pathlib import Path\nfrom kairos.acting.laid_tree import LaidTree\n"
        "from kairos.home import find_home\n"
        f"t = LaidTree(find_home(), Path({str(repo.root)!r}), [], lambda: iter([('a', b'a', 0o644)]))\n"
        "t._laid(lambda: False)\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], env=dict(os.environ), capture_output=True)
    assert len(rooms(home)) == 1
    assert sweep(home.scratch) == 1 and rooms(home) == []


@pytest.mark.parametrize("bad", ["../x", ".git/config", "/x"])
def test_a_file_that_leads_out_is_never_laid(home: Home, repo: Any, bad: str) -> None:
    laid = LaidTree(home, repo.root, [], lambda: iter([(bad, b"", 0o644)]))
    with pytest.raises(UsageError):
        laid.command("true", {}, 60, lambda: False)
    laid.close()
    assert rooms(home) == []
