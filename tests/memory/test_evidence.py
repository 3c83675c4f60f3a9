"""Evidence saved in rows and read on demand equals evidence held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.domain.events import CommitChange, CommitRecorded, Name
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.projection import DamagedView, keep_views
from kairos.memory.evidence import Evidence
from kairos.memory.history import Histories, HistoryView

PATHS = ["a", "b", "src/a", "src/b", "é\n"]
DAY = 86_400


class CountingLog(Log):
    """A log that counts the rows of views read from it."""

    rows = 0

    def view_row(self, view: str, key: bytes) -> bytes | None:
        self.rows += 1
        return super().view_row(view, key)


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[CountingLog]:
    log = CountingLog(tmp_path / "counting.db")
    yield log
    log.close()


def commit(number: int, changes: list[CommitChange], repo: str = "repo-1") -> NewEvent:
    event = CommitRecorded(
        repo=repo, oid=f"{number:040x}", parents=[], author="ada", subject="s", at_s=number * DAY, changes=changes
    )
    return NewEvent(repo, event, None, "history")


def together(number: int, *paths: str, repo: str = "repo-1") -> NewEvent:
    return commit(number, [CommitChange(status="M", path=p) for p in paths], repo)


def save(log: Log, state: Histories, position: int) -> None:
    log.append([], writes=HistoryView().saving(state, position))
    HistoryView().saved(state, log)


paths = st.sampled_from(PATHS)
changes = st.one_of(
    st.builds(lambda p: CommitChange(status="M", path=p), paths),
    st.builds(lambda p: CommitChange(status="D", path=p), paths),
    st.builds(lambda old, new: CommitChange(status="R", was=Name(path=old), path=new), paths, paths),
)
lives = st.lists(st.tuples(st.lists(changes, max_size=4), st.sampled_from(["repo-1", "repo-2"]), st.integers(0, 2)),
                 max_size=14)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(life=lives)
def test_saved_in_any_parts_and_read_on_demand_it_is_what_one_fold_gives(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[list[CommitChange], str, int]]
) -> None:
    """After each commit: nothing, a save by the process that goes on, or a save and a new process."""
    view = HistoryView()
    log = Log(tmp_path_factory.mktemp("log") / "log.db")
    try:
        log.append([NewEvent("other", commit(0, []).event)])
        state, position = view.load(log)
        for number, (changed, repo, then) in enumerate(life, 1):
            log.append([commit(number, changed, repo)])
            position = view.advance(state, log, position)
            if then:
                save(log, state, position)
            if then == 2:
                state, position = view.load(log)
        whole, _ = view.load(log, fresh=True)
        assert view.encode(state) == view.encode(whole) == view.encode(view.load(log)[0])
        for repo in ("repo-1", "repo-2"):
            mine, ours = state.of(repo), whole.of(repo)
            assert mine.paths() == ours.paths()
            assert list(mine.couples(1)) == list(ours.couples(1))
            for path in PATHS:
                assert mine.related([path], 9, guess=False) == ours.related([path], 9, guess=False)
                assert mine.related([path], 9) == ours.related([path], 9)
    finally:
        log.close()


def test_both_engines_keep_it(any_log: Log) -> None:
    any_log.append([together(1, "a", "b" * 4_000), together(2, "a", "b" * 4_000)])
    keep_views(any_log, [HistoryView()])
    any_log.append([together(3, "a", "b" * 4_000)])
    [found] = HistoryView().load(any_log)[0].of("repo-1").related(["a"], guess=False)
    assert found.support == 3


def test_loading_reads_nothing_and_a_commit_reads_and_writes_only_its_files(counting: CountingLog) -> None:
    many = [together(n, f"f{n}", f"f{n + 1}") for n in range(400)]
    counting.append(many)
    keep_views(counting, [HistoryView()])
    counting.append([together(401, "f7", "f8")])
    counting.rows = 0
    state, position = HistoryView().load(counting)
    read = counting.rows
    assert read <= 6
    assert sum(isinstance(w, Put) for w in HistoryView().saving(state, position)) <= 4
    assert state.of("repo-1").estimate("f7", "f8") is not None
    assert counting.rows == read


def test_an_answer_reads_only_the_neighbours(counting: CountingLog) -> None:
    counting.append([together(n, f"f{n}", f"f{n + 1}") for n in range(400)])
    keep_views(counting, [HistoryView()])
    counting.rows = 0
    found = HistoryView().load(counting)[0].of("repo-1").related(["f200"], guess=False)
    assert sorted(e.path for e in found) == ["f199", "f201"]
    assert counting.rows <= 6


def test_a_long_fold_is_saved_in_parts(counting: CountingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HistoryView, "at_once", 50)
    monkeypatch.setattr("kairos.memory.evidence.KEPT", 10)
    counting.append([together(n, f"f{n}", f"f{n + 1}", "all") for n in range(400)])
    keep_views(counting, [HistoryView()])
    kept, whole = HistoryView().load(counting)[0], HistoryView().load(counting, fresh=True)[0]
    assert HistoryView().encode(kept) == HistoryView().encode(whole)


def test_who_saves_second_is_refused_and_a_reader_notices_that_rows_moved_on(log: Log) -> None:
    log.append([together(1, "a", "b")])
    keep_views(log, [HistoryView()])
    log.append([together(2, "a", "b")])
    state, position = HistoryView().load(log)
    reader = Evidence("repo-1", Histories(state.rows).rows)
    log.append([together(3, "a", "b")])
    keep_views(log, [HistoryView()])
    with pytest.raises(Conflict):
        log.append([], writes=HistoryView().saving(state, position))
    with pytest.raises(TryAgain):
        reader.file(reader.ident("a") or 0)


def test_a_state_that_was_saved_further_on_is_not_saved_backwards(log: Log) -> None:
    log.append([together(1, "a", "b")])
    log.append([NewEvent("x", together(2).event)])
    keep_views(log, [HistoryView()])
    state, _ = HistoryView().load(log)
    assert HistoryView().saving(state, 1) == []


def test_a_damaged_row_is_noticed_and_folding_again_mends_it(log: Log) -> None:
    log.append([together(1, "a", "b"), together(2, "a", "b")])
    keep_views(log, [HistoryView()])
    key = HistoryView().key
    [row] = [k for k in log.view(key) if k.startswith(b"n") and k.endswith(b"01")]
    log.append([], writes=[Put(key, row, b"\0\0\0\0junk")])
    with pytest.raises(DamagedView):
        HistoryView().load(log)[0].of("repo-1").related(["a"])
    log.append([together(3, "a", "b")])
    keep_views(log, [HistoryView()])
    kept, whole = HistoryView().load(log)[0], HistoryView().load(log, fresh=True)[0]
    assert HistoryView().encode(kept) == HistoryView().encode(whole)
