"""An open work tree: no path leads out of it, only plain files are read or replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.acting import worktree
from kairos.acting.worktree import Blob, NotPlain, WorkTree, expected, mode_after, same
from kairos.domain.action import content_sha
from kairos.errors import Denied, NotFound


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with a file, a directory, and links that lead out of it."""
    made = tmp_path / "root"
    (made / "d").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"a\n")
    (made / "a.txt").chmod(0o640)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret")
    (made / "link").symlink_to(tmp_path / "outside" / "x")
    (made / "way").symlink_to(tmp_path / "outside")
    os.mkfifo(made / "pipe")
    return made


@pytest.fixture
def tree(root: Path) -> Iterator[WorkTree]:
    with WorkTree(root) as opened:
        yield opened


def test_a_plain_file_is_read_with_what_the_file_system_shows(tree: WorkTree, root: Path) -> None:
    found = tree.read("a.txt")
    assert found is not None and found.seen is not None
    assert (found.content, found.mode, found.sha) == (b"a\n", 0o640, content_sha(b"a\n"))
    assert (found.seen.ino, found.seen.size) == ((root / "a.txt").stat().st_ino, 2)
    assert tree.signature("a.txt") == found.seen
    for path in ("none", "d/none", "none/x"):
        assert tree.read(path) is None
        assert tree.signature(path).size is None


@pytest.mark.parametrize("path", ["link", "way/x", "pipe", "d", "../outside/x", ".git/config", "a.txt/x"])
def test_anything_else_is_not_read(tree: WorkTree, path: str) -> None:
    with pytest.raises(NotPlain):
        tree.read(path)


def test_a_file_that_is_too_large_to_be_changed_is_not_read(
    tree: WorkTree, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktree, "MAX_BYTES", 1)
    with pytest.raises(NotPlain, match="too large"):
        tree.read("a.txt")


def test_what_is_in_the_way_is_named(tree: WorkTree) -> None:
    with pytest.raises(NotPlain, match="way/x leads through way"):
        tree.read("way/x")


def test_a_directory_that_was_replaced_is_not_the_one_that_was_trusted(root: Path) -> None:
    found = root.stat()
    WorkTree(root, (found.st_dev, found.st_ino)).__exit__()
    with pytest.raises(Denied, match="replaced"):
        WorkTree(root, (found.st_dev, found.st_ino + 1))
    with pytest.raises(NotFound):
        WorkTree(root / "none")
    with pytest.raises(NotFound):
        WorkTree(root / "way")


def test_a_file_takes_its_place_whole_and_keeps_the_mode_it_was_given(tree: WorkTree, root: Path) -> None:
    tree.stage("a.txt", "tmp", Blob(b"new\n", 0o755))
    assert (root / "a.txt").read_bytes() == b"a\n"
    tree.put("a.txt", "tmp", new=False)
    assert ((root / "a.txt").read_bytes(), (root / "a.txt").stat().st_mode & 0o7777) == (b"new\n", 0o755)
    assert not (root / "tmp").exists()


def test_a_new_file_never_takes_the_place_of_one_that_appeared(tree: WorkTree, root: Path) -> None:
    tree.stage("d/new", "tmp", Blob(b"ours", 0o644))
    (root / "d" / "new").write_text("theirs")
    with pytest.raises(FileExistsError):
        tree.put("d/new", "tmp", new=True)
    assert (root / "d" / "new").read_text() == "theirs"
    tree.remove("d/new", "tmp")
    tree.remove("d/new")
    tree.remove("d/new")
    assert list((root / "d").iterdir()) == []


def test_nothing_is_made_beside_or_below_a_link(tree: WorkTree, root: Path) -> None:
    for path in ("way/new", "link/new"):
        with pytest.raises(NotPlain):
            tree.stage(path, "tmp", Blob(b"x", 0o644))
        with pytest.raises(NotPlain):
            tree.make_folder(path)
    assert sorted(p.name for p in (root.parent / "outside").iterdir()) == ["x"]


def test_missing_directories_are_named_outermost_first_and_made_one_by_one(tree: WorkTree, root: Path) -> None:
    assert tree.missing_parents("d/x/y/file") == ["d/x", "d/x/y"]
    assert tree.missing_parents("d/file") == tree.missing_parents("file") == []
    for path in ("d/x", "d/x", "d/x/y"):
        tree.make_folder(path)
    assert tree.missing_parents("d/x/y/file") == []
    with pytest.raises(NotPlain, match="is not a directory"):
        tree.make_folder("a.txt")
    with pytest.raises(NotPlain, match="no parent"):
        tree.make_folder("q/r")


def test_only_an_empty_directory_is_removed(tree: WorkTree, root: Path) -> None:
    (root / "d" / "x").mkdir()
    assert (tree.remove_folder("d"), tree.remove_folder("none"), tree.remove_folder("a.txt")) == (False, False, False)
    assert (tree.remove_folder("d/x"), tree.remove_folder("d")) == (True, True)


@given(st.integers(0, 0o777), st.integers(0, 0o777))
def test_only_the_executable_bit_of_a_mode_is_a_patchs_business(mode: int, other: int) -> None:
    before = Blob(b"", mode)
    assert mode_after(before.executable, before) == mode
    changed = mode_after(not before.executable, before)
    assert changed & 0o666 == mode & 0o666
    if before.executable:
        assert changed & 0o111 == 0
    assert before.same(Blob(b"", other)) == (bool(mode & 0o100) == bool(other & 0o100))


def test_a_new_files_mode_respects_the_creation_mask() -> None:
    mask = worktree.umask()
    before = os.umask(mask)
    os.umask(before)
    assert mask == before
    assert (mode_after(True, None), mode_after(False, None)) == (0o777 & ~mask, 0o666 & ~mask)


def test_no_file_is_the_same_as_no_file_only() -> None:
    assert same(None, None)
    assert not same(None, Blob(b"", 0o644)) and not same(Blob(b"", 0o644), None)
    assert not same(Blob(b"a", 0o644), Blob(b"b", 0o644))


def test_a_state_as_events_carry_it_names_content_by_its_hash() -> None:
    there, gone = expected("a", Blob(b"x", 0o600)), expected(os.fsdecode(b"\xe9"), None)
    assert (there.path, there.sha, there.mode) == ("a", content_sha(b"x"), 0o600)
    assert (gone.path, gone.path_b64, gone.sha, gone.mode) == (None, "6Q==", None, None)
