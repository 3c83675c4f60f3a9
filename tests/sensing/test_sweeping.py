"""Sweeps find what left no hint, a slice at a time, one repository at a time, and keep little in memory."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged
from kairos.sensing import sweeping
from kairos.sensing.listings import Unwatched
from kairos.sensing.sweeping import STALE_S, Sweeper, SweepTurns
from kairos.settings import WatchSettings

Act = Callable[[Any], object]


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of two directories, without pauses."""
    monkeypatch.setattr(sweeping, "ROWS", 2)
    monkeypatch.setattr(sweeping, "SLICE_S", 0.0)
    monkeypatch.setattr(sweeping, "REST", 0.0)


@pytest.fixture
def blind(watch_at: Any, repo: Any, slices: None) -> Any:
    """A watch of a tree of directories that gets no hint and sweeps when `sweep` is called."""
    for number in range(7):
        repo.write(f"d{number}/e/f{number}", "x" * number)
        repo.write(f"d{number}-e/f", "x")
    repo.write("logs/.gitignore", "*\n!.gitignore\n")
    os.link(repo.root / "d1/e/f1", repo.root / "d2/twin")
    watch = watch_at(repo.root)
    watch.baseline()
    watch.start()
    watch.sensor._hints.watcher.remove_tree(os.fsencode(repo.root))
    return watch


def sweep(watch: Any) -> list[Any]:
    """What one sweep adds to the log."""
    before = watch.log.head()
    watch.sensor._sweeper._due = 0.0
    watch.sensor.step(0.0)
    while watch.sensor._sweeper._cursor is not None:
        watch.sensor.step(0.0)
    watch.settle()
    return watch.since(before)


