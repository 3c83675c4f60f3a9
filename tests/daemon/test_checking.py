"""The daemon runs checks when the person pauses, only on the newest tree, and one at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from kairos import durable
from kairos.acting import confine
from kairos.acting.checking import checks_lock
from kairos.daemon import checking
from kairos.daemon.checking import Checking
from kairos.daemon.folded import World
from kairos.domain.checks.state import check_stream
from kairos.domain.events import CheckNamed, CheckRemoved, FilesChanged, GitMoved, Paused, RefMove, Resumed
from kairos.errors import TryAgain
from kairos.eventlog.leases import Everything, Keeper, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def quick(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, on a machine that can confine a check."""
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    monkeypatch.setattr(checking, "QUIET_S", 0.5)
    monkeypatch.setattr(checking, "_PAUSED_S", 0.05)
    monkeypatch.setattr(checking, "RETRY_S", 0.05)


@pytest.fixture
def component(quick: None, others: Any, home: Home, world: World, reported: list[str]) -> Checking:
    return Checking(home, others.config, open_log(home), world, Everything(), reported.append)


def name(others: Any, *command: str) -> None:
    event = CheckNamed(
        repo=others.repo, name="t", kind="test", command=list(command), seconds=60, memory_mb=1024
    )  # fmt: skip
    others.say(event, check_stream(others.repo, "t"), origin="user")


def moved(others: Any, oid: str, **more: Any) -> None:
    refs = [RefMove(name="refs/heads/main", old=None, new=oid)]
    others.say(GitMoved(repo=others.repo, head="refs/heads/main", refs=refs, what="commit", **more), others.repo)


def test_a_commit_is_checked_and_after_an_absence_only_the_newest(
    others: Any, repo: Any, component: Checking, running: Callable[..., Any]
) -> None:
    name(others, "true")
    for n in range(5):
        repo.write("a.txt", str(n))
        moved(others, repo.commit())
    newest = repo.git("rev-parse", "HEAD")
    with running(component):
        others.until("CheckRan")
        repo.write("a.txt", "next")
        moved(others, repo.commit())
        others.until("CheckRan", 2)
    assert [e.commit for e in others.told("CheckRan")] == [newest, repo.git("rev-parse", "HEAD")]
    started = list(others.log.read(topics={"CheckStarted"}))
    assert others.log.at(started[-1].caused_by).topic == "GitMoved"


def test_nothing_runs_in_the_middle_of_an_edit_or_a_pause(
    others: Any, component: Checking, running: Callable[..., Any]
) -> None:
    from kairos.clock import now_us

    edit = FilesChanged(repo=others.repo, burst="b", part=1, parts=1, changes=[])
    others.say(Paused(), origin="user")
    name(others, "true")
    with running(component):
        edited = now_us()
        others.say(edit, others.repo)
        others.say(Resumed(), origin="user")
        others.until("CheckRan")
    (started,) = others.log.read(topics={"CheckStarted"})
    assert started.at - edited >= 400_000
    (resumed,) = others.log.read(topics={"Resumed"})
    assert started.position > resumed.position


def test_it_waits_for_another_process_that_checks(
    others: Any, home: Home, component: Checking, reported: list[str], running: Callable[..., Any],
    until: Callable[..., None],
) -> None:  # fmt: skip
    with checks_lock(home):
        name(others, "true")
        with running(component):
            until(lambda: reported, "the refusal")
            assert others.told("CheckStarted") == []
    with running(Checking(home, others.config, open_log(home), component._world, Everything(), reported.append)):
        others.until("CheckRan")


def test_a_stopped_daemon_ends_the_run_and_the_next_makes_it(
    others: Any, home: Home, world: World, component: Checking, running: Callable[..., Any]
) -> None:
    name(others, "sh", "-c", "test -e go || sleep 60")
    with running(component):
        others.until("CheckStarted")
    assert [e.outcome for e in others.told("CheckRan")] == ["stopped"]
    (others.root / ".git/info/exclude").write_text("go\n")
    (others.root / "go").write_text("")
    with running(Checking(home, others.config, open_log(home), world, Everything(), print)):
        others.until("CheckRan", 2)
    assert [e.outcome for e in others.told("CheckRan")] == ["stopped", "passed"]


