"""One world for all threads: folded once, whoever folds; read whole; kept as it is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from kairos.daemon import folded
from kairos.daemon.folded import World
from kairos.domain.events import Paused, ProposalRejected, Resumed
from kairos.domain.proposal import stream_of
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent, Track
from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.inbox import InboxView
from kairos.home import Home


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def same(world: World, log: Log) -> bool:
    """Whether the world is what the log tells, read anew."""
    with world.reading() as views:
        return all(
            view.encode(views.states[view.name]) == view.encode(view.load(log, fresh=True)[0]) for view in world._kept
        )


def test_threads_that_fold_and_read_together_fold_each_event_once(
    others: Any, world: World, log: Log, home: Home, hasty: None
) -> None:
    done = threading.Event()
    failed: list[BaseException] = []

    def look() -> None:
        try:
            while not done.is_set():
                world.catch_up()
                with world.reading() as views:
                    for proposal in views.inbox.live():
                        assert views.inbox.positions[proposal.id][-1] <= views.position
                        assert views.inbox.proposals[proposal.id] is proposal
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for n in range(40):
            proposal = others.raised()
            if n % 3 == 0:
                others.say(ProposalRejected(id=proposal.id, reason="no"), stream_of(proposal.id), origin="user")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failed == []
    world.catch_up()
    assert same(world, log)
    with world.reading() as views:
        versions = {p.id: p.version for p in views.inbox.proposals.values()}
    assert versions == {i: log.version(stream_of(i)) for i in versions}, "an event folded twice counts twice"


def test_whoever_folds_wakes_whom_it_concerns(world: World, log: Log) -> None:
    woken: list[str] = []
    world.tell({"Paused"}, lambda: woken.append("paused"))
    world.tell({"OccurrenceEnded"}, lambda: woken.append("ended"))
    log.append([NewEvent("control", Paused())])
    thread = threading.Thread(target=world.catch_up)
    thread.start()
    thread.join()
    assert woken == ["paused"]
    world.catch_up()
    assert woken == ["paused"], "nothing was folded, nobody is told"


def test_what_no_view_folds_is_told_to_whom_it_concerns_too(world: World, log: Log) -> None:
    """AttentionDue is in no view, and a thread waits for it."""
    from kairos.domain.events import AttentionDue

    woken: list[int] = []
    world.tell({"AttentionDue"}, lambda: woken.append(world.position))
    log.append([NewEvent("a", AttentionDue(repo="a", boundary="commit", rule="commit@1"))])
    assert world.catch_up() == 1
    assert woken == [1]


def test_a_fold_in_pieces_ends_at_the_head(world: World, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folded, "AT_ONCE", 3)
    log.append([NewEvent("control", Paused() if n % 2 else Resumed()) for n in range(20)])
    assert world.catch_up() == 20
    assert same(world, log)


def test_many_erased_events_in_a_row_do_not_hold_it(world: World, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folded, "AT_ONCE", 3)
    log.append([NewEvent("a", Paused(until=n)) for n in range(50)])
    forget_positions(log, range(1, 51), "mine", "user")
    log.append([NewEvent("control", Paused())])
    assert world.catch_up() == log.head()
    with world.reading() as views:
        assert views.attention.paused and views.attention.paused_until is None


def test_settled_proposals_are_read_by_any_thread(others: Any, world: World, log: Log, home: Home) -> None:
    settled = others.raised()
    others.say(ProposalRejected(id=settled.id, reason="no"), stream_of(settled.id), origin="user")
    world.catch_up()
    world.save(log)
    own = open_log(home)
    later = World(own)
    later.load()
    found: list[str] = []

    def look() -> None:
        with later.reading() as views:
            found.append(views.inbox.proposals[settled.id].state)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["rejected"] * 4
    own.close()


def test_it_is_kept_after_so_many_events_with_what_goes_along(world: World, log: Log) -> None:
    log.append([NewEvent("control", Paused()) for _ in range(9)])
    world.catch_up()
    world.save(log, [Track("reactor/a", 9)], every=10)
    assert log.trackings() == {}
    log.append([NewEvent("control", Paused())])
    world.catch_up()
    world.save(log, [Track("reactor/a", 10)], every=10)
    assert log.tracking("reactor/a") == log.tracking(AttentionView().key) == 10
    assert AttentionView().kept(log, log.head())[0] is not None


def test_what_another_process_kept_further_on_stays(world: World, log: Log) -> None:
    log.append([NewEvent("control", Paused())])
    world.catch_up()
    log.append([NewEvent("control", Resumed())])
    state, position = AttentionView().load(log)
    log.append([], writes=AttentionView().saving(state, position))
    world.save(log)
    assert log.tracking(AttentionView().key) == 2
    kept, _ = AttentionView().kept(log, log.head())
    assert kept is not None and not kept.paused


class Slow:
    """A log whose append lets another thread try to fold before it stores."""

    def __init__(self, log: Log, meanwhile: Callable[[], None]) -> None:
        self._log, self._meanwhile = log, meanwhile

    def append(self, events: Any, **rest: Any) -> list[int]:
        self._meanwhile()
        return self._log.append(events, **rest)


def test_what_is_folded_while_it_is_kept_is_kept_the_next_time(others: Any, world: World, log: Log) -> None:
    first = others.raised()
    world.catch_up()
    threads: list[threading.Thread] = []

    def meanwhile() -> None:
        others.say(ProposalRejected(id=first.id, reason="no"), stream_of(first.id), origin="user")
        threads.append(threading.Thread(target=world.catch_up))
        threads[0].start()
        threads[0].join(0.2)

    world.save(Slow(log, meanwhile))  # type: ignore[arg-type]
    threads[0].join()
    world.save(log)
    kept, position = InboxView().kept(log, log.head())
    assert kept is not None and position == log.head()
    assert kept.proposals[first.id].state == "rejected"
    assert msgspec.json.encode(InboxView().load(log)[0].live()) == b"[]"
