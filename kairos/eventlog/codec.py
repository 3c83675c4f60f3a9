"""Events to bytes and back: registered names, versions, upcasts. Payloads are JSON with fields in order."""

from __future__ import annotations

from functools import cache

import msgspec

from kairos.domain.events import REGISTRY, UPCASTS, Event
from kairos.errors import IntegrityError
from kairos.eventlog.record import Origin, Recorded, Row

_encoder = msgspec.json.Encoder()


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(REGISTRY[topic])


def encode(event: Event) -> tuple[str, int, bytes]:
    """(topic, version, canonical payload) of an event. TypeError for a class that is not registered."""
    topic = type(event).__name__
    if REGISTRY.get(topic) is not type(event):
        raise TypeError(f"{topic} is not a registered event")
    return topic, type(event).version, _encoder.encode(event)


def decode(topic: str, version: int, payload: bytes) -> Event:
    """The event of a stored payload, upcast to the present version. IntegrityError if nobody knows it."""
    cls = REGISTRY.get(topic)
    if cls is None or version > cls.version:
        raise IntegrityError(
            f"the log holds {topic} version {version}, which this program does not know",
            "It was written by a newer Kairos: upgrade, or run the version that wrote it.",
        )
    try:
        if version == cls.version:
            return _decoder(topic).decode(payload)
        data = msgspec.json.decode(payload)
        for step in range(version, cls.version):
            data = UPCASTS[(topic, step)](data)
        return msgspec.convert(data, cls)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(
            f"a stored {topic} (version {version}) cannot be decoded: {error}",
            "Run `kairos log verify` to find the damaged place.",
        ) from error


def decode_row(row: Row) -> Recorded | None:
    """A stored row as a recorded event; None when its payload was erased."""
    if row.payload is None:
        return None
    return Recorded(
        row.position, row.stream, row.version, row.topic, row.v, row.at, row.caused_by, row.correlation,
        _origin(row.origin), decode(row.topic, row.v, row.payload),
    )  # fmt: skip


def _origin(text: str) -> Origin:
    return text  # type: ignore[return-value]  # written by NewEvent, which admits only these


@cache
def free_text_fields(cls: type[Event]) -> tuple[str, ...]:
    """The names of the fields of an event class that are marked as free text."""
    found = []
    for field in msgspec.inspect.type_info(cls).fields:  # type: ignore[attr-defined]
        if isinstance(field.type, msgspec.inspect.Metadata) and (field.type.extra or {}).get("free_text"):
            found.append(field.name)
    return tuple(found)


def redacted(event: Event) -> Event:
    """The event with secrets cut from its free-text fields, and only from those."""
    from kairos.domain.secrets import redact  # its patterns take longer to compile than a reader has

    changes = {}
    for name in free_text_fields(type(event)):
        text = getattr(event, name)
        clean = redact(text)
        if clean != text:
            changes[name] = clean
    return msgspec.structs.replace(event, **changes) if changes else event
