"""What a daemon of several holds, and that its workers begin again where a shared log makes them."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.duties import Duties, Enduring, is_here
from kairos.errors import LeaseLost, NotFound, OutcomeUnknown, TryAgain
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import Repository
from kairos.home import machine


def repository(root: Path, host: str = "") -> Repository:
    found = root.stat() if root.exists() else os.stat_result((0,) * 10)
    return Repository(
        id="repo-a", root=str(root), dev=found.st_dev, ino=found.st_ino, trusted_at=1, host=host, ready_at=2
    )


def test_a_repository_is_here_if_its_directory_is_and_of_this_machine(tmp_path: Path) -> None:
    assert is_here(repository(tmp_path))
    assert is_here(repository(tmp_path, machine()))
    assert not is_here(repository(tmp_path, "another"))
    assert not is_here(repository(tmp_path / "missing"))
    replaced = repository(tmp_path)
    replaced.ino += 1
    assert not is_here(replaced)


def test_a_repository_and_a_job_are_one_daemons_until_it_ends(homes: list[Log], tmp_path: Path) -> None:
    changes: list[str] = []
    ada = Duties(homes[0], 60, {"dream"}, lambda: changes.append("ada"))
    bob = Duties(homes[1], 60, {"dream"}, lambda: changes.append("bob"))
    mine = repository(tmp_path)
    assert ada.choose([mine]) == [mine]
    assert bob.choose([mine]) == []
    assert bob.held.fences("job/dream") is None
    assert changes == ["ada", "bob"], "each has at least the sign that it lives"
    ada.start()
    ada.stop()
    assert bob.choose([mine]) == [mine]
    assert bob.held.fences("job/dream") is not None
    bob.stop()


def test_what_is_held_stays_so_while_its_directory_is_away(homes: list[Log], tmp_path: Path) -> None:
    ada = Duties(homes[0], 60, (), lambda: None)
    root = tmp_path / "r"
    root.mkdir()
    mine = repository(root)
    assert ada.choose([mine]) == [mine]
    root.rename(tmp_path / "elsewhere")
    assert ada.choose([mine]) == [mine]
    assert ada.choose([]) == []
    assert ada.choose([mine]) == []
    ada.stop()


def test_on_a_log_of_one_home_all_is_held(log: Log, tmp_path: Path) -> None:
    duties = Duties(log, 60, {"dream"}, lambda: None)
    mine = repository(tmp_path / "missing")
    assert duties.choose([mine]) == [mine]
    assert duties.fences("repo-a") == ()
    duties.start()
    duties.stop()


def failing(*errors: Exception) -> Any:
    left = list(errors)

    def work() -> None:
        if left:
            raise left.pop(0)

    return work


def test_a_worker_on_a_shared_log_begins_again(homes: list[Log], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.daemon.duties.RETRY_S", 0.01)
    said: list[str] = []
    lost: list[LeaseLost] = []

    class Holder(Everything):
        def lose(self, lost_: LeaseLost) -> None:
            lost.append(lost_)

    work = failing(TryAgain("away"), TryAgain("away"), LeaseLost("gone"), OutcomeUnknown("in doubt"))
    Enduring(homes[0], Holder(), said.append).run(work)
    assert said == ["away; trying again", "in doubt; trying again"]
    assert len(lost) == 1


def test_a_worker_that_is_stopped_does_not_begin_again(homes: list[Log]) -> None:
    stop = threading.Event()
    stop.set()
    Enduring(homes[0], Everything(), lambda text: None, stop).run(failing(*[TryAgain("away")] * 1_000))


def test_a_full_disk_is_waited_for_on_a_log_of_one_home_too(log: Log) -> None:
    said: list[str] = []
    Enduring(log, Everything(), said.append).run(failing(TryAgain("full"), TryAgain("full")))
    assert said == ["full; trying again"]


def test_what_the_daemon_can_do_without_begins_again_after_any_error(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.daemon.duties.ALONE_RETRY_S", 0.01)
    said: list[str] = []
    Enduring(log, Everything(), said.append).run(failing(ValueError("odd"), NotFound("gone", "hint")), alone=True)
    assert ["ValueError: odd" in said[0], "NotFound: gone" in said[1], len(said)] == [True, True, 2]


@pytest.mark.parametrize("error", [OutcomeUnknown("x"), LeaseLost("x"), ValueError("x")])
def test_on_a_log_of_one_home_another_error_ends_the_worker(log: Log, error: Exception) -> None:
    with pytest.raises(type(error)):
        Enduring(log, Everything(), lambda text: None).run(failing(error))