def changes(told: list[Any]) -> dict[str, str]:
    return {c.fs: c.kind for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


ACTS: dict[str, tuple[Act, dict[str, str]]] = {
    "nothing": (lambda repo: None, {}),
    "a write in the last directory": (lambda repo: repo.write("d6/e/f6", "other"), {"d6/e/f6": "modified"}),
    "a new file in the root": (lambda repo: repo.write("new", "1"), {"new": "created"}),
    "a new tree": (
        lambda repo: repo.write("d3/e/new/er/est", "1"),
        {"d3/e/new": "created", "d3/e/new/er": "created", "d3/e/new/er/est": "created"},
    ),
    "a tree removed": (
        lambda repo: shutil.rmtree(repo.root / "d0"), {"d0": "deleted", "d0/e": "deleted", "d0/e/f0": "deleted"},
    ),
    "a file moved from the last to the first": (
        lambda repo: (repo.root / "d6/e/f6").rename(repo.root / "d0/moved"), {"d0/moved": "moved"},
    ),
    "another mode": (lambda repo: (repo.root / "d2/e/f2").chmod(0o755), {"d2/e/f2": "modified"}),
    "a write through another name": (
        lambda repo: repo.write("d2/twin", "through"), {"d2/twin": "modified", "d1/e/f1": "modified"},
    ),
    "a rule that ignores": (
        lambda repo: repo.write("d4/.gitignore", "e\n"),
        {"d4/.gitignore": "created", "d4/e": "deleted", "d4/e/f4": "deleted"},
    ),
    "an ignored file": (lambda repo: repo.write("logs/today", "1"), {}),
    "a directory that became a link": (
        lambda repo: (shutil.rmtree(repo.root / "d5-e"), (repo.root / "d5-e").symlink_to("d0")),
        {"d5-e": "modified", "d5-e/f": "deleted"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_a_sweep_finds_what_left_no_hint(blind: Any, repo: Any, name: str) -> None:
    act, expected = ACTS[name]
    act(repo)
    assert changes(sweep(blind)) == expected
    blind.check()
    assert sweep(blind) == []


def test_a_sweep_watches_again_what_lost_its_watch(blind: Any, repo: Any) -> None:
    assert blind.sensor._hints.watched < 10
    sweep(blind)
    assert blind.sensor.status().watched >= blind.sensor.status().directories
    assert changes(blind.told(lambda: repo.write("d6/e/f6", "seen"))) == {"d6/e/f6": "modified"}


def test_hints_are_heard_between_the_slices(blind: Any, repo: Any) -> None:
    sweep(blind)
    blind.sensor._sweeper._due = 0.0
    blind.sensor.step(0.0)
    assert blind.sensor._sweeper._cursor is not None
    before = blind.log.head()
    repo.write("d6/e/f6", "during")
    blind.until(lambda: changes(blind.since(before)) == {"d6/e/f6": "modified"})
    blind.check()


def test_a_sweep_holds_a_few_listings_at_a_time(blind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    rows = blind.log.view_rows

    def counted(view: str, first: bytes, before: bytes, limit: int) -> Any:
        found = rows(view, first, before, limit)
        asked.append(len(found))
        return found

    def whole(view: str) -> Any:
        raise AssertionError(f"the whole of {view} was read")

    monkeypatch.setattr(blind.log, "view_rows", counted)
    monkeypatch.setattr(blind.log, "view", whole)
    sweep(blind)
    assert max(asked) <= sweeping.ROWS and sum(asked) == blind.sensor.status().directories


def test_a_damaged_repository_ends_its_sweep_and_lets_the_next_begin(blind: Any, repo: Any, tmp_path: Path) -> None:
    blind.sensor._sweeper._due = 0.0
    blind.sensor.step(0.0)
    turns = blind.sensor._sweeper._turns
    assert not turns.take("another", 0.0, lambda: None)
    repo.root.rename(tmp_path / "gone")
    blind.until(lambda: blind.sensor.status().state == "lost")
    assert turns.take("another", 0.0, lambda: None)


def test_sensors_of_a_process_sweep_one_after_another(watch_at: Any, repo: Any, tmp_path: Path, slices: None) -> None:
    trees, turns, woken = [], SweepTurns(), []
    for number in range(3):
        root = tmp_path / f"r{number}"
        shutil.copytree(repo.root, root)
        for name in range(5):
            (root / f"d{name}").mkdir()
        watch = watch_at(root)
        watch.baseline()
        watch.start()
        trees.append(watch.sensor._observer.tree)
    sweepers = [Sweeper(turns, 600.0, lambda number=number: woken.append(number)) for number in range(3)]
    now, ended = time.monotonic(), []
    assert [s.begin(now, t) for s, t in zip(sweepers, trees, strict=True)] == [True, False, False]
    for number in range(3):
        assert sweepers[number]._cursor is not None or sweepers[number].begin(now, trees[number])
        while sweepers[number]._cursor is not None:
            now = time.monotonic()
            others = [other for other in range(3) if other != number]
            assert not any(sweepers[other].begin(now, trees[other]) for other in others if other not in ended)
            assert sweepers[number].slice(now, trees[number], Unwatched()) == set()
        ended.append(number)
    assert woken == [1, 2]
    assert [s.due_at(now) > now + 500 for s in sweepers] == [True, True, True]


def test_a_slice_is_followed_by_a_pause(watch: Any, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "ROWS", 1)
    watch.told(lambda: [repo.write(f"d{n}/f", "x") for n in range(3)])
    times = iter([10.0 + 0.02 * n for n in range(100)])
    monkeypatch.setattr(sweeping.time, "monotonic", lambda: next(times))
    sweeper, tree = Sweeper(SweepTurns(), 600.0, lambda: None), watch.sensor._observer.tree
    assert sweeper.begin(10.0, tree)
    sweeper.slice(10.0, tree, Unwatched())
    spent = next(times) - 0.02 - 10.0
    assert sweeper.due_at(10.0) == pytest.approx(10.0 + spent + sweeping.REST * spent)
    cursor = sweeper._cursor
    assert sweeper.slice(10.0 + spent, tree, Unwatched()) == set() and sweeper._cursor == cursor


def test_a_turn_goes_to_who_waited_longest_and_is_taken_from_one_that_hangs() -> None:
    turns, woken = SweepTurns(), []
    assert turns.take("a", 0.0, lambda: None)
    assert not turns.take("b", 1.0, lambda: woken.append("b"))
    assert not turns.take("c", 2.0, lambda: woken.append("c"))
    assert turns.waits("b") and turns.waits("c")
    turns.leave("c")
    turns.leave("a")
    assert woken == ["b"] and not turns.waits("b")
    assert turns.take("b", 3.0, lambda: None)
    assert not turns.take("a", 3.0 + STALE_S, lambda: None)
    assert turns.take("a", 3.1 + STALE_S, lambda: None)
    turns.leave("b")  # too late: it has no turn any more
    assert not turns.take("c", 4.0 + STALE_S, lambda: None)


def test_a_sensor_with_nothing_due_sleeps_until_its_sweep(watch_at: Any, repo: Any) -> None:
    watch = watch_at(repo.root, watching=WatchSettings(sweep_minutes=10))
    watch.baseline()
    watch.start()
    slept: list[float] = []
    watch.sensor._hints.wait = lambda timeout_s: (slept.append(timeout_s), watch.sensor.wake(), ((), ()))[2]
    watch.sensor.step()
    assert len(slept) == 1 and 590 < slept[0] <= 600
