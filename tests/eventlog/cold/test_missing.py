"""What is not in a log any more is accounted for by an event, or it is named."""

from __future__ import annotations

from typing import Any

from kairos.domain.events import Erased, Event, Paused, SegmentFolded
from kairos.eventlog.cold.jumps import proof, shorthand
from kairos.eventlog.cold.missing import Missing
from kairos.eventlog.cold.segment import Run
from kairos.eventlog.record import Recorded

RUN = Run(3, 5, b"b" * 32, b"a" * 32)
OTHER = Run(8, 8, b"c" * 32, b"d" * 32)


def told(event: Event) -> Recorded:
    return Recorded(99, "log", 1, type(event).__name__, 1, 0, None, 99, "system", event)


def folded(*runs: Run, **fields: Any) -> SegmentFolded:
    given: dict[str, Any] = {
        "first": 1, "last": 9, "before": 0, "events": 3, "proof": proof(runs),
        "runs": shorthand(1, [(r.first, r.last) for r in runs]), **fields,
    }  # fmt: skip
    return SegmentFolded(**given)


def test_a_missing_payload_is_accounted_for_by_an_erased_event() -> None:
    missing = Missing()
    missing.payload(4)
    missing.payload(7)
    assert missing.read(told(Erased(positions=[4], reason="r", by="user"))) and missing.read(told(Paused()))
    assert list(missing.unaccounted()) == [(7, "its payload is missing, and no Erased event names it")]


def test_missing_positions_are_accounted_for_by_a_folding_that_proves_them() -> None:
    missing = Missing()
    missing.run(RUN)
    missing.run(OTHER)
    assert missing.read(told(folded(RUN)))
    [(position, why)] = missing.unaccounted()
    assert position == 8 and "8..8 are missing" in why
    assert missing.read(told(folded(OTHER)))
    assert list(missing.unaccounted()) == []


def test_a_folding_that_names_other_runs_or_proves_others_is_not_believed() -> None:
    missing = Missing()
    missing.run(RUN)
    assert not missing.read(told(folded(RUN, OTHER)))
    assert not missing.read(told(folded(RUN, proof=proof([RUN._replace(after=b"x" * 32)]))))
    assert [position for position, _ in missing.unaccounted()] == [5]


def test_the_chain_does_not_pass_through_a_run_before_its_end() -> None:
    missing = Missing()
    missing.run(RUN)
    assert [p for p in range(1, 10) if missing.folded(p)] == [3, 4]
