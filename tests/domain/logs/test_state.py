"""Which logs are watched, folded."""

from __future__ import annotations

from kairos.domain.events import LogLineTold, LogWatchNamed, LogWatchRemoved
from kairos.domain.logs.state import WatchedLogs, evolve


def test_a_log_is_watched_from_its_name_to_its_end() -> None:
    state = WatchedLogs()
    evolve(state, LogWatchNamed(repo="r", name="app", kind="file", path="/a.log"), 3)
    evolve(state, LogLineTold(repo="r", watch="app", id="1", news="new", template="t", example="e"), 4)
    evolve(state, LogLineTold(repo="r", watch="gone", id="1", news="new", template="t", example="e"), 5)
    (watch,) = state.of("r").values()
    assert (watch.path, watch.named, watch.told, watch.last) == ("/a.log", 3, 1, 4)
    before = watch.source
    evolve(state, LogWatchNamed(repo="r", name="app", kind="file", path="/b.log"), 6)
    assert state.of("r")["app"].source != before
    evolve(state, LogWatchRemoved(repo="r", name="app"), 7)
    evolve(state, LogWatchRemoved(repo="q", name="app"), 8)
    assert state.of("r") == {}
