"""The other hint source: watchdog tells the same directories, if more slowly."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.events import FilesChanged, GitMoved
from kairos.settings import WatchSettings


@pytest.mark.filterwarnings(
    "ignore:Callback with id:RuntimeWarning"
)  # a race of watchdog's own: it warns in its thread
def test_changes_and_commits_are_told_with_watchdog_too(watch_at: Any, repo: Any) -> None:
    watch = watch_at(repo.root, watching=WatchSettings(observer="watchdog"))
    watch.baseline()
    watch.start()
    before = watch.log.head()

    def paths() -> set[str]:
        return {c.fs for r in watch.since(before) if isinstance(r.event, FilesChanged) for c in r.event.changes}

    repo.write("d/e/f", "x")
    watch.until(lambda: paths() == {"d", "d/e", "d/e/f"})
    repo.commit("told")
    watch.until(lambda: any(isinstance(r.event, GitMoved) for r in watch.since(before)))
    watch.settle()
    watch.check()
    assert watch.sensor.status().state == "watching"
    watch.sensor.wake()
    assert watch.sensor.step(30.0) == 0
