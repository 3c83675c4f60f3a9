"""What makes an event an event: a name that stays, no way to change it, every step from old to new."""

from __future__ import annotations

import inspect

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain import events
from kairos.domain.catalogue import catalogue
from kairos.domain.events import REGISTRY, UPCASTS, Change, Event, Name, Paused, name_fields, register


@pytest.mark.parametrize("topic", sorted(REGISTRY))
def test_every_event_is_frozen_named_by_its_class_and_described(topic: str) -> None:
    cls = REGISTRY[topic]
    assert cls.__name__ == topic
    assert issubclass(cls, Event)
    assert cls.__struct_config__.frozen
    assert cls.__struct_config__.omit_defaults, "a new optional field must not change old bytes"
    assert cls.__struct_config__.tag is None
    assert cls.version >= 1
    assert (cls.__doc__ or "").strip().endswith(".")
    assert getattr(events, topic) is cls, "importing the package registers it"


def test_every_event_class_is_registered() -> None:
    classes = {
        c.__name__ for c in vars(events).values() if inspect.isclass(c) and issubclass(c, Event) and c is not Event
    }
    assert classes == set(REGISTRY)


def test_every_step_between_versions_has_an_upcast() -> None:
    steps = {(topic, v) for topic, cls in REGISTRY.items() for v in range(1, cls.version)}
    assert set(UPCASTS) == steps


def test_a_topic_cannot_be_taken_twice() -> None:
    class Paused(Event, frozen=True):
        pass

    with pytest.raises(ValueError, match="registered twice"):
        register(Paused)
    assert REGISTRY["Paused"] is events.Paused


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Paused(until=1).until = 2  # type: ignore[misc]


@given(st.binary(min_size=1, max_size=255).filter(lambda raw: b"\0" not in raw))
def test_any_file_name_goes_through_a_value_and_back(raw: bytes) -> None:
    path = raw.decode("utf-8", "surrogateescape")
    change = msgspec.convert({"kind": "created", **name_fields(path)}, Change)
    again = msgspec.json.decode(msgspec.json.encode(change), type=Change)
    assert again.fs == path
    assert (again.path is not None) == (raw.decode("utf-8", "replace").encode() == raw)


@pytest.mark.parametrize("fields", [{}, {"path": "a", "path_b64": "YQ=="}])
def test_a_name_is_given_in_exactly_one_way(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Name(**fields)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "created", **fields}, Change)


def test_the_catalogue_holds_every_event_and_every_field() -> None:
    text = catalogue()
    for topic, cls in REGISTRY.items():
        section = text.split(f"\n### {topic}\n")[1].split("\n### ")[0]
        assert [f for f in cls.__struct_fields__ if f"| `{f}` |" not in section] == []
    assert "| `changes` | list of [Change](#change) |" in text


def test_the_catalogue_refuses_an_event_that_no_chapter_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stray(Event, frozen=True):
        """Lost."""

    monkeypatch.setitem(REGISTRY, "Stray", Stray)
    with pytest.raises(ValueError, match="Stray"):
        catalogue()


def test_the_names_of_topics_are_never_python_paths() -> None:
    assert all(topic.isidentifier() and topic[0].isupper() for topic in REGISTRY)
