"""The test cases that eventsourcing publishes for recorders and for applications on them, on both engines.

A case that does not pass says so with its reason, and must be taken off once it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresFactory
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteFactory
from eventsourcing.tests import application, projection
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment

from kairos.eventlog.postgres.recorder import LogDatastore, PostgresRecorder
from kairos.eventlog.postgres.stock import StockPostgresRecorder
from kairos.eventlog.sqlite.recorder import LogRecorder
from kairos.eventlog.sqlite.stock import StockSqliteRecorder
from kairos.eventlog.stock import LogSubscription, StockRecorder


def fails(reason: str) -> Callable[[Any], Any]:
    """A case that does not pass, and why."""
    return pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)


class Made:
    """Gives each case a recorder of the kind it is for, as eventsourcing's own factory makes it from the environment,
    in an empty log. `ids`: whether the application knows its streams by UUIDs or by texts."""

    kind = "application"
    ids = "uuid"

    @pytest.fixture(autouse=True)
    def _made(self, environment: dict[str, str]) -> Iterator[None]:
        self.env = Environment(env={**environment, "ORIGINATOR_ID_TYPE": self.ids})
        self._recorders: list[Any] = []
        yield
        for recorder in self._recorders:
            recorder.close()

    def create_recorder(self) -> Any:
        factory: Any = InfrastructureFactory.construct(self.env)
        made = getattr(factory, f"{self.kind}_recorder")()
        assert isinstance(made, StockSqliteRecorder | StockPostgresRecorder)
        self._recorders.append(made)
        return made

    def new_originator_id(self) -> UUID | str:
        return uuid4() if self.ids == "uuid" else f"account-{uuid4()}"


class OnSqlite(Made):
    @pytest.fixture
    def environment(self, on_sqlite: dict[str, str]) -> dict[str, str]:
        return on_sqlite


class OnPostgres(Made):
    @pytest.fixture
    def environment(self, on_postgres: dict[str, str]) -> dict[str, str]:
        return on_postgres


class Numbering:
    """The one case that does not pass, on either engine."""

    @fails("ours is an application recorder: it returns positions, where one that numbers nothing returns None")
    def test_insert_and_select(self) -> None:
        AggregateRecorderTestCase.test_insert_and_select(self)  # type: ignore[arg-type]


class Unnumbered(Made):
    """The same without what `insert_events` returns: so the rest of that case is asked, too."""

    def create_recorder(self) -> Any:
        made = super().create_recorder()
        insert = made.insert_events

        def unnumbered(stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
            insert(stored_events, **kwargs)

        made.insert_events = unnumbered
        return made


class Subscribing:
    """Eventsourcing leaves it to a recorder whether it has subscriptions; its own on SQLite has none."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()  # type: ignore[attr-defined]


class TestApplicationOnSqlite(OnSqlite, Subscribing, ApplicationRecorderTestCase[Any]):
    pass


class TestApplicationOnPostgres(OnPostgres, Subscribing, ApplicationRecorderTestCase[Any]):
    pass


class TestApplicationWithTextsOnSqlite(OnSqlite, Subscribing, ApplicationRecorderTestCase[Any]):
    ids = "text"


class TestApplicationWithTextsOnPostgres(OnPostgres, Subscribing, ApplicationRecorderTestCase[Any]):
    ids = "text"


class TestAggregateOnSqlite(OnSqlite, Numbering, AggregateRecorderTestCase):
    pass


class TestAggregateOnPostgres(OnPostgres, Numbering, AggregateRecorderTestCase):
    pass


class TestUnnumberedAggregateOnSqlite(Unnumbered, OnSqlite, AggregateRecorderTestCase):
    pass


class TestUnnumberedAggregateOnPostgres(Unnumbered, OnPostgres, AggregateRecorderTestCase):
    pass


class TestTrackingOnSqlite(OnSqlite, TrackingRecorderTestCase):
    kind = "tracking"


class TestTrackingOnPostgres(OnPostgres, TrackingRecorderTestCase):
    kind = "tracking"


class TestProcessOnSqlite(OnSqlite, ProcessRecorderTestCase):
    kind = "process"


class TestProcessOnPostgres(OnPostgres, ProcessRecorderTestCase):
    kind = "process"


class TestNonInterleavingOnSqlite(OnSqlite, NonInterleavingNotificationIDsBaseCase):
    pass


