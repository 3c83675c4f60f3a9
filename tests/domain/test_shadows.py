"""A finding in shadow is followed over the commits that descend from its own, and judged as in a backtest."""

from __future__ import annotations

from kairos.domain.events import (
    AttentionHeld,
    CommitChange,
    CommitRecorded,
    DetectorRemoved,
    Event,
    HindsightJudged,
)
from kairos.domain.events.detectors import Named
from kairos.domain.hindsight import Again
from kairos.domain.shadows import MOST, Shadows, evolve, judged


def held(subject: str = "todo:1", commit: str = "c0", horizon: int = 3) -> AttentionHeld:
    return AttentionHeld(
        repo="r", subject=subject, why="w", rule="shadow@1", detector="todo", boundary="commit", commit=commit,
        horizon=horizon, shadow=Named(names=[subject], paths=["docs/a.md"], places=["p", "q"]),
    )  # fmt: skip


def commit(oid: str, *parents: str, path: str = "other", repo: str = "r") -> CommitRecorded:
    changes = [CommitChange(path=path, status="M")]
    return CommitRecorded(
        repo=repo, oid=oid, parents=list(parents), author="a", at_s=0, subject="s", changes=changes
    )  # fmt: skip


def told(*events: Event) -> Shadows:
    state = Shadows()
    for position, event in enumerate(events, 1):
        evolve(state, event, position)
    return state


def test_only_descendants_count_and_only_those_that_touch_it_are_looked_at() -> None:
    state = told(held(), commit("x", "elsewhere", path="docs/a.md"), commit("c1", "c0"), commit("c1", "c0", repo="s"))
    (one,) = state.of("r")
    assert (one.awaiting.seen, one.touched) == (1, 0) and judged(one, None) is None
    evolve(state, commit("c2", "c1", path="docs/a.md"), 9)
    assert (one.awaiting.seen, one.touched, one.by) == (2, 2, "c2")


def test_it_is_done_by_the_commit_that_took_half_of_its_places_away() -> None:
    (one,) = told(held(), commit("c1", "c0", path="docs/a.md")).of("r")
    assert judged(one, Again("todo:1", ["p", "q"])) is None
    done = judged(one, Again("todo:1", ["q"]))
    assert done is not None and (done.label, done.by, done.number, done.place, done.of) == ("done", "c1", 1, "docs", 1)
    moot = judged(one, Again("todo:1", moot=True))
    assert moot is not None and moot.label == "moot"
    assert one.awaiting.label == "unknown", "the fold follows events alone"


def test_it_is_left_when_its_horizon_passed() -> None:
    (one,) = told(held(), commit("c1", "c0"), commit("c2", "c1"), commit("c3", "c2")).of("r")
    left = judged(one, None)
    assert left is not None and (left.label, left.number) == ("left", 3)


def test_what_is_judged_or_removed_is_awaited_no_more() -> None:
    verdict = HindsightJudged(repo="r", detector="todo", subject="todo:1", of=1, label="left")
    assert not told(held(), verdict).open
    assert not told(held(), DetectorRemoved(detector="todo")).open
    assert len(told(held(), DetectorRemoved(detector="other")).open) == 1


def test_no_more_than_so_many_are_awaited() -> None:
    state = told(*(held(f"todo:{n}") for n in range(MOST + 5)))
    assert len(state.open) == MOST and 1 not in state.open
