"""What models cost, from the ledger in the log: by local day, repository, kind of turn and model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import NamedTuple

import msgspec

from kairos.clock import local_zone, now_us
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import names, position_before, repositories
from kairos.desk.records.system import CostOut, SpentOut
from kairos.desk.when import ago, duration
from kairos.domain.attention import day_start, local_day
from kairos.domain.events import ModelCalled, ModelReserved, TurnStarted
from kairos.errors import UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import Repository

DEFAULT_DAYS = "30d"
_TOPICS = frozenset({"TurnStarted", "ModelReserved", "ModelCalled"})
_UNKNOWN = "unknown"


class Call(NamedTuple):
    """One attempt of a model call: when (us), in which turn, by which model, and what it cost (micro-USD). An attempt
    that is not reconciled yet counts with what was reserved, as `open`."""

    at: int
    turn: str
    model: str
    microusd: int
    input_tokens: int = 0
    output_tokens: int = 0
    open: bool = False


class Spendings(NamedTuple):
    """The turns and calls since a time: turn id → what started it, and the calls in order."""

    turns: dict[str, TurnStarted]
    calls: list[Call]


@of_one_moment
def cost(desk: Desk, since: str | None, only: Repository | None) -> CostOut:
    """What models cost since a time as typed (default: 30 days ago), of one repository or of all. UsageError."""
    now, zone = now_us(), local_zone()
    start = ago(since or DEFAULT_DAYS, now)
    if since is not None and start > now:
        raise UsageError(f"`{since}` is in the future", "Give a time in the past, such as 7d.")
    if duration(since or DEFAULT_DAYS) is not None:
        start = day_start(start, zone)  # whole days: half of one would look like a cheap one
    found = spent_since(desk, start, only)
    known = repositories(desk)
    paths = {i: r.root for i, r in known.by_id.items()}
    short = names(known)

    def repo(call: Call) -> str:
        return found.turns[call.turn].repo if call.turn in found.turns else ""

    return CostOut(
        since=local_day(start, zone),
        total=_sum("total", found.calls),
        by_day=list(_grouped(found.calls, lambda c: local_day(c.at, zone))),
        by_repo=[
            msgspec.structs.replace(s, name=short.get(s.name, s.name), repo=s.name, path=paths.get(s.name))
            for s in _grouped(found.calls, lambda c: repo(c) or _UNKNOWN)
        ],
        by_kind=list(_grouped(found.calls, lambda c: _kind(found.turns.get(c.turn)))),
        by_model=list(_grouped(found.calls, lambda c: c.model)),
    )


def spent_since(desk: Desk, start: int, only: Repository | None) -> Spendings:
    """The turns and model calls recorded since a time (us), of one repository or of all."""
    if not desk.has_log:
        return Spendings({}, [])
    return _read(desk.log, position_before(desk, start), only)


class DayCost(NamedTuple):
    """Model calls, what they cost (micro-USD), how much of that is only reserved so far, and turns."""

    calls: int
    microusd: int
    reserved: int
    turns: int


def today(desk: Desk, only: Repository | None, zone: tzinfo) -> DayCost:
    """What this local day cost, in one repository or in all."""
    found = spent_since(desk, day_start(now_us(), zone), only)
    reserved = sum(call.microusd for call in found.calls if call.open)
    return DayCost(len(found.calls), sum(call.microusd for call in found.calls), reserved, len(found.turns))


def _read(log: Log, after: int, only: Repository | None) -> Spendings:
    turns: dict[str, TurnStarted] = {}
    reserved: dict[tuple[str, int, int], Call] = {}
    calls: list[Call] = []
    for recorded in log.read(after, topics=_TOPICS):
        match recorded.event:
            case TurnStarted() as e if only is None or e.repo == only.id:
                turns[e.turn] = e
            case ModelReserved() as e:
                key = (e.turn, e.call, e.attempt)
                reserved[key] = Call(recorded.at, e.turn, e.model, e.reserved_microusd, open=True)
            case ModelCalled() as e:
                reserved.pop((e.turn, e.call, e.attempt), None)
                calls.append(Call(recorded.at, e.turn, e.model, e.spent_microusd, e.input_tokens, e.output_tokens))
            case _:
                pass
    calls = sorted([*calls, *reserved.values()])
    return Spendings(turns, [call for call in calls if only is None or call.turn in turns])


def _kind(turn: TurnStarted | None) -> str:
    """The kind of a turn: its detectors, which a model turn names after its task."""
    return ", ".join(turn.detectors) or turn.engine if turn is not None else _UNKNOWN


def _grouped(calls: list[Call], key: Callable[[Call], str]) -> Iterator[SpentOut]:
    groups: dict[str, list[Call]] = {}
    for call in calls:
        groups.setdefault(key(call), []).append(call)
    for name in sorted(groups):
        yield _sum(name, groups[name])


def _sum(name: str, calls: list[Call]) -> SpentOut:
    return SpentOut(
        name=name, model_calls=len(calls), usd=round(sum(c.microusd for c in calls) / 1e6, 6),
        input_tokens=sum(c.input_tokens for c in calls), output_tokens=sum(c.output_tokens for c in calls),
        reserved=sum(c.open for c in calls),
    )  # fmt: skip
