"""Reading beneath a root never leaves it, never blocks and never reads what is no regular file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kairos.repo.reading import as_text, is_text, read_beneath


def test_a_regular_file_is_read_with_its_mode(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    (tmp_path / "a" / "b").chmod(0o755)
    assert read_beneath(tmp_path, "a/b") == (b"x", 0o755)


def test_symlinks_pipes_directories_and_missing_files_are_none(tmp_path):
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
    for path in ("link", "dirlink/secret", "loop", "d", "pipe", "missing", "missing/x", "x" * 300):
        assert read_beneath(root, path) is None
    assert read_beneath(tmp_path / "nowhere", "x") is None


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".git/config", "x/.GIT/y", "a\0b", "."])
def test_paths_that_leave_the_work_tree_are_refused(tmp_path, path):
    with pytest.raises(ValueError, match="work tree"):
        read_beneath(tmp_path, path)


def test_a_file_over_the_limit_is_none(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_beneath(tmp_path, "a", 4) is None
    assert read_beneath(tmp_path, "a", 5) is not None


def test_text_is_utf8_without_nul():
    assert as_text("é".encode()) == "é"
    assert as_text(b"\xe9") is None
    assert as_text(b"a\0") is None
    assert not is_text(b"\0")


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    before = _open_files()
    for path in ("a/b", "a/c", "a", "x/y/z", "a/b/c"):
        read_beneath(tmp_path, path)
    assert _open_files() == before


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))
