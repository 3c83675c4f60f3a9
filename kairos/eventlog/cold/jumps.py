"""Jump rows: they replace positions that were folded away, so that the hash chain stays verifiable.

A run of positions first..last is replaced by one *jump row* at `last`: topic and stream empty, `correlation` the first
position, `leaf` the link after the run. The chain continues from that link. A later `SegmentFolded`, itself part of
the chain, attests it with a proof over the links before and after each run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kairos._native import blake3_hash
from kairos.domain.events import SegmentFolded
from kairos.errors import NotFound
from kairos.eventlog.cold.segment import Run, SegmentRow
from kairos.eventlog.record import Recorded, Row, header_of


def jump_row(run: Run) -> SegmentRow:
    """The jump row that replaces a run, as a segment stores it: header fields, payload, leaf."""
    return (run.last, "", run.last, "", 0, 0, None, run.first, "system", None, run.after)


def is_jump(row: Row) -> bool:
    """Whether a row is a jump row."""
    return not row.topic


def is_sound(row: Row) -> bool:
    """Whether a jump row is well-formed: every field has the value that `jump_row` gives it."""
    wanted = jump_row(Run(row.correlation, row.position, b"", row.leaf))
    return (*header_of(row), row.payload, row.leaf) == wanted and len(row.leaf) == 32 and first_of(row) <= row.position


def first_of(row: Row) -> int:
    """The first position that a row covers: the start of the run for a jump row, otherwise its own position."""
    return row.correlation if is_jump(row) else row.position


def proof(runs: Sequence[Run]) -> str:
    """The proof of runs (hex): BLAKE3 over (first, last: 8 bytes little endian; link before, link after) of each."""
    return blake3_hash(
        b"".join(r.first.to_bytes(8, "little") + r.last.to_bytes(8, "little") + r.before + r.after for r in runs)
    ).hex()


def shorthand(first: int, runs: Sequence[tuple[int, int]]) -> list[int]:
    """Runs (first, last) of a segment that begins at `first`, encoded as in `SegmentFolded.runs`: for each run the
    number of positions kept before it, then its length."""
    out: list[int] = []
    for start, end in runs:
        out += [start - first, end - start + 1]
        first = end + 1
    return out


def named_runs(event: SegmentFolded) -> list[tuple[int, int]]:
    """The runs (first, last) that an event names; the inverse of `shorthand`."""
    found, place = [], event.first
    for stay, length in zip(event.runs[::2], event.runs[1::2], strict=False):
        found.append((place + stay, place + stay + length - 1))
        place += stay + length
    return found


def absent(folded: Iterable[Recorded], position: int) -> NotFound:
    """The error for a position that has no row. `folded`: the `SegmentFolded` events after it."""
    into = folded_into(folded, position)
    if into is None:
        return NotFound(f"the log has no position {position}", "`kairos log` lists the positions there are.")
    return NotFound(
        f"the event at {position} was folded; a summary is at {into}",
        f"`kairos log --after {into - 1}` shows the summary of each day.",
    )


def folded_into(folded: Iterable[Recorded], position: int) -> int | None:
    """The position of the `SegmentFolded` event that names a position; None if none does."""
    for recorded in folded:
        event = recorded.event
        if isinstance(event, SegmentFolded) and any(f <= position <= last for f, last in named_runs(event)):
            return recorded.position
    return None
