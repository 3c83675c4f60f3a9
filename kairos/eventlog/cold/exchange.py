"""The log as JSON lines, to move it or to read it with other tools: every record with its position and hashes.

The first line contains the format, the head, its hash, and the tracking positions of followers. One line for each
record follows. `payload` is the stored JSON, byte for byte; an erased record has none and keeps its `leaf`. A line
with an empty `topic` is a jump row: it replaces the folded positions `correlation` to `position`, and its `leaf` is the
link after them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec

from kairos._native import blake3_hash, link_row
from kairos.domain.amounts import count
from kairos.errors import IntegrityError, UsageError
from kairos.eventlog import codec
from kairos.eventlog.cold.jumps import first_of, is_jump, is_sound
from kairos.eventlog.cold.missing import Missing
from kairos.eventlog.cold.segment import Run
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import UPSTREAM, Origin, Row, header_of

FORMAT = 1
_NOTHING = msgspec.Raw(b"null")


class Preface(msgspec.Struct, frozen=True):
    """The first line of an export."""

    kairos_log: int
    head: int
    hash: str
    tracking: dict[str, int]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record; leaf and link in hex. `payload_b64` replaces `payload` if the payload is not one line of JSON."""

    position: int
    stream: str
    version: int
    topic: str
    v: int
    at: int
    caused_by: int | None
    correlation: int
    origin: Origin
    leaf: str
    link: str
    payload: msgspec.Raw = _NOTHING
    payload_b64: str | None = None


def export_log(log: Log, out: IO[bytes]) -> int:
    """Writes the whole log, hot and cold, up to the current head; returns the number of events. IntegrityError if the
    chain is broken."""
    head, head_link = log.anchor()
    followers = {n: p for n, p in log.trackings().items() if _goes_along(n, p, head)}
    out.write(msgspec.json.encode(Preface(FORMAT, head, head_link, followers)) + b"\n")
    link, count = bytes(32), 0
    for row in log.reader().rows(upto=head):
        leaf = row.leaf if row.payload is None else blake3_hash(row.payload)
        link = link_row(link, header_of(row), leaf)
        if row.link and row.link != link:
            raise IntegrityError(f"the chain breaks at position {row.position}", "Run `kairos log verify`.")
        out.write(msgspec.json.encode(_line(row, leaf, link)) + b"\n")
        count += not is_jump(row)
    if link.hex() != head_link:
        raise IntegrityError("the records do not lead to the head of the log", "Run `kairos log verify`.")
    return count


def _goes_along(name: str, position: int, head: int) -> bool:
    """Whether a tracking position is valid after an import and exported; one in an upstream always is."""
    return name.startswith(UPSTREAM) or (not name.startswith("snapshot/") and position <= head)


def _line(row: Row, leaf: bytes, link: bytes) -> Line:
    header = {name: getattr(row, name) for name in Line.__struct_fields__[:9]}
    hashes: dict[str, Any] = {"leaf": leaf.hex(), "link": link.hex()}
    if row.payload is None:
        return Line(**header, **hashes)
    if _is_a_line(row.payload):
        return Line(**header, **hashes, payload=msgspec.Raw(row.payload))
    return Line(**header, **hashes, payload_b64=base64.b64encode(row.payload).decode("ascii"))


def _is_a_line(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
        return b"\n" not in payload and bytes(msgspec.json.decode(payload, type=msgspec.Raw)) == payload != b"null"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def import_log(log: Log, lines: Iterable[bytes]) -> int:
    """Stores an exported log in an empty one, in one transaction, with its positions and hashes; returns the number of
    events.

    UsageError if the log is not empty or the text is not an export, IntegrityError if anything was changed or is
    missing; nothing is stored then."""
    if log.head() != 0:
        raise UsageError(
            f"{log.name} already holds {count(log.head(), 'event')}",
            "Import into an empty home: `--home DIR` names one.",
        )
    source = iter(lines)
    try:
        preface = msgspec.json.decode(next(source, b""), type=Preface)
    except msgspec.MsgspecError as error:
        raise UsageError(f"this is not an exported log: {error}", "`kairos log export` writes one.") from error
    if preface.kairos_log != FORMAT:
        raise UsageError(f"the export has format {preface.kairos_log}", "It was written by a newer Kairos: upgrade.")
    events = 0

    def counted() -> Iterator[tuple[Any, ...]]:
        nonlocal events
        for row in _rows(source, preface):
            events += bool(row[3])
            yield row

    with log.errors():
        log.writer().load(counted(), preface.head, bytes.fromhex(preface.hash), preface.tracking)
    found = verify_log(log, (preface.head, preface.hash))
    if not found.ok:
        raise IntegrityError(f"the imported log does not verify: {found.problems[0].what}", "Export it again.")
    return events


def _rows(lines: Iterator[bytes], preface: Preface) -> Iterator[tuple[Any, ...]]:
    """Yields rows for the table `events`, each checked against its hashes and decoded once."""
    decoder = msgspec.json.Decoder(Line)
    link, last, missing = bytes(32), 0, Missing()
    for line_number, text in enumerate(lines, 1):
        try:
            line = decoder.decode(text)
            payload: bytes | None = bytes(line.payload)
            if line.payload_b64 is not None:
                payload = base64.b64decode(line.payload_b64)
            elif payload == b"null":
                payload = None
            kept = bytes.fromhex(line.leaf)
        except ValueError as error:
            raise IntegrityError(
                f"record {line_number} of the export cannot be read: {error}", "Export it again."
            ) from error
        leaf = kept if payload is None else blake3_hash(payload)
        row = Row(
            line.position, line.stream, line.version, line.topic, line.v, line.at, line.caused_by, line.correlation,
            line.origin, payload, leaf, b"",
        )  # fmt: skip
        before = link
        if len(kept) == len(link):
            link = link_row(link, header_of(row), leaf)
        follows = first_of(row) == last + 1 and (is_sound(row) if is_jump(row) else True)
        if not follows or leaf != kept or link.hex() != line.link:
            raise IntegrityError(f"record {line_number} of the export does not match its hash", "Export it again.")
        recorded, last = codec.decode_row(row), row.position
        if is_jump(row):
            missing.run(Run(first_of(row), last, before, link))
        elif recorded is None:
            missing.payload(last)
        elif not missing.read(recorded):
            raise IntegrityError(
                f"record {line_number} of the export claims folded records that the export does not account for",
                "Export it again.",
            )
        stored = leaf if payload is None else None
        yield (last, row.stream, row.version, row.topic, payload, *header_of(row)[4:], link, stored)
    if last != preface.head or link.hex() != preface.hash:
        raise IntegrityError(f"the export ends at {last}, not at {preface.head}", "Export it again.")
    for position, what in missing.unaccounted():
        raise IntegrityError(f"the export has a damaged place at {position}: {what}", "Export it again.")
