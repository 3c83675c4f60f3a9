"""What is kept of a watched log: only of the same source, and only if it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kairos.daemon.log_followed import FollowedLog, kept_of, kept_view
from kairos.domain.logs.state import WatchedLog
from kairos.eventlog.record import Put


def test_what_was_learnt_is_kept_for_the_same_source_alone(log: Any, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("a b c\n" * 10)
    watch = WatchedLog(name="app", kind="file", named=1, path=str(path))
    followed = FollowedLog("r", watch, None)
    while followed.work():
        pass
    assert followed.unsaved()
    log.append([], writes=[followed.saving()])
    followed.saved()
    assert not followed.unsaved(ending=True)
    followed.close()
    kept = kept_of(log, "r", watch)
    assert kept is not None and kept.past.entries == 10
    assert kept_of(log, "r", WatchedLog(name="app", kind="file", named=2, path="/other.log")) is None
    log.append([], writes=[Put(kept_view("r"), b"app", b"damaged")])
    assert kept_of(log, "r", watch) is None


def test_the_directory_that_tells_of_a_file_is_the_nearest_that_there_is(tmp_path: Path) -> None:
    watch = WatchedLog(name="app", kind="file", named=1, path=str(tmp_path / "a" / "b" / "app.log"))
    followed = FollowedLog("r", watch, None)
    assert followed.directory == str(tmp_path).encode()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert followed.directory == str(tmp_path / "a" / "b").encode()
