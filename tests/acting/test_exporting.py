"""What a confined run changed comes over into the tree whole or not at all."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.acting.confine import ConfinedRun, Limits, run
from kairos.acting.exporting import MOVED, export
from kairos.acting.worktree import WorkTree
from kairos.errors import Denied

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
Shell = Callable[..., ConfinedRun]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("one\n")
    (made / "sub/b.txt").write_text("two\n")
    return made


@pytest.fixture
def sh(tree: Path, tmp_path: Path) -> Shell:
    def line(text: str, **wish: Any) -> ConfinedRun:
        return run(tree, ["sh", "-c", text], scratch_home=tmp_path / "scratch", **wish)

    return line


def picture(tree: Path) -> dict[str, tuple[int, bytes | str | None]]:
    def content(path: Path) -> bytes | str | None:
        return str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(tree)): (path.lstat().st_mode, content(path)) for path in sorted(tree.rglob("*"))}


def reasons(refused: Any) -> list[tuple[str, str]]:
    return [(refusal.path, refusal.why) for refusal in refused]


def test_what_passed_the_gate_is_applied(tree: Path, sh: Shell) -> None:
    line = "echo x >> a.txt; rm -r sub; mkdir -p n/m; echo y > n/m/c; ln -s / l; mkdir .git; echo z > .git/x"
    with sh(line) as done:
        assert export(done) == ()
        assert {refusal.path for refusal in done.refused} == {"l", ".git"}
    assert list(picture(tree)) == ["a.txt", "n", "n/m", "n/m/c"]
    assert (tree / "a.txt").read_text() == "one\nx\n"


def test_what_the_user_wrote_meanwhile_stays_and_nothing_is_written(tree: Path, sh: Shell) -> None:
    with sh("echo x >> a.txt; echo new > n") as done:
        (tree / "a.txt").write_text("mine\n")
        assert reasons(export(done)) == [("a.txt", MOVED)]
    assert (tree / "a.txt").read_text() == "mine\n" and not (tree / "n").exists()


@pytest.mark.parametrize(
    ("line", "meanwhile", "path"),
    [
        ("echo x > n", lambda tree: (tree / "n").write_text("mine"), "n"),
        ("echo x > a.txt", lambda tree: (tree / "a.txt").unlink(), "a.txt"),
        ("rm a.txt", lambda tree: (tree / "a.txt").unlink(), "a.txt"),
    ],
)
def test_a_place_that_appeared_or_went_meanwhile_is_refused(
    tree: Path, sh: Shell, line: str, meanwhile: Callable[[Path], object], path: str
) -> None:
    with sh(f"echo y > other; {line}") as done:
        meanwhile(tree)
        before = picture(tree)
        assert reasons(export(done)) == [(path, MOVED)]
    assert picture(tree) == before


def test_a_parent_that_became_a_link_is_never_followed(tree: Path, sh: Shell, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    with sh("mkdir d; echo x > d/new") as done:
        (tree / "d").symlink_to(tmp_path / "outside")
        assert [refusal.path for refusal in export(done)] == ["d/new"]
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("line", ["rm -r sub; echo x > sub", "rm a.txt; mkdir a.txt; echo x > a.txt/x", "rm link"])
def test_what_changes_its_kind_is_refused_and_nothing_is_written(tree: Path, sh: Shell, line: str) -> None:
    (tree / "link").symlink_to("a.txt")
    before = picture(tree)
    with sh(f"echo new > n; {line}") as done:
        assert export(done) != ()
    assert picture(tree) == before


def test_a_nested_repository_is_never_half_removed(tree: Path, sh: Shell) -> None:
    (tree / "vendor/.git").mkdir(parents=True)
    (tree / "vendor/.git/config").write_text("theirs")
    (tree / "vendor/code").write_text("theirs")
    before = picture(tree)
    with sh("rm -rf vendor; echo mine > vendor") as done:
        assert [refusal.path for refusal in done.refused] == ["vendor/.git"]
        assert export(done) != ()
    assert picture(tree) == before


def test_a_disk_that_fills_up_in_the_middle_leaves_everything_as_it_was(
    tree: Path, sh: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = picture(tree)
    with sh("echo x >> a.txt; echo y > sub/b.txt; echo z > sub/new; mkdir d; echo q > d/q") as done:
        real, calls = WorkTree.exchange, []

        def exchange(*args: Any, **kwargs: Any) -> bool:
            calls.append(args)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            return real(*args, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(WorkTree, "exchange", exchange)
            refused = export(done)
        assert len(calls) > 2 and all("No space left" in refusal.why for refusal in refused)
    assert picture(tree) == before


def test_modes_keep_what_git_does_not_know(tree: Path, sh: Shell) -> None:
    (tree / "a.txt").chmod(0o600)
    (tree / "tool").write_text("x")
    (tree / "tool").chmod(0o640)
    with sh("echo x > a.txt; chmod 755 tool") as done:
        assert export(done) == ()
    assert (tree / "a.txt").stat().st_mode & 0o7777 == 0o600
    assert (tree / "tool").stat().st_mode & 0o7777 == 0o750


def test_a_tree_that_was_replaced_is_denied(tree: Path, sh: Shell) -> None:
    with sh("echo x > n") as done:
        tree.rename(tree.with_name("moved"))
        tree.mkdir()
        with pytest.raises(Denied):
            export(done)
    assert list(tree.iterdir()) == []


def test_a_stopped_run_exports_nothing(tree: Path, sh: Shell) -> None:
    with sh("echo x > n; sleep 30", limits=Limits(wall=0.5)) as done:
        assert done.timed_out and done.signal == signal.SIGKILL
        assert [(change.path, change.kind, change.mode) for change in done.changes] == [("n", "created", 0o100644)]
        assert [refusal.path for refusal in export(done)] == ["n"]
    assert not (tree / "n").exists()
