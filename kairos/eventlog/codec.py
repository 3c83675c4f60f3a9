"""Encodes events to bytes and decodes them: registered names, versions, upcasts. Payloads are JSON with the fields in
order of declaration."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from kairos.domain.events import REGISTRY, UPCASTS, Event, is_foreign
from kairos.domain.inert import as_text
from kairos.errors import IntegrityError
from kairos.eventlog.record import Draft, ForeignEvent, Origin, Plain, Recorded, Row, header_of

_encode = msgspec.json.Encoder().encode


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(REGISTRY[topic])


def draft(stream: str, event: Event, caused_by: int | None, origin: Origin) -> Draft:
    """An event ready to store: secrets are removed from its free text and its payload is canonical bytes.

    TypeError for a class that is not registered."""
    plan = _plans.get(type(event)) or _plan(type(event))
    if plan.free:
        event = redacted(event)
    return stream, plan.topic, plan.version, _encode(event), caused_by, origin


class _Plan(NamedTuple):
    topic: str
    version: int
    free: tuple[str, ...]


_plans: dict[type[Event], _Plan] = {}


def _plan(cls: type[Event]) -> _Plan:
    if REGISTRY.get(cls.__name__) is not cls:
        raise TypeError(f"{cls.__name__} is not a registered event")
    plan = _plans[cls] = _Plan(sys.intern(cls.__name__), cls.version, free_text_fields(cls))
    return plan


def encode(event: Event) -> tuple[str, int, bytes]:
    """(topic, version, canonical payload) of an event. TypeError for a class that is not registered."""
    plan = _plan(type(event))
    return plan.topic, plan.version, _encode(event)


def refuse_unknown(topic: str, version: int) -> None:
    """IntegrityError unless this program knows the event type at this version or it belongs to another application."""
    cls = REGISTRY.get(topic)
    if not is_foreign(topic) and (cls is None or version > cls.version):
        raise IntegrityError(
            f"the log holds {topic} version {version}, which this program does not know",
            "It was written by a newer Kairos: upgrade, or run the version that wrote it.",
        )


def decode(topic: str, version: int, payload: bytes) -> Event:
    """The event of a stored payload, upcast to the present version. IntegrityError if its type or version is unknown
    or it cannot be decoded."""
    if is_foreign(topic):
        return ForeignEvent(bytes=len(payload))
    refuse_unknown(topic, version)
    cls = REGISTRY[topic]
    try:
        if version == cls.version:
            return _decoder(topic).decode(payload)
        data = msgspec.json.decode(payload)
        for step in range(version, cls.version):
            data = UPCASTS[(topic, step)](data)
        return msgspec.convert(data, cls)
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            f"a stored {topic} (version {version}) cannot be decoded: {error}",
            "Run `kairos log verify` to find the damaged place.",
        ) from error


def decode_row(row: Row) -> Recorded | None:
    """A stored row as a recorded event; None when its payload was erased."""
    return next(decode_rows([(*header_of(row), row.payload)]), None)


def decode_rows(rows: Iterable[Plain]) -> Iterator[Recorded]:
    """Stored rows as recorded events, decoded lazily; erased ones are left out."""
    for row in rows:
        position, stream, version, topic, v, at, caused_by, correlation, origin, payload = row[:10]
        if payload is None:
            continue
        cls = REGISTRY.get(topic)
        if cls is not None and v == cls.version:
            try:
                event = _decoder(topic).decode(payload)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                event = decode(topic, v, payload)  # raises an error with the reason
        else:
            event = decode(topic, v, payload)
        yield Recorded(position, stream, version, topic, v, at, caused_by, correlation, origin, event)


@cache
def free_text_fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    """The names of the fields of a struct that are marked as free text or contain a struct with such fields."""
    return tuple(f.name for f in msgspec.structs.fields(cls) if _carries_free_text(msgspec.inspect.type_info(f.type)))


def _carries_free_text(kind: msgspec.inspect.Type) -> bool:
    match kind:
        case msgspec.inspect.Metadata(extra={"free_text": True}):
            return True
        case msgspec.inspect.StructType(cls=cls):
            return bool(free_text_fields(cls))
        case msgspec.inspect.ListType(item_type=item):
            return _carries_free_text(item)
        case msgspec.inspect.UnionType(types=types):
            return any(_carries_free_text(t) for t in types)
        case _:
            return False


S = TypeVar("S", bound=msgspec.Struct)


def redacted(value: S) -> S:
    """An event (or a struct in it) with secrets removed from its free-text fields, and only from those. Bytes in them
    that are not UTF-8 are escaped, because a log holds text."""
    changes = {}
    for name in free_text_fields(type(value)):
        found = getattr(value, name)
        clean = _clean(found)
        if clean != found:
            changes[name] = clean
    return msgspec.structs.replace(value, **changes) if changes else value


def _clean(value: Any) -> Any:
    from kairos.domain.secrets import redact, redact_all  # imported late: compiling its patterns is slow

    if isinstance(value, str):
        return redact(value if value.isascii() else as_text(value))
    if isinstance(value, msgspec.Struct):
        return redacted(value)
    if isinstance(value, list):
        return redact_all(value) if value and isinstance(value[0], str) else [_clean(item) for item in value]
    return value
