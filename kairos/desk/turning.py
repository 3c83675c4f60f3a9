"""Turns, as the log holds them: when and why they began, what they cost, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kairos.clock import now_us, rfc3339
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import position_before, roots_of
from kairos.desk.records.turns import CallOut, ToolUseOut, TurnOut, TurnShownOut
from kairos.desk.when import ago
from kairos.domain.events import ModelCalled, ModelReserved, ToolUsed, TurnEnded, TurnStarted
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository

DEFAULT_SINCE = "7d"
_TOPICS = frozenset({"TurnStarted", "TurnEnded", "ModelReserved", "ModelCalled"})
_CALLS = frozenset({"ModelReserved", "ModelCalled"})


@of_one_moment
def turns(desk: Desk, since: str | None, only: Repository | None, *, rules: bool) -> list[TurnOut]:
    """The turns that began since a time as typed (default: 7 days ago), of one repository or of all, newest first:
    those of a model, and with `rules` those of detectors, too. UsageError."""
    start = ago(since or DEFAULT_SINCE, now_us())
    if since is not None and start > now_us():
        raise UsageError(f"`{since}` is in the future", "Give a time in the past, such as 7d.")
    if not desk.has_log:
        return []
    found: dict[str, TurnOut] = {}
    calls: dict[str, list[Recorded]] = {}
    roots = roots_of(desk)
    for recorded in desk.log.read(position_before(desk, start), topics=_TOPICS):
        event = recorded.event
        if isinstance(event, ModelReserved | ModelCalled):
            calls.setdefault(event.turn, []).append(recorded)
        elif (
            isinstance(event, TurnStarted | TurnEnded)
            and (rules or event.engine == "model")
            and (only is None or event.repo == only.id)
        ):
            found[event.turn] = _with(found.get(event.turn), recorded, roots)
    return [_paid(turn, _calls(calls.get(turn.turn, []))) for turn in reversed(found.values())]


@of_one_moment
def turn(desk: Desk, name: str) -> TurnShownOut:
    """A turn by its id, or by the number at the end of it. NotFound (4)."""
    events = desk.log.stream(_full(desk, name)) if desk.has_log and name.isascii() else []
    found: TurnOut | None = None
    for recorded in events:
        if isinstance(recorded.event, TurnStarted | TurnEnded):
            found = _with(found, recorded, roots_of(desk))
    if found is None:
        raise NotFound(f"there is no turn `{name}`", "`kairos turn ls` lists them.")
    later = desk.log.read(found.position, topics=_CALLS)
    calls = _calls(r for r in later if isinstance(r.event, ModelReserved | ModelCalled) and r.event.turn == found.turn)
    return TurnShownOut(turn=_paid(found, calls), calls=calls, tools=_tools(events), cause=events[0].caused_by)


def _full(desk: Desk, number: str) -> str:
    """The id of the newest turn that ends with a number; what is no number as given."""
    full = number
    if number.isdecimal():
        for recorded in desk.log.read(topics={"TurnStarted", "TurnEnded"}):
            if isinstance(recorded.event, TurnStarted | TurnEnded) and recorded.event.turn.endswith(f"-{number}"):
                full = recorded.event.turn
    return full


def _with(known: TurnOut | None, recorded: Recorded, roots: dict[str, str]) -> TurnOut:
    """The turn after its start or its end. An end without a start is a turn that an error of Kairos kept from it."""
    event = recorded.event
    assert isinstance(event, TurnStarted | TurnEnded)
    turn = known or TurnOut(
        turn=event.turn, position=recorded.position, at=rfc3339(recorded.at), repo=roots.get(event.repo),
        repo_id=event.repo, engine=event.engine, boundary="", detectors=[], outcome=None, why="", proposals=[],
        model_calls=0, usd=0.0, seconds=None,
    )  # fmt: skip
    if isinstance(event, TurnStarted):
        return msgspec.structs.replace(turn, boundary=event.boundary, detectors=event.detectors)
    return msgspec.structs.replace(
        turn, outcome=event.outcome, why=event.why, proposals=event.proposals, seconds=round(event.micros / 1e6, 3)
    )


def _calls(events: Iterable[Recorded]) -> list[CallOut]:
    """The attempts of one turn; one that is not reconciled has no outcome and costs what is reserved."""
    found: dict[tuple[int, int], CallOut] = {}
    for recorded in events:
        match recorded.event:
            case ModelReserved() as e:
                found[e.call, e.attempt] = CallOut(
                    position=recorded.position, at=rfc3339(recorded.at), call=e.call, attempt=e.attempt, model=e.model,
                    outcome=None, usd=round(e.reserved_microusd / 1e6, 6), input_tokens=0, cached_tokens=0,
                    output_tokens=0, why="", anomaly="", request="",
                )  # fmt: skip
            case ModelCalled() as e:
                found[e.call, e.attempt] = CallOut(
                    position=recorded.position, at=rfc3339(recorded.at), call=e.call, attempt=e.attempt, model=e.model,
                    outcome=e.outcome, usd=round(e.spent_microusd / 1e6, 6), input_tokens=e.input_tokens,
                    cached_tokens=e.cached_tokens, output_tokens=e.output_tokens, why=e.why, anomaly=e.anomaly,
                    request=e.request,
                )  # fmt: skip
            case _:
                pass
    return list(found.values())


def _tools(events: Iterable[Recorded]) -> list[ToolUseOut]:
    return [
        ToolUseOut(
            position=r.position, at=rfc3339(r.at), call=r.event.call, tool=r.event.tool, what=r.event.what,
            outcome=r.event.outcome, why=r.event.why, seconds=round(r.event.micros / 1e6, 3),
        )
        for r in events
        if isinstance(r.event, ToolUsed)
    ]  # fmt: skip


def _paid(turn: TurnOut, calls: list[CallOut]) -> TurnOut:
    return msgspec.structs.replace(turn, model_calls=len(calls), usd=round(sum(c.usd for c in calls), 6))
