"""Checks that every payload or position missing from a log is explained by an event in the log."""

from __future__ import annotations

from collections.abc import Iterator

from kairos.domain.events import Erased, SegmentFolded
from kairos.eventlog.cold.jumps import named_runs, proof
from kairos.eventlog.cold.segment import Run
from kairos.eventlog.record import Recorded


class Missing:
    """Fed every row in order, reports gaps that no `Erased` or `SegmentFolded` event explains."""

    def __init__(self) -> None:
        self._payloads: set[int] = set()
        self._erased: set[int] = set()
        self._runs: dict[tuple[int, int], Run] = {}
        self._attested: set[tuple[int, int]] = set()

    def payload(self, position: int) -> None:
        """Notes that the payload at a position is missing."""
        self._payloads.add(position)

    def run(self, run: Run) -> None:
        """Notes that the positions of a run are missing. Its `before` and `after` must be links of the chain."""
        self._runs[run.first, run.last] = run

    def read(self, recorded: Recorded) -> bool:
        """Takes an event; False if it is a `SegmentFolded` whose runs or proof do not match the missing positions."""
        match recorded.event:
            case Erased() as event:
                self._erased.update(event.positions)
            case SegmentFolded() as event:
                named = named_runs(event)
                known = [self._runs[run] for run in named if run in self._runs]
                if len(known) < len(named) or proof(known) != event.proof:
                    return False
                self._attested.update(named)
            case _:
                pass
        return True

    def read_part(self, recorded: Recorded) -> None:
        """Takes an event of a log of which only a part was walked: it may also name what lies outside of the part."""
        match recorded.event:
            case Erased() as event:
                self._erased.update(event.positions)
            case SegmentFolded() as event:
                self._attested.update(named_runs(event))
            case _:
                pass

    def first(self) -> int | None:
        """The first position that is missing; None if nothing is."""
        found = [*self._payloads, *(first for first, _ in self._runs)]
        return min(found) if found else None

    def folded(self, position: int) -> bool:
        """Whether a position is inside a missing run, so that the chain has no link for it. The last one has a link."""
        return any(first <= position < last for first, last in self._runs)

    def unaccounted(self) -> Iterator[tuple[int, str]]:
        """Yields (position, description) for everything missing that no event explains."""
        for position in sorted(self._payloads - self._erased):
            yield position, "its payload is missing, and no Erased event names it"
        for first, last in sorted(self._runs.keys() - self._attested):
            yield last, f"positions {first}..{last} are missing, and no SegmentFolded event names them"
