"""Which logs are watched, folded."""

from __future__ import annotations

from kairos.domain.events import LogLineTold, LogWatchNamed, LogWatchRemoved
from kairos.domain.logs.state import WatchedLogs, evolve, shown_source


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


def test_a_unit_and_a_command_are_kept_as_they_were_named() -> None:
    state = WatchedLogs()
    unit = LogWatchNamed(repo="r", name="u", kind="unit", unit="app.service")
    own = LogWatchNamed(repo="r", name="o", kind="unit", unit="app.service", user=True)
    words = LogWatchNamed(repo="r", name="c", kind="command", command=["tail", "a b"], read_roots=["/srv"])
    for position, event in enumerate((unit, own, words), 1):
        evolve(state, event, position)
    found = state.of("r")
    assert [shown_source(e) for e in (unit, own, words)] == ["app.service", "app.service (--user)", "tail 'a b'"]
    assert (found["c"].command, found["c"].read_roots) == (("tail", "a b"), ("/srv",))
    assert found["u"].source != found["o"].source
