"""What is not in a log any more, and whether an event in the log accounts for it."""

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
        """The payload at a position is missing."""
        self._payloads.add(position)

    def run(self, run: Run) -> None:
        """The positions of a run are missing; the links around it are those of the chain."""
        self._runs[run.first, run.last] = run

    def read(self, recorded: Recorded) -> bool:
        """Takes an event; False if it says that other positions were folded away than those that are missing."""
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

    def folded(self, position: int) -> bool:
        """Whether a position is inside a run, so that the chain does not pass through it any more."""
        return any(first <= position < last for first, last in self._runs)

    def unaccounted(self) -> Iterator[tuple[int, str]]:
        """(position, what is wrong there)."""
        for position in sorted(self._payloads - self._erased):
            yield position, "its payload is missing, and no Erased event names it"
        for first, last in sorted(self._runs.keys() - self._attested):
            yield last, f"positions {first}..{last} are missing, and no SegmentFolded event names them"
