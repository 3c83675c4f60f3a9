"""Boundaries start turns, once; what is due by time is done when its time comes; nothing is judged twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import count
from typing import Any

import pytest

from kairos.clock import DAY, now_us
from kairos.daemon.folded import World
from kairos.daemon.reactor import Reactor
from kairos.detectors.scene import SETTLE_NS
from kairos.domain.events import Change, FilesChanged, GitMoved, Paused, ProposalDeferred, Resumed
from kairos.domain.proposal import stream_of
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence, Track
from kairos.eventlog.views.attention import AttentionView
from kairos.home import Home
from kairos.schedule.scheduler import Scheduler

MINUTE = 60_000_000


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """A real one, in its thread."""
    made = Scheduler(lambda: None)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)


@pytest.fixture
def make(others: Any, home: Home, world: World, scheduler: Scheduler, quick: None) -> Callable[..., Reactor]:
    def begin(held: Everything | None = None) -> Reactor:
        log = open_log(home)
        return Reactor(home, others.config, log, world, held or Everything(), lambda: UTC, scheduler)

    return begin


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lulls are over soon."""
    monkeypatch.setattr("kairos.daemon.reactor.LULL_S", 0.05)


BURSTS = count()


def burst(others: Any, path: str, origin: str = "live") -> int:
    """A file is written, and told."""
    (others.root / path).write_text(f"AWS=AKIAQ3EGRT5HZX7{next(BURSTS):05}\n")
    event = FilesChanged(
        repo=others.repo, burst=f"{next(BURSTS):x}", part=1, parts=1, changes=[Change(kind="created", path=path)]
    )
    return int(others.say(event, others.repo, origin=origin))


def commit(others: Any, what: str = "commit") -> int:
    moved = GitMoved(repo=others.repo, head="refs/heads/main", refs=[], what=what)
    return int(others.say(moved, others.repo))


def test_a_burst_is_looked_at_once_after_the_lull_and_what_it_shows_is_raised(
    others: Any, log: Log, make: Callable[..., Reactor], running: Callable[..., Any]
) -> None:
    reactor = make()
    with running(reactor):
        burst(others, "a.env")
        last = burst(others, "b.env")
        others.until("TurnEnded")
    assert [e.boundary for e in others.told("AttentionDue")] == ["burst"]
    assert {e.detector for e in others.told("ProposalRaised")} == {"secret"}
    assert log.tracking(f"reactor/{others.repo}") >= last


def test_a_commit_does_not_wait_for_the_lull(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.daemon.reactor.LULL_S", 3_600.0)
    with running(make()):
        burst(others, "a.env")
        commit(others)
        assert others.until("TurnEnded")
    assert [e.boundary for e in others.told("AttentionDue")] == ["commit"]


def test_a_turn_that_finds_something_waits_for_a_file_that_may_be_half_written(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any]
) -> None:
    with running(make()):
        burst(others, "slow.env")
        commit(others)
        others.until("ProposalRaised")
    written = (others.root / "slow.env").stat().st_ctime_ns
    (raised,) = [r for r in others.log.read() if r.topic == "ProposalRaised"]
    assert raised.at * 1_000 >= written + SETTLE_NS


def test_a_file_that_is_written_all_the_time_holds_no_turn_up(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any]
) -> None:
    text, over = f"AWS=AKIAQ3EGRT5HZX7{next(BURSTS):05}\n", threading.Event()

    def write() -> None:
        while not over.wait(0.002):
            (others.root / "log.env").write_text(text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with running(make()):
            commit(others)
            burst(others, "log.env")
            others.until("TurnEnded")
    finally:
        over.set()
        writer.join()


def test_what_came_while_no_daemon_ran_is_looked_at_once(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any]
) -> None:
    burst(others, "a.env", origin="offline")
    for expected in (1, 1):
        reactor = make()
        with running(reactor):
            others.until("TurnEnded", count=expected)
    assert len(others.told("TurnStarted")) == 1


def test_a_return_after_a_while_is_a_boundary_of_its_own(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any], clock: Callable[[float], None]
) -> None:
    clock(-3_600)
    with running(make()):
        burst(others, "a.env")
        others.until("TurnEnded")
        clock(-1_800)
        burst(others, "b.env")
        others.until("TurnEnded", count=2)
        burst(others, "c.env")
        others.until("TurnEnded", count=3)
    assert [e.boundary for e in others.told("AttentionDue")] == ["burst", "idle_return", "burst"]


