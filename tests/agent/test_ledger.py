from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kairos.agent.ledger import BudgetView, Ledger, Pauses, day_start_us, spent_today
from kairos.clock import SECOND, now_us
from kairos.domain.events import ModelCalled, Paused, Resumed, TurnStarted
from kairos.errors import BudgetExhausted
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.replay import replay_verify
from kairos.settings import Model

MODEL = Model(name="m", per_day_usd=0.01, per_turn_usd=0.01)


def _started(log: Log, turn: str) -> int:
    event = TurnStarted(turn=turn, repo="r", engine="model", boundary="commit", detectors=[])
    return log.append([NewEvent(turn, event)])[0]


def test_a_reservation_that_was_never_reconciled_stays_spent(log: Log) -> None:
    Ledger(log, MODEL, "turn-1", _started(log, "turn-1")).reserve(1, 1, 9_000, 0)
    after = Ledger(log, MODEL, "turn-2", _started(log, "turn-2"))
    with pytest.raises(BudgetExhausted, match="today"):
        after.reserve(1, 1, 2_000, 0)
    after.reserve(1, 1, 1_000, 0)
    assert spent_today(log, now_us(), UTC).microusd == 10_000


def test_a_reconciled_call_costs_what_it_cost(log: Log) -> None:
    ledger = Ledger(log, MODEL, "turn-1", _started(log, "turn-1"))
    ledger.reserve(1, 1, 9_000, 0)
    ledger.reconcile(ModelCalled(turn="turn-1", call=1, model="m", attempt=1, outcome="ok", spent_microusd=500))
    assert ledger.spent() == 500
    today = spent_today(log, now_us(), UTC)
    assert (today.calls, today.microusd) == (1, 500)


def test_the_ledger_is_kept_and_compaction_goes_on_after_a_call(log: Log) -> None:
    ledger = Ledger(log, MODEL, "turn-1", _started(log, "turn-1"))
    ledger.reserve(1, 1, 9_000, 0)
    whole = BudgetView().load(log, fresh=True)[0]
    compact(log, views=[BudgetView()])
    assert BudgetView().kept(log, log.head())[0] == whole
    assert replay_verify(log, [BudgetView()]).identical


def test_two_turns_at_once_never_take_the_same_cent(log: Log, home: object) -> None:
    path: Path = log.path
    causes = [_started(log, f"turn-{n}") for n in range(4)]
    sent: list[str] = []
    ready = threading.Barrier(4)

    def work(number: int) -> None:
        own = Log(path)
        ledger = Ledger(own, MODEL, f"turn-{number}", causes[number])
        ready.wait(10)
        for call in range(5):
            try:
                ledger.reserve(call, 1, 1_500, 0)
            except BudgetExhausted:
                break
            sent.append(f"{number}/{call}")
        own.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(sent) == 6
    assert spent_today(log, now_us(), UTC).microusd == 9_000


def test_a_pause_is_in_force_until_its_end_or_a_resume(log: Log) -> None:
    pauses, now = Pauses(log), 1_000 * SECOND
    assert not pauses.in_force(now, "repo-1")
    log.append([NewEvent("attention", Paused(until=now + 5))])
    assert pauses.in_force(now, "repo-1") and not pauses.in_force(now + 5, "repo-1")
    log.append([NewEvent("attention", Paused())])
    assert pauses.in_force(now + 10**15, "repo-1")
    log.append([NewEvent("attention", Resumed())])
    assert not pauses.in_force(now, "repo-1") and not Pauses(log).in_force(now, "repo-1")


def test_a_day_begins_at_local_midnight() -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 29, 12, tzinfo=zone)
    start = day_start_us(round(noon.timestamp()) * SECOND, zone)
    assert datetime.fromtimestamp(start / SECOND, zone) == datetime(2026, 3, 29, 0, 0, tzinfo=zone)
