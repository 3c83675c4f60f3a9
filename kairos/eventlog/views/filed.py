"""Proposals by id, each in its own view row. Loading the view decodes none of them, saving it writes only those that
changed, and no list of all ids is stored, so neither gets slower with the number of settled proposals.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping, ValuesView
from typing import Generic, TypeVar

import msgspec

from kairos.domain import proposal
from kairos.domain.proposal import Proposal
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put, Recorded, Write
from kairos.eventlog.views.index import after, stored_keys
from kairos.eventlog.views.projection import checked, sealed

_ROW = b"id/"

P = TypeVar("P")


class Filed(msgspec.Struct):
    """A proposal as the aggregate folds it, with the positions of its events. `gaps`: versions of its stream whose
    events were forgotten."""

    proposal: Proposal
    positions: list[int]
    gaps: list[int] = []

    def at(self, version: int) -> int:
        """The position of the event that made the proposal be of a stream version; of the one before if it was
        forgotten."""
        return self.positions[max(0, version - 1 - sum(gap <= version for gap in self.gaps))]


def filed(known: Filed | None, recorded: Recorded) -> Filed | None:
    """A proposal after one more event of its stream; None while it is not raised."""
    before = known.proposal if known is not None else None
    after = proposal.evolve(before, recorded.event, recorded.at, recorded.version)
    if after is None:
        return None
    gaps = range(1 if before is None else before.version + 1, recorded.version)
    positions, missed = (known.positions, known.gaps) if known is not None else ([], [])
    return Filed(after, [*positions, recorded.position], [*missed, *gaps])


class Filings(Mapping[str, Filed]):
    """Every proposal as of the position `upto`; without a log nothing is saved yet. `values` and `items` are in the
    order in which they were raised; iterating over ids gives alphabetical order."""

    def __init__(self, view: str, log: Log | None = None, upto: int = 0) -> None:
        self.upto = upto
        self._view = view
        self._log = log
        self._here: dict[str, Filed] = {}
        self._changed: set[str] = set()
        """The ids changed since the last save."""
        self._whole = log is None
        self._sorted: list[str] | None = None
        """All ids, sorted; set only while all proposals are in memory."""

    def __getitem__(self, id_: str) -> Filed:
        if id_ not in self._here:
            if self._log is None or self._whole:
                raise KeyError(id_)
            raw = self._log.view_row(self._view, _row_key(id_))
            if raw is None:
                raise KeyError(id_)
            self._here[id_] = self._of_row(self._log, id_, raw)
        return self._here[id_]

    def put(self, id_: str, filed: Filed) -> None:
        """Sets a proposal; the next save writes it."""
        if id_ not in self._here:
            self._sorted = None
        self._here[id_] = filed
        self._changed.add(id_)
        self.upto = max(self.upto, filed.positions[-1])

    def ids(self, first: str = "", before: str = "", *, backwards: bool = False) -> Iterator[str]:
        """The ids from `first` up to but not including `before` (empty: the end), sorted. May include ids raised after
        `upto`."""
        if self._whole:
            if self._sorted is None:
                self._sorted = sorted(self._here)
            some = self._sorted[
                bisect_left(self._sorted, first) : bisect_left(self._sorted, before) if before else None
            ]
            return iter(some[::-1] if backwards else some)
        start, end = _row_key(first), _row_key(before) if before else after(_ROW)
        here = sorted((key for key in map(_row_key, self._changed) if start <= key < end), reverse=backwards)
        stored = stored_keys(self._log, self._view, start, end, backwards=backwards)
        rest = (key for key in stored if _id_of(key) not in self._changed)
        return map(_id_of, heapq.merge(here, rest, reverse=backwards))

    def __iter__(self) -> Iterator[str]:
        return (id_ for id_ in self.ids() if id_ in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def in_order(self) -> list[str]:
        """Every id, in the order in which they were raised. Loads all proposals into memory."""
        if not self._whole and self._log is not None:
            for key, raw in self._log.view(self._view).items():
                if key.startswith(_ROW) and _id_of(key) not in self._here:
                    self._take(self._log, _id_of(key), raw)
            self._whole, self._sorted = True, None
        return sorted(self._here, key=lambda id_: (self._here[id_].positions[0], id_))

    def values(self) -> ValuesView[Filed]:
        return {id_: self._here[id_] for id_ in self.in_order()}.values()

    def items(self) -> ItemsView[str, Filed]:
        return {id_: self._here[id_] for id_ in self.in_order()}.items()

    def writes(self) -> list[Write]:
        """The writes that save the changes."""
        return [Put(self._view, _row_key(i), sealed(msgspec.json.encode(self._here[i]))) for i in sorted(self._changed)]

    def saved(self, log: Log, live: Collection[str]) -> None:
        """Called after `writes` were appended to the log; only the proposals in `live` stay in memory."""
        self._log = log
        self._changed.clear()
        self._here = {id_: self._here[id_] for id_ in live if id_ in self._here}
        self._whole = False

    def _take(self, log: Log, id_: str, raw: bytes) -> None:
        try:
            self._here[id_] = self._of_row(log, id_, raw)
        except KeyError:
            return  # raised after `upto`

    def _of_row(self, log: Log, id_: str, raw: bytes) -> Filed:
        """A proposal from its row, or, if the row is damaged or newer than `upto`, folded from its stream. KeyError
        if it was raised after `upto`."""
        found = _decoded(raw)
        if found is not None and found.positions[-1] <= self.upto:
            return found
        folded: Filed | None = None
        for recorded in log.stream(proposal.stream_of(id_)):
            if recorded.position <= self.upto:
                folded = filed(folded, recorded)
        if folded is None:
            raise KeyError(id_)
        return folded


class Part(Mapping[str, P], Generic[P]):
    """A mapping from id to one part of each stored proposal."""

    def __init__(self, filings: Filings, part: Callable[[Filed], P]) -> None:
        self._filings = filings
        self._part = part

    def __getitem__(self, id_: str) -> P:
        return self._part(self._filings[id_])

    def __contains__(self, id_: object) -> bool:
        return id_ in self._filings

    def __iter__(self) -> Iterator[str]:
        return iter(self._filings)

    def __len__(self) -> int:
        return len(self._filings)

    def values(self) -> ValuesView[P]:
        return {id_: self._part(filed) for id_, filed in self._filings.items()}.values()

    def items(self) -> ItemsView[str, P]:
        return {id_: self._part(filed) for id_, filed in self._filings.items()}.items()


def _decoded(raw: bytes) -> Filed | None:
    """The proposal stored in a row; None if the row is damaged."""
    try:
        return msgspec.json.decode(checked(raw), type=Filed)
    except (msgspec.MsgspecError, ValueError):
        return None


def _row_key(id_: str) -> bytes:
    return _ROW + id_.encode("utf-8", "surrogatepass")


def _id_of(key: bytes) -> str:
    return key.removeprefix(_ROW).decode("utf-8", "replace")
