"""Reading beneath a root never leaves it, never blocks and never reads what is no regular file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kairos.repo.beneath import Unreadable, as_text, descend, is_text, read_beneath


def test_a_regular_file_is_read_with_its_mode(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    (tmp_path / "a" / "b").chmod(0o755)
    found = read_beneath(tmp_path, "a/b")
    assert (found.data, found.mode, found.torn) == (b"x", 0o755, False)
    assert found.changed_ns == (tmp_path / "a" / "b").stat().st_ctime_ns


def test_symlinks_pipes_directories_and_missing_files_are_unreadable(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("s")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "secret").write_text("s")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "dirlink").symlink_to(tmp_path / "dir")
    (root / "loop").symlink_to("loop")
    (root / "d").mkdir()
    os.mkfifo(root / "pipe")
    for path in ("link", "dirlink/secret", "loop", "missing", "missing/x", "x" * 300, "pipe/x"):
        with pytest.raises(Unreadable, match="cannot be read: "):
            read_beneath(root, path)
    for path in ("d", "pipe"):
        with pytest.raises(Unreadable, match="not a regular file"):
            read_beneath(root, path)
    with pytest.raises(Unreadable, match="No such file"):
        read_beneath(tmp_path / "nowhere", "x")


def test_a_root_that_is_no_directory_is_an_error_and_not_a_missing_file(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(NotADirectoryError):
        read_beneath(tmp_path / "file", "x")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".git/config", "x/.GIT/y", "a\0b", "."])
def test_paths_that_leave_the_work_tree_are_refused(tmp_path, path):
    with pytest.raises(ValueError, match="work tree"):
        read_beneath(tmp_path, path)


def test_a_file_over_the_limit_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(Unreadable, match="too large"):
        read_beneath(tmp_path, "a", 4)
    assert read_beneath(tmp_path, "a", 5).data == b"12345"


def test_a_file_that_claims_no_size_is_bounded_by_what_is_read():
    with pytest.raises(Unreadable, match="too large"):
        read_beneath(Path("/proc/self"), "status", 4)


def test_descending_leaves_the_start_open_and_names_what_is_in_the_way(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to("b")
    start = os.open(tmp_path, os.O_RDONLY)
    try:
        for parts in ([], ["a"], ["a", "b"]):
            inner = descend(start, parts)
            assert os.fstat(inner).st_ino == tmp_path.joinpath(*parts).stat().st_ino
            os.close(inner)
        before = _open_files()
        for parts in (["a", "link"], ["a", "none"]):
            with pytest.raises(OSError, match=parts[1]):
                descend(start, parts)
        assert _open_files() == before
    finally:
        os.close(start)


def test_text_is_utf8_without_nul():
    assert as_text("é".encode()) == "é"
    assert as_text(b"\xe9") is None
    assert as_text(b"a\0") is None
    assert not is_text(b"\0")


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    before = _open_files()
    read_beneath(tmp_path, "a/b")
    for path in ("a/c", "a", "x/y/z", "a/b/c"):
        with pytest.raises(Unreadable):
            read_beneath(tmp_path, path)
    assert _open_files() == before


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))
