"""What time and the tree do to proposals: they expire, come back, go stale; a pause ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.acting import decisions
from kairos.clock import DAY, now_us
from kairos.daemon.folded import World
from kairos.daemon.housekeeping import Housekeeping
from kairos.domain.events import Change, FilesChanged, Paused, ProposalDeferred, RootLost
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


def changed(others: Any, path: str) -> Any:
    event = FilesChanged(repo=others.repo, burst="b", part=1, parts=1, changes=[Change(kind="modified", path=path)])
    return others.log.at(others.say(event, others.repo))


def test_a_change_of_its_base_makes_a_proposal_stale(others: Any, world: World, housekeeping: Housekeeping) -> None:
    touched, untouched = (
        others.raised(others.patch("README.md", "two\n")),
        others.raised(others.patch("new.txt", "x\n")),
    )
    (others.root / "README.md").write_text("mine\n")
    told = changed(others, "README.md")
    world.catch_up()
    housekeeping.changed(told, told.event)
    assert others.of(touched.id).state == "stale"
    assert others.of(untouched.id).state == "raised"
    assert others.log.stream(touched.stream)[-1].caused_by == told.position


def test_what_moved_while_no_daemon_ran_is_found_at_the_start(
    others: Any, world: World, housekeeping: Housekeeping
) -> None:
    raised = others.raised(others.patch("README.md", "two\n"))
    (others.root / "README.md").write_text("mine\n")
    world.catch_up()
    housekeeping.check_drift()
    housekeeping.check_drift()
    assert others.of(raised.id).state == "stale"
    assert len(others.told("ProposalStale")) == 1


def test_of_a_repository_that_is_away_nothing_is_judged(others: Any, world: World, housekeeping: Housekeeping) -> None:
    raised = others.raised(others.patch("README.md", "two\n"))
    others.say(RootLost(repo=others.repo, why="gone"), others.repo)
    (others.root / "README.md").unlink()
    world.catch_up()
    housekeeping.check_drift()
    assert others.of(raised.id).state == "raised"
