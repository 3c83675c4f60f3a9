"""Leases on a server: one holder at a time, tokens that only rise, ends told by the server's clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import Paused
from kairos.errors import LeaseLost
from kairos.eventlog.database import Leases
from kairos.eventlog.leases import Keeper, held_by, holding
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


@pytest.fixture
def leases(shared: Log) -> Iterator[Leases]:
    found = shared.leases()
    assert found is not None
    yield found
    found.close()


def passed(leases: Leases, seconds: float) -> Callable[[], bool]:
    """A condition: so much time has passed since now, by the clock that leases run out by."""
    name = f"passed {seconds}"
    token = leases.take(name, "clock", seconds)
    assert token is not None
    return lambda: name not in {one.name for one in leases.current()}


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_has_it_until_its_time_is_over_and_the_next_gets_a_higher_token(leases: Leases) -> None:
    assert leases.take("x", "ada", 2) == 1
    assert leases.take("x", "bob", 60) is None
    until(lambda: leases.take("x", "bob", 60) == 2)
    assert not leases.renew("x", 1, 60)
    assert leases.take("x", "ada", 60) is None
    assert [tuple(one) for one in leases.current()] == [("x", "bob", 2)]


def test_a_renewed_lease_is_not_taken(leases: Leases) -> None:
    assert leases.take("x", "ada", 0.5) == 1
    first_time_over = passed(leases, 0.5)
    assert leases.renew("x", 1, 60)
    until(first_time_over)
    assert leases.take("x", "bob", 60) is None


def test_one_that_ran_out_is_still_its_holders_until_somebody_takes_it(leases: Leases) -> None:
    leases.take("x", "ada", 0.001)
    until(lambda: not leases.current())
    assert leases.renew("x", 1, 60)
    assert leases.take("x", "bob", 60) is None


def test_a_former_life_of_the_same_holder_gives_way_at_once(leases: Leases) -> None:
    assert [leases.take("x", "ada", 60) for _ in range(3)] == [1, 2, 3]
    assert not leases.renew("x", 2, 60)


def test_what_is_given_up_is_free_and_its_token_is_worth_nothing(leases: Leases) -> None:
    leases.take("x", "ada", 60)
    leases.give_up("x", 1)
    assert leases.current() == []
    assert not leases.renew("x", 1, 60)
    leases.give_up("x", 1)
    assert leases.take("x", "bob", 60) == 3


def test_of_many_who_want_it_at_once_one_gets_it(shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    got: list[int | None] = []
    start = threading.Barrier(8)

    def want(n: int) -> None:
        found = shared.leases()
        assert found is not None
        with closing(found):
            start.wait()
            got.append(found.take("x", f"home {n}", 60))

    threads = [threading.Thread(target=want, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got, key=str) == [1, *[None] * 7]


def test_a_take_over_waits_for_the_append_that_rests_on_the_lease(postgres: Any, shared: Log, leases: Leases) -> None:
    leases.take("x", "ada", 0.001)
    got: list[int | None] = []
    with postgres.admin(shared.url) as append:
        append.execute("BEGIN")
        append.execute("SELECT 1 FROM leases WHERE name = 'x' FOR SHARE")
        thread = threading.Thread(target=lambda: got.append(leases.take("x", "bob", 60)))
        thread.start()
        postgres.until_waiting("wait_event_type = 'Lock'")
        assert got == []
        append.execute("COMMIT")
        thread.join(10)
    assert got == [2]


def closing_leases(log: Log) -> closing[Leases]:
    found = log.leases()
    assert found is not None
    return closing(found)


def keeper(log: Log, holder: str, seconds: float, changes: list[int] | None = None) -> Keeper:
    found = log.leases()
    assert found is not None
    return Keeper(found, holder, seconds, lambda: None if changes is None else changes.append(1))


def test_a_keeper_holds_for_as_long_as_it_runs_and_another_takes_over_when_it_is_gone(shared: Log) -> None:
    changes: list[int] = []
    ada, bob = keeper(shared, "ada", 2), keeper(shared, "bob", 2, changes)
    thread = threading.Thread(target=ada.run)
    ada.want({"x", "y"})
    bob.want({"x"})
    thread.start()
    with closing_leases(shared) as clock:
        longer_than_a_lease = passed(clock, 3)
        while not longer_than_a_lease():
            time.sleep(0.05)  # the one connection is for ada's renewals too
            bob.tend()
            assert bob.fences("x") is None
    assert (ada.edition, bob.edition, changes) == (1, 0, [])
    ada.stop()  # as if it were killed: it does not give anything up
    thread.join(10)
    until(lambda: bob.tend() or bob.fences("x") is not None)
    assert (bob.edition, changes) == (1, [1])
    with pytest.raises(LeaseLost):
        ada._renewed["x"] = 0.0
        ada.confirm("x")
    ada.tend()
    assert ada.fences("x") is None
    assert ada.fences("y") is not None
    ada.close()
    bob.close()
    found = shared.leases()
    assert found is not None
    assert found.current() == []
    found.close()


def test_a_refused_append_tells_the_keeper_what_it_lost(shared: Log, tmp_path: Path) -> None:
    ada, bob = keeper(shared, "ada", 0.2), keeper(shared, "bob", 60)
    ada.want({"x"})
    fences = ada.fences("x")
    assert fences is not None
    until(lambda: bob.want({"x"}) or bob.fences("x") is not None)
    with shared.fenced(fences), pytest.raises(LeaseLost) as lost:
        shared.append([NewEvent("a", Paused())])
    ada.lose(lost.value)
    assert ada.fences("x") is None
    ada.close()
    bob.close()


def test_one_piece_of_work_is_done_under_a_lease_that_is_renewed_and_given_back(shared: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "b", url=shared.url)
    with holding(shared, "x", "ada", 2) as mine:
        assert mine
        with closing_leases(shared) as clock:
            until(passed(clock, 3))
        assert shared.append([NewEvent("a", Paused())]) == [1]
        with holding(other, "x", "bob", 2) as his:
            assert not his
            assert other.fences == ()
        found = held_by(other, "x")
        assert found is not None
        assert (found[0], found[1]) == ("ada", shared.fences)
    assert shared.fences == ()
    assert held_by(other, "x") is None
    with holding(other, "x", "bob", 60) as his:
        assert his
    other.close()
