"""Deciding what to renew, take and give up; and that a log of one home asks nobody."""

from __future__ import annotations

import pytest

from kairos.domain.events import Paused
from kairos.errors import LeaseLost
from kairos.eventlog.leases import Everything, LeasePlan, fences_of, holding, is_mine, plan
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, NewEvent


class Some:
    """Holds what it is told."""

    def __init__(self, tokens: dict[str, int]) -> None:
        self.tokens = tokens
        self.edition = 0

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return (Fence(name, self.tokens[name]),) if name in self.tokens else None

    def lose(self, lost: LeaseLost) -> None:
        raise lost

    def confirm(self, name: str) -> None:
        raise Fence(name, 0).lost()


def test_what_is_wanted_is_taken_what_is_held_is_renewed_and_the_rest_given_up() -> None:
    held = {"a": 100.0, "b": 95.0, "gone": 100.0}
    assert plan({"b", "a", "new", "newer"}, held, 100.0, 15.0) == LeasePlan(["gone"], ["b"], ["new", "newer"])


@pytest.mark.parametrize(("age", "due"), [(0.0, False), (4.9, False), (5.0, True), (20.0, True)])
def test_a_lease_is_renewed_long_before_it_would_run_out(age: float, due: bool) -> None:
    assert plan({"a"}, {"a": 100.0}, 100.0 + age, 15.0).renew == (["a"] if due else [])


def test_a_repository_that_was_gained_since_waits_for_its_fence(log: Log) -> None:
    held = Some({"repo/a": 1})
    with log.fenced(fences_of(held, ["a", "b"])):
        assert log.fences == (Fence("repo/a", 1),)
        assert (is_mine(log, held, "a"), is_mine(log, held, "b")) == (True, False)
        held.tokens["repo/b"] = 5
        assert not is_mine(log, held, "b")
        held.tokens["repo/a"] = 2
        assert not is_mine(log, held, "a"), "what its appends rest on is of the past"
    with log.fenced(fences_of(held, ["a", "b"])):
        assert is_mine(log, held, "a") and is_mine(log, held, "b")
    assert log.fences == ()


def test_on_a_log_of_one_home_everything_is_held_and_nothing_is_fenced(log: Log) -> None:
    held = Everything()
    with log.fenced(fences_of(held, ["a"])):
        held.confirm("repo/a")
        assert log.fences == ()
        assert is_mine(log, held, "a")
    with holding(log, "x", "ada", 1.0) as mine:
        assert mine
        assert log.append([NewEvent("a", Paused())]) == [1]
