"""An application of eventsourcing stores its events on the log of a running daemon: neither is in the other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres"])
def environment(kairos: Any, request: pytest.FixtureRequest) -> dict[str, str]:
    """How the application finds the log of the home."""
    if request.param == "sqlite":
        recorder = {"APPLICATION_RECORDER_TOPIC": "kairos.eventlog.sqlite.stock:StockSqliteRecorder"}
        path = str(kairos.home / "log" / "log.db")
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": path, **recorder}
    url = kairos.environment["KAIROS_LOG"] = request.getfixturevalue("postgres").url()
    query = parse_qs(urlsplit(url).query)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "postgres",
        "POSTGRES_HOST": query["host"][0],
        "POSTGRES_USER": "kairos",
        "POSTGRES_PASSWORD": "",
        "POSTGRES_SCHEMA": query["options"][0].removeprefix("-csearch_path="),
        "APPLICATION_RECORDER_TOPIC": "kairos.eventlog.postgres.stock:StockPostgresRecorder",
    }


@pytest.fixture
def application(environment: dict[str, str], kairos: Any, repo: Any) -> Iterator[Any]:
    kairos.run("init", str(repo.root), "--yes")
    made = Application[UUID](env=environment)
    yield made
    made.recorder.close()
    made.close()


def writing(application: Any, until: threading.Event) -> Callable[[], list[UUID]]:
    """Saves one aggregate after the other in a thread; the result ends it and gives their ids."""
    saved: list[UUID] = []

    def write() -> None:
        while not until.is_set():
            aggregate = Aggregate()
            aggregate.trigger_event(Aggregate.Event)
            application.save(aggregate)
            saved.append(aggregate.id)

    thread = threading.Thread(target=write)
    thread.start()

    def end() -> list[UUID]:
        until.set()
        thread.join()
        return saved

    return end


def test_a_daemon_goes_on_while_an_application_writes_and_both_find_their_events_afterwards(
    kairos: Any, repo: Any, application: Any, tmp_path: Path
) -> None:
    application.save(Aggregate())
    daemon = kairos.daemon()
    end = writing(application, threading.Event())
    repo.write("shop.py", "price = 1\n")
    kairos.until("FilesChanged")
    repo.commit("a price")
    kairos.until("CommitRecorded", subject="a price")
    kairos.until("TurnEnded")
    saved = end()
    assert len(saved) > 3
    assert daemon.stop() == 0
    kairos.run("compact")
    again = kairos.daemon()
    repo.write("shop.py", "price = 2\n")
    kairos.until("FilesChanged", 2)
    assert again.stop() == 0
    assert kairos.run("log", "verify")["ok"]
    assert {application.repository.get(id_).version for id_ in saved} == {2}
    foreign = [r for r in kairos.events() if r.origin == "foreign"]
    assert len(foreign) == 2 * len(saved) + 1
    caused = {r.caused_by for r in kairos.events()}
    assert not caused & {r.position for r in foreign}, "nothing rests on what nobody here understands"
