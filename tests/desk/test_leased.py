"""Leases on a log that homes share; on a log of one home there are none and nothing is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from kairos.desk import leased
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.domain.events import Paused
from kairos.errors import LeaseLost, Locked
from kairos.eventlog.leases import daemon_lease, holder, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import Home, machine

REPO = "repo-1"


@pytest.fixture
def shared(home: Home, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk on a log that other homes may share."""
    monkeypatch.setenv("KAIROS_LOG", postgres.url())
    with closing(Desk()) as opened:
        opened.log.append([NewEvent("control", Paused(), None, "user")])
        yield opened


def taken(log: Log, name: str, by: str) -> Any:
    leases = log.leases()
    assert leases is not None
    with closing(leases):
        return leases.take(name, by, 60)


def held(desk: Desk) -> list[str]:
    leases = desk.log.leases()
    assert leases is not None
    with closing(leases):
        return [one.name for one in leases.current()]


def test_the_log_of_one_home_knows_no_leases(desk: Desk, repo: Any) -> None:
    with leased.leased(desk, REPO) as mine, leased.leased(desk, REPO) as again, leased.acting_in(desk, REPO):
        assert mine and again
    assert leased.other_daemons(desk) == []
    assert leased.holders(desk) == {}
    id_, where = leased.repository_id_of(desk, repo.root, 1, 2)
    assert where == "" and id_ == leased.repository_id_of(desk, repo.root, 1, 2)[0]


def test_a_lease_is_held_for_the_block_and_given_back(shared: Desk) -> None:
    with leased.leased(shared, REPO) as mine:
        assert mine and held(shared) == [repo_lease(REPO)]
        shared.log.append([NewEvent("control", Paused(), None, "user")])
    assert held(shared) == []
    with pytest.raises(ZeroDivisionError), leased.leased(shared, REPO):
        raise ZeroDivisionError
    assert held(shared) == []


def test_what_another_home_holds_is_not_had_and_not_acted_in(shared: Desk) -> None:
    taken(shared.log, repo_lease(REPO), holder("other"))
    with leased.leased(shared, REPO) as mine:
        assert not mine
    with pytest.raises(Locked, match=holder("other")), leased.acting_in(shared, REPO):
        raise AssertionError("the other home works there")
    assert leased.holders(shared) == {REPO: holder("other")}


def test_a_command_acts_under_the_lease_of_the_daemon_of_its_own_home(shared: Desk) -> None:
    taken(shared.log, repo_lease(REPO), holder(shared.log.owner))
    assert leased.holders(shared) == {}
    head = shared.log.head()
    with leased.acting_in(shared, REPO):
        shared.log.append([NewEvent("control", Paused(), None, "user")])
    assert shared.log.head() == head + 1


def test_nothing_is_written_once_the_lease_is_another_s(shared: Desk) -> None:
    head = shared.log.head()
    with pytest.raises(LeaseLost), leased.leased(shared, REPO) as mine:
        assert mine
        leases = shared.log.leases()
        assert leases is not None
        with closing(leases):
            [one] = leases.current()
            leases.give_up(one.name, one.token)
            assert leases.take(one.name, holder("other"), 60)
        shared.log.append([NewEvent("control", Paused(), None, "user")])
    assert shared.log.head() == head


def test_only_the_daemons_of_other_homes_count(shared: Desk) -> None:
    taken(shared.log, daemon_lease(shared.log.owner), holder(shared.log.owner))
    assert leased.other_daemons(shared) == []
    taken(shared.log, daemon_lease("other"), holder("other"))
    assert leased.other_daemons(shared) == [holder("other")]


def test_on_a_shared_log_a_repository_is_named_with_its_machine(shared: Desk, desk: Desk, repo: Any) -> None:
    id_, where = leased.repository_id_of(shared, repo.root, 1, 2)
    assert where == machine()
    assert id_ != leased.repository_id_of(shared, repo.root, 1, 3)[0]
    assert repositories(shared).by_id == {}
