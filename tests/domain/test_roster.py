"""What a person said of detectors, folded."""

from __future__ import annotations

import pytest

from kairos.domain import events as ev
from kairos.domain.events import Event
from kairos.domain.roster import NAME, RosterState, evolve


def told(*events: Event) -> RosterState:
    state = RosterState()
    for at, event in enumerate(events, 1):
        evolve(state, event, at)
    return state


ADDED = ev.DetectorAdded(detector="todo", command=["todo"])


def test_a_declared_detector_takes_its_default_until_a_person_says_another() -> None:
    assert told(ADDED).state_of("todo", "shadow") == "shadow"
    promoted = told(ADDED, ev.DetectorSwitched(detector="todo", state="on"))
    assert promoted.state_of("todo", "shadow") == "on" and promoted.state_of("secret", "on") == "on"


def test_a_changed_command_is_another_version_and_begins_anew() -> None:
    on = ev.DetectorSwitched(detector="todo", state="on")
    state = told(ADDED, on, ev.DetectorFailed(detector="todo", repo="r", why="w"), ADDED)
    assert state.own["todo"].version == 2 and not state.said and not state.failing


def test_a_failure_stays_until_it_works_again_or_is_gone() -> None:
    failed = ev.DetectorFailed(detector="todo", repo="r", why="it crashed")
    state = told(ADDED, failed, failed)
    assert (state.failing["todo"].why, state.failing["todo"].times, state.failing["todo"].at) == ("it crashed", 2, 3)
    assert not told(ADDED, failed, ev.DetectorFailed(detector="todo", repo="r")).failing
    assert told(ADDED, failed, ev.DetectorRemoved(detector="todo")) == RosterState()


@pytest.mark.parametrize("name", ["Todo", "t", "a b", "../x", "a" * 41, "1a", "a\n", ""])
def test_a_name_that_could_be_something_else_is_none(name: str) -> None:
    assert NAME.match(name) is None and NAME.match("todo-deadline2") is not None
