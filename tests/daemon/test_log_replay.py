"""A log file read as if live."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.daemon.log_replay import replay


def test_the_second_half_is_told_against_the_first(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = [f"2026-12-01 10:{n // 60:02}:{n % 60:02} INFO app GET /item/{n}" for n in range(600)]
    lines.insert(100, "2026-12-01 10:01:40 ERROR app was always there")
    lines.insert(450, "2026-12-01 10:07:30 ERROR app is new here")
    lines.insert(460, "2026-12-01 10:07:40 ERROR app was always there")
    path.write_text("\n".join(lines) + "\n")
    found = replay(path)
    assert (found.lines, found.entries, found.unsaid) == (603, 603, 0)
    assert [(n.news.template.text, n.line) for n in found.news] == [("ERROR app is new here", 452)]


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        replay(tmp_path / "none.log")
