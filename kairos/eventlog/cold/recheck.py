"""Verifies what is new in a log since it was verified last, and each time another piece of what is older.

The work is bounded however long the log is: `verify.verify_log` alone reads all of it.
"""

from __future__ import annotations

import msgspec

from kairos.domain.inert import as_text
from kairos.errors import IntegrityError
from kairos.eventlog.cold.verify import AGAIN, Problem, Verified, Walk, verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded

WHOLE = 100_000
"""A log of at most this many events is always verified whole."""
NEWEST = 200_000
"""Maximum number of new events that are verified."""
OLDER = 50_000
"""Number of older hot events in a piece; of cold ones a piece is a segment."""


class Remembered(msgspec.Struct, frozen=True):
    """What is known of a log: verified without a gap up to `position`, which has this hash. The next piece of older
    events begins after `turn`. `log`: its name."""

    log: str
    position: int
    hash: str
    turn: int = 0


class Rechecked(msgspec.Struct, frozen=True):
    """The outcome: `new` and `older` are the first and last positions that were verified, `gap` those that are new and
    were too many; None if there are none."""

    verified: Verified
    remembered: Remembered
    new: tuple[int, int] | None = None
    older: tuple[int, int] | None = None
    gap: tuple[int, int] | None = None


def remember(log: Log, found: Verified) -> Remembered:
    """What to remember of a whole verification that found no problem."""
    return Remembered(as_text(log.name), found.head, found.hash)


def recheck(log: Log, known: Remembered | None) -> Rechecked:
    """Verifies the new part and a piece of the older one. `known`: what the last call returned as `remembered`."""
    if known is not None and known.log != as_text(log.name):
        known = None
    if log.head() <= WHOLE:
        known = known if known is not None and _stands(log, known.position) else None
        found = verify_log(log, (known.position, known.hash) if known is not None else None)
        return Rechecked(found, remember(log, found), new=(1, found.head) if found.head else None)
    rechecked = _rechecked(log, known)
    for _ in range(AGAIN):
        if rechecked.verified.ok or log.head() == rechecked.verified.head:
            break  # otherwise another process may have sealed or rewritten what was read
        rechecked = _rechecked(log, known)
    return rechecked


def _stands(log: Log, position: int) -> bool:
    """Whether the chain has a link at a position: not if it was folded away. True behind the end of the log."""
    row = next(log.reader().rows(position - 1, limit=1), None)
    return row is None or row.position == position


def _rechecked(log: Log, known: Remembered | None) -> Rechecked:
    head, link, sealed = log.reader().head()
    anchor = known.position if known is not None else 0
    after = max(anchor, head - NEWEST)
    problems = _manifest(log, sealed)
    first, found, ended = _part(log, after, head, sealed, known if after == anchor else None)
    problems += found
    if ended != (head, link):
        problems.append(Problem("the head does not carry the position and the link of the last row", head))
    older = None
    turn = known.turn if known is not None else 0
    if first > 1:
        begin = turn if turn < first - 1 else 0
        begin, turn, found = _piece(log, begin, first - 1)
        problems += found
        older = (begin, turn)
    gap = (anchor + 1, first - 1) if first > anchor + 1 else None
    at = Remembered(as_text(log.name), head, link.hex(), turn)
    if gap is not None:
        at = Remembered(as_text(log.name), anchor, known.hash if known is not None else "", turn)
    verified = Verified(ok=not problems, head=head, hash=link.hex(), problems=problems)
    return Rechecked(verified, at, new=(first, head) if first <= head else None, older=older, gap=gap)


def _manifest(log: Log, sealed: int) -> list[Problem]:
    """Problems of the list of segments: each must follow the one before it and have its file."""
    problems: list[Problem] = []
    position, link = 0, bytes(32)
    for row in log.reader().segments():
        if row.first != position + 1 or row.before != link:
            problems.append(Problem("does not follow the segment before it", segment=row.file))
        try:
            if not log.segment(row.file).exists():
                problems.append(Problem("the file is not there", segment=row.file))
        except IntegrityError as error:
            problems.append(Problem(error.message, segment=row.file))
        position, link = row.last, row.after
    if position != sealed:
        problems.append(Problem(f"sealed up to {sealed}, but the segments end at {position}"))
    return problems


def _part(
    log: Log, after: int, head: int, sealed: int, known: Remembered | None
) -> tuple[int, list[Problem], tuple[int, bytes]]:
    """Verifies from `after` to the head: (first position, problems, (last position, its link)). A segment is verified
    whole. `known`: its hash must be in the chain."""
    cold = [row for row in log.reader().segments() if row.last > after]
    position, link = (cold[0].first - 1, cold[0].before) if cold else _standing(log, after)
    inside = known if known is not None and known.position > position else None
    walk = _Part(log, inside.position if inside is not None else -1, position=position, link=link)
    if known is not None and known.position == position and position and link.hex() != known.hash:
        walk.found("carries another hash than when it was verified", position)
    for row in cold:
        walk.manifested(row)
    walk.hot(max(sealed, position), head)
    if inside is not None and not walk.missing.folded(inside.position):
        walk.check_anchor(inside.hash)
    walk.settle()
    return position + 1, walk.problems, (walk.position, walk.link)


def _piece(log: Log, after: int, upto: int) -> tuple[int, int, list[Problem]]:
    """Verifies the segment that holds the position after `after`, or a run of hot events: (first position, last
    position, problems)."""
    row = next((row for row in log.reader().segments() if row.last > after), None)
    position, link = (row.first - 1, row.before) if row is not None else _standing(log, after)
    walk = _Part(log, -1, position=position, link=link)
    if row is not None:
        walk.manifested(row)
    else:
        walk.hot(position, min(position + OLDER, upto))
    walk.settle()
    return position + 1, walk.position, walk.problems


def _standing(log: Log, after: int) -> tuple[int, bytes]:
    """(position, link) of the hot row at a position, or of the jump row that covers it; of a segment's last row."""
    link = log.reader().link_at(after)
    if not after or any(link):
        return after, link
    row = next(log.reader().rows(after - 1, limit=1), None)
    if row is None:
        raise IntegrityError(f"the log has no position {after}", "`kairos log verify` names what is missing.")
    return row.position, row.link


class _Part(Walk):
    """A walk of a part: what explains something missing may stand anywhere behind it."""

    def _tell(self, recorded: Recorded) -> bool:
        return True

    def settle(self) -> None:
        first = self.missing.first()
        if first is not None:
            for recorded in self._log.read(first - 1, topics={"Erased", "SegmentFolded"}):
                self.missing.read_part(recorded)
        super().settle()
