"""What is left of folded observations: counts that reconcile, and the newest word where nothing newer is said."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain import activity
from kairos.domain.activity import Folding, Observation, Word, day_of
from kairos.domain.events import ActivityFolded, Change, FilesChanged, Name, Tally

DAY = 86_400_000_000
KINDS = ("created", "modified", "deleted", "moved")


def change(kind: str, path: str, was: str | None = None, **fields: Any) -> Change:
    return Change(path=path, kind=kind, was=Name(path=was) if was else None, **fields)  # type: ignore[arg-type]


def seen(position: int, *changes: Change, at: int = 0, origin: str = "live", repo: str = "r") -> Observation:
    return Observation(position, at, origin, FilesChanged(repo=repo, burst="b", part=1, parts=1, changes=list(changes)))


def folded(observations: list[Observation], newest: dict[Word, int] | None = None) -> list[ActivityFolded]:
    folding = Folding()
    for one in observations:
        folding.add(one)
    return folding.events(newest or {})


def changes_in(events: list[ActivityFolded]) -> int:
    """How many changes folded events count."""
    return sum(p.created + p.modified + p.deleted + p.moved for event in events for p in event.paths)


def test_a_day_is_told_by_its_counts_and_the_newest_word_on_each_path() -> None:
    last = change("modified", "a", size=9)
    (event,) = folded(
        [
            seen(7, change("created", "a"), at=5),
            seen(9, last, change("created", "b"), at=8),
            seen(12, change("deleted", "b"), at=6),
        ]
    )
    assert (event.first, event.last, event.from_us, event.to_us) == (7, 12, 5, 8)
    assert (event.events, event.origins) == (3, [Tally(origin="live", changes=4)])
    a, b = event.paths
    assert (a.path, a.created, a.modified, a.deleted, a.position, a.last) == ("a", 1, 1, 0, 9, last)
    assert (b.path, b.created, b.deleted, b.position) == ("b", 1, 1, 12)
    assert b.last is not None and b.last.kind == "deleted"


def test_what_moved_away_is_gone_and_counts_once_where_it_went() -> None:
    (event,) = folded([seen(3, change("moved", "new", was="old", size=4))])
    new, old = event.paths
    assert (new.path, new.moved, new.last) == ("new", 1, change("moved", "new", size=4))
    assert (old.path, old.moved, old.position) == ("old", 0, 3)
    assert old.last is not None and old.last.kind == "deleted"
    assert changes_in([event]) == 1


def test_a_path_of_which_something_newer_speaks_keeps_its_counts_alone() -> None:
    (event,) = folded([seen(3, change("created", "a"))], {("r", b"a"): 4})
    assert [(p.created, p.position, p.last) for p in event.paths] == [(1, None, None)]


def test_days_and_repositories_are_told_apart() -> None:
    events = folded([seen(1, change("created", "a"), at=DAY - 1), seen(2, change("created", "a"), at=DAY)])
    assert [(e.day, e.first) for e in events] == [("1970-01-01", 1), ("1970-01-02", 2)]
    events = folded([seen(2, change("created", "a"), repo="s"), seen(1, change("created", "a"))])
    assert [e.repo for e in events] == ["r", "s"]


def test_many_paths_are_told_in_parts_that_rise_and_share_the_rest(monkeypatch: Any) -> None:
    monkeypatch.setattr(activity, "PATHS_AN_EVENT", 2)
    events = folded([seen(1, *(change("created", name) for name in "ecbda"))])
    assert [(e.part, e.parts, [p.path for p in e.paths]) for e in events] == [
        (1, 3, ["a", "b"]), (2, 3, ["c", "d"]), (3, 3, ["e"])
    ]  # fmt: skip
    assert {(e.events, tuple(e.origins)) for e in events} == {(1, (Tally(origin="live", changes=5),))}


def test_a_day_is_that_of_utc() -> None:
    assert day_of(0) == "1970-01-01"
    assert day_of(1_780_272_000_000_000 - 1) == "2026-05-31"


OBSERVATIONS = st.lists(
    st.builds(
        lambda at, origin, repo, told: (at, origin, repo, told),
        st.integers(0, 3 * DAY),
        st.sampled_from(["live", "self", "offline"]),
        st.sampled_from(["r", "s"]),
        st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from("xyz")), max_size=4),
    ),
    max_size=8,
)


@given(OBSERVATIONS, st.randoms())
def test_counts_reconcile_and_the_order_of_taking_changes_nothing(drawn: Any, chance: Any) -> None:
    observations = [
        seen(n, *(change(k, p, was=w if k == "moved" else None) for k, p, w in told), at=at, origin=origin, repo=repo)
        for n, (at, origin, repo, told) in enumerate(drawn, 1)
    ]
    events = folded(observations)
    assert changes_in(events) == sum(len(o.event.changes) for o in observations)
    assert sum(e.events for e in events) == len(observations)
    for origin in ("live", "self", "offline"):
        told = sum(t.changes for e in events for t in e.origins if t.origin == origin)
        assert told == sum(len(o.event.changes) for o in observations if o.origin == origin)
    chance.shuffle(observations)
    assert folded(observations) == events
