"""How an application of eventsourcing names a log on PostgreSQL, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import OperationalError, ProgrammingError
from psycopg import sql

from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log


def ended(application: Any) -> None:
    application.recorder.close()
    application.close()


def test_database_functions_are_refused_whoever_asks_for_them(on_postgres: dict[str, str]) -> None:
    with pytest.raises(ProgrammingError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        Application(env={**on_postgres, "POSTGRES_ENABLE_DB_FUNCTIONS": "y"})


def test_one_that_is_gone_holds_no_connection_and_leaves_no_folder(
    postgres: Any, on_postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with postgres.admin() as db:
        before = [pid for (pid,) in db.execute("SELECT pid FROM pg_stat_activity").fetchall()]
    application: Any = Application(env=on_postgres)
    application.save(Aggregate())
    assert len(list(tmp_path.glob("kairos-segments-*"))) == 1
    ended(application)
    postgres.until_gone(f"application_name = 'kairos' AND pid <> ALL(ARRAY{before})")
    assert list(tmp_path.glob("kairos-segments-*")) == []
    ended(application)


@pytest.mark.parametrize("schema", ["UpperCase", "with space", 'with "quotes"', "back\\slash", "comma,and;more"])
def test_a_schema_of_any_name_is_found(postgres: Any, on_postgres: dict[str, str], schema: str) -> None:
    with postgres.admin() as db:
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    application: Any = Application(env={**on_postgres, "POSTGRES_SCHEMA": schema})
    application.save(Aggregate())
    with postgres.admin() as db:
        [(count,)] = db.execute(sql.SQL("SELECT count(*) FROM {}.events").format(sql.Identifier(schema))).fetchall()
    assert count == 1
    ended(application)


def test_segments_that_a_home_made_are_fetched(postgres: Any, environments: Any, tmp_path: Path) -> None:
    url = postgres.url()
    application: Any = Application(env=environments(url))
    aggregate = Aggregate()
    application.save(aggregate)
    home = Log(tmp_path / "log" / "log.db", url=url, owner="ada")
    compact(home)
    home.close()
    assert application.repository.get(aggregate.id).version == 1
    ended(application)


def test_a_server_that_is_away_is_told_as_eventsourcing_does(postgres: Any, on_postgres: dict[str, str]) -> None:
    application: Any = Application(env=on_postgres)
    application.save(Aggregate())
    postgres.stop()
    try:
        with pytest.raises(OperationalError, match="does not answer"):
            application.save(Aggregate())
    finally:
        postgres.start()
    application.save(Aggregate())
    assert application.recorder.max_notification_id() == 2
    ended(application)


def test_a_password_is_in_no_message(on_postgres: dict[str, str], tmp_path: Path) -> None:
    away = {**on_postgres, "POSTGRES_HOST": str(tmp_path), "POSTGRES_PASSWORD": "s3cret&word"}
    with pytest.raises(OperationalError) as caught:
        Application(env=away)
    assert "s3cret" not in str(caught.value) and quote("s3cret&word") not in str(caught.value)
