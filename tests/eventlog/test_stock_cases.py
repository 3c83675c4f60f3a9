"""The test cases that eventsourcing publishes for recorders, on both engines.

A case that does not pass says so with its reason, and must be taken off once it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresFactory
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteFactory
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment

from kairos.eventlog.postgres.recorder import PostgresRecorder
from kairos.eventlog.sqlite.recorder import LogRecorder


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
        assert isinstance(made, LogRecorder | PostgresRecorder)
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


class SpecialLogRecorder(LogRecorder):
    """One that an application of somebody has made its own."""


class SpecialPostgresRecorder(PostgresRecorder):
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
    recorder, special = LogRecorder, SpecialLogRecorder
    aggregates, factories = SQLiteAggregateRecorder, SQLiteFactory


class TestFactoryOnPostgres(OnPostgres, Factory, InfrastructureFactoryTestCase[Any]):
    recorder, special = PostgresRecorder, SpecialPostgresRecorder
    aggregates, factories = PostgresAggregateRecorder, PostgresFactory
