"""Verifies the log: every link of the chain from the first event to the head, hot and cold.

The chain proves that nothing before its head was changed, dropped, reordered or swapped. A truncated tail can be
detected only with an anchor that was stored elsewhere. Where positions were folded away the chain continues from the
link in the jump row, and a later `SegmentFolded` event, itself part of the chain, must attest that link.
"""

from __future__ import annotations

import msgspec

from kairos._native import blake3_hash, link_row
from kairos.errors import IntegrityError
from kairos.eventlog import codec
from kairos.eventlog.cold.jumps import first_of, is_jump, is_sound
from kairos.eventlog.cold.missing import Missing
from kairos.eventlog.cold.segment import Run, segment_rows, walk_segment
from kairos.eventlog.log import Log
from kairos.eventlog.record import Manifested, Recorded, Row, header_of, row_of

AGAIN = 3
"""Maximum number of times a walk is repeated because another process wrote to the log during it."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Damage found at a position or in a segment file."""

    what: str
    position: int | None = None
    segment: str | None = None


class Verified(msgspec.Struct, frozen=True):
    """The outcome of a verification. `head` and `hash` can be stored as an anchor."""

    ok: bool
    head: int
    hash: str
    problems: list[Problem]


def verify_log(log: Log, anchor: tuple[int, str] | None = None) -> Verified:
    """Verifies the whole log. `anchor`: a (position, hash) stored earlier that must still be in the chain.

    Problems found while another process seals or rewrites segments may be false alarms, so the walk is repeated."""
    found = _walked(log, anchor)
    for _ in range(AGAIN):
        if found.ok or log.head() == found.head:
            break
        found = _walked(log, anchor)
    return found


def _walked(log: Log, anchor: tuple[int, str] | None) -> Verified:
    walk = Walk(log, anchor[0] if anchor else -1)
    head, head_link, sealed = log.reader().head()
    walk.cold(sealed)
    walk.hot(sealed, head)
    walk.settle()
    beyond = next(log.reader().rows(head, limit=1), None)
    if beyond is not None and log.head() == head:
        walk.found(f"this {beyond.topic} stands behind the head of the log", beyond.position)
    if walk.position != head:
        walk.found(f"the head is {head}, but the rows end at {walk.position}", min(walk.position, head) + 1)
    elif walk.link != head_link:
        walk.found("the head does not carry the link of the last row", head)
    if anchor is not None:
        walk.check_anchor(anchor[1])
    return Verified(ok=not walk.problems, head=head, hash=head_link.hex(), problems=walk.problems)


