"""The narrow moments: git in the middle of writing, a root swapped during a look, memory across a restart."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.action import content_sha
from kairos.domain.events import ExecutionFinished, ExecutionStarted, Expected, FilesChanged, GitMoved, Signature
from kairos.eventlog.record import NewEvent
from kairos.sensing.settle import Burst


def files(told: list[Any]) -> dict[str, str | None]:
    return {c.fs: r.event.cause for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


def burst(*dirs: bytes, everything: bool = False) -> Burst:
    return Burst(frozenset(dirs), everything, False, time.monotonic())


def test_nothing_is_told_while_git_holds_the_index_lock(watch: Any, repo: Any) -> None:
    before = watch.log.head()
    lock = repo.root / ".git" / "index.lock"
    lock.write_text("")
    repo.write("a", "1")
    watch.sensor.step(0.6)
    assert watch.since(before) == [] and watch.sensor.pending
    lock.unlink()
    watch.settle()
    assert files(watch.since(before)) == {"a": None}


def test_a_look_that_git_overtakes_is_put_off_and_loses_nothing(watch: Any, repo: Any) -> None:
    before = watch.log.head()
    repo.write("d/a", "1")
    lock = repo.root / ".git" / "index.lock"
    lock.write_text("")
    look = watch.sensor._observer.look(burst(b""), "live", time.monotonic(), patient=True)
    assert look.unfinished and {b"", b"d"} <= look.again and watch.log.head() == before
    lock.unlink()
    watch.settle()
    assert files(watch.since(before)) == {"d": None, "d/a": None}


def test_files_wait_for_the_head_that_follows_them(watch: Any, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.sensing.observing.GRACE_S", 2.0)
    repo.git("checkout", "-q", "-b", "other")
    repo.write("theirs", "1")
    repo.commit("other")
    repo.git("checkout", "-q", "main")
    watch.settle()
    before = watch.log.head()
    repo.git("read-tree", "-m", "-u", "main", "other")
    watch.sensor.step(0.4)
    assert watch.since(before) == [] and watch.sensor.pending
    repo.git("symbolic-ref", "HEAD", "refs/heads/other")
    watch.settle()
    told = watch.since(before)
    assert [r.event.what for r in told if isinstance(r.event, GitMoved)] == ["checkout"]
    assert files(told) == {"theirs": "git"}


@pytest.mark.parametrize("everything", [False, True])
def test_a_root_swapped_during_a_look_tells_nothing_of_the_other(
    watch: Any, repo: Any, tmp_path: Path, everything: bool
) -> None:
    before = watch.log.head()
    repo.root.rename(tmp_path / "kept")
    shutil.copytree(tmp_path / "kept", repo.root)
    repo.write("foreign", "x")
    look = watch.sensor._observer.look(burst(b"", everything=everything), "live", time.monotonic(), patient=False)
    assert look.unfinished and look.appended == 0 and watch.log.head() == before


def test_an_own_deletion_that_was_told_explains_none_after_a_restart(watch: Any, repo: Any) -> None:
    repo.write("a", "1")
    watch.settle()
    sha = content_sha(b"1")
    started = ExecutionStarted(
        id="p", execution="p-1", run="apply", digest="", repo=watch.id, store="", expect=[Expected(path="a")],
        before=[Expected(path="a", sha=sha, mode=0o644)],
    )  # fmt: skip
    watch.log.append([NewEvent("proposal-p", started)])
    (repo.root / "a").unlink()
    done = ExecutionFinished(id="p", execution="p-1", run="apply", outcome="done", signatures=[Signature(path="a")])
    watch.log.append([NewEvent("proposal-p", done)])
    told = watch.told(lambda: None)
    assert [r.origin for r in told if r.topic == "FilesChanged"] == ["self"]
    watch.told(lambda: repo.write("a", "the user's"))
    watch.sensor.close()
    (repo.root / "a").unlink()
    assert [(r.topic, r.origin) for r in watch.start()] == [("FilesChanged", "offline")]
