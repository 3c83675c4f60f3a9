"""What happened while nobody watched, lost hints, lost roots."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged, GitMoved, RootLost, WatchGap
from kairos.settings import WatchSettings


def topics(told: list[Any]) -> list[str]:
    return [r.topic for r in told]


def paths(told: list[Any]) -> set[str]:
    return {c.fs for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


def test_changes_made_while_nobody_watched_are_told_once_at_the_start(watch: Any, repo: Any) -> None:
    """N31."""
    watch.sensor.close()
    repo.write("a/b", "1")
    repo.commit("offline")
    told = watch.start()
    assert topics(told) == ["GitMoved", "CommitRecorded", "FilesChanged"]
    assert {r.origin for r in told} == {"offline"} and paths(told) == {"a", "a/b"}
    assert watch.start() == [] and watch.start() == []
    watch.check()


def test_a_restart_without_changes_tells_nothing(watch: Any) -> None:
    assert watch.start() == []


def test_a_lost_hint_queue_is_a_gap_and_a_full_comparison(watch: Any, repo: Any) -> None:
    """N30, overflow. The queue is not read while more happens than it holds."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    before = watch.log.head()
    one, two = repo.write("one", ""), repo.write("two", "")
    for _ in range(limit // 2 + 10):
        one.touch()
        two.touch()
    repo.write("late/file", "x")
    watch.settle()
    gaps = [r.event for r in watch.since(before) if isinstance(r.event, WatchGap)]
    assert len(gaps) == 1 and gaps[0].reason == "overflow" and gaps[0].from_us <= gaps[0].to_us
    watch.check()
    assert paths(watch.told(lambda: repo.write("late/again", "y"))) == {"late/again"}


def test_a_lost_hint_queue_is_a_gap_in_every_repository(watch: Any, watch_at: Any, repo: Any, tmp_path: Path) -> None:
    """N30: they share the queue."""
    shutil.copytree(repo.root, tmp_path / "other")
    other = watch_at(tmp_path / "other")
    other.baseline()
    other.start()
    before = watch.log.head(), other.log.head()
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    one, two = repo.write("one", ""), repo.write("two", "")
    for _ in range(limit // 2 + 10):
        one.touch()
        two.touch()
    (other.root / "unheard").write_text("x")
    for each, position, changed in ((watch, before[0], {"one", "two"}), (other, before[1], {"unheard"})):
        each.settle()
        told = each.since(position)
        assert [r.event.reason for r in told if isinstance(r.event, WatchGap)] == ["overflow"]
        assert paths(told) == changed
        each.check()


def test_a_root_that_goes_and_comes_back_is_told_once_each(watch: Any, repo: Any) -> None:
    """N30, root renamed."""
    away = repo.root.with_name("away")
    before = watch.log.head()
    repo.root.rename(away)
    watch.until(lambda: watch.sensor.status().state == "lost")
    (away / "while away").write_text("x")
    watch.sensor.step(0.05)
    assert [(r.topic, getattr(r.event, "why", "")) for r in watch.since(before)] == [("RootLost", "gone")]
    away.rename(repo.root)
    watch.until(lambda: watch.sensor.status().state == "watching")
    assert topics(watch.since(before)) == ["RootLost", "RootFound", "FilesChanged"]
    assert paths(watch.told(lambda: repo.write("d/after", "x"))) == {"d", "d/after"}
    watch.check()


@pytest.mark.parametrize("how", ["directory", "link", "file"])
def test_what_takes_the_place_of_the_root_is_not_trusted(watch: Any, repo: Any, how: str, tmp_path: Path) -> None:
    """N30, root deleted and recreated, replaced by a symlink."""
    before = watch.log.head()
    kept = tmp_path / "kept"
    repo.root.rename(kept)
    if how == "directory":
        shutil.copytree(kept, repo.root)
        (repo.root / "foreign").write_text("x")
    elif how == "link":
        repo.root.symlink_to(kept)
    else:
        repo.root.write_text("x")
    watch.until(lambda: watch.sensor.status().state == "lost")
    for _ in range(3):
        watch.sensor.step(0.4)
    assert [r.event.why for r in watch.since(before) if isinstance(r.event, RootLost)] == ["replaced"]
    assert topics(watch.since(before)) == ["RootLost"]
    assert watch.start() == []
    assert watch.sensor.status().state == "lost"
    if how == "directory":
        shutil.rmtree(repo.root)
    else:
        repo.root.unlink()
    kept.rename(repo.root)
    assert topics(watch.start()) == ["RootFound"]


def test_a_deleted_root_leaves_the_tree_as_last_told(watch: Any, repo: Any) -> None:
    shutil.rmtree(repo.root)
    watch.until(lambda: watch.sensor.status().state == "lost")
    assert topics(watch.told(lambda: watch.sensor.step(0.1))) == []


def test_own_files_inside_the_tree_are_never_told(watch_at: Any, repo: Any) -> None:
    """N19."""
    inner = repo.root / "state" / "kairos"
    inner.mkdir(parents=True)
    watch = watch_at(repo.root, excluded=(inner,))
    watch.baseline()
    watch.start()
    before = watch.log.head()
    for n in range(50):
        (inner / f"memory-{n}").write_text("x")
        watch.sensor.step(0.0)
    watch.settle()
    assert watch.since(before) == []
    repo.write("state/mine", "x")
    watch.settle()
    assert paths(watch.since(before)) == {"state/mine"}
    watch.check()


def test_rules_decide_anew_when_they_change(watch: Any, repo: Any) -> None:
    watch.told(lambda: (repo.write("build/out.o", "o"), repo.write("keep.o", "k")))
    assert paths(watch.told(lambda: repo.write(".gitignore", "*.o\n"))) == {".gitignore", "build/out.o", "keep.o"}
    watch.check()
    assert paths(watch.told(lambda: repo.git("add", "-f", "build/out.o"))) == {"build/out.o"}
    watch.check()
    assert paths(watch.told(lambda: repo.write("build/out.o", "oo"))) == {"build/out.o"}
    assert paths(watch.told(lambda: repo.write(".gitignore", "build/\n"))) == {".gitignore", "keep.o"}
    assert paths(watch.told(lambda: repo.write("build/more", "m"))) == set()
    watch.told(lambda: repo.git("rm", "-q", "-f", "--cached", "build/out.o"))
    watch.check()
    (repo.root / ".git/info").mkdir(exist_ok=True)
    told = watch.told(lambda: (repo.root / ".git/info/exclude").write_text("keep.o\n"))
    assert paths(told) == {"keep.o"}
    watch.check()


def test_the_persons_own_ignore_file_counts(watch_at: Any, repo: Any, tmp_path: Path) -> None:
    mine = tmp_path / "person" / "ignored"
    mine.write_text("*.bak\n")
    (tmp_path / "person" / ".gitconfig").write_text(f"[core]\n\texcludesFile = {mine}\n")
    repo.write("a.bak", "x")
    watch = watch_at(repo.root)
    watch.baseline()
    assert watch.start() == []
    watch.check()
    assert paths(watch.told(lambda: (repo.write("b.bak", ""), repo.write("b", "")))) == {"b"}


def test_a_nested_repository_is_a_plain_directory(watch: Any, repo: Any) -> None:
    inner = type(repo)(repo.root / "inner")

    def make() -> None:
        inner.root.mkdir()
        inner.git("init", "-q")
        inner.write("file", "x")

    assert paths(watch.told(make)) == {"inner", "inner/file"}


def test_a_directory_moved_out_and_back_is_still_watched(watch: Any, repo: Any, tmp_path: Path) -> None:
    watch.told(lambda: repo.write("d/e/f", "x"))

    def there_and_back() -> None:
        (repo.root / "d").rename(tmp_path / "d")
        (tmp_path / "d").rename(repo.root / "d")

    watch.told(there_and_back)
    assert paths(watch.told(lambda: repo.write("d/e/g", "x"))) == {"d/e/g"}
    watch.check()


def test_the_sweep_finds_what_left_no_hint(watch_at: Any, repo: Any) -> None:
    watch = watch_at(repo.root, watching=WatchSettings(sweep_minutes=0.5 / 60))
    watch.baseline()
    watch.start()
    watch.sensor._hints.watcher.remove_tree(os.fsencode(repo.root))
    repo.write("unseen", "x")
    before = watch.log.head()
    watch.until(lambda: paths(watch.since(before)) == {"unseen"})


def test_an_idle_sensor_sleeps_and_writes_nothing(watch: Any) -> None:
    size = watch.log.head()
    rounds = 0
    wait = watch.sensor._hints.wait

    def counted(timeout_s: float) -> Any:
        nonlocal rounds
        rounds += 1
        return wait(timeout_s)

    watch.sensor._hints.wait = counted
    assert watch.sensor.step(2.0) == 0
    assert rounds <= 2 and watch.log.head() == size


def test_wake_ends_a_step_from_another_thread(watch: Any) -> None:
    woken = threading.Event()
    timer = threading.Timer(0.1, lambda: (woken.set(), watch.sensor.wake()))
    timer.start()
    assert watch.sensor.step(600.0) == 0  # longer than a test may take
    assert woken.is_set(), "it came back by itself"
    timer.join()


def test_a_lock_left_behind_by_a_crash_of_git_does_not_stop_the_watch(watch: Any, repo: Any) -> None:
    watch.sensor._settle.locked_cap = 0.3
    (repo.root / ".git/index.lock").write_text("")
    assert paths(watch.told(lambda: repo.write("a", "1"))) == {"a"}
    watch.sensor._settle.locked_cap = 600.0  # the same lock is waited for once: this would be longer than a test
    assert paths(watch.told(lambda: repo.write("b", "1"))) == {"b"}


def test_a_repository_without_its_git_directory_is_reported_and_comes_back(watch: Any, repo: Any) -> None:
    hidden = repo.root.with_name("hidden-git")
    (repo.root / ".git").rename(hidden)
    assert paths(watch.told(lambda: repo.write("a", "1"))) == {"a"}
    hidden.rename(repo.root / ".git")
    repo.write("b", "1")
    repo.commit("back")
    told = watch.start()
    assert any(isinstance(r.event, GitMoved) for r in told)
    watch.check()


LIMITED = """
import sys
from pathlib import Path
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.sensing.sensor import Sensor
import kairos.sensing.sensor as sensor_module

Path("/proc/sys/user", sys.argv[4]).write_text(sys.argv[5])
sensor_module.POLL_S = 0.1
log = Log(Path(sys.argv[1]))
repository = RepositoriesView().load(log)[0].by_id[sys.argv[2]]
sensor = Sensor(log, repository)
sensor.arm()
status = sensor.status()
print(status.state, status.watched, status.polled, status.directories, flush=True)
print(status.problem, status.remedy, flush=True)
target = Path(sys.argv[3])
(target / "d39").joinpath("new").write_text("x")
(target / "d39" / "file").write_text("changed")
told = 0
while told == 0:
    told += sensor.step(5.0)
print(told, flush=True)
Path("/proc/sys/user", sys.argv[4]).write_text("9999")
while sensor.status().state != "watching":
    sensor.step(5.0)
"""


@pytest.mark.parametrize(
    ("limit", "value", "reason", "remedy"),
    [
        ("max_inotify_watches", "20", "watch_limit", "max_user_watches"),
        ("max_inotify_instances", "0", "instance_limit", "max_user_instances"),
    ],
)
def test_where_the_kernel_has_no_more_directories_are_polled_and_the_status_says_so(
    watch: Any, repo: Any, limit: str, value: str, reason: str, remedy: str
) -> None:
    """N30, watch limit; and the limit of instances. Both end by themselves when the limit is raised."""
    for n in range(40):
        repo.write(f"d{n}/file", "x")
    watch.settle()
    watch.sensor.close()
    watch.sensor = None
    before = watch.log.head()
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", LIMITED]
    done = subprocess.run(
        [*command, str(watch.log.path), watch.id, str(repo.root), limit, value],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode != 0 and "unshare" in done.stderr:
        pytest.skip("no user namespaces here")
    assert done.returncode == 0, done.stderr
    counts, why = done.stdout.splitlines()[:2]
    state, watched, polled, directories = counts.split()
    assert state == "degraded" and watched == value and directories == "41" and int(polled) >= 21
    assert remedy in why
    assert paths(watch.since(before)) == {"d39/new", "d39/file"}
    assert [r.event.reason for r in watch.since(before) if isinstance(r.event, WatchGap)] == [reason]
    watch.check()


def test_a_machine_that_slept_is_a_gap(watch: Any, repo: Any) -> None:
    watch.sensor._suspend._offset -= 60_000_000_000
    told = watch.told(lambda: repo.write("a", "1"))
    assert [r.event.reason for r in told if isinstance(r.event, WatchGap)] == ["suspend"]
    assert paths(told) == {"a"}
