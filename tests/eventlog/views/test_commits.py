"""Events of a commit are found by the first digits of its object id, as a walk over the whole log finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.domain.events import CommitRecorded, Event, GitMoved, RefMove
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.commits import CommitsView, events_of_commit, objects_of
from kairos.eventlog.views.projection import keep_views


class CountingLog(Log):
    """A log that counts the events read from it."""

    decoded = 0

    def read(self, *args, **kwargs) -> Iterator:  # type: ignore[no-untyped-def, type-arg]
        for recorded in super().read(*args, **kwargs):
            self.decoded += 1
            yield recorded


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[CountingLog]:
    log = CountingLog(tmp_path / "counting.db")
    yield log
    log.close()


def commit(oid: str) -> NewEvent:
    event = CommitRecorded(repo="r", oid=oid, parents=[], author="a", at_s=1, subject="s", changes=[])
    return NewEvent("r", event, None, "history")


def moved(*oids: str | None) -> NewEvent:
    refs = [RefMove(name=f"refs/heads/{i}", old=None, new=oid) for i, oid in enumerate(oids)]
    return NewEvent("r", GitMoved(repo="r", head=None, refs=refs, what="commit"))


def found(log: Log, prefix: str, most: int = 500) -> list[int]:
    return events_of_commit(log, CommitsView().load(log)[0], prefix, most)


ABC, ABD = "abc" + "0" * 37, "abd" + "0" * 37


def test_a_commit_is_found_by_any_unique_prefix(any_log: Log) -> None:
    first, second, _ = any_log.append([commit(ABC), moved(ABC, None), commit(ABD)])
    keep_views(any_log, [CommitsView()])
    for length in (3, 5, 16, 17, 39, 40):
        assert found(any_log, ABC[:length]) == [first, second]
    [third] = any_log.append([moved(ABC)])
    assert found(any_log, ABC) == [first, second, third], "the tail that is not saved yet counts"
    assert found(any_log, "ffff") == []
    assert found(any_log, ABC[:39] + "1") == []


def test_a_prefix_of_two_commits_is_ambiguous_even_behind_the_digits_of_a_key(log: Log) -> None:
    log.append([commit("a" * 30 + "b" * 10), commit("a" * 30 + "c" * 10)])
    with pytest.raises(NotFound, match="ambiguous"):
        found(log, "a" * 20)
    assert found(log, "a" * 30 + "c") == [2]


def test_a_commit_named_without_end_is_told_up_to_a_number(log: Log) -> None:
    log.append([moved(ABC) for _ in range(30)])
    assert len(found(log, "abc", 10)) == 10


def test_only_what_is_not_saved_is_read(counting: CountingLog) -> None:
    counting.append([commit(f"{n:040x}") for n in range(300)])
    keep_views(counting, [CommitsView()])
    counting.decoded = 0
    assert found(counting, f"{77:040x}") == [78]
    assert counting.decoded == 0


def test_a_long_fold_is_saved_in_parts(counting: CountingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CommitsView, "at_once", 40)
    most = 0
    save: Callable[..., object] = CommitsView.saving

    def saving(view, state, position):  # type: ignore[no-untyped-def]
        nonlocal most
        writes = save(view, state, position)
        most = max(most, len(writes))  # type: ignore[arg-type]
        return writes

    monkeypatch.setattr(CommitsView, "saving", saving)
    counting.append([commit(f"{n:040x}") for n in range(300)])
    keep_views(counting, [CommitsView()])
    assert most <= 44
    assert found(counting, f"{1:040x}") == [2] and found(counting, f"{299:040x}") == [300]


OIDS = st.text("ab", min_size=4, max_size=18)


@settings(max_examples=60, deadline=None)
@given(told=st.lists(OIDS | st.lists(OIDS | st.none(), max_size=3), max_size=12), cut=st.integers(0, 12), asked=OIDS)
def test_the_index_answers_as_a_walk_would(
    tmp_path_factory: pytest.TempPathFactory, told: list[str | list[str | None]], cut: int, asked: str
) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "log.db")
    try:
        events = [commit(t) if isinstance(t, str) else moved(*t) for t in told]
        log.append(events[:cut])
        if events[:cut]:
            keep_views(log, [CommitsView()])
        log.append(events[cut:])
        expected: dict[str, set[int]] = {}
        for position, new in enumerate(events, 1):
            event: Event = new.event
            for oid in objects_of(event):
                if oid.startswith(asked):
                    expected.setdefault(oid, set()).add(position)
        if not events:
            return
        if len(expected) > 1:
            with pytest.raises(NotFound, match="ambiguous"):
                found(log, asked)
        else:
            assert found(log, asked) == sorted(next(iter(expected.values()), set()))
    finally:
        log.close()
