"""What the server says, and that no message tells a password."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import Paused
from kairos.errors import KairosError, TryAgain, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.postgres.address import secrets_of, shown
from kairos.eventlog.record import NewEvent


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://ada:s3cret@db.example:5433/work", "postgresql://db.example:5433/work"),
        ("postgresql://ada@/work?host=/run/pg&password=s3cret", "postgresql:///run/pg/work"),
        ("postgresql://ada:s3cret@one:1,two:2/work", "postgresql://…"),
        ("postgresql://ada:s3cret@[::1/work", "postgresql://…"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, seen: str) -> None:
    assert shown(url) == seen


def test_every_form_of_a_password_is_known() -> None:
    assert secrets_of("postgresql://ada:a%20b@h/d?sslpassword=xyz") == {"a%20b", "a b", "xyz"}
    assert secrets_of("postgresql://ada:s3cret@[::1/work") == {"postgresql://ada:s3cret@[::1/work"}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://ada:s3cret@/work?host=/nowhere", TryAgain),
        ("postgresql://ada:s3cret@/work?host=/nowhere&nonsense=1", UsageError),
        ("postgresql://ada:s3cret@127.0.0.1:port/work", UsageError),
        ("mysql://ada:s3cret@h/work", UsageError),
    ],
)
def test_no_error_tells_the_password(tmp_path: Path, url: str, kind: type[KairosError]) -> None:
    with pytest.raises(kind) as caught:
        Log(tmp_path / "log.db", url=url).head()
    assert caught.value.hint
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_does_not_exist_is_a_mistake_of_the_configuration(postgres: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Log(tmp_path / "log.db", url=f"postgresql://kairos@/missing?host={postgres.folder}").head()


def test_a_server_that_never_answered_is_told_at_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.db", url=f"postgresql://ada@/work?host={tmp_path}")
    with pytest.raises(TryAgain, match="does not answer") as caught:
        log.exists()
    assert caught.value.hint


@pytest.mark.parametrize("word", ["1", "y", "yes", "TRUE", "on"])
def test_database_functions_are_refused(monkeypatch: pytest.MonkeyPatch, shared: Log, word: str) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", word)
    with pytest.raises(UsageError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        shared.append([NewEvent("a", Paused())])


def test_a_log_that_does_not_use_them_is_not_refused(monkeypatch: pytest.MonkeyPatch, shared: Log) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "no")
    assert shared.append([NewEvent("a", Paused())]) == [1]


def test_a_stricter_isolation_of_the_role_does_not_fail_appends(tmp_path: Path, url: str) -> None:
    strict = url.replace("options=", "options=-cdefault_transaction_isolation%3Dserializable%20")
    first, second = Log(tmp_path / "a", url=strict), Log(tmp_path / "b", url=strict)
    for n in range(20):
        (first if n % 2 else second).append([NewEvent("a", Paused())])
    assert first.head() == 20
    first.close()
    second.close()