def test_own_writes_start_no_turn_and_are_said_once(others: Any, make: Callable[..., Reactor]) -> None:
    burst(others, "a.env", origin="self")
    for _ in range(2):  # the first one dies before it has kept anything
        reactor = make()
        reactor.position = reactor.catch_up()
        reactor.step()
        reactor.close()
    assert [e.rule for e in others.told("AttentionHeld")] == ["self@1"]
    assert others.told("TurnStarted") == []


def test_what_a_pause_holds_is_looked_at_when_it_ends(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.daemon.reactor.LULL_S", 0.0)
    others.say(Paused(), origin="user")
    burst(others, "a.env")
    reactor = make()
    reactor.position = reactor.catch_up()
    assert reactor.step() is None, "nothing to wait for but the end of the pause"
    assert others.told("TurnStarted") == []
    with running(reactor):
        others.say(Resumed(), origin="user")
        others.until("TurnEnded")


def test_the_commits_of_a_stopped_rebase_wait_for_its_end(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any], until: Callable[..., None]
) -> None:
    reactor = make()
    with running(reactor):
        ongoing = GitMoved(repo=others.repo, head="refs/heads/main", refs=[], what="rebase", ongoing=True)
        here = others.say(ongoing, others.repo)
        until(lambda: reactor.position >= here)
        assert reactor._patience() is None, "nothing to wait for but its end"
        commit(others, "rebase")
        others.until("TurnEnded")
    assert [e.boundary for e in others.told("AttentionDue")] == ["commit"]


def test_what_is_due_by_time_is_done_without_another_event(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any]
) -> None:
    """Each is raised or said only now, and due in a moment: the scheduler wakes the reactor for it."""
    with running(make()):
        others.raised(expire_us=MINUTE // 200)
        others.until("ProposalExpired")
        deferred = others.raised()
        others.say(ProposalDeferred(id=deferred.id, until=now_us() + MINUTE // 200), stream_of(deferred.id))
        others.until("ProposalReturned")
        others.say(Paused(until=now_us() + MINUTE // 200), origin="user")
        others.until("Resumed")


def test_nothing_is_planned_twice_for_what_cannot_be_done(
    others: Any, make: Callable[..., Reactor], scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What time alone cannot change does not wake it again and again."""
    raised = others.raised(expire_us=-MINUTE)
    reactor = make()
    monkeypatch.setattr(reactor._housekeeping, "_try", lambda proposal, events: None)
    reactor.position = reactor.catch_up()
    reactor.step()
    assert others.of(raised.id).state == "raised"
    assert scheduler._clock.get_job("expiry") is None
    reactor.close()


def test_a_moved_clock_is_noticed_when_it_is_asked_to_look(
    others: Any, make: Callable[..., Reactor], running: Callable[..., Any], clock: Callable[[float], None]
) -> None:
    clock(0)
    others.raised()
    reactor = make()
    with running(reactor):
        clock(15 * DAY / 1e6)
        reactor.tick()
        others.until("ProposalExpired")


def test_the_views_are_kept_when_it_ends_and_after_so_many_events(
    others: Any, log: Log, make: Callable[..., Reactor], running: Callable[..., Any], until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("kairos.daemon.reactor.KEEP_EVERY", 5)
    key = AttentionView().key
    reactor = make()
    with running(reactor):
        for _ in range(6):
            others.say(Paused(), origin="user")
        until(lambda: log.tracking(key) > 0)
        here = others.say(Resumed(), origin="user")
        until(lambda: reactor.position >= here)
    assert log.tracking(key) >= here


class Nothing(Everything):
    """Another daemon has every repository."""

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return None


def test_another_daemons_repositories_are_left_alone(others: Any, log: Log, make: Callable[..., Reactor]) -> None:
    burst(others, "a.env")
    log.append([], writes=[Track(f"reactor/{others.repo}", 1)])
    raised = others.raised(expire_us=-MINUTE)
    reactor = make(Nothing())
    head = log.head()
    reactor.position = reactor.catch_up()
    reactor.step()
    reactor.leave()
    assert log.head() == head and others.of(raised.id).state == "raised"
    assert log.tracking(f"reactor/{others.repo}") == 1
    reactor.close()
