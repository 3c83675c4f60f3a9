"""Proving the log: every link of the chain from the first event to the head, hot and cold.

A chain proves that nothing was changed, dropped, reordered or swapped before its head; a cut-off tail shows only
against an anchor that was kept elsewhere.
"""

from __future__ import annotations

import msgspec

from kairos._native import blake3_hash, link_row
from kairos.domain.events import Erased
from kairos.errors import IntegrityError
from kairos.eventlog import codec
from kairos.eventlog.log import Log
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import Row, header_of
from kairos.eventlog.segment import file_digest, read_segment, segment_link


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that is not as it was written, at a position or in a segment file."""

    what: str
    position: int | None = None
    segment: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """The outcome: `head` and `hash` are what an anchor would note."""

    ok: bool
    head: int
    hash: str
    problems: list[Problem]


class Excised(msgspec.Struct):
    """Positions without a payload, and positions that an `Erased` event names."""

    missing: set[int]
    named: set[int]


def verify_log(log: Log, anchor: tuple[int, str] | None = None) -> Verified:
    """Walks the whole log. `anchor`: a (position, hash) noted earlier that the chain must still pass through."""
    reader = log.reader()
    problems: list[Problem] = []
    head, head_link, sealed = reader.head()
    links: dict[int, bytes] = {0: bytes(32)}
    excised = Excised(set(), set())
    anchored = anchor[0] if anchor else -1
    link = _verify_segments(log, reader, sealed, problems, links, anchored, excised)
    link, last = _verify_hot(reader, link, sealed, problems, links, anchored, excised)
    problems.extend(
        Problem("its payload is missing, and no Erased event names it", position=p)
        for p in sorted(excised.missing - excised.named)
    )
    if last != head:
        problems.append(Problem(f"the head is {head}, but the rows end at {last}", position=min(last, head) + 1))
    elif link != head_link:
        problems.append(Problem("the head does not carry the link of the last row", position=head))
    if anchor and links.get(anchored, b"").hex() != anchor[1]:
        what = "is beyond the end of the log: its tail was cut off" if anchored > last else "carries another hash"
        problems.append(Problem(f"the anchor {what}", position=anchored))
    return Verified(ok=not problems, head=head, hash=head_link.hex(), problems=problems)


def _verify_segments(
    log: Log,
    reader: Reader,
    sealed: int,
    problems: list[Problem],
    links: dict[int, bytes],
    anchored: int,
    excised: Excised,
) -> bytes:
    link, next_position = bytes(32), 1
    for first, last, file, _, digest, before, after, _ in reader.segments():
        if first != next_position:
            problems.append(Problem(f"positions {next_position}..{first - 1} are in no segment", segment=file))
        if before != link:
            problems.append(Problem("does not follow the segment before it", segment=file))
        try:
            if file_digest(log.segments / file) != digest:
                problems.append(Problem("the file is not the one that was sealed", segment=file))
            rows = read_segment(log.segments / file)
        except IntegrityError as error:
            problems.append(Problem(error.message, segment=file))
        else:
            if [r.position for r in rows] != list(range(first, last + 1)):
                problems.append(Problem(f"does not hold exactly {first}..{last}", segment=file))
            if segment_link(log.segments / file, before) != after:
                problems.append(Problem("its content does not give the link it was sealed with", segment=file))
            if first <= anchored <= last:
                links[anchored] = segment_link(log.segments / file, before, anchored)
            problems.extend(p for p in (_undecodable(row, excised) for row in rows) if p is not None)
        link, next_position = after, last + 1
    if next_position != sealed + 1:
        problems.append(Problem(f"sealed up to {sealed}, but the segments end at {next_position - 1}"))
    return link


def _verify_hot(
    reader: Reader,
    link: bytes,
    sealed: int,
    problems: list[Problem],
    links: dict[int, bytes],
    anchored: int,
    excised: Excised,
) -> tuple[bytes, int]:
    last = sealed
    for row in reader.rows(sealed):
        if row.position != last + 1:
            problems.append(Problem(f"positions {last + 1}..{row.position - 1} are missing", position=last + 1))
        if row.payload is not None and blake3_hash(row.payload) != row.leaf:
            problems.append(Problem(f"the payload of this {row.topic} is not the one that was written", row.position))
        if link_row(link, header_of(row), row.leaf) != row.link:
            problems.append(Problem(f"the header or order of this {row.topic} is not as written", row.position))
        problem = _undecodable(row, excised)
        if problem is not None:
            problems.append(problem)
        link, last = row.link, row.position
        if last == anchored:
            links[anchored] = link
    return link, last


def _undecodable(row: Row, excised: Excised) -> Problem | None:
    try:
        recorded = codec.decode_row(row)
    except IntegrityError as error:
        return Problem(error.message, row.position)
    if recorded is None:
        excised.missing.add(row.position)
    elif isinstance(recorded.event, Erased):
        excised.named.update(recorded.event.positions)
    return None
