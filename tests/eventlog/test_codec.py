"""Every event survives its trip through bytes; secrets leave free text and nothing else; old versions are upcast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from kairos.domain.events import (
    REGISTRY,
    UPCASTS,
    AttentionHeld,
    Event,
    FreeText,
    GitMoved,
    Memory,
    MemoryAccepted,
    Paused,
    ProposalVerified,
    upcast,
)
from kairos.errors import IntegrityError
from kairos.eventlog import codec

Strategies = Callable[..., st.SearchStrategy[Any]]
SECRET = "AKIA" + "QRSTUVWXYZ234567"


@pytest.mark.parametrize("topic", sorted(REGISTRY))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_from_its_bytes_as_it_was(
    topic: str, data: st.DataObject, events_of: Strategies
) -> None:
    event = data.draw(events_of(REGISTRY[topic]))
    name, version, payload = codec.encode(event)
    assert (name, version) == (topic, REGISTRY[topic].version)
    back = codec.decode(name, version, payload)
    assert back == event
    assert codec.encode(back) == (name, version, payload)


def texts(value: Any, type_: inspect.Type, free: bool = False) -> Iterator[tuple[bool, str]]:
    """(whether it is free text, text) of every text in a value, in order, nested ones too."""
    match type_:
        case inspect.Metadata():
            yield from texts(value, type_.type, bool((type_.extra or {}).get("free_text")))
        case inspect.StructType():
            for field in type_.fields:
                yield from texts(getattr(value, field.name), field.type)
        case inspect.ListType():
            for item in value:
                yield from texts(item, type_.item_type, free)
        case inspect.UnionType() if value is not None:
            for one in type_.types:
                if isinstance(one, inspect.StructType) and type(value) is one.cls:
                    yield from texts(value, one)
            if isinstance(value, str):
                metas = [t for t in type_.types if isinstance(t, inspect.Metadata)]
                yield free or any((t.extra or {}).get("free_text") for t in metas), value
        case inspect.StrType() | inspect.LiteralType():
            yield free, value


@pytest.mark.parametrize("topic", sorted(REGISTRY))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_secrets_are_cut_from_all_free_text_and_from_nothing_else(
    topic: str, data: st.DataObject, events_of: Strategies
) -> None:
    cls = REGISTRY[topic]
    event = data.draw(events_of(cls, text=st.sampled_from(["plain", f"key {SECRET} here"])))
    clean = codec.redacted(event)
    info = inspect.type_info(cls)
    before, after = list(texts(event, info)), list(texts(clean, info))
    assert len(before) == len(after)
    for (free, was), (_, now) in zip(before, after, strict=True):
        assert now == (was.replace(SECRET, "[redacted aws-access-key]") if free else was)
    assert codec.redacted(clean) is clean


def test_the_text_of_a_memory_is_free_text_too() -> None:
    memory = Memory(
        id="m",
        repo="r",
        kind="fact",
        subject="s",
        predicate="p",
        value="v",
        text=f"use {SECRET}",
        cites=[1],
        support=1.0,
    )
    clean = codec.redacted(MemoryAccepted(memory=memory))
    assert SECRET.encode() not in codec.encode(clean)[2]


def test_a_command_in_an_event_loses_what_follows_a_secret_option() -> None:
    check = ["sh", "-c", "exit 0", "--token", "hunter2"]
    clean = codec.redacted(ProposalVerified(id="p", digest="d", ok=True, check=check))
    assert clean.check == ["sh", "-c", "exit 0", "--token", "[redacted credential]"]
    assert check[-1] == "hunter2", "the command that is run is another"


def test_a_payload_without_its_defaults_reads_as_one_with_them() -> None:
    full = b'{"repo":"r","head":null,"refs":[],"what":"commit","previous_head":null,"note":""}'
    event = codec.decode("GitMoved", 1, full)
    assert event == GitMoved(repo="r", head=None, refs=[], what="commit")
    assert codec.encode(event)[2] == b'{"repo":"r","head":null,"refs":[],"what":"commit"}'


def test_a_field_of_tomorrow_is_passed_over() -> None:
    """A new optional field needs no new version: an older program reads past it."""
    assert codec.decode("Paused", 1, b'{"until":5,"mood":"calm"}') == Paused(until=5)


@pytest.mark.parametrize(
    ("topic", "version", "payload"),
    [
        ("Martian", 1, b"{}"),
        ("Paused", 99, b"{}"),
        ("Paused", 1, b""),
        ("Paused", 1, b"{"),
        ("Paused", 1, b"[]"),
        ("Paused", 1, b"\xff\xfe"),
        ("Paused", 1, b'{"until":"soon"}'),
        ("AttentionHeld", 1, b'{"repo":"r"}'),
        ("FilesChanged", 1, b'{"repo":"r","burst":"b","part":1,"parts":1,"changes":[{"kind":"created"}]}'),
    ],
)
def test_what_cannot_be_read_is_an_integrity_error_that_names_it(topic: str, version: int, payload: bytes) -> None:
    with pytest.raises(IntegrityError, match=topic):
        codec.decode(topic, version, payload)


def test_an_event_that_is_not_registered_is_refused() -> None:
    class Paused(Event, frozen=True):
        pass

    with pytest.raises(TypeError, match="not a registered event"):
        codec.encode(Paused())
    with pytest.raises(TypeError, match="not a registered event"):
        codec.encode(Event())


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Event]]:
    """A topic in its third version: 1 had `name`, 2 called it `title`, 3 counts."""

    class ThirdEdition(Event, frozen=True, kw_only=True, omit_defaults=True):
        version = 3
        title: FreeText
        copies: int

    monkeypatch.setitem(REGISTRY, "ThirdEdition", ThirdEdition)
    for step in (1, 2):
        monkeypatch.setitem(UPCASTS, ("ThirdEdition", step), lambda data: data)  # undone after the test
    upcast("ThirdEdition", 1)(lambda data: {"title": data["name"]})
    upcast("ThirdEdition", 2)(lambda data: {**data, "copies": 1})
    codec._decoder.cache_clear()
    yield ThirdEdition
    codec._decoder.cache_clear()


@pytest.mark.parametrize(
    ("version", "payload"),
    [(1, b'{"name":"Emma"}'), (2, b'{"title":"Emma"}'), (3, b'{"title":"Emma","copies":1}')],
)
def test_every_old_version_reads_as_the_present_one(grown: type[Event], version: int, payload: bytes) -> None:
    event = codec.decode("ThirdEdition", version, payload)
    assert type(event) is grown
    assert msgspec.to_builtins(event) == {"title": "Emma", "copies": 1}
    assert codec.encode(event) == ("ThirdEdition", 3, b'{"title":"Emma","copies":1}')


@pytest.mark.usefixtures("grown")
def test_a_version_of_tomorrow_is_refused() -> None:
    with pytest.raises(IntegrityError, match="ThirdEdition version 4") as caught:
        codec.decode("ThirdEdition", 4, b'{"title":"Emma","copies":1}')
    assert "newer Kairos" in caught.value.hint


@pytest.mark.usefixtures("grown")
def test_an_old_payload_that_its_upcast_cannot_read_is_an_integrity_error() -> None:
    with pytest.raises(IntegrityError, match="ThirdEdition"):
        codec.decode("ThirdEdition", 1, b'{"nome":"Emma"}')


def test_the_free_text_of_an_event_is_known_by_its_type() -> None:
    assert codec.free_text_fields(AttentionHeld) == ("why", "shadow")
    assert codec.free_text_fields(Paused) == ()
