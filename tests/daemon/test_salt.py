"""One salt a log: of a shared one, that of the first home."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kairos.daemon import salt
from kairos.daemon.salt import salt_of
from kairos.errors import TryAgain
from kairos.eventlog.leases import holding
from kairos.eventlog.log import Log
from kairos.home import Home, find_home


def test_a_log_of_one_home_has_the_salt_of_the_home(log: Log, home: Home) -> None:
    assert salt_of(log, home) == home.salt() == salt_of(log, home)
    assert len(home.salt()) == 32
    assert not log.exists(), "the log knows nothing of it"


def test_all_homes_salt_alike_with_the_first_ones_salt(homes: list[Log], tmp_path: Path) -> None:
    places = [find_home(str(tmp_path / name)) for name in ("ada", "bob")]
    first = salt_of(homes[0], places[0])
    assert salt_of(homes[1], places[1]) == first == places[0].salt()
    assert places[1].salt() != first


def test_two_homes_that_begin_at_once_salt_alike(homes: list[Log], tmp_path: Path) -> None:
    places = [find_home(str(tmp_path / name)) for name in ("ada", "bob")]
    start, found = threading.Barrier(2), []

    def ask(log: Log, home: Home) -> None:
        start.wait()
        found.append(salt_of(log, home))

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(homes, places, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2 and len(set(found)) == 1


def test_who_waits_in_vain_for_another_home_to_make_it_hears_so(
    homes: list[Log], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salt, "_PATIENCE_S", 0.2)
    with holding(homes[0], salt.VIEW, "ada", 60), pytest.raises(TryAgain):
        salt_of(homes[1], find_home(str(tmp_path / "bob")))
