"""A file's hash is told only of the file as it was seen; nothing is followed, nothing blocks."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from kairos.sensing import content
from kairos.sensing.content import blob_of, read_small, read_tail, sha_of
from kairos.sensing.provenance import PathState


def seen(path: Path) -> PathState:
    found = path.lstat()
    return PathState("file", found.st_mode & 0o7777, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def test_the_hash_is_of_the_bytes_and_the_blob_is_gits_own_name(repo: Any) -> None:
    path = repo.write("a.txt", b"one\0two\n")
    root = os.fsencode(repo.root)
    assert sha_of(root, b"a.txt", seen(path)) == hashlib.sha256(b"one\0two\n").hexdigest()
    assert blob_of(root, b"a.txt", seen(path), 40) == repo.git("hash-object", "a.txt")
    wide = hashlib.sha256(b"blob 8\0one\0two\n").hexdigest()
    assert blob_of(root, b"a.txt", seen(path), 64) == wide


def test_what_is_not_as_it_was_seen_moved(tmp_path: Path) -> None:
    path, root = tmp_path / "a", os.fsencode(tmp_path)
    path.write_bytes(b"one")
    before = seen(path)
    path.write_bytes(b"two!")
    assert sha_of(root, b"a", before) == "moved" and blob_of(root, b"a", before, 40) is None
    path.unlink()
    assert sha_of(root, b"a", before) == "moved"
    path.mkdir()
    assert sha_of(root, b"a", before) == "moved"
    assert read_small(root + b"/a") is None


def test_links_pipes_and_files_beyond_the_limit_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = os.fsencode(tmp_path)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "link").symlink_to("secret")
    os.mkfifo(tmp_path / "pipe")
    assert sha_of(root, b"link", seen(tmp_path / "link")) is None
    assert sha_of(root, b"pipe", seen(tmp_path / "pipe")) == "moved"
    monkeypatch.setattr(content, "MAX_BYTES", 0)
    assert sha_of(root, b"secret", seen(tmp_path / "secret")) is None
    for name in ("link", "pipe", "none"):
        assert read_small(root + b"/" + name.encode()) is None


def test_the_beginning_and_the_end_of_a_file_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    path = os.fsencode(tmp_path / "a")
    assert (read_small(path, 3), read_tail(path, 3)) == (b"012", b"789")
    assert read_small(path) == read_tail(path) == b"0123456789"
