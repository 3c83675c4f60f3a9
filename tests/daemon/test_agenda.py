"""What becomes due by time alone, and when."""

from __future__ import annotations

from typing import Any

from kairos.acting import decisions
from kairos.clock import DAY, now_us
from kairos.daemon.agenda import KINDS, agenda
from kairos.daemon.folded import World
from kairos.domain.events import (
    AttentionHeld,
    Paused,
    ProposalDeferred,
    ProposalDelivered,
    ProposalRejected,
    ProposalVerified,
    Resumed,
)
from kairos.domain.proposal import stream_of


def planned(world: World, since: int = 0, mine: bool = True) -> dict[str, int]:
    """The kinds that there is an instant for."""
    world.catch_up()
    with world.reading() as views:
        found = agenda(views, since, lambda repo: mine)
    assert set(found) == set(KINDS)
    return {kind: instant for kind, instant in found.items() if instant is not None}


def test_in_an_empty_world_nothing_becomes_due(world: World) -> None:
    assert planned(world) == {}


def test_the_first_proposal_to_expire_is_waited_for(others: Any, world: World) -> None:
    later, sooner = others.raised(), others.raised(expire_us=DAY)
    assert planned(world) == {"expiry": sooner.raised.expires_at}
    others.say(ProposalRejected(id=sooner.id, reason="wrong"), stream_of(sooner.id), origin="user")
    assert planned(world) == {"expiry": later.raised.expires_at}


def test_a_deferral_until_a_time_is_waited_for_and_one_until_a_commit_is_not(others: Any, world: World) -> None:
    timed, by_commit = others.raised(), others.raised()
    until = now_us() + DAY
    others.say(ProposalDeferred(id=timed.id, until=until), stream_of(timed.id), origin="user")
    others.say(ProposalDeferred(id=by_commit.id), stream_of(by_commit.id), origin="user")
    assert planned(world)["deferral"] == until


def test_an_approval_that_was_not_carried_out_runs_out(others: Any, world: World) -> None:
    raised = others.raised(others.patch("README.md", "two\n"))
    yes = decisions.approve(others.log, others.home, others.config, raised.id, raised.raised.digest).proposal
    assert yes.approved is not None
    assert planned(world) == {"approval": yes.approved.expires_at}


def test_the_end_of_a_pause_is_waited_for(others: Any, world: World) -> None:
    until = now_us() + DAY
    others.say(Paused(until=until), origin="user")
    assert planned(world) == {"pause": until}
    others.say(Paused(), origin="user")
    assert planned(world) == {}
    others.say(Paused(until=until), origin="user")
    others.say(Resumed(), origin="user")
    assert planned(world) == {}


def test_what_is_held_by_time_is_waited_for_until_it_is_told(others: Any, world: World) -> None:
    raised = others.raised()
    others.say(ProposalVerified(id=raised.id, digest=raised.raised.digest, ok=True), stream_of(raised.id))
    until = now_us() + DAY

    def hold(rule: str, until: int | None = None) -> None:
        others.say(AttentionHeld(repo=others.repo, subject=raised.id, why="", rule=rule, until=until), others.repo)

    hold("boundary@1")
    assert "delivery" not in planned(world)
    hold("quiet-hours@1", until)
    hold("per-day@1", until + 5)
    assert planned(world)["delivery"] == until + 5, "all of its holds must be over"
    others.say(ProposalDelivered(id=raised.id, boundary="brief"), stream_of(raised.id))
    assert "delivery" not in planned(world)


def test_what_was_looked_at_already_is_not_waited_for(others: Any, world: World) -> None:
    raised = others.raised(expire_us=DAY)
    assert planned(world, since=raised.raised.expires_at) == {}
    assert planned(world, since=raised.raised.expires_at - 1) == {"expiry": raised.raised.expires_at}


def test_another_daemons_proposals_are_its_business(others: Any, world: World) -> None:
    others.raised()
    assert planned(world, mine=False) == {}
