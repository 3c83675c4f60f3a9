"""What makes an event an event: a name that stays, no way to change it, every step from old to new."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

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
        c.__name__ for c in vars(events).values() if isinstance(c, type) and issubclass(c, Event) and c is not Event
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


IDENTITIES = {
    "repo", "id", "digest", "turn", "execution", "dream", "burst", "key", "oid", "parents", "old", "new", "sha",
    "depends_on", "checked", "hash", "proof", "request", "store", "proposals", "policy_version", "subjects",
    "fingerprint", "edited", "oids", "tree", "commit", "base", "culprit", "check", "mark", "before_tree", "patches",
    "names",
}  # fmt: skip
PATHS = {
    "path", "path_b64", "paths", "kept", "file", "files", "root", "host", "place", "places", "asks", "absent",
    "present",
}  # fmt: skip
OURS = {
    "boundary", "rule", "detector", "detectors", "outcome", "kind", "origin", "day", "status", "program", "job", "what",
    "predicate", "reach", "format", "verdict",
}  # fmt: skip
"""Words that this program chose, not the world."""
DECIDED = {
    "Erased.by", "RepoTrusted.by", "MemorySuperseded.by", "ProposalSuperseded.by", "ProposalRejected.reason",
    "WatchGap.reason", "MemoryInvalidated.why", "AttentionHeld.subject", "CheckNamed.name", "CheckRemoved.name",
    "LogWatchNamed.name", "LogWatchRemoved.name", "LogLineTold.watch", "ToolUsed.tool",
    "ProposalRevised.by", "HindsightJudged.by", "HindsightJudged.subject",
}  # fmt: skip
"""Ours, too, or an id; the same word is free text in another event."""
AT_ITS_SOURCE = {
    "CommandAction.argv", "Effects.commands", "Hunk.old", "Hunk.new", "NoteAction.text", "Memory.subject",
    "Memory.value", "Ref.name", "RefBasis.name",
}  # fmt: skip
"""What a digest or the identity of a memory rests on: whoever makes it cuts secrets, or makes something else."""


def plain_texts(kind: inspect.Type, field: str = "") -> Iterator[str]:
    """The fields, as Struct.field, that hold text and are not marked as free text."""
    match kind:
        case inspect.Metadata(extra={"free_text": True}):
            return
        case inspect.Metadata(type=inner) | inspect.ListType(item_type=inner):
            yield from plain_texts(inner, field)
        case inspect.UnionType(types=types):
            yield from (found for one in types for found in plain_texts(one, field))
        case inspect.StructType(cls=cls, fields=fields):
            yield from (found for f in fields for found in plain_texts(f.type, f"{cls.__name__}.{f.name}"))
        case inspect.StrType() | inspect.AnyType() | inspect.DictType():
            yield field


@pytest.mark.parametrize("topic", sorted(REGISTRY))
def test_every_text_from_outside_is_free_text(topic: str) -> None:
    """A field that is not marked holds an id, a path or a word of our own, and says so here."""
    found = set(plain_texts(inspect.type_info(REGISTRY[topic]))) - DECIDED - AT_ITS_SOURCE
    assert {f for f in found if f.partition(".")[2] not in IDENTITIES | PATHS | OURS} == set()


def test_the_names_of_topics_are_never_python_paths() -> None:
    assert all(topic.isidentifier() and topic[0].isupper() for topic in REGISTRY)
