"""The money ledger in the log: reserves before a call, reconciles after it, and checks for a pause.

The stream `budget` is appended with the version that was read, so two turns cannot both spend the last cent.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from kairos.clock import SECOND
from kairos.domain import budget
from kairos.domain.budget import Caps, Slice, Spending
from kairos.domain.events import ModelCalled, ModelReserved
from kairos.errors import BudgetExhausted, Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.projection import Projection
from kairos.settings import Model

_TRIES = 20


class BudgetView(Projection[Spending]):
    """The view that folds the ledger's events."""

    name = "budget"
    version = 2
    state = Spending
    topics = budget.TOPICS

    def apply(self, state: Spending, recorded: Recorded) -> None:
        budget.evolve(state, recorded.event, recorded.at)

    def encode(self, state: Spending) -> bytes:
        """The state as canonical bytes. The numeric keys of the slices are encoded as strings so that they sort."""
        return msgspec.json.encode(msgspec.to_builtins(state, str_keys=True), order="sorted")


def caps_of(model: Model) -> Caps:
    """The configured caps in micro-USD, rounded down."""
    return Caps(per_day=int(model.per_day_usd * 1_000_000), per_turn=int(model.per_turn_usd * 1_000_000))


def day_start_us(now_us: int, zone: tzinfo) -> int:
    """The last local midnight before `now_us`, in microseconds since the epoch."""
    local = datetime.fromtimestamp(now_us / SECOND, zone)
    return round(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * SECOND


def spent_today(log: Log, now_us: int, zone: tzinfo) -> Slice:
    """The calls and micro-USD of the current local day, including open reservations."""
    return budget.since(BudgetView().load(log)[0], day_start_us(now_us, zone))


class Pauses:
    """Checks whether a person's pause is in force; each check reads only the new events in the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._view = AttentionView()
        self._state, self._position = self._view.load(log)

    def in_force(self, now_us: int, repo: str) -> bool:
        """Whether a pause is in force in a repository at `now_us`, according to all events in the log."""
        self._position = self._view.advance(self._state, self._log, self._position)
        return self._state.is_paused(now_us, repo)


class Ledger:
    """The ledger of one turn. `cause`: the position of the event that caused its entries."""

    def __init__(self, log: Log, model: Model, turn: str, cause: int) -> None:
        self._log = log
        self._model = model
        self._turn = turn
        self._cause = cause
        self._view = BudgetView()
        self._spending, self._position = self._view.load(log)

    def reserve(self, call: int, attempt: int, worst_microusd: int, day_start: int) -> None:
        """Reserves the maximum cost of an attempt. BudgetExhausted, with nothing written, if it exceeds a cap."""
        entry = ModelReserved(
            turn=self._turn, call=call, attempt=attempt, model=self._model.name, reserved_microusd=worst_microusd
        )
        for _ in range(_TRIES):
            version = self._log.version(budget.STREAM)
            self._position = self._view.advance(self._spending, self._log, self._position)
            why = budget.refusal(self._spending, self._turn, worst_microusd, caps_of(self._model), day_start)
            if why:
                raise BudgetExhausted(
                    f"{why}: the call was not sent", "Raise model.per_day_usd or model.per_turn_usd, or wait."
                )
            try:
                self._append(entry, {budget.STREAM: version})
            except Conflict:
                continue
            return
        raise TryAgain("the budget ledger is busy", "Try again in a moment.")

    def reconcile(self, entry: ModelCalled) -> None:
        """Replaces the reservation of an attempt with its actual cost."""
        self._append(entry, {})

    def spent(self) -> int:
        """The micro-USD spent by this turn so far."""
        self._position = self._view.advance(self._spending, self._log, self._position)
        total = self._spending.turns.get(self._turn)
        return total.microusd if total else 0

    def _append(self, entry: ModelReserved | ModelCalled, expected: dict[str, int]) -> None:
        self._log.append([NewEvent(budget.STREAM, entry, self._cause, "system")], expected=expected)