class Walk:
    """One walk over the log: the current link and position, and the problems found so far. A walk of a part begins
    behind another event than the first."""

    def __init__(self, log: Log, anchored: int, *, position: int = 0, link: bytes = bytes(32)) -> None:
        self.problems: list[Problem] = []
        self.link, self.position = link, position
        self._log = log
        self._anchored = anchored
        self._anchor: bytes | None = bytes(32) if anchored == 0 else None
        """The link found at the anchor's position; None until the walk has passed it."""
        self.missing = Missing()

    def found(self, what: str, position: int | None = None, segment: str | None = None) -> None:
        self.problems.append(Problem(what, position, segment))

    def cold(self, sealed: int) -> None:
        """Walks every segment of the manifest."""
        for row in self._log.reader().segments():
            self.manifested(row)
        if self.position != sealed:
            self.found(f"sealed up to {sealed}, but the segments end at {self.position}")

    def manifested(self, row: Manifested) -> None:
        """Walks one segment of the manifest."""
        try:
            self._follow(*row)
        except (TypeError, ValueError, OverflowError):
            self.found("the manifest holds what no manifest holds", segment=str(row[2]))

    def _follow(
        self, first: int, last: int, file: str, _: int, digest: bytes, before: bytes, after: bytes, __: int
    ) -> None:
        if first != self.position + 1:
            self.found(f"positions {self.position + 1}..{first - 1} are in no segment", segment=file)
        if before != self.link:
            self.found("does not follow the segment before it", segment=file)
        try:
            self._segment(file, first, last, digest, before, after)
        except IntegrityError as error:
            self.found(error.message, segment=file)
        self.link, self.position = after, int(last)

    def _segment(self, file: str, first: int, last: int, digest: bytes, before: bytes, after: bytes) -> None:
        path = self._log.segment(file)
        walked = walk_segment(path, before)
        if walked.digest != digest:
            self.found("the file is not the one that was sealed", segment=file)
        if walked.link != after:
            self.found("its content does not give the link it was sealed with", segment=file)
        if first <= self._anchored <= last and not any(r.first <= self._anchored < r.last for r in walked.runs):
            self._anchor = walk_segment(path, before, self._anchored).link
        for run in walked.runs:
            self.missing.run(run)
        ends: list[int] = []
        for row in map(row_of, segment_rows(path, sealed=walked.digest)):
            ends = [ends[0] if ends else first_of(row), row.position]
            self._read(row)
        if ends != [first, last]:
            self.found(f"does not hold exactly {first}..{last}", segment=file)

    def hot(self, sealed: int, head: int) -> None:
        """Walks every row that is not sealed, up to the head."""
        for row in self._log.reader().rows(sealed, upto=head):
            if not row.link:
                self.found("was sealed while it was looked for", row.position)
                return
            try:
                self._hot(row)
            except (TypeError, ValueError, OverflowError):
                self.found("the row holds what no row holds", row.position)
            self.link, self.position = row.link, row.position
            if self.position == self._anchored:
                self._anchor = self.link

    def _hot(self, row: Row) -> None:
        first = first_of(row)
        if first != self.position + 1:
            self.found(f"positions {self.position + 1}..{first - 1} are missing", self.position + 1)
        if row.payload is not None and row.leaf:
            self.found(f"this {row.topic} has both a payload and the hash of an erased one", row.position)
        if _link(self.link, row) != row.link:
            self.found(f"this {row.topic} or its place in the order is not as it was written", row.position)
        if is_jump(row):
            self.missing.run(Run(first, row.position, self.link, row.link))
        self._read(row)

    def _read(self, row: Row) -> None:
        """Checks that a row decodes, and notes missing payloads and the `Erased` and `SegmentFolded` events."""
        if is_jump(row):
            if not is_sound(row):
                self.found("what stands for folded positions holds something else", row.position)
            return
        try:
            recorded = codec.decode_row(row)
        except IntegrityError as error:
            self.found(error.message, row.position)
            return
        if recorded is None:
            self.missing.payload(row.position)
        elif not self._tell(recorded):
            self.found("what it says was folded away is not what is missing", row.position)

    def _tell(self, recorded: Recorded) -> bool:
        """Takes an event that may explain what is missing; False if it says something else than what is missing."""
        return self.missing.read(recorded)

    def settle(self) -> None:
        """Reports everything missing that no event explains."""
        for position, what in self.missing.unaccounted():
            self.found(what, position)

    def check_anchor(self, noted: str) -> None:
        """Reports a problem unless the chain has the noted hash (hex) at the anchor's position."""
        if self.missing.folded(self._anchored):
            what = "was folded away, and what it proved with it; use one of a position that is still there"
        elif self._anchored > self.position:
            what = "is beyond the end of the log: its tail was cut off"
        elif self._anchor is None or self._anchor.hex() != noted:
            what = "carries another hash"
        else:
            return
        self.found(f"the anchor {what}", self._anchored)


def _link(before: bytes, row: Row) -> bytes:
    """The link that a row should have; empty if the row's leaf has the wrong length."""
    leaf = row.leaf if row.payload is None else blake3_hash(row.payload)
    return link_row(before, header_of(row), leaf) if len(leaf) == len(before) else b""
