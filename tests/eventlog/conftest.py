"""Random events of every type, built from the types of their fields; where a stock application finds a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from hypothesis import strategies as st
from msgspec import inspect

from kairos.domain.events import Event, Name, name_fields
from kairos.eventlog.log import Log
from kairos.home import Home

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PATHS = st.binary(min_size=1, max_size=8).map(lambda raw: name_fields(raw.decode("utf-8", "surrogateescape")))


def of_type(type_: inspect.Type, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of a msgspec type; whatever is text is drawn from `text`."""
    match type_:
        case inspect.Metadata():
            return of_type(type_.type, text)
        case inspect.StructType():
            return of_struct(type_, text)
        case inspect.UnionType():
            return st.one_of([of_type(t, text) for t in type_.types])
        case inspect.ListType():
            return st.lists(of_type(type_.item_type, text), max_size=3)
        case inspect.LiteralType():
            return st.sampled_from(sorted(type_.values, key=str))
        case inspect.StrType():
            return text
        case inspect.IntType():
            return st.integers(-(2**63), 2**64 - 1)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
    raise TypeError(f"no strategy for {type_!r}")


def of_struct(info: inspect.StructType, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    fields = {f.name: of_type(f.type, text) for f in info.fields}
    if not issubclass(info.cls, Name):
        return st.builds(info.cls, **fields)
    rest = st.fixed_dictionaries({name: s for name, s in fields.items() if name not in ("path", "path_b64")})
    return st.builds(lambda path, others: info.cls(**path, **others), PATHS, rest)


@pytest.fixture(scope="session")
def events_of() -> Callable[..., st.SearchStrategy[Any]]:
    """events_of(cls, text=…, **fields): events of a class; the named fields are drawn as told."""

    def build(
        cls: type[Event], text: st.SearchStrategy[str] = TEXT, **given: st.SearchStrategy[Any]
    ) -> st.SearchStrategy[Any]:
        info = inspect.type_info(cls)
        assert isinstance(info, inspect.StructType)
        drawn = {f.name: given[f.name] if f.name in given else of_type(f.type, text) for f in info.fields}
        return st.builds(cls, **drawn)

    return build


def _recorders(topic: str) -> dict[str, str]:
    return {f"{kind}_RECORDER_TOPIC": topic for kind in ("APPLICATION", "PROCESS", "TRACKING")}


@pytest.fixture
def environments(postgres: Any) -> Callable[[Path | str], dict[str, str]]:
    """The environment that leads an application of eventsourcing to the log in a file, or at an address."""

    def environment(place: Path | str) -> dict[str, str]:
        if isinstance(place, Path):
            recorders = _recorders("kairos.eventlog.sqlite.stock:StockSqliteRecorder")
            return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(place), **recorders}
        parts, query = urlsplit(place), parse_qs(urlsplit(place).query)
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path.strip("/"),
            "POSTGRES_HOST": query["host"][0],
            "POSTGRES_USER": parts.username or "",
            "POSTGRES_PASSWORD": "",
            "POSTGRES_SCHEMA": query["options"][0].removeprefix("-csearch_path="),
            **_recorders("kairos.eventlog.postgres.stock:StockPostgresRecorder"),
        }

    return environment


@pytest.fixture
def on_sqlite(environments: Callable[[Path | str], dict[str, str]], home: Home) -> dict[str, str]:
    """The environment that leads to the log of the home."""
    return environments(home.log)


@pytest.fixture
def on_postgres(environments: Callable[[Path | str], dict[str, str]], postgres: Any) -> dict[str, str]:
    """The environment that leads to an empty schema."""
    return environments(postgres.url())


class Account(Aggregate):
    """An aggregate in eventsourcing's own style."""

    class Opened(Aggregate.Created):
        TOPIC = "accounts:Opened"
        owner: str

    class Noted(Aggregate.Event):
        TOPIC = "accounts:Noted"
        note: str

    def __init__(self, owner: str) -> None:
        self.notes: list[str] = []
        self.owner = owner

    @event(Noted)
    def take_note(self, note: str) -> None:
        self.notes.append(note)


class Place(NamedTuple):
    """An empty log, and how applications find it."""

    log: Log
    environment: dict[str, str]


@pytest.fixture
def place(any_log: Log, environments: Callable[[Path | str], dict[str, str]]) -> Place:
    return Place(any_log, environments(any_log.url or any_log.path))


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., Any]]:
    """start(kind, SETTING=…): an application on the log of `place`, closed at the end."""
    started: list[Any] = []

    def start(kind: Any = Application, **settings: str) -> Any:
        started.append(kind(env={**place.environment, **settings}))
        return started[-1]

    yield start
    for application in started:
        application.recorder.close()
        application.close()


@pytest.fixture
def opened() -> Callable[..., Account]:
    """opened(application, *notes, owner=…): saves a new account."""

    def opened(application: Any, *notes: str, owner: str = "Ada") -> Account:
        account = Account(owner)
        for note in notes:
            account.take_note(note)
        application.save(account)
        return account

    return opened
