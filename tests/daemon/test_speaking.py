"""A person is told at the moments attention allows, once, by a line and by their own command."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kairos.clock import now_us
from kairos.daemon.folded import World
from kairos.daemon.manners import manners
from kairos.daemon.speaking import Speaker
from kairos.domain.events import ProposalRejected, ProposalVerified
from kairos.domain.proposal import stream_of
from kairos.eventlog.log import Log
from kairos.settings import AttentionSettings, Config, Notify

NIGHT = datetime(2026, 6, 1, 23, tzinfo=UTC).timestamp()


@pytest.fixture
def at(clock: Callable[[float], None]) -> Callable[[float], None]:
    """It is so many hours after 23:00 of 1 June 2026."""

    def later(hours: float) -> None:
        clock(NIGHT + hours * 3_600 - time.time())

    later(-11)
    return later


@pytest.fixture
def told(others: Any) -> Callable[[], list[str]]:
    """The proposals that were delivered, in order."""
    return lambda: [e.id for e in others.told("ProposalDelivered")]


@pytest.fixture
def make(world: World, log: Log, at: Any) -> Callable[..., Speaker]:
    def speaker(config: Config | None = None) -> Speaker:
        given = config or Config()
        return Speaker(given, log, world, manners(given), lambda: UTC, lambda repo: True)

    return speaker


def pending(others: Any, world: World, **fields: Any) -> Any:
    raised = others.raised(**fields)
    verified = ProposalVerified(id=raised.id, digest=raised.raised.digest, ok=True)
    others.say(verified, raised.stream, None, "system")
    world.catch_up()
    return raised


def test_what_is_pending_is_told_once(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]]
) -> None:
    speaker, raised = make(), pending(others, world)
    speaker.offer(raised.id)
    speaker.offer(raised.id)
    speaker.offer_all("commit")
    assert told() == [raised.id]
    assert len(others.told("ProposalDelivered")) == 1


def test_what_quiet_hours_hold_is_told_in_the_morning_as_one_brief(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]], at: Callable[[float], None]
) -> None:
    speaker = make()
    at(0)
    first, second = pending(others, world), pending(others, world)
    speaker.offer_all("commit")
    speaker.offer_all("commit")
    assert told() == [] and [e.rule for e in others.told("AttentionHeld")] == ["quiet-hours@1"] * 2
    at(8.9)
    speaker.release(now_us())
    assert told() == []
    at(9.01)
    speaker.release(now_us())
    assert sorted(told()) == sorted([first.id, second.id])
    assert {e.boundary for e in others.told("ProposalDelivered")} == {"brief"}


def test_the_daily_cap_counts_what_was_told_a_moment_ago(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]]
) -> None:
    speaker = make(Config(attention=AttentionSettings(per_day=2)))
    for _ in range(4):
        pending(others, world)
    speaker.offer_all("commit")
    assert len(told()) == 2
    assert [e.rule for e in others.told("AttentionHeld")] == ["per-day@1"] * 2


def test_what_was_verified_and_never_offered_is_offered_when_somebody_looks(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]]
) -> None:
    """The daemon died between the two."""
    raised = pending(others, world)
    make().release(now_us())
    assert told() == [raised.id]


def test_nobody_is_told_of_what_was_decided_meanwhile(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]]
) -> None:
    raised = pending(others, world)
    others.say(ProposalRejected(id=raised.id, reason="wrong"), stream_of(raised.id), origin="user")
    make().offer(raised.id)  # by what it knows, it is pending
    assert told() == [] and others.told("ProposalDelivered") == []


def test_the_persons_own_command_gets_the_title_and_leaves_no_zombie(
    others: Any, world: World, make: Callable[..., Speaker], tmp_path: Path, until: Callable[..., None]
) -> None:
    said = tmp_path / "said"
    command = ["sh", "-c", f'printf %s "$1" > {said}.new; echo $$ > {tmp_path}/pid; mv {said}.new {said}', "notify"]
    speaker, raised = make(Config(notify=Notify(command=command))), pending(others, world, title="Rename it")
    speaker.offer(raised.id)
    until(said.exists)
    assert said.read_text() == "Rename it"
    pid = (tmp_path / "pid").read_text().strip()
    until(lambda: not Path("/proc", pid).exists(), "its end was waited for")


def test_a_command_that_cannot_run_is_told_and_ends_nothing(
    others: Any, world: World, make: Callable[..., Speaker], told: Callable[[], list[str]]
) -> None:
    speaker, raised = make(Config(notify=Notify(command=["/nowhere"]))), pending(others, world)
    speaker.offer(raised.id)
    assert told() == [raised.id]
    assert [e.rule for e in others.told("AttentionHeld")] == ["notify@1"]
