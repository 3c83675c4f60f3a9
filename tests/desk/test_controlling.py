"""Pause, resume and mute are events; a tick is a signal to the daemon alone."""

from __future__ import annotations

import fcntl
import os
import signal
from typing import Any

import pytest

from kairos.clock import now_us, parse_time
from kairos.daemon.presence import Status, claim, publish
from kairos.desk import controlling, learning
from kairos.desk.desk import Desk
from kairos.desk.reading import attention, repositories
from kairos.domain.events import AttentionHeld
from kairos.errors import NoDaemon, UsageError
from kairos.home import Home


def test_a_pause_ends_by_itself_or_by_resume(desk: Desk) -> None:
    for given in ("2h", None):
        paused = controlling.pause(desk, given)
        assert (paused.until is None) is (given is None)
        assert attention(desk).is_paused(now_us())
        assert controlling.resume(desk).position is not None
        assert not attention(desk).is_paused(now_us())
    assert controlling.resume(desk).position is None, "nothing was paused"
    assert [r.topic for r in desk.log.read()] == ["Paused", "Resumed"] * 2


def test_a_pause_is_over_at_the_moment_that_was_named(desk: Desk) -> None:
    said = controlling.pause(desk, "30m").until
    assert said is not None
    ends = parse_time(said)
    assert attention(desk).is_paused(ends - 1) and not attention(desk).is_paused(ends)


@pytest.mark.parametrize("given", ["later", "next-commit", "2", ""])
def test_what_is_no_duration_pauses_nothing(desk: Desk, given: str) -> None:
    with pytest.raises(UsageError):
        controlling.pause(desk, given)
    assert not desk.has_log


def test_a_wrong_configuration_stops_no_pause_and_is_told(desk: Desk, home: Home) -> None:
    home.config_file.write_text("[model]\nper_day_usd = -1\n")
    assert controlling.pause(desk, None).paused
    assert "model.per_day_usd" in (controlling.wrong_configuration(desk) or "")
    home.config_file.write_text("")
    assert controlling.wrong_configuration(Desk()) is None


def test_a_detector_is_mute_everywhere_or_in_one_repository(desk: Desk, seeded: Any) -> None:
    one = repositories(desk).by_id[seeded.id]
    assert controlling.mute(desk, "secret", None).repo is None
    assert controlling.mute(desk, "conflict-marker", one).repo == str(seeded.root)
    assert not controlling.mute(desk, "secret", None, muted=False).muted
    events = [(r.topic, r.event.detector, r.event.repo) for r in desk.log.read(after=5)]  # type: ignore[attr-defined]
    assert events == [
        ("DetectorMuted", "secret", ""), ("DetectorMuted", "conflict-marker", seeded.id),
        ("DetectorUnmuted", "secret", ""),
    ]  # fmt: skip


def test_there_is_nothing_to_mute_that_is_no_detector(desk: Desk) -> None:
    with pytest.raises(UsageError) as refused:
        controlling.mute(desk, "nonsense", None)
    assert all(name in refused.value.hint for name in learning.names(desk))


def test_a_tick_reaches_the_daemon(desk: Desk, home: Home) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with claim(home):
            publish(home, Status(pid=os.getpid(), program="1", repos=[]))
            assert controlling.tick(desk).pid == os.getpid()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]


def test_a_tick_without_a_daemon_signals_nobody(desk: Desk, home: Home) -> None:
    with pytest.raises(NoDaemon):
        controlling.tick(desk)
    with home.daemon_lock.open("wb") as lock:  # one that has not written its pid: 0 would be this process group
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(NoDaemon):
            controlling.tick(desk)


def hold(seeded: Any, key: str, mark: str = "") -> None:
    held = AttentionHeld(
        repo=seeded.id, subject=key, rule="mute@1", why="", detector="secret", boundary="burst", mark=mark
    )  # fmt: skip
    seeded.append(held, seeded.id)


def test_the_mutes_in_force_say_since_when_what_they_hold_and_how_they_end(desk: Desk, seeded: Any) -> None:
    one = repositories(desk).by_id[seeded.id]
    first = controlling.mute(desk, "secret", None)
    assert first.lift == "kairos unmute secret" and first.held == 0
    here = controlling.mute(desk, "secret", one)
    for key, mark in (("secret:1", ""), ("secret:1", "ab"), ("secret:2", "")):
        hold(seeded, key, mark)
    found = controlling.mutes(desk)
    assert [(m.detector, m.repo, m.position, m.held) for m in found] == [
        ("secret", None, first.position, 2), ("secret", str(seeded.root), here.position, 2)
    ]  # fmt: skip
    assert found[1].lift == f"kairos unmute secret --repo {seeded.root}" and found == controlling.mutes(desk, one)
    ended = controlling.mute(desk, "secret", one, muted=False)
    assert ended.muted_still and ended.held == 2 and ended.lift is None
    assert not controlling.mute(desk, "secret", None, muted=False).muted_still
    assert controlling.mutes(desk) == []
