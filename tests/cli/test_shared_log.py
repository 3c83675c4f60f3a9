"""The command line on a shared log: looking makes nothing, passwords stay unseen, an absent server is told."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.leased import repository_id_of
from kairos.domain.events import Paused
from kairos.eventlog.leases import daemon_lease, holder, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.home import Home


@pytest.fixture
def shared(home: Home, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The log of this home, on a server."""
    monkeypatch.setenv("KAIROS_LOG", postgres.url())
    log = open_log(home)
    yield log
    log.close()


def test_looking_at_an_empty_shared_log_makes_nothing(kairos: Any, shared: Log) -> None:
    assert kairos("status", "--json").data["log"] == {"head": 0, "sealed_upto": 0, "bytes": 0, "events": 0}
    assert kairos("inbox", "--json").data == []
    assert kairos("log", "--json").out == ""
    assert kairos("log", "verify", "--json").data["ok"]
    assert not shared.exists()


def test_a_shared_log_is_read_counted_and_verified(kairos: Any, shared: Log, repo: Any) -> None:
    shared.append([NewEvent("control", Paused(), None, "user")])
    status = kairos("status", "--json").data
    assert (status["paused"], status["log"]["head"]) == (True, 1)
    assert status["log"]["bytes"] > 0
    assert kairos("log", "anchor", "--json").data["position"] == 1
    checks = {check["name"]: check for check in kairos("doctor", "--json").data["checks"]}
    assert checks["log"]["state"] == "ok"
    assert "postgresql://" in checks["log"]["what"]


def test_init_registers_on_a_shared_log_and_gives_the_repository_free(kairos: Any, shared: Log, repo: Any) -> None:
    done = kairos("init", repo.root, "--yes", "--json").data
    assert done["new"]
    leases = shared.leases()
    assert leases is not None
    assert leases.current() == []
    assert {row for row in kairos("files", repo.root, "--json").out.splitlines() if "README.md" in row}
    assert not kairos("init", repo.root, "--yes", "--json").data["new"]

    leases.take(repo_lease(done["repo"]), "eve", 60)
    [told] = kairos("status", "--json").data["repos"]
    assert (told["state"], told["held_by"]) == ("stopped", "eve")
    assert "eve has it" in kairos("status").out
    leases.close()


def test_a_repository_that_another_command_registers_is_waited_for(kairos: Any, shared: Log, repo: Any) -> None:
    leases = shared.leases()
    assert leases is not None
    found = repo.root.stat()
    with closing(Desk()) as desk:
        id_, _ = repository_id_of(desk, repo.root, found.st_dev, found.st_ino)
    leases.take(repo_lease(id_), "eve", 60)
    said = kairos("init", repo.root, "--yes", "--json")
    assert (said.code, said.error["name"]) == (75, "try_again")
    assert kairos("log", "--json").out == ""
    leases.close()


def test_forgetting_wants_every_other_daemon_stopped(kairos: Any, shared: Log, home: Home) -> None:
    shared.append([NewEvent("control", Paused(), None, "user")])
    leases = shared.leases()
    assert leases is not None
    leases.take(daemon_lease("other"), holder("other"), 60)
    said = kairos("forget", "--position", "1", "-m", "mine", "--yes", "--json")
    assert (said.code, said.error["name"]) == (75, "try_again")
    assert holder("other") in said.error["message"]
    assert shared.at(1)
    leases.close()


@pytest.mark.parametrize("verb", ["status", "inbox", "log", "approve", "why-not"])
def test_an_absent_server_is_exit_75_with_a_hint(
    kairos: Any, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("KAIROS_LOG", f"postgresql://ada:s3cret@/work?host={tmp_path}")
    said = kairos(*([verb, "x"] if verb == "approve" else [verb]), "--json")
    assert (said.code, said.error["name"]) == (75, "try_again")
    assert "does not answer" in said.error["message"]
    assert said.error["hint"]
    assert "s3cret" not in said.out + said.err


def test_doctor_says_that_the_server_is_away_and_looks_at_everything_else(
    kairos: Any, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAIROS_LOG", f"postgresql://ada:s3cret@/work?host={tmp_path}")
    said = kairos("doctor", "--json")
    assert said.code == 75
    checks = {check["name"]: check for check in said.data["checks"]}
    assert (checks["log"]["state"], checks["git"]["state"]) == ("problem", "ok")
    assert "does not answer" in checks["log"]["what"]
    assert "s3cret" not in said.out + said.err


@pytest.mark.parametrize("url", ["mysql://ada:s3cret@h/d", "postgresql://ada:s3cret@h/d?nonsense=1"])
def test_an_address_that_makes_no_sense_is_exit_2(
    kairos: Any, home: Home, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("KAIROS_LOG", url)
    for verb in ("status", "doctor"):
        said = kairos(verb, "--json")
        assert said.code == (2 if verb == "status" else 1)
        assert "s3cret" not in said.out + said.err


def test_the_configuration_is_shown_without_the_password(kairos: Any, home: Home) -> None:
    set_ = kairos("config", "set", "log.url", "postgresql://ada:s3cret@h/d", "--json")
    assert set_.data["value"] == "postgresql://ada:…@h/d"
    assert home.log_url == "postgresql://ada:s3cret@h/d"
    for args in (["log.url"], ["log"], []):
        shown = kairos("config", "get", *args, "--json")
        assert "s3cret" not in shown.out
        assert "ada:" in shown.out