class TestNonInterleavingOnPostgres(OnPostgres, NonInterleavingNotificationIDsBaseCase):
    pass


class OwnSqliteRecorder(StockSqliteRecorder):
    """One that an application of somebody has made its own."""


class OwnPostgresRecorder(StockPostgresRecorder):
    """One that an application of somebody has made its own."""


class Factory:
    """Which kinds of recorders a factory is expected to make."""

    recorder: type[Any]
    special: type[Any]
    aggregates: type[Any]
    factories: type[Any]

    def expected_factory_class(self) -> type[Any]:
        return self.factories

    def expected_aggregate_recorder_class(self) -> type[Any]:
        """Snapshots lie in a table of eventsourcing's own, beside the log."""
        return self.aggregates

    def expected_application_recorder_class(self) -> type[Any]:
        return self.recorder

    expected_tracking_recorder_class = expected_process_recorder_class = expected_application_recorder_class

    def tracking_recorder_subclass(self) -> type[Any]:
        return self.special


class TestFactoryOnSqlite(OnSqlite, Factory, InfrastructureFactoryTestCase[Any]):
    recorder, special = StockSqliteRecorder, OwnSqliteRecorder
    aggregates, factories = SQLiteAggregateRecorder, SQLiteFactory


class TestFactoryOnPostgres(OnPostgres, Factory, InfrastructureFactoryTestCase[Any]):
    recorder, special = StockPostgresRecorder, OwnPostgresRecorder
    aggregates, factories = PostgresAggregateRecorder, PostgresFactory


@pytest.mark.filterwarnings("always::DeprecationWarning")  # a case looks for one
class InTheEnvironment:
    """Applications find the log by the variables of this process."""

    @pytest.fixture(autouse=True)
    def _set(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)


class TestStockApplicationOnSqlite(InTheEnvironment, OnSqlite, application.ApplicationTestCase):
    pass


class TestStockApplicationOnPostgres(InTheEnvironment, OnPostgres, application.ApplicationTestCase):
    pass


class TestExampleOnSqlite(InTheEnvironment, OnSqlite, application.ExampleApplicationTestCase):
    expected_factory_topic = "eventsourcing.sqlite:SQLiteFactory"


class TestExampleOnPostgres(InTheEnvironment, OnPostgres, application.ExampleApplicationTestCase):
    expected_factory_topic = "eventsourcing.postgres:PostgresFactory"


class TestProjectionOnSqlite(OnSqlite, projection.EventSourcedProjectionTestCase):
    """A log for each of the two applications: a projection that read its own events would go on for ever."""

    @pytest.fixture(autouse=True)
    def _two(self, environment: dict[str, str], tmp_path: Path) -> None:
        type(self).env = {**environment, "COUNTERS_SQLITE_DBNAME": str(tmp_path / "counters" / "log.db")}


class TestProjectionOnPostgres(OnPostgres, projection.EventSourcedProjectionTestCase):
    """A log for each of the two applications."""

    @pytest.fixture(autouse=True)
    def _two(self, environment: dict[str, str], environments: Any, postgres: Any) -> None:
        schema = environments(postgres.url())["POSTGRES_SCHEMA"]
        type(self).env = {**environment, "COUNTERS_POSTGRES_SCHEMA": schema}


OURS = (
    StockRecorder, LogSubscription, LogRecorder, StockSqliteRecorder, PostgresRecorder, LogDatastore,
    StockPostgresRecorder,
)  # fmt: skip


def overridden() -> set[str]:
    """The methods of eventsourcing's that ours have instead; those of both engines without their class."""
    found = set()
    for cls in OURS:
        among = (LogRecorder, PostgresRecorder) if cls is StockRecorder else (cls,)
        theirs = {name for one in among for base in one.__mro__ if base not in OURS for name in vars(base)}
        ours = {name for name, value in vars(cls).items() if callable(value)} & theirs - {"__class_getitem__"}
        found |= ours if cls is StockRecorder else {f"{cls.__name__}.{name}" for name in ours}
    return found


def test_what_is_overridden_is_listed_with_its_reason_and_nothing_else() -> None:
    page = Path(__file__).parents[2] / "docs/adr/0017-what-is-overridden-of-eventsourcing.md"
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]{20,}) \|$", page.read_text(), re.MULTILINE)
    assert {name.strip("`") for names, _ in rows for name in names.split(", ")} == overridden()
