"""Hard nights about time: N1 idle, N5 sleep, N6 clocks, N7 two daemons, N34 expiry, N35 quiet hours."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import pytest

from kairos.domain.events import OccurrenceDue

Move = Callable[[str], None]


def occurrences(kairos: Any, job: str) -> list[str]:
    """The instants (UTC) for which a job came due, in the order of the log. Every one has one outcome: done."""
    due = [r.event for r in kairos.events("OccurrenceDue") if r.event.job == job]
    ended = [(r.event.scheduled, r.event.outcome) for r in kairos.events("OccurrenceEnded") if r.event.job == job]
    assert ended == [(e.scheduled, "done") for e in due]
    return [f"{datetime.fromtimestamp(e.scheduled / 1e6, UTC):%m-%d %H:%M}" for e in due]


@pytest.fixture
def move(kairos: Any, tick: Any) -> Callable[[Any], Move]:
    """Sets the clock of a daemon to a time (UTC) and has it look; returns when it has."""

    def of(daemon: Any) -> Move:
        def to(iso: str) -> None:
            kairos.clock(iso)
            tick(daemon)

        return to

    return of


def test_n1_an_idle_day_costs_nothing_and_says_nothing(shop: Any, kairos: Any, move: Any) -> None:
    kairos.run("config", "set", "model.name", '"openai/none"')
    daemon = kairos.daemon()
    to = move(daemon)
    for hour in range(12, 36):
        to(f"2026-06-{1 + hour // 24:02}T{hour % 24:02}:30:00")
    assert occurrences(kairos, "dream") == ["06-02 03:30"]
    assert occurrences(kairos, "compact") == ["06-02 04:00"]
    assert daemon.stop() == 0
    after = [r for r in kairos.events() if r.origin not in ("baseline", "user")]
    assert {r.topic for r in after} == {"DaemonStarted", "OccurrenceDue", "OccurrenceEnded", "DaemonStopped"}
    assert kairos.run("status")["today"]["spent_usd"] == 0


def test_idle_appends_no_byte_until_something_is_due(shop: Any, kairos: Any, move: Any) -> None:
    to = move(kairos.daemon())
    to("2026-06-01T12:00:00")
    before = kairos.run("status")["log"]
    for minute in range(20):
        to(f"2026-06-01T13:{minute:02}:00")
    assert kairos.run("status")["log"] == before
    to("2026-06-02T03:31:00")
    assert occurrences(kairos, "dream") == ["06-02 03:30"]


def test_what_becomes_due_is_done_though_nobody_asks_and_nothing_happens(shop: Any, kairos: Any) -> None:
    """No tick, no event: the daemon wakes by itself."""
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.run("defer", proposal.id, "--until", "3s")
    kairos.run("pause", "4s")
    kairos.until("ProposalReturned", id=proposal.id)
    kairos.until("Resumed")


def test_n5_a_laptop_that_slept_through_the_night_dreams_once_and_says_it_is_late(
    shop: Any, kairos: Any, move: Any
) -> None:
    to = move(kairos.daemon())
    for time in ("09:00:00", "09:00:01", "09:10:00", "23:00:00"):
        to(f"2026-06-04T{time}")
    assert occurrences(kairos, "dream") == ["06-04 03:30"]
    assert occurrences(kairos, "compact") == ["06-04 04:00"]
    [due] = [r.event for r in kairos.events("OccurrenceDue") if r.event.job == "dream"]
    assert isinstance(due, OccurrenceDue)
    assert abs(due.late - 5.5 * 3_600_000_000) < 60_000_000


def test_n6_a_clock_set_back_a_day_repeats_nothing_and_the_next_night_comes(shop: Any, kairos: Any, move: Any) -> None:
    daemon = kairos.daemon()
    to = move(daemon)
    to("2026-06-02T05:00:00")
    to("2026-06-01T05:00:00")
    to("2026-06-01T23:00:00")
    to("2026-06-02T06:00:00")
    assert occurrences(kairos, "dream") == ["06-02 03:30"]
    assert daemon.stop() == 0
    to = move(kairos.daemon())  # the log knows, not the process
    to("2026-06-01T06:00:00")
    to("2026-06-02T06:30:00")
    assert occurrences(kairos, "dream") == ["06-02 03:30"]
    to("2026-06-03T05:00:00")
    assert occurrences(kairos, "dream") == ["06-02 03:30", "06-03 03:30"]
    assert occurrences(kairos, "compact") == ["06-02 04:00", "06-03 04:00"]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        # at 03:00 it is 02:00 again; 02:30 comes at 00:30 and at 01:30 UTC
        (["2026-10-24T12:00", "2026-10-25T00:20", "2026-10-25T00:40", "2026-10-25T01:20", "2026-10-25T01:40",
          "2026-10-25T09:00", "2026-10-26T01:20", "2026-10-26T01:40"], ["10-25 00:30", "10-26 01:30"]),
        # at 02:00 it is 03:00; 02:30 never comes, and stands for 03:30, 01:30 UTC
        (["2026-03-28T12:00", "2026-03-29T00:40", "2026-03-29T01:20", "2026-03-29T01:40", "2026-03-29T09:00",
          "2026-03-30T00:20", "2026-03-30T00:40"], ["03-29 01:30", "03-30 00:30"]),
    ],
    ids=["back", "forward"],
)  # fmt: skip
def test_n6_on_the_nights_when_clocks_move_a_job_runs_once(
    shop: Any, kairos: Any, move: Any, times: list[str], expected: list[str]
) -> None:
    kairos.environment["TZ"] = "Europe/Berlin"
    kairos.run("config", "set", "schedule.dream", "02:30")
    kairos.clock(f"{times[0]}:00")
    to = move(kairos.daemon())
    for time in times:
        to(f"{time}:00")
    assert occurrences(kairos, "dream") == expected


def test_n6_a_zone_that_changes_while_it_runs_repeats_no_night(shop: Any, kairos: Any, move: Any) -> None:
    zone = kairos.root / "localtime"

    def travel(name: str) -> None:
        found = next(Path(path, name) for path in TZPATH if Path(path, name).exists())
        shutil.copy(found, zone.with_suffix(".new"))
        zone.with_suffix(".new").replace(zone)

    kairos.environment["TZ"] = f":{zone}"
    travel("Europe/Berlin")
    to = move(kairos.daemon())
    to("2026-06-02T01:31:00")
    assert occurrences(kairos, "dream") == ["06-02 01:30"], "half past three in Berlin"
    travel("America/New_York")
    for time in ("06-02T01:32", "06-02T07:31", "06-02T20:00", "06-03T01:31", "06-03T07:29"):
        to(f"2026-{time}:00")
    assert occurrences(kairos, "dream") == ["06-02 01:30"]
    to("2026-06-03T07:31:00")
    travel("Asia/Tokyo")
    for time in ("06-03T07:32", "06-03T18:29"):
        to(f"2026-{time}:00")
    assert occurrences(kairos, "dream") == ["06-02 01:30", "06-03 07:30"]
    to("2026-06-04T18:31:00")
    assert occurrences(kairos, "dream") == ["06-02 01:30", "06-03 07:30", "06-04 18:30"]
    assert datetime(2026, 6, 5, 3, 30, tzinfo=ZoneInfo("Asia/Tokyo")).astimezone(UTC).hour == 18


def test_n7_a_second_daemon_on_one_home_exits_11_and_begins_nothing(shop: Any, kairos: Any) -> None:
    daemon = kairos.daemon()
    second = kairos.call("--json", "daemon", "run")
    assert second.returncode == 11
    assert '"locked"' in second.stderr
    assert daemon.process.poll() is None
    assert len(kairos.events("DaemonStarted")) == 1


def test_n34_an_unattended_proposal_expires_and_blocks_nothing(shop: Any, kairos: Any, move: Any) -> None:
    to = move(kairos.daemon())
    shop.rename()
    proposal = shop.proposal()
    to("2026-06-15T11:59:00")
    assert kairos.events("ProposalExpired") == []
    to("2026-06-16T12:00:00")
    assert [r.event.id for r in kairos.events("ProposalExpired")] == [proposal.id]
    assert kairos.run("inbox") == []
    assert '"stale"' in kairos.run("approve", proposal.id, "--digest", proposal.digest, code=5)


def test_n35_quiet_hours_hold_delivery_and_the_morning_brief_has_it(shop: Any, kairos: Any, move: Any) -> None:
    kairos.clock("2026-06-01T23:00:00")
    to = move(kairos.daemon())
    shop.rename()
    proposal = shop.proposal()
    kairos.until("AttentionHeld", rule="quiet-hours@1", subject=proposal.id)
    assert [p["id"] for p in kairos.run("inbox")] == [proposal.id]
    assert "quiet" in str(kairos.run("why-not"))
    to("2026-06-02T07:59:00")
    assert kairos.events("ProposalDelivered") == []
    to("2026-06-02T08:00:01")
    told = kairos.events("ProposalDelivered")
    assert [(r.event.id, r.event.boundary) for r in told] == [(proposal.id, "brief")]
