"""Hard nights about time: N1 idle, N5 sleep, N6 clocks, N7 two daemons, N34 expiry, N35 quiet hours."""

from __future__ import annotations

import time
from typing import Any

from kairos.domain.events import OccurrenceDue, OccurrenceEnded


def test_n1_an_idle_day_costs_nothing_and_says_nothing(shop: Any, kairos: Any, tick: Any) -> None:
    kairos.run("config", "set", "model.name", '"openai/none"')
    daemon = kairos.daemon()
    for hour in range(24):
        kairos.clock(f"2026-06-{2 if hour >= 12 else 1:02}T{(12 + hour) % 24:02}:30:00")
        tick(daemon)
        time.sleep(0.05)
    kairos.until("OccurrenceEnded", job="compact")
    assert daemon.stop() == 0
    idle = {"ProposalRaised", "ModelReserved", "ModelCalled", "TurnStarted", "AttentionDue", "FilesChanged", "GitMoved"}
    after = [r for r in kairos.events() if r.origin not in ("baseline", "user")]
    assert not idle & {r.topic for r in after}
    assert kairos.run("status")["today"]["spent_usd"] == 0


def test_idle_appends_no_byte(shop: Any, kairos: Any, tick: Any) -> None:
    daemon = kairos.daemon()
    kairos.until("DaemonStarted")
    tick(daemon)
    before = kairos.run("status")["log"]
    for _ in range(20):
        tick(daemon)
        time.sleep(0.02)
    assert kairos.run("status")["log"] == before


def test_n5_a_laptop_that_slept_through_the_night_dreams_once_and_says_it_is_late(
    shop: Any, kairos: Any, tick: Any
) -> None:
    daemon = kairos.daemon()
    kairos.until("DaemonStarted")
    kairos.clock("2026-06-04T09:00:00")
    for _ in range(3):
        tick(daemon)
    ended = kairos.until("OccurrenceEnded", job="dream")
    kairos.until("OccurrenceEnded", job="compact")
    for _ in range(5):
        tick(daemon)
        time.sleep(0.05)
    due = [r.event for r in kairos.events("OccurrenceDue") if r.event.job == "dream"]
    assert len(due) == 1 and isinstance(due[0], OccurrenceDue)
    assert abs(due[0].late - 5.5 * 3_600_000_000) < 60_000_000
    assert isinstance(ended[0].event, OccurrenceEnded) and ended[0].event.outcome == "done"


def test_n6_a_clock_set_back_a_day_repeats_nothing(shop: Any, kairos: Any, tick: Any) -> None:
    daemon = kairos.daemon()
    kairos.until("DaemonStarted")
    kairos.clock("2026-06-02T05:00:00")
    tick(daemon)
    kairos.until("OccurrenceEnded", count=2)
    kairos.clock("2026-06-01T05:00:00")
    tick(daemon)
    kairos.clock("2026-06-02T06:00:00")
    tick(daemon)
    time.sleep(0.3)
    assert daemon.stop() == 0
    assert len(kairos.events("OccurrenceDue")) == 2


def test_n7_a_second_daemon_on_one_home_exits_11_at_once(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    begun = time.monotonic()
    second = kairos.call("--json", "daemon", "run")
    assert second.returncode == 11
    assert '"locked"' in second.stderr
    assert time.monotonic() - begun < 5
    assert len(kairos.events("DaemonStarted")) == 1


def test_n34_an_unattended_proposal_expires_and_blocks_nothing(shop: Any, kairos: Any, tick: Any) -> None:
    daemon = kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.clock("2026-06-16T12:00:00")
    tick(daemon)
    kairos.until("ProposalExpired", id=proposal.id)
    assert kairos.run("inbox") == []
    assert '"stale"' in kairos.run("approve", proposal.id, "--digest", proposal.digest, code=5)


def test_n35_quiet_hours_hold_delivery_and_the_morning_brief_has_it(shop: Any, kairos: Any, tick: Any) -> None:
    kairos.clock("2026-06-01T23:00:00")
    daemon = kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.until("AttentionHeld", rule="quiet-hours@1", subject=proposal.id)
    assert kairos.events("ProposalDelivered") == []
    assert [p["id"] for p in kairos.run("inbox")] == [proposal.id]
    assert "quiet" in str(kairos.run("why-not"))
    kairos.clock("2026-06-02T08:01:00")
    tick(daemon)
    told = kairos.until("ProposalDelivered", id=proposal.id)
    assert told[0].event.boundary == "brief"
