"""The status, and the command to type next."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from kairos._version import VERSION
from kairos.clock import DAY, now_us
from kairos.daemon.presence import RepoStatus, Status, claim, publish
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.records.repositories import DaemonOut, InboxCount, LogOut, RepoOut, StatusOut, TodayOut
from kairos.desk.status import next_command, one_line, other_version, status, unheard
from kairos.domain import events as ev
from kairos.home import Home

REPO = RepoOut(path="/a", state="watching", directories=1, watched=1, polled=0, ignored=0)
PLAIN = StatusOut(
    daemon=DaemonOut(running=True, pid=1), repos=[REPO], log=LogOut(head=0, sealed_upto=0, bytes=0, events=0),
    inbox=InboxCount(pending=0, deferred=0), today=TodayOut(model_calls=0, spent_usd=0.0, turns=0), paused=False,
)  # fmt: skip


def but(**fields: Any) -> StatusOut:
    return msgspec.structs.replace(PLAIN, **fields)


LOST = msgspec.structs.replace(REPO, state="lost")
STOPPED = DaemonOut(running=False, pid=None)


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (PLAIN, "kairos log -n 20"),
        (but(repos=[LOST]), "kairos doctor"),
        (but(policy_error="broken"), "kairos policy ls"),
        (but(repos=[]), "kairos watch PATH"),
        (but(daemon=STOPPED), "kairos start"),
        (but(inbox=InboxCount(pending=2, deferred=0)), "kairos review"),
        (but(inbox=InboxCount(pending=2, deferred=0), paused=True), "kairos resume"),
    ],
)
def test_the_next_command_is_what_helps_most(found: StatusOut, command: str) -> None:
    assert next_command(found) == command


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (PLAIN, "kairos on · 0 pending"),
        (but(daemon=STOPPED, inbox=InboxCount(pending=3, deferred=1)), "kairos off · 3 pending"),
        (but(paused=True), "kairos paused · 0 pending"),
        (but(repos=[LOST, REPO, LOST]), "kairos on · 0 pending · 2 lost"),
    ],
)
def test_a_prompt_has_room_for_one_line(found: StatusOut, line: str) -> None:
    assert one_line(found) == line


def test_an_empty_home_has_an_empty_status_and_stays_empty(desk: Desk) -> None:
    found = status(desk)
    assert (found.repos, found.log, found.inbox) == ([], PLAIN.log, PLAIN.inbox)
    assert not found.daemon.running and not desk.has_log


def test_only_what_is_watched_is_listed_and_what_waits_is_counted(desk: Desk, seeded: Any, tmp_path: Any) -> None:
    seeded.raise_(seeded.note())
    later = seeded.raise_(seeded.note("later"), seed="b").id
    seeded.append(ev.ProposalDeferred(id=later), f"proposal-{later}")
    found = status(desk)
    assert [(r.path, r.state) for r in found.repos] == [(str(seeded.root), "stopped")]
    assert found.inbox == InboxCount(pending=1, deferred=1)
    assert found.log.head == seeded.log.head() and found.log.bytes > 0
    seeded.append(ev.RepoUnwatched(repo=seeded.id, root=str(seeded.root)), seeded.id)
    assert status(desk).repos == []


def test_today_is_the_local_day(desk: Desk, seeded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    called = ev.ModelCalled(turn="turn-1", call=1, model="m", attempt=1, outcome="ok", spent_microusd=20_000)
    seeded.append(called, "turn-1")
    assert status(desk).today == TodayOut(model_calls=1, spent_usd=0.02, turns=1, per_day=4, per_day_total=12)
    monkeypatch.setattr("kairos.desk.status.now_us", lambda: now_us() + DAY)
    assert status(desk).today == TodayOut(model_calls=0, spent_usd=0.0, turns=0, per_day=4, per_day_total=12)


def test_what_is_reserved_counts_as_spent_until_it_is_known(desk: Desk, seeded: Any) -> None:
    reserved = ev.ModelReserved(turn="turn-1", call=1, model="m", reserved_microusd=50_000)
    seeded.append(reserved, "budget")
    one = repositories(desk).by_id[seeded.id]
    for found in (status(desk).today, status(desk, one).today):
        assert (found.model_calls, found.spent_usd, found.reserved_usd) == (1, 0.05, 0.05)
    called = ev.ModelCalled(turn="turn-1", call=1, model="m", attempt=1, outcome="ok", spent_microusd=20_000)
    seeded.append(called, "budget")
    for found in (status(desk).today, status(desk, one).today):
        assert (found.model_calls, found.spent_usd, found.reserved_usd) == (1, 0.02, 0.0)


def test_a_daemon_that_was_killed_is_not_believed(desk: Desk, seeded: Any, home: Home) -> None:
    told = RepoStatus(path=str(seeded.root), state="watching", directories=9, watched=9, polled=0, ignored=0)
    with claim(home):
        publish(home, Status(pid=os.getpid(), program="0.0.9", repos=[told]))
        assert status(desk).repos[0].state == "watching"
        assert other_version(desk) == "0.0.9"
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[told]))
        assert other_version(desk) is None
    publish(home, Status(pid=1, program="0.0.9", repos=[told]))  # as one that was killed leaves it
    assert (status(desk).repos[0].state, status(desk).daemon.running) == ("stopped", False)
    assert other_version(desk) is None


def test_what_is_muted_and_what_is_parked_is_said(desk: Desk, seeded: Any) -> None:
    away = seeded.raise_(seeded.note()).id
    assert unheard(status(desk)) == []
    seeded.append(
        ev.ProposalParked(id=away, why="commit abc is not in the history of what is checked out"), f"proposal-{away}"
    )
    seeded.append(ev.DetectorMuted(detector="secret", repo=""), "control")
    found = status(desk)
    assert found.inbox == InboxCount(pending=0, deferred=0, parked=1)
    assert [(m.detector, m.repo, m.lift) for m in found.muted] == [("secret", None, "kairos unmute secret")]
    assert unheard(found) == [
        "1 mute in force: secret (kairos unmute secret)",
        "1 parked: commit abc is not in the history of what is checked out (kairos inbox --parked)",
    ]
    seeded.append(ev.DetectorMuted(detector="conflict-marker", repo=seeded.id), "control")
    assert unheard(status(desk))[0] == (
        f"2 mutes in force: conflict-marker in {seeded.root}, secret (kairos unmute DETECTOR [--repo PATH])"
    )


def test_an_answer_names_the_next_command(desk: Desk, seeded: Any) -> None:
    assert status(desk).next == "kairos start"
    seeded.raise_(seeded.note())
    assert status(desk).next == "kairos review"
