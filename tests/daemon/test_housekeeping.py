"""What time does to proposals: they expire and come back; a pause ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.acting import decisions
from kairos.clock import DAY, now_us
from kairos.daemon.folded import World
from kairos.daemon.housekeeping import Housekeeping
from kairos.domain.events import Paused, ProposalDeferred
from kairos.domain.proposal import stream_of
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

HOUR = 3_600_000_000


@pytest.fixture
def housekeeping(world: World, log: Log) -> Housekeeping:
    return Housekeeping(log, world, lambda repo: True)


@pytest.fixture
def tick(world: World, housekeeping: Housekeeping) -> Callable[[int], None]:
    """What is due so many microseconds from now."""

    def later(us: int) -> None:
        world.catch_up()
        housekeeping.tick(now_us() + us)

    return later


def test_what_nobody_decided_expires_at_its_time_and_once(others: Any, tick: Callable[[int], None]) -> None:
    raised = others.raised()
    tick(14 * DAY - HOUR)
    assert others.of(raised.id).state == "raised"
    tick(14 * DAY)
    tick(14 * DAY)
    assert [e.id for e in others.told("ProposalExpired")] == [raised.id]


def test_what_was_deferred_until_a_time_comes_back_then(others: Any, tick: Callable[[int], None]) -> None:
    raised = others.raised()
    others.say(ProposalDeferred(id=raised.id, until=now_us() + HOUR), stream_of(raised.id))
    tick(0)
    assert others.of(raised.id).state == "deferred"
    tick(HOUR)
    assert others.of(raised.id).state == "raised"
    assert [e.why for e in others.told("ProposalReturned")] == ["the time that it was deferred to came"]


def test_what_was_deferred_to_the_next_commit_comes_back_then(
    others: Any, world: World, housekeeping: Housekeeping
) -> None:
    raised = others.raised()
    others.say(ProposalDeferred(id=raised.id), stream_of(raised.id))
    world.catch_up()
    housekeeping.next_commit(others.repo, "switch")
    assert others.of(raised.id).state == "deferred"
    housekeeping.next_commit(others.repo, "commit")
    assert others.of(raised.id).state == "raised"


def test_an_approval_that_was_not_carried_out_in_time_gives_its_proposal_back(
    others: Any, tick: Callable[[int], None]
) -> None:
    raised = others.raised(others.patch("README.md", "two\n"))
    decisions.approve(others.log, others.home, others.config, raised.id, raised.raised.digest)
    tick(0)
    assert others.of(raised.id).state == "approved"
    tick(HOUR)
    assert others.of(raised.id).state == "pending"


def test_a_pause_ends_at_its_time_and_once(others: Any, tick: Callable[[int], None]) -> None:
    others.say(Paused(until=now_us() + HOUR), origin="user")
    tick(0)
    assert others.told("Resumed") == []
    tick(HOUR)
    tick(HOUR)
    assert len(others.told("Resumed")) == 1


def test_on_a_shared_log_a_pause_ends_once_whoever_says_it(homes: list[Log]) -> None:
    world, other = World(homes[0]), World(homes[1])
    world.load()
    other.load()
    homes[0].append([NewEvent("control", Paused(until=1), None, "user")])
    for one in (world, other):
        one.catch_up()
    Housekeeping(homes[0], world, lambda repo: True).tick(now_us())
    Housekeeping(homes[1], other, lambda repo: True).tick(now_us())  # has not seen what the first one said
    assert len(list(homes[0].read(topics={"Resumed"}))) == 1


def test_a_decision_that_came_first_wins(others: Any, world: World, housekeeping: Housekeeping) -> None:
    raised = others.raised(others.patch("README.md", "two\n"))
    world.catch_up()
    decisions.approve(others.log, others.home, others.config, raised.id, raised.raised.digest)
    housekeeping.tick(now_us() + 15 * DAY)  # by what it knows, nobody decided
    assert others.told("ProposalExpired") == []
