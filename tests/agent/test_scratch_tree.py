"""The scratch tree of a turn: what of a commit is in it, what may be changed, and what a proposal is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.agent import scratch_tree
from kairos.agent.repository_files import Files
from kairos.agent.scratch_tree import ScratchTree
from kairos.repo.beneath import Unreadable

TOKEN = "ghp_" + "A1b2C3d4E5" * 4


@pytest.fixture
def tree(repo: Any, files_of: Callable[[Any], Files]) -> ScratchTree:
    repo.write("src/a.py", "one\n")
    repo.write("run.sh", "echo\n", mode=0o755)
    repo.write("config.py", f"KEY = '{TOKEN}'\nDEBUG = 1\n")
    repo.write(".env", "SECRET=1\n")
    repo.write(".gitignore", "*.log\n")
    (repo.root / "link").symlink_to("/etc")
    repo.git("add", "-f", ".env")
    oid = repo.commit()
    repo.write("src/a.py", "changed in the work tree\n")
    repo.write("untracked.txt", "new\n")
    return ScratchTree(files_of(repo), oid)


def test_it_holds_the_commit_and_not_the_work_tree(tree: ScratchTree) -> None:
    assert tree.read("src/a.py") == (b"one\n", 0o644)
    assert tree.read("run.sh") == (b"echo\n", 0o755)
    assert tree.read("untracked.txt") is None


def test_what_is_laid_out_is_what_may_be_read(tree: ScratchTree) -> None:
    laid = {path: content for path, content, _ in tree.laid()}
    assert sorted(laid) == [".gitignore", "README.md", "config.py", "run.sh", "src/a.py"]
    assert TOKEN.encode() not in laid["config.py"] and b"DEBUG = 1" in laid["config.py"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../x", "not a plain path"),
        ("/etc/passwd", "not a path inside"),
        (".git/hooks/pre-commit", "git's own"),
        ("src/.GIT/config", "git's own"),
        ("git~1/config", "git's own"),
        (".env", "private"),
        ("deploy/id_rsa", "private"),
        ("link", "symbolic link"),
        ("link/passwd", "symbolic link"),
        ("src", "is a directory"),
        ("src/a.py/b", "is a file"),
        ("build.log", "git ignores it"),
        ("config.py", "holds a credential"),
        ("", "not a path inside"),
    ],
)
def test_a_path_that_is_withheld_from_reading_is_not_changed(tree: ScratchTree, path: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        tree.put({"README.md": (b"x", 0o644), path: (b"x", 0o644)})
    assert tree.changes == {}, "all or none"


def test_a_text_that_would_carry_a_credential_is_refused(tree: ScratchTree) -> None:
    with pytest.raises(Unreadable, match="would carry a credential"):
        tree.put({"b.py": (f"K = '{TOKEN}'\n".encode(), 0o644)})
    with pytest.raises(Unreadable, match="stands for a credential"):
        tree.put({"b.py": (b"K = '[redacted github-token]'\n", 0o644)})


def test_what_becomes_as_it_was_is_no_change(tree: ScratchTree) -> None:
    tree.put({"src/a.py": (b"two\n", 0o644), "b.py": (b"new\n", 0o644)})
    before = tree.digest
    tree.put({"src/a.py": (b"one\n", 0o644), "b.py": None})
    assert tree.changes == {} and tree.digest != before
    tree.put({"src/a.py": None})
    assert tree.read("src/a.py") is None and tree.changes == {"src/a.py": None}


def test_of_what_a_command_left_only_what_may_be_written_is_taken(tree: ScratchTree) -> None:
    clean = next(content for path, content, _ in tree.laid() if path == "config.py")
    said = tree.take(
        [
            ("src/a.py", (b"two\n", 0o644)), ("README.md", (b"# Demo\n", 0o644)), (".env", (b"S=2\n", 0o644)),
            ("config.py", (clean, 0o644)), ("new/b.py", (b"b\n", 0o755)), ("out.log", (b"l\n", 0o644)),
        ]
    )  # fmt: skip
    assert sorted(tree.changes) == ["new/b.py", "out.log", "src/a.py"], "what is as it was is no change"
    assert [s.split(":")[0] for s in said] == [".env"]
    assert tree.take([("config.py", (b"KEY = ''\n", 0o644))]) == [
        "config.py: it holds a credential: it is not changed here"
    ]
    assert tree.changes == {}, "the whole state comes from the command"


def test_what_git_ignores_is_kept_for_the_turn_and_not_proposed(tree: ScratchTree) -> None:
    tree.take(
        [
            ("src/a.py", (b"two\n", 0o644)), ("out.log", (b"l\n", 0o644)),
            (".pytest_cache/.gitignore", (b"# Created by pytest\n*\n", 0o644)), (".pytest_cache/v/x", (b"{}", 0o644)),
        ]
    )  # fmt: skip
    assert len(tree.changes) == 4
    assert sorted(tree.proposable()) == ["src/a.py"]


def test_it_is_bounded(tree: ScratchTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch_tree, "CHANGED_AT_MOST", 2)
    monkeypatch.setattr(scratch_tree, "KEPT_FILE", 10)
    with pytest.raises(Unreadable, match="a turn may change 2 files"):
        tree.put({f"f{n}": (b"x", 0o644) for n in range(3)})
    said = tree.take([("a", (b"x", 0o644)), ("b.log", (b"y", 0o644)), ("c", (b"z", 0o644)), ("d", (b"x" * 11, 0o644))])
    assert sorted(tree.changes) == ["a", "c"]
    assert said == ["d: it is larger than 0 MiB", "1 file that git ignores: together they are too many"]
    monkeypatch.setattr(scratch_tree, "LAID_FILES", 3)
    with pytest.raises(Unreadable, match="too large for a scratch tree"):
        list(tree.laid())
