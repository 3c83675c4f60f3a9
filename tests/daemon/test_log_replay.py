"""A log file read as if live."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kairos.daemon.log_replay import replay
from kairos.sensing import log_file


def test_the_second_half_is_told_against_the_first(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = [f"2026-12-01 10:{n // 60:02}:{n % 60:02} INFO app GET /item/{n}" for n in range(600)]
    lines.insert(100, "2026-12-01 10:01:40 ERROR app was always there")
    lines.insert(450, "2026-12-01 10:07:30 ERROR app is new here")
    lines.insert(460, "2026-12-01 10:07:40 ERROR app was always there")
    path.write_text("\n".join(lines) + "\n")
    found = replay(path)
    assert (found.lines, found.entries, found.unsaid) == (603, 603, 0)
    assert [(n.news.template.text, n.line) for n in found.news] == [("ERROR app is new here", 451)]


def test_the_lines_of_the_file_are_counted_empty_ones_too(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("\n" + "INFO app GET /item/7\n\n" * 300 + "ERROR app is new here\n\nINFO app GET /item/7")
    found = replay(path)
    assert (found.lines, found.entries) == (604, 302)
    assert [n.line for n in found.news] == [602]


def test_a_huge_file_is_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BACKLOG", 10_000)
    monkeypatch.setattr(log_file, "CHUNK", 4_000)
    path = tmp_path / "app.log"
    path.write_text("".join(f"INFO app GET /item/{n}\n" for n in range(5_000)))
    assert replay(path).entries == 5_000


@pytest.mark.timeout(20)
def test_a_pipe_is_no_log_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        replay(tmp_path / "pipe")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        replay(tmp_path / "none.log")
