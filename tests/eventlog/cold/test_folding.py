"""Retention: old observations fold, counts reconcile, the tree and every view stay, and nothing cited goes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import BaselineRecorded, Change, FilesChanged, Name, RepoTrusted, RepoUnwatched
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog import codec
from kairos.eventlog.cold import compaction, folding
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import DEALT, fold
from kairos.eventlog.cold.leftovers import only_one
from kairos.eventlog.cold.segment import SegmentRow
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, NewEvent, Track
from kairos.eventlog.views.watched_tree import fold_tree


def test_what_nothing_needs_folds_and_the_tree_stays(past: Any) -> None:
    past.busy(20)
    log: Log = past.log
    anchor, tree, before = log.anchor(), fold_tree(log, past.repo), past.told_of()
    compact(log)
    known = past.views()
    done = fold(log, past.ALL)
    assert [(s.first, s.last, s.events, s.changes, s.kept) for s in done.segments] == [(1, 20, 19, 38, 1)]
    assert done.segments[0].bytes_after == log.reader().segments()[0][3] < done.segments[0].bytes_before
    assert past.gone() == set(range(1, 20))
    assert (fold_tree(log, past.repo), past.told_of(), past.views()) == (tree, before, known)
    assert verify_log(log, anchor).problems == []
    (event,) = past.left()
    assert (event.first, event.last, event.events, event.day) == (1, 19, 19, event.day)
    assert [(p.path, p.modified, p.last) for p in event.paths] == [("src/a.py", 19, None), ("src/b.py", 19, None)]


def test_a_second_run_does_nothing(past: Any) -> None:
    past.busy(20)
    past.fold()
    log: Log = past.log
    assert list(log.view(DEALT)) == [b"000000000001"]
    head, files = log.anchor(), sorted(log.segments.iterdir())
    assert fold(log, past.ALL).segments == []
    assert (log.anchor(), sorted(log.segments.iterdir())) == (head, files)


def test_without_the_note_of_what_was_dealt_with_it_finds_nothing_to_do_either(past: Any) -> None:
    past.busy(20)
    past.fold()
    past.log.append([], writes=[Drop(DEALT)])
    head = past.log.anchor()
    assert fold(past.log, past.ALL).segments == []
    assert past.log.anchor() == head
    assert verify_log(past.log).ok


def test_a_dry_run_tells_the_same_and_changes_nothing(past: Any) -> None:
    past.busy(20)
    compact(past.log)
    before = past.log.anchor(), sorted(past.log.segments.iterdir()), past.log.view(DEALT)
    told = fold(past.log, past.ALL, dry=True)
    assert (past.log.anchor(), sorted(past.log.segments.iterdir()), past.log.view(DEALT)) == before
    assert told == fold(past.log, past.ALL)
    assert told.segments and told.days == 1
    assert told.days_bytes == len(codec.encode(past.left()[0])[2])


def test_only_segments_without_anything_younger_fold(past: Any) -> None:
    with past.at(5 * past.DAY):
        past.busy(10)
        compact(past.log)
    with past.at(9 * past.DAY):
        past.busy(10)
        compact(past.log)
    assert past.fold(5 * past.DAY).segments == []
    assert [s.last for s in past.fold(9 * past.DAY).segments] == [10]
    assert [(s.first, s.events) for s in past.fold(9 * past.DAY + 1).segments] == [(11, 9)]
    assert [event.day for event in past.left()] == ["1970-01-06", "1970-01-10"]


def test_a_clock_that_was_set_back_hides_nothing_young(past: Any) -> None:
    with past.at(9 * past.DAY):
        past.busy(5)
    with past.at(2 * past.DAY):
        past.busy(5)
    assert past.fold(5 * past.DAY).segments == []


def test_the_newest_word_is_told_once_in_whatever_order_segments_fold(past: Any) -> None:
    with past.at(9 * past.DAY):
        past.busy(4, "x", "y", "z")
        compact(past.log)
    with past.at(2 * past.DAY):
        past.observe("x", "y", "z", kind="deleted")
        past.observe("x", "y")
        compact(past.log)
    tree = fold_tree(past.log, past.repo)
    assert [s.events for s in past.fold(5 * past.DAY).segments] == [1]
    assert [s.events for s in past.fold().segments] == [4]
    first, second = past.left()
    assert [(p.path, p.position) for p in first.paths if p.last is not None] == [("z", first.first)]
    assert [p.path for p in second.paths if p.last is not None] == []
    assert fold_tree(past.log, past.repo) == tree


def test_hot_observations_never_fold(past: Any) -> None:
    past.busy(20)
    assert fold(past.log, past.ALL).segments == []
    assert len(past.observations()) == 20


def test_a_segment_whose_hot_rows_are_still_there_waits(past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    past.busy(20)
    monkeypatch.setattr(compaction, "_retire", lambda log: 0)
    assert past.fold().segments == []
    monkeypatch.undo()
    assert past.fold().segments


def test_what_a_proposal_a_memory_or_a_turn_rests_on_stays_with_its_chain(past: Any) -> None:
    positions = past.busy(20)
    past.propose([positions[3], positions[9]], "k" * 12)
    past.remember([positions[6]], "m")
    due = past.attend(positions[12])
    past.fold()
    kept = {3, 9, 6, 12, 19}
    assert {r.position for r in past.observations()} == {positions[i] for i in kept}
    assert past.log.at(past.log.at(due).caused_by).event.changes[0].size == 12
    assert verify_log(past.log).ok


@pytest.mark.parametrize("watched", [True, False])
def test_a_segment_with_something_that_was_not_judged_yet_waits(past: Any, watched: bool) -> None:
    trusted = RepoTrusted(repo=past.repo, root="/srv/one", dev=1, ino=2, by="user")
    past.log.append(
        [NewEvent(past.repo, trusted), NewEvent(past.repo, BaselineRecorded(repo=past.repo, entries=0), -1)]
    )
    positions = past.busy(20)
    reactor = f"reactor/{past.repo}"
    past.log.append([], writes=[Track(reactor, positions[-1])])
    compaction.compact(past.log)
    past.log.append([], writes=[Track(reactor, positions[-2])])  # as where it was sealed too early
    assert fold(past.log, past.ALL).segments == []
    if watched:
        past.log.append([], writes=[Track(reactor, positions[-1])])
    else:
        past.log.append([NewEvent(past.repo, RepoUnwatched(repo=past.repo, root="/srv/one"))])
    assert [s.events for s in fold(past.log, past.ALL).segments] == [19]


def test_a_citation_that_comes_in_between_is_honoured(past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    positions = past.busy(20)
    compact(past.log)
    other, publish, late = type(past)(Log(past.log.path)), folding.publish, []

    def slowly(temporary: Path, path: Path) -> None:
        publish(temporary, path)
        if not late:
            late.append(other.propose([positions[4]], "k" * 12))

    monkeypatch.setattr(folding, "publish", slowly)
    (segment,) = fold(past.log, past.ALL).segments
    assert segment.events == 18
    assert past.log.at(positions[4]).position == positions[4]
    assert len(list(past.log.segments.glob("*.parquet"))) == len(past.log.reader().segments())
    assert verify_log(past.log).ok
    other.log.close()


def test_what_else_comes_in_between_does_not_disturb(past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    past.observe("src/a.py", "src/b.py", "once.py")
    past.busy(19)
    compact(past.log)
    other, write = type(past)(Log(past.log.path)), folding.write_segment

    def slowly(path: Path, rows: Iterable[SegmentRow]) -> tuple[int, int]:
        other.observe("src/a.py", "once.py", size=99)
        return write(path, rows)

    monkeypatch.setattr(folding, "write_segment", slowly)
    assert [s.events for s in fold(past.log, past.ALL).segments] == [19]
    monkeypatch.undo()
    tree = fold_tree(past.log, past.repo)
    assert (tree[b"src/a.py"].size, tree[b"once.py"].size, tree[b"src/b.py"].size) == (99, 99, 18)
    assert verify_log(past.log).ok
    other.log.close()


def test_a_few_changes_in_a_row_are_not_worth_a_jump_row(past: Any) -> None:
    for n in range(6):
        past.attend(past.observe("a", "b", size=n))
        past.observe("a", size=n)
    past.observe("a", "b")
    assert past.fold().segments == []
    assert past.gone() == set()


def test_a_tree_that_was_only_ever_told_once_stays_as_it_is(past: Any) -> None:
    past.observe(*(f"src/{n}.py" for n in range(500)), kind="created", origin="baseline")
    past.busy(5)
    past.fold()
    assert past.gone() == {2, 3, 4, 5}


def test_what_was_moved_away_or_deleted_does_not_come_back(past: Any) -> None:
    cited = past.observe("old", "gone", "twice", kind="created")
    past.attend(cited)
    moved = Change(path="new", kind="moved", was=Name(path="old"), size=7, mode=0o644, mtime_ns=5)
    rest = [Change(path=p, kind="modified", size=1, mode=0o644, mtime_ns=5) for p in ("u", "v", "w", "x", "y")]
    gone = [Change(path="gone", kind="deleted"), Change(path="twice", kind="deleted")]
    event = FilesChanged(repo=past.repo, burst="b", part=1, parts=1, changes=[*rest, *gone, moved])
    at = past.log.append([NewEvent(past.repo, event)])[0]
    past.observe("u", "v", "w", "x", "y", size=2)
    past.observe("z")
    tree = fold_tree(past.log, past.repo)
    past.fold()
    assert at in past.gone()
    assert fold_tree(past.log, past.repo) == tree
    assert b"old" not in tree and b"gone" not in tree and tree[b"new"].size == 7
    assert fold_tree(past.log, past.repo, upto=cited).keys() == {b"old", b"gone", b"twice"}


def test_a_segment_that_is_not_as_it_was_sealed_stays_as_it_is(past: Any) -> None:
    past.busy(20)
    compact(past.log)
    (segment,) = past.log.segments.glob("*.parquet")
    content = bytearray(segment.read_bytes())
    content[len(content) // 3] ^= 1
    segment.write_bytes(content)
    head = past.log.head()
    with pytest.raises(IntegrityError):
        fold(past.log, past.ALL)
    assert segment.read_bytes() == content
    assert past.log.head() == head


@pytest.mark.parametrize("harm", ["a row is lost", "the run begins elsewhere", "the run leads elsewhere"])
def test_a_file_that_does_not_prove_itself_is_not_taken(past: Any, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    past.busy(20)
    compact(past.log)
    write = folding.write_segment

    def carelessly(path: Path, rows: Any) -> tuple[int, int]:
        first, *rest = rows
        match harm:
            case "a row is lost":
                rest = rest[:-1]
            case "the run begins elsewhere":
                first = (*first[:7], first[7] + 1, *first[8:])
            case _:
                first = (*first[:10], b"x" * 32)
        return write(path, [first, *rest])

    monkeypatch.setattr(folding, "write_segment", carelessly)
    head = past.log.head()
    with pytest.raises(IntegrityError, match=r"left unchanged|stay in the database"):
        fold(past.log, past.ALL)
    assert past.log.head() == head
    assert [p.suffix for p in past.log.segments.iterdir() if p.name != ".lock"] == [".parquet"]
    assert verify_log(past.log).ok


def test_one_at_a_time(past: Any) -> None:
    past.busy(20)
    compact(past.log)
    with only_one(Log(past.log.path)), pytest.raises(TryAgain):
        fold(past.log, past.ALL)


def test_segments_of_any_size_fold_each_by_itself(past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 7)
    past.busy(40)
    before = fold_tree(past.log, past.repo), past.told_of()
    done = past.fold()
    assert [(s.first, s.last, s.events) for s in done.segments] == [
        (1, 7, 7), (8, 14, 7), (15, 21, 7), (22, 28, 7), (29, 35, 7), (36, 40, 4)
    ]  # fmt: skip
    assert [e.events for e in past.left()] == [7, 7, 7, 7, 7, 4]
    assert (fold_tree(past.log, past.repo), past.told_of()) == before
    assert verify_log(past.log).ok