def test_without_checks_a_commit_is_not_even_looked_at(
    others: Any, repo: Any, component: Checking, running: Callable[..., Any]
) -> None:
    with running(component):
        moved(others, repo.commit())
        name(others, "true")
        others.until("CheckRan")
    assert len(others.told("CheckRan")) == 1


def test_the_last_check_that_is_removed_takes_its_card_with_it(
    others: Any, repo: Any, component: Checking, running: Callable[..., Any]
) -> None:
    name(others, "sh", "-c", "test ! -e bad")
    with running(component):
        others.until("CheckRan")
        repo.write("bad", "")
        moved(others, repo.commit())
        others.until("ProposalRaised")
        others.say(CheckRemoved(repo=others.repo, name="t"), check_stream(others.repo, "t"), origin="user")
        others.until("ProposalSuperseded")
    assert [e.why for e in others.told("ProposalSuperseded")] == ["`t` is no check any more"]


def test_on_a_shared_log_the_checks_of_a_repository_that_is_held_are_run_and_of_another_none(
    homes: list[Log], others_on: Callable[[Log], Any], home: Home, world: World, running: Callable[..., Any],
    quick: None, reported: list[str],
) -> None:  # fmt: skip
    others = others_on(homes[0])
    name(others, "true")
    leases = homes[1].leases()
    assert leases is not None
    with closing(Keeper(leases, "ada", 60, lambda: None)) as keeper:
        keeper.want([repo_lease("repo-2")])
        with closing(Checking(home, others.config, open_log(home), world, keeper, reported.append)) as stranger:
            stranger.catch_up()
            assert stranger._due == {others.repo} and stranger.step() is None
        assert others.told("CheckStarted") == []
        keeper.want([repo_lease(others.repo)])
        with running(Checking(home, others.config, open_log(home), world, keeper, reported.append)):
            others.until("CheckRan")
    assert [e.outcome for e in others.told("CheckRan")] == ["passed"] and reported == []


class Rounds:
    """Stands for long rounds: which repository had a step, and one that always fails."""

    def __init__(self, fails: str = "") -> None:
        self.steps: list[str] = []
        self.fails = fails

    def step(self, repo: Repository, *_: Any, **__: Any) -> bool:
        self.steps.append(repo.id)
        if repo.id == self.fails:
            raise TryAgain("its disk is full")
        return True


@pytest.fixture
def three(component: Checking, monkeypatch: pytest.MonkeyPatch) -> Checking:
    monkeypatch.setattr(component, "_repo", lambda id: SimpleNamespace(id=id, root=f"/{id}"))
    component._due = {"a", "b", "c"}
    component._causes = {"a": 1, "b": 2}
    return component


def test_a_long_search_in_one_repository_does_not_delay_the_others(three: Checking) -> None:
    rounds = three._rounds = Rounds()  # type: ignore[assignment]
    for _ in range(7):
        assert three.step() == checking.BETWEEN_S
    assert rounds.steps == ["a", "b", "c", "a", "b", "c", "a"]


def test_a_repository_whose_checks_fail_does_not_hold_up_the_others(three: Checking, reported: list[str]) -> None:
    rounds = three._rounds = Rounds(fails="a")  # type: ignore[assignment]
    for _ in range(5):
        assert three.step() == checking.BETWEEN_S
    assert rounds.steps[:2] == ["a", "b"] and {"b", "c"} <= set(rounds.steps[2:])
    assert reported == ["checks of /a: its disk is full"]


def test_what_is_done_leaves_nothing_behind(three: Checking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three._rounds, "step", lambda *_, **__: False)
    assert three.step() is None
    assert (three._due, three._causes) == (set(), {})


def test_between_two_runs_a_person_who_waits_for_the_lock_gets_a_turn() -> None:
    assert checking.BETWEEN_S > 2 * durable._PAUSE_S
