"""A follower sleeps until the bell is rung, somebody wakes it, or its time is up."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kairos.eventlog.sqlite.bell import Bell


def waited(bell: Bell) -> threading.Thread:
    """A thread that waits for the bell for a very long time."""
    thread = threading.Thread(target=bell.wait, args=(100.0,))
    thread.start()
    return thread


@pytest.mark.parametrize("how", ["rung", "woken"])
def test_whoever_waits_wakes(tmp_path: Path, how: str) -> None:
    bell = Bell(tmp_path / "bell")
    sleeper = waited(bell)
    if how == "woken":
        bell.wake()
    else:
        (tmp_path / "bell" / "log.bell").write_bytes(b"1")
    sleeper.join(20)
    assert not sleeper.is_alive()
    bell.close()


def test_a_bell_that_rang_before_is_not_missed(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    (tmp_path / "bell" / "log.bell").write_bytes(b"1")
    sleeper = waited(bell)
    sleeper.join(20)
    assert not sleeper.is_alive()


def test_without_news_it_waits_its_time_and_the_folder_is_private(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    before = time.monotonic()
    bell.wait(0.05)
    assert time.monotonic() - before >= 0.05
    assert (tmp_path / "bell").stat().st_mode & 0o777 == 0o700
