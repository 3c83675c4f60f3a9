"""What is kept of a watched log: only of the same source, and only if it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kairos.daemon.log_followed import FollowedFile
from kairos.daemon.log_kept import kept_of
from kairos.domain.logs.state import WatchedLog, kept_view
from kairos.eventlog.record import Put


def test_what_was_learnt_is_kept_for_the_same_source_alone(log: Any, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("a b c\n" * 10)
    watch = WatchedLog(name="app", kind="file", named=1, path=str(path))
    followed = FollowedFile("r", watch, None)
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
