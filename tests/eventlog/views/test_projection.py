"""A kept state plus the tail of the log is the fold of the whole log, wherever the cut lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.clock import DAY
from kairos.domain.events import REGISTRY, Paused, RepoTrusted, Resumed
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin, Recorded
from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.checks import ChecksView
from kairos.eventlog.views.commits import CommitsView
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.log_watches import LogWatchesView
from kairos.eventlog.views.looked import LookedView
from kairos.eventlog.views.model_health import ModelHealthView
from kairos.eventlog.views.open_turns import OpenTurnsView
from kairos.eventlog.views.projection import Projection
from kairos.eventlog.views.replay import replay_verify
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.eventlog.views.roster import RosterView
from kairos.eventlog.views.shadows import ShadowsView
from kairos.eventlog.views.usage import UsageView

Strategies = Callable[..., st.SearchStrategy[Any]]
VIEWS: tuple[type[Projection[Any]], ...] = (
    RepositoriesView,
    InboxView,
    AttentionView,
    ControlsView,
    FindingsView,
    UsageView,
    OpenTurnsView,
    CommitsView,
    ChecksView,
    RosterView,
    ShadowsView,
    ModelHealthView,
    LookedView,
    LogWatchesView,
)
ORIGINS: tuple[Origin, ...] = ("live", "offline", "self", "baseline", "history", "user", "system")
START = 1_700_000_000_000_000


def histories(view: Projection[Any], events_of: Strategies) -> st.SearchStrategy[list[Recorded]]:
    """Random sequences of what a view listens to: few ids, so that events meet; times go on, and now and then back."""
    few = st.sampled_from(["a", "b"])
    known = {"id": few, "repo": few, "turn": few, "detector": few, "subject": few, "key": few}
    one = st.one_of(
        [
            events_of(cls, **{f: s for f, s in known.items() if f in cls.__struct_fields__})
            for topic, cls in sorted(REGISTRY.items())
            if topic in view.topics
        ]
    )
    steps = st.tuples(one, st.sampled_from(ORIGINS), st.integers(-DAY // 2, 3 * DAY))

    def record(drawn: list[tuple[Any, Origin, int]]) -> list[Recorded]:
        at, out = START, []
        for position, (event, origin, later) in enumerate(drawn, 1):
            at += later
            out.append(Recorded(position, "s", position, type(event).__name__, 1, at, None, position, origin, event))
        return out

    return st.lists(steps, max_size=14).map(record)


def folded(view: Projection[Any], events: list[Recorded], state: Any = None) -> Any:
    state = view.state() if state is None else state
    for recorded in events:
        view.apply(state, recorded)
    return state


@pytest.mark.parametrize("view", [v() for v in VIEWS], ids=lambda v: v.name)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_kept_state_and_the_tail_give_the_whole_fold(
    view: Projection[Any], data: st.DataObject, events_of: Strategies
) -> None:
    events = data.draw(histories(view, events_of))
    cut = data.draw(st.integers(0, len(events)))
    whole = view.encode(folded(view, events))
    kept = view.decode(view.encode(folded(view, events[:cut])))
    assert view.encode(folded(view, events[cut:], kept)) == whole


@pytest.mark.parametrize("view", [v() for v in VIEWS], ids=lambda v: v.name)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_same_holds_through_a_real_log(
    view: Projection[Any], data: st.DataObject, events_of: Strategies, tmp_path_factory: pytest.TempPathFactory
) -> None:
    events = data.draw(histories(view, events_of))
    cut = data.draw(st.integers(0, len(events)))
    log = Log(tmp_path_factory.mktemp("log") / "log.db")
    try:
        log.append([NewEvent("s", r.event, None, r.origin) for r in events])
        state, position = view.load(log, upto=cut, fresh=True)
        log.append([], writes=view.saving(state, position))
        whole, head = view.load(log, fresh=True)
        kept, same_head = view.load(log)
        assert head == same_head == len(events)
        assert view.encode(kept) == view.encode(whole)
        earlier = data.draw(st.integers(0, len(events)))
        as_of = view.encode(view.load(log, upto=earlier)[0])
        assert as_of == view.encode(view.load(log, upto=earlier, fresh=True)[0])
        assert replay_verify(log, [view]).identical
    finally:
        log.close()


def test_every_view_of_the_log_is_tried_here() -> None:
    assert {type(view) for view in log_views()} == set(VIEWS)


def test_a_damaged_kept_state_shows_in_replay(log: Log) -> None:
    log.append([NewEvent("r", RepoTrusted(repo="r", root="/x", dev=1, ino=2, by="user"), None, "user")])
    view = RepositoriesView()
    state, position = view.load(log)
    state.by_id["r"].root = "/elsewhere"
    log.append([], writes=view.saving(state, position))
    assert not replay_verify(log, log_views()).identical


@pytest.fixture
def log(any_log: Log) -> Log:
    """On either engine."""
    return any_log


class Count(msgspec.Struct):
    pauses: int = 0


class CountView(Projection[Count]):
    name = "count"
    state = Count
    topics = frozenset({"Paused"})

    def apply(self, state: Count, recorded: Recorded) -> None:
        state.pauses += 1


class CountTwiceView(CountView):
    version = 2

    def apply(self, state: Count, recorded: Recorded) -> None:
        state.pauses += 2


def test_a_new_version_of_a_view_starts_from_nothing(log: Log) -> None:
    log.append([NewEvent("a", Paused()), NewEvent("a", Resumed()), NewEvent("a", Paused())])
    state, position = CountView().load(log)
    assert (state.pauses, position) == (2, 3)
    log.append([], writes=CountView().saving(state, position))
    assert CountTwiceView().load(log)[0].pauses == 4


def test_a_read_is_fresh_though_nothing_was_kept_since(log: Log) -> None:
    log.append([NewEvent("a", Paused())], writes=CountView().saving(Count(0), 0))
    log.append([NewEvent("a", Paused())])
    assert CountView().load(log)[0].pauses == 2
    assert log.tracking(CountView().key) == 0


def test_what_a_view_does_not_listen_to_still_moves_its_position(log: Log) -> None:
    log.append([NewEvent("a", Resumed()) for _ in range(5)])
    assert CountView().load(log) == (Count(0), 5)


def test_a_view_that_defines_no_fold_says_so(log: Log) -> None:
    class Hollow(Projection[Count]):
        name = "hollow"
        state = Count
        topics = frozenset({"Paused"})

    log.append([NewEvent("a", Paused())])
    with pytest.raises(TypeError, match="Hollow defines no apply"):
        Hollow().load(log)


def test_the_state_is_kept_with_the_events_or_not_at_all(log: Log, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be caused"):
        log.append([NewEvent("a", Paused(), -1)], writes=CountView().saving(Count(9), 9))
    assert log.view(CountView().key) == {}
    assert log.tracking(CountView().key) == 0


def test_a_directory_trusted_at_a_root_replaces_the_one_before(log: Log) -> None:
    for ino in (1, 2):
        event = RepoTrusted(repo=f"repo-{ino}", root="/r", dev=1, ino=ino, by="me")
        log.append([NewEvent(event.repo, event, None, "user")])
    known = RepositoriesView().load(log)[0].by_id
    assert [r.watched for r in known.values()] == [False, True]


def test_erased_events_do_not_hide_that_a_kept_state_is_of_a_later_moment(log: Log) -> None:
    first, second, _ = log.append([NewEvent("c", Paused()) for _ in range(3)])
    forget_positions(log, [second], "a slip", "user")
    view = CountView()
    state, position = view.load(log)
    log.append([], writes=view.saving(state, position))
    assert state.pauses == 2
    assert view.load(log, upto=first)[0].pauses == 1
