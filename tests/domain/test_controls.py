"""Mutes and pauses as a stack: taken back, made again, and over when their time is."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kairos.domain import attention, controls
from kairos.domain import events as ev
from kairos.domain.attention import Attention
from kairos.domain.controls import Controls

DETECTORS = ("secret", "merge-marker")
REPOS = ("", "a", "b")


class Told:
    """Events told to both folds of the controls, as the log would."""

    def __init__(self) -> None:
        self.state = Controls()
        self.attention = Attention()
        self.position = 0

    def tell(self, *events: ev.Event, origin: str = "user") -> None:
        for n, event in enumerate(events):
            self.position += 1
            cause = self.position - 1 if n else None
            controls.evolve(self.state, event, self.position, "system" if n else origin, cause)
            attention.evolve(self.attention, event, 0, "user")

    def back(self, scope: str | None = None, now: int = 0) -> str | None:
        entry = next(iter(controls.in_effect(self.state, scope, now)), None)
        if entry is None:
            return None
        self.tell(*controls.take_back(self.state, entry, now))
        return f"{entry.what} {entry.detector} {entry.repo}".strip()

    def again(self, scope: str | None = None, now: int = 0) -> str | None:
        entry = next(iter(controls.taken_back(self.state, scope, now)), None)
        if entry is None or entry.moved < controls.newest(self.state, scope):
            return None
        self.tell(*controls.make_again(self.state, entry))
        return f"{entry.what} {entry.detector} {entry.repo}".strip()


def test_a_mute_is_taken_back_and_made_again() -> None:
    log = Told()
    log.tell(ev.DetectorMuted(detector="secret"))
    assert log.back() == "mute secret" and not log.attention.muted
    assert log.again() == "mute secret" and log.attention.is_muted("secret", "a")


def test_what_changes_nothing_is_no_decision() -> None:
    log = Told()
    log.tell(ev.DetectorMuted(detector="secret"))
    log.tell(ev.DetectorMuted(detector="secret"))
    log.tell(ev.Resumed())
    assert log.back() == "mute secret"
    assert log.back() is None


def test_a_longer_pause_taken_back_gives_the_shorter_one() -> None:
    log = Told()
    log.tell(ev.Paused(until=50))
    log.tell(ev.Paused())
    assert log.back() == "pause" and log.attention.paused_until == 50
    assert log.back(now=60) is None, "the shorter one is over"
    assert log.back(now=40) == "pause" and not log.attention.paused


def test_a_pause_that_ended_by_itself_is_over() -> None:
    log = Told()
    log.tell(ev.DetectorMuted(detector="secret"))
    log.tell(ev.Paused(until=50))
    log.tell(ev.Resumed(), origin="system")
    assert log.back(now=60) == "mute secret"
    assert log.back(now=60) is None


def test_resuming_is_taken_back_too() -> None:
    log = Told()
    log.tell(ev.Paused())
    log.tell(ev.Resumed())
    assert log.back() == "resume" and log.attention.paused
    assert log.back() == "pause" and not log.attention.paused
    assert log.again() == "pause" and log.again() == "resume" and not log.attention.paused


def test_a_mute_in_one_repository_is_not_in_the_stack_of_another() -> None:
    log = Told()
    log.tell(ev.DetectorMuted(detector="secret", repo="a"))
    assert log.back("b") is None
    log.tell(ev.DetectorMuted(detector="secret"))
    assert log.back("b") is None, "what concerns all repositories is in the stack of none"
    assert log.back("a") == "mute secret a"
    assert log.back() == "mute secret"


def test_a_new_decision_there_cuts_the_redo_line() -> None:
    log = Told()
    log.tell(ev.DetectorMuted(detector="secret", repo="a"))
    log.back("a")
    log.tell(ev.DetectorMuted(detector="secret", repo="b"))
    assert log.state.undone, "another repository's decisions do not count"
    log.tell(ev.DetectorMuted(detector="merge-marker", repo="a"))
    assert log.again("a") is None


def in_force(seen: Attention) -> tuple[list[str], dict[str, int | None]]:
    """(what is muted, repository → until when it is paused)."""
    everywhere = {"": seen.paused_until} if seen.paused else {}
    return sorted(seen.muted), everywhere | {repo: until or None for repo, until in seen.paused_repos.items()}


class Controlled(RuleBasedStateMachine):
    """Any sequence of controls: undoing everything restores the beginning, redoing everything the end."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Told()

    @rule(event=st.sampled_from([ev.DetectorMuted, ev.DetectorUnmuted]), detector=st.sampled_from(DETECTORS),
          repo=st.sampled_from(REPOS))  # fmt: skip
    def mute(self, event: type[ev.DetectorMuted], detector: str, repo: str) -> None:
        self.log.tell(event(detector=detector, repo=repo))

    @rule(until=st.none() | st.integers(10, 12), repo=st.sampled_from(REPOS))
    def pause(self, until: int | None, repo: str) -> None:
        self.log.tell(ev.Paused(until=until, repo=repo))

    @rule(origin=st.sampled_from(["user", "system"]), repo=st.sampled_from(REPOS))
    def resume(self, origin: str, repo: str) -> None:
        self.log.tell(ev.Resumed(repo=repo), origin=origin)

    @rule(scope=st.sampled_from([None, *REPOS[1:]]))
    def back(self, scope: str | None) -> None:
        self.log.back(scope)

    @rule(scope=st.sampled_from([None, *REPOS[1:]]))
    def again(self, scope: str | None) -> None:
        self.log.again(scope)

    @rule()
    def all_the_way_back_and_forward(self) -> None:
        if controls.taken_back(self.log.state, None, 0):
            return
        there = in_force(self.log.attention)
        steps = 0
        while self.log.back() is not None:
            steps += 1
        for _ in range(steps):
            assert self.log.again() is not None
        assert there == in_force(self.log.attention)

    @invariant()
    def both_folds_agree(self) -> None:
        state = self.log.state
        pauses = {repo: pause.until for repo, pause in state.paused.items()}
        assert (sorted(state.muted), pauses) == in_force(self.log.attention)


TestControlled = Controlled.TestCase
TestControlled.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
