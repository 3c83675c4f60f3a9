"""A log file through rotation, truncation, replacement, huge lines and bytes that are no text."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kairos.sensing import log_file
from kairos.sensing.log_file import FilePlace, LogFile


def read(file: LogFile) -> list[str]:
    """All that there is now."""
    found: list[str] = []
    more = True
    while more:
        one = file.read()
        assert one.why == ""
        found, more = found + one.lines, one.more
    return found


def add(path: Path, *lines: str) -> None:
    with path.open("a") as out:
        out.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def test_only_whole_lines_are_told_and_each_once(path: Path) -> None:
    add(path, "one", "two")
    file = LogFile(path)
    assert read(file) == ["one", "two"]
    with path.open("a") as out:
        out.write("thr")
        out.flush()
        assert read(file) == []
        out.write("ee\nfour\n")
    assert read(file) == ["three", "four"]
    assert read(file) == []


def test_the_past_is_told_apart_from_what_follows(path: Path) -> None:
    add(path.with_name("app.log.1"), "older")
    add(path, "old")
    with path.open("a") as out:
        out.write("begun ")
    file = LogFile(path)
    assert [line for lines in file.past() for line in lines] == ["older", "old"]
    add(path, "and ended", "new")
    assert read(file) == ["begun and ended", "new"]


def test_a_past_that_breaks_off_is_what_was_read_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(path.with_name("app.log.1"), *(f"older {n}" for n in range(3_000)))
    add(path, "old")
    inner, first = os.pread, []

    def fails_once(fd: int, size: int, offset: int) -> bytes:
        if offset and not first:
            first.append(offset)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return inner(fd, size, offset)

    monkeypatch.setattr(log_file, "CHUNK", 9_000)
    monkeypatch.setattr(os, "pread", fails_once)
    found = [line for lines in LogFile(path).past() for line in lines]
    assert (found[0], found[-1], first) == ("older 0", "old", [9_000])
    assert len(found) < 1_000


def test_a_file_that_is_renamed_is_read_to_its_end_and_then_the_new_one(path: Path) -> None:
    add(path, "a")
    file = LogFile(path)
    assert read(file) == ["a"]
    with path.open("a") as writer:  # a program that still writes to the old file
        path.rename(path.with_name("app.log.1"))
        writer.write("late\n")
        writer.flush()
        assert read(file) == ["late"]
        add(path, "first of the new")
        writer.write("very late\n")
    assert read(file) == ["very late", "first of the new"]


def test_a_rotation_while_nobody_read_loses_nothing(path: Path) -> None:
    add(path, "a", "b")
    file = LogFile(path)
    assert read(file) == ["a", "b"]
    place = file.place
    file.close()
    add(path, "c")
    path.rename(path.with_name("app.log.1"))
    add(path, "d")
    assert read(LogFile(path, place)) == ["c", "d"]


def test_a_truncated_file_is_read_from_its_beginning(path: Path) -> None:
    add(path, "one", "two")
    file = LogFile(path)
    read(file)
    path.write_text("")
    assert read(file) == []
    add(path, "three")
    assert read(file) == ["three"]


def test_a_truncated_file_that_grew_past_the_place_is_read_from_its_beginning(path: Path) -> None:
    add(path, "one")
    file = LogFile(path)
    read(file)
    with path.open("r+") as out:  # copytruncate: the same file, other content
        out.truncate(0)
        out.write("another\nand more\n")
    assert read(file) == ["another", "and more"]


def test_a_replaced_file_is_read_from_its_beginning(path: Path) -> None:
    add(path, "one")
    file = LogFile(path)
    read(file)
    other = path.with_name("new")
    add(other, "two", "three")
    other.replace(path)
    assert read(file) == ["two", "three"]


def test_an_inode_that_was_given_to_another_file_is_not_taken_for_the_old_one(path: Path) -> None:
    add(path, "one")
    file = LogFile(path)
    read(file)
    place, path_stat = file.place, path.stat()
    file.close()
    path.write_text("XXX\nlonger than before\n")
    assert path.stat().st_ino == path_stat.st_ino
    assert read(LogFile(path, place)) == ["XXX", "longer than before"]


def test_a_file_that_is_missing_says_so_and_is_read_when_it_comes(path: Path) -> None:
    file = LogFile(path)
    assert (file.read().lines, file.read().why) == ([], "no such file or directory")
    add(path, "here")
    assert read(file) == ["here"]
    path.unlink()
    assert read(file) == []
    add(path, "again")
    assert read(file) == ["again"]


def test_a_pipe_a_directory_and_a_link_elsewhere_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dir").mkdir()
    secret = tmp_path / "dir" / "secret"
    add(secret, "private")
    (tmp_path / "link").symlink_to(secret)
    for name, why in (
        ("pipe", "it is no regular file"),
        ("dir", "it is no regular file"),
        ("link", "another directory"),
    ):
        found = LogFile(tmp_path / name).read()
        assert found.lines == []
        assert why in found.why


def test_a_link_to_the_newest_file_beside_it_is_followed(path: Path) -> None:
    add(path.with_name("app-1.log"), "a")
    path.symlink_to("app-1.log")
    file = LogFile(path)
    assert read(file) == ["a"]
    add(path.with_name("app-2.log"), "b")
    path.unlink()
    path.symlink_to("app-2.log")
    assert read(file) == ["b"]


def test_a_burst_is_bounded_and_what_is_skipped_is_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BACKLOG", 10_000)
    add(path, *(f"line {n:06}" for n in range(10_000)))
    file = LogFile(path)
    one = file.read()
    assert one.skipped == path.stat().st_size - 10_000
    assert len(one.lines[0]) == len("line 000000")
    assert one.lines[-1] == "line 009999"


def test_a_chunk_at_a_time_is_read_of_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "CHUNK", 20_000)
    add(path, *(f"line {n}" for n in range(5_000)), "x" * 50_000, "end")
    file = LogFile(path)
    assert (len(file.read().lines) < 3_000, file.read().more) == (True, True)
    file = LogFile(path, FilePlace())
    found = read(file)
    assert found[:5_000] == [f"line {n}" for n in range(5_000)]
    assert found[-1] == "end"
