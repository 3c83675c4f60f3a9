"""The first record: whole, silent, repeatable, and safe to kill."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.watched_tree import fold_tree
from kairos.repo.git import Git
from kairos.sensing.baseline import record_baseline


class Dying(Log):
    """A log whose process dies after so many appends."""

    left = 10**9

    def append(self, events: Sequence[NewEvent], **more: Any) -> list[int]:
        if not events and not more.get("writes"):
            return []
        if self.left == 0:
            raise TryAgain("killed")
        self.left -= 1
        return super().append(events, **more)


def subjects(log: Log) -> list[str]:
    return [r.event.subject for r in log.read(topics={"CommitRecorded"})]  # type: ignore[attr-defined]


def build(repo: Any, count: int = 6) -> None:
    for n in range(count):
        repo.write(f"d{n % 2}/f{n}", str(n))
        repo.commit(f"c{n}")
    repo.git("checkout", "-q", "-b", "side", "HEAD~2")
    repo.write("side", "s")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    repo.git("mv", "d0/f0", "d0/moved")
    repo.commit("renamed")
    repo.write("untracked", "u")


def test_a_baseline_tells_tree_and_history_and_triggers_nothing(watch_at: Any, repo: Any) -> None:
    build(repo)
    watch = watch_at(repo.root)
    seen: list[tuple[int, int]] = []
    entries = watch.baseline(history=0, progress=lambda done, total: seen.append((done, total)))
    told = watch.since(1)
    assert {r.origin for r in told} == {"baseline", "history"}
    assert {r.topic for r in told} == {"FilesChanged", "CommitRecorded", "BaselineRecorded"}
    assert {r.correlation for r in told} == {1}
    assert subjects(watch.log)[0] == "first" and subjects(watch.log)[-1] == "renamed" and seen[-1] == (10, 10)
    last = told[-1].event
    assert (told[-1].topic, last.entries, last.commits) == ("BaselineRecorded", entries, 10)
    assert entries == len(fold_tree(watch.log, watch.id))
    oldest_first = [r.event for r in told if r.topic == "CommitRecorded"]
    for n, commit in enumerate(oldest_first):
        assert set(commit.parents) <= {c.oid for c in oldest_first[:n]}
    merge = next(c for c in oldest_first if c.subject == "merge")
    assert [(c.status, c.fs) for c in merge.changes] == [("A", "side")]
    renamed = oldest_first[-1].changes[0]
    assert (renamed.status, renamed.was.fs, renamed.fs) == ("R", "d0/f0", "d0/moved")
    assert merge.author == "Ada <ada@example.invalid>"
    watch.check()
    assert watch.start() == []


def test_repeating_a_baseline_appends_nothing(watch_at: Any, repo: Any) -> None:
    build(repo)
    watch = watch_at(repo.root)
    watch.baseline(history=0)
    head = watch.log.head()
    watch.baseline(history=0)
    watch.baseline()
    repo.write("later", "x")
    watch.baseline()
    assert watch.log.head() == head
    assert [c.fs for r in watch.start() for c in r.event.changes] == ["later"]


def test_only_the_newest_commits_when_so_many_are_asked_for(watch_at: Any, repo: Any) -> None:
    for n in range(5):
        repo.write("f", str(n))
        repo.commit(f"c{n}")
    watch = watch_at(repo.root)
    watch.baseline(history=2)
    assert subjects(watch.log) == ["c3", "c4"]
    watch.baseline(history=0)
    assert sorted(subjects(watch.log)) == ["c0", "c1", "c2", "c3", "c4", "first"]


def test_no_history_tells_no_commit(watch_at: Any, repo: Any) -> None:
    watch = watch_at(repo.root)
    watch.baseline()
    assert subjects(watch.log) == []


@pytest.mark.parametrize("appends", range(8))
def test_a_baseline_that_was_killed_continues_without_doubles(
    appends: int, watch_at: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.sensing.baseline._BATCH", 3)
    monkeypatch.setattr("kairos.sensing.baseline._CHANGES", 4)
    build(repo)
    watch = watch_at(repo.root)
    dying = Dying(watch.log.path)
    dying.left = appends
    try:
        record_baseline(dying, watch.repository, Git(repo.root), history=0)
    except TryAgain:
        repo.write("d0/between", "x")
        repo.commit("between")
        shutil.rmtree(repo.root / "d1")
    dying.close()
    watch.baseline(history=0)
    watch.check()
    assert len(subjects(watch.log)) == len(set(subjects(watch.log)))
    assert set(subjects(watch.log)) == set(repo.git("log", "--format=%s").split("\n"))
    assert len(list(watch.log.read(topics={"BaselineRecorded"}))) == 1
    assert watch.start() == []


def test_hostile_commit_messages_and_names_stay_what_they_are(watch_at: Any, repo: Any) -> None:
    subject = ":100644 100644 aaa bbb M"
    repo.write("a\tb\nc", "x")
    (Path(os.fsdecode(os.fsencode(repo.root) + b"/\xff"))).write_text("x")
    repo.commit(subject)
    repo.git("commit", "-q", "--allow-empty", "-m", "\x1b[31m\x01\x02 — ‮x")
    watch = watch_at(repo.root)
    watch.baseline(history=0)
    found = [r.event for r in watch.log.read(topics={"CommitRecorded"})]
    assert [c.subject for c in found] == ["first", subject, "\x1b[31m\x01\x02 — ‮x"]
    assert [os.fsencode(c.fs) for c in found[1].changes] == [b"a\tb\nc", b"\xff"]


def test_a_very_large_commit_is_cut_and_says_so(watch_at: Any, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.sensing.commits.MAX_CHANGES", 3)
    for n in range(5):
        repo.write(f"f{n}", str(n))
    repo.commit("large")
    watch = watch_at(repo.root)
    watch.baseline(history=0)
    large = list(watch.log.read(topics={"CommitRecorded"}))[-1].event
    assert len(large.changes) == 3 and large.cut == 2


def test_a_full_disk_loses_nothing(watch: Any, repo: Any) -> None:
    full = Dying(watch.log.path)
    watch.sensor._log = watch.sensor._observer._log = full
    full.left = 0
    repo.write("a", "1")
    repo.commit("while full")
    watch.until(lambda: watch.sensor.status().problem == "killed")
    assert watch.sensor.status().state == "degraded"
    head = watch.log.head()
    full.left = 10**9
    watch.until(lambda: watch.log.head() > head)
    watch.settle()
    assert [r.topic for r in watch.since(head)] == ["GitMoved", "CommitRecorded", "FilesChanged"]
    assert watch.sensor.status().state == "watching"
    watch.check()
    full.close()
