"""What is raised is tried, what is approved is carried out, once, by whoever holds the repository."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.acting import decisions
from kairos.acting.executor import execute
from kairos.daemon.executing import Executing
from kairos.daemon.folded import World
from kairos.domain.events import Paused, Resumed, RootFound, RootLost
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence
from kairos.home import Home


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def executing(others: Any, home: Home, world: World, reported: list[str]) -> Executing:
    return Executing(home, others.config, open_log(home), world, Everything(), reported.append)


def approved(others: Any, content: str = "two\n") -> Any:
    """A patch of README.md to which a person said yes before the daemon came to it."""
    raised = others.raised(others.patch("README.md", content))
    return decisions.approve(others.log, others.home, others.config, raised.id, raised.raised.digest).proposal


def test_what_was_raised_before_and_during_is_tried_once(
    others: Any, executing: Executing, running: Callable[..., Any]
) -> None:
    first = others.raised(others.patch("README.md", "two\n"))
    with running(executing):
        others.until("ProposalVerified")
        second = others.raised()
        others.until("ProposalVerified", count=2)
        third = others.raised()
        others.until("ProposalVerified", count=3)
    assert [e.id for e in others.told("ProposalVerified")] == [first.id, second.id, third.id]
    assert others.of(first.id).state == "pending"


def test_what_is_approved_is_carried_out_once(
    others: Any, executing: Executing, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    yes = approved(others)
    with running(executing):
        others.until("ExecutionFinished")
        assert (others.root / "README.md").read_text() == "two\n"
        executing.wake()
        others.raised()
        others.until("ProposalVerified", count=2)
    assert len(others.told("ExecutionStarted")) == len(others.told("ExecutionFinished")) == 1
    assert others.of(yes.id).state == "executed"


def test_a_pause_holds_an_approved_action_until_it_ends(
    others: Any, executing: Executing, reported: list[str], running: Callable[..., Any]
) -> None:
    others.say(Paused(), origin="user")
    approved(others)
    with running(executing):
        others.raised()
        others.until("ProposalVerified", count=2)  # it has passed the approved one
        assert others.told("ExecutionStarted") == []
        others.say(Resumed(), origin="user")
        others.until("ExecutionFinished")
    assert reported == [], "it was not even tried before"


def test_a_repository_that_is_away_is_waited_for(
    others: Any, executing: Executing, running: Callable[..., Any]
) -> None:
    others.say(RootLost(repo=others.repo, why="gone"), others.repo)
    raised = others.raised()
    executing.catch_up()
    executing.step()
    assert others.of(raised.id).state == "raised"
    with running(executing):
        others.say(RootFound(repo=others.repo), others.repo)
        others.until("ProposalVerified")


def test_what_a_crash_left_half_done_is_settled_first(
    others: Any, executing: Executing, running: Callable[..., Any]
) -> None:
    yes = approved(others)

    def crash(step: str) -> None:
        if step.startswith("placed"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(others.log, others.home, others.config, yes, others.root, on_step=crash)
    assert others.of(yes.id).state == "executing"
    with running(executing):
        others.until("ExecutionFinished")
    assert [e.outcome for e in others.told("ExecutionFinished")] == ["rolled_forward"]
    assert others.of(yes.id).state == "executed"


def test_what_must_be_tried_again_is_reported_and_tried_again(
    others: Any,
    executing: Executing,
    reported: list[str],
    running: Callable[..., Any],
    until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kairos.daemon.executing.RETRY_S", 0.01)
    policy = others.home.policy_file
    policy.write_text("this is no policy")
    raised = others.raised()
    with running(executing):
        until(lambda: len(reported) >= 2)
        policy.unlink()
        others.until("ProposalVerified")
    assert raised.id in reported[0]


def test_what_cannot_be_done_is_tried_ever_more_seldom_until_it_can(
    others: Any, executing: Executing, reported: list[str]
) -> None:
    others.home.policy_file.write_text("this is no policy")
    others.raised()
    executing.catch_up()
    assert [executing.step() for _ in range(8)] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert len(reported) == 8
    others.home.policy_file.unlink()
    assert executing.step() is None
    executing.close()


class Nothing(Everything):
    """Another daemon has every repository."""

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return None


def test_another_daemons_repositories_are_left_alone(
    others: Any, home: Home, world: World, log: Log, reported: list[str]
) -> None:
    approved(others)
    others.raised()
    head = log.head()
    executing = Executing(home, others.config, open_log(home), world, Nothing(), reported.append)
    assert executing.catch_up() == head
    executing.step()
    assert log.head() == head
    assert reported == []
    executing.close()
