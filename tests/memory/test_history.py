from __future__ import annotations

import pytest

from kairos.domain.events import CommitChange, CommitRecorded, Name, name_fields
from kairos.errors import NotFound, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.memory.history import HistoryView, commit_of, learned_at, learned_until, related_in_history

START = 1_700_000_000


def recorded(number: int, *paths: str, parents: list[int] | None = None, day: int = 0) -> CommitRecorded:
    above = [number - 1] if parents is None else parents
    return CommitRecorded(
        repo="repo-1", oid=f"{number:040x}", parents=[f"{p:040x}" for p in above], author="ada", subject="s",
        at_s=START + (day or number) * 86_400, changes=[CommitChange(status="M", path=p) for p in paths],
    )  # fmt: skip


def keep(log: Log, *events: CommitRecorded) -> list[int]:
    return log.append([NewEvent("repo-1", e, None, "history") for e in events])


def test_a_merge_repeats_nothing() -> None:
    assert commit_of(recorded(3, "a", "b", parents=[1, 2]), 1, 0) is None


def test_names_that_are_not_utf8_are_left_out_and_end_what_they_replace() -> None:
    odd = name_fields("\udcff.py")["path_b64"]
    event = CommitRecorded(
        repo="repo-1", oid="0", parents=[], author="", at_s=5, subject="", changes=[
            CommitChange(status="A", path_b64=odd), CommitChange(status="R", was=Name(path="was.py"), path_b64=odd),
            CommitChange(status="R", was=Name(path_b64=odd), path="now.py"), CommitChange(status="D", path="gone.py"),
            CommitChange(status="C", was=Name(path="a.py"), path="copy.py"),
        ],
    )  # fmt: skip
    found = commit_of(event, 1, 10**15)
    assert found is not None
    assert (found.paths, found.removed, found.renames) == (["now.py", "copy.py"], ["was.py", "gone.py"], {})


def test_a_commit_from_the_future_counts_as_of_when_it_was_seen() -> None:
    event = recorded(1, "a", day=10**6)
    found = commit_of(event, 1, START * 1_000_000)
    assert found is not None and found.at_s == START + 86_400


def test_the_saved_counts_and_the_tail_equal_the_whole_fold(log: Log) -> None:
    view = HistoryView()
    keep(log, *(recorded(i, "a", "b") for i in range(1, 6)))
    state, position = view.load(log)
    log.append([], writes=view.saving(state, position))
    keep(log, *(recorded(i, "a", "c") for i in range(6, 9)))
    resumed, _ = view.load(log)
    whole, _ = view.load(log, fresh=True)
    assert view.encode(resumed) == view.encode(whole)
    assert {r.path: r.support for r in related_in_history(resumed.of("repo-1"), ["a"])} == {"b": 5, "c": 3}


def test_as_of_a_commit_only_its_ancestors_count(log: Log) -> None:
    positions = keep(
        log, recorded(0xAAAA1, "a", "b", parents=[]), recorded(0xAAAA2, "a", "c"),
        recorded(0xAAAA3, "a", "d", parents=[0xAAAA1]),
    )  # fmt: skip
    found = related_in_history(learned_at(log, "repo-1", f"{0xAAAA3:040x}"), ["a"])
    assert {r.path: r.cites for r in found} == {"b": [positions[0]], "d": [positions[2]]}


def test_as_of_a_time_later_commits_do_not_count(log: Log) -> None:
    keep(log, recorded(1, "a", "b", day=1), recorded(2, "a", "c", day=3))
    found = related_in_history(learned_until(log, "repo-1", START + 2 * 86_400), ["a"])
    assert [r.path for r in found] == ["b"]


def test_an_unknown_commit_and_nonsense_are_told_apart(log: Log) -> None:
    keep(log, recorded(1, "a"))
    with pytest.raises(NotFound):
        learned_at(log, "repo-1", "beef" * 10)
    with pytest.raises(UsageError):
        learned_at(log, "repo-1", "yesterday")
