"""Which patches a model has looked at: only what came to an end counts, and the newest are kept."""

from __future__ import annotations

import pytest

from kairos.domain.events import TurnEnded
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.looked import KEPT, Looked, LookedView


def ended(patches: list[str], outcome: str = "quiet", engine: str = "model") -> Recorded:
    event = TurnEnded(turn="t", repo="r", engine=engine, outcome=outcome, patches=patches)  # type: ignore[arg-type]
    return Recorded(1, "s", 1, "TurnEnded", 1, 0, None, 1, "system", event)


def after(*events: Recorded) -> list[str]:
    looked = Looked()
    for event in events:
        LookedView().apply(looked, event)
    return looked.patches.get("r", [])


@pytest.mark.parametrize(("outcome", "kept"), [("quiet", ["a"]), ("proposed", ["a"]), ("failed", []), ("parked", [])])
def test_a_look_that_failed_is_made_again(outcome: str, kept: list[str]) -> None:
    assert after(ended(["a"], outcome)) == kept


def test_the_newest_are_kept_and_each_stands_once() -> None:
    assert after(ended(["a", "b"]), ended(["a"])) == ["b", "a"]
    assert after(ended(["a"]), ended([f"{n}" for n in range(KEPT)])) == [f"{n}" for n in range(KEPT)]
