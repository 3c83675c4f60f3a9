"""Reading the daemon's own log, and what a real daemon writes there."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.daemon_log import former
from kairos.desk import starting
from kairos.desk.daemon_log import recent
from kairos.desk.desk import Desk
from kairos.home import Home


def test_the_last_lines_are_read_across_the_former_file(desk: Desk, home: Home) -> None:
    assert recent(desk, 5).lines == []
    former(home.daemon_log).write_text("a\nb\n")
    home.daemon_log.write_text("c\nd\n")
    found = recent(desk, 3)
    assert (found.path, found.lines) == (str(home.daemon_log), ["b", "c", "d"])


@pytest.mark.slow
def test_a_daemon_says_when_it_started_over_what_and_when_it_stopped(desk: Desk, home: Home, seeded: Any) -> None:
    for _ in range(2):
        pid, _now = starting.start(desk)
        starting.stop(desk)
    lines = recent(desk, 100).lines
    said = [re.sub(r"^\S+ \[\d+\] ", "", line) for line in lines]
    assert [text.partition(" ")[0].rstrip(":") for text in said] == ["started", "watches", "ready", "stopped"] * 2
    assert said[0].endswith(f"home {home.data}") and said[1] == f"watches 1 repository: {seeded.root}"
    assert f"[{pid}]" in lines[-1]


@pytest.mark.slow
def test_a_repository_that_is_lost_and_found_is_a_line_each(
    desk: Desk, home: Home, seeded: Any, tmp_path: Path
) -> None:
    starting.start(desk)
    try:
        away = tmp_path / "away"
        seeded.root.rename(away)
        _until(desk, f"{seeded.root}: lost: ")
        away.rename(seeded.root)
        _until(desk, f"{seeded.root}: watched again")
    finally:
        starting.stop(desk)


def _until(desk: Desk, text: str) -> None:
    deadline = time.monotonic() + 60
    while not any(text in line for line in recent(desk, 100).lines):
        assert time.monotonic() < deadline, recent(desk, 100).lines
        time.sleep(0.05)


@pytest.mark.slow
def test_a_daemon_that_was_killed_is_told_by_the_next(desk: Desk, home: Home, seeded: Any) -> None:
    pid, _ = starting.start(desk)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while desk.daemon_running():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    starting.start(desk)
    starting.stop(desk)
    assert sum("ended without stopping" in line for line in recent(desk, 100).lines) == 1
