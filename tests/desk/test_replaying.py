"""The log folded anew, and the state as it was."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon.all_views import kept_views
from kairos.desk.desk import Desk
from kairos.desk.replaying import as_of, replay
from kairos.domain import events as ev
from kairos.errors import KairosError, NotFound
from kairos.eventlog.views.repositories import RepositoriesView


def test_an_empty_home_is_the_same_folded_anew(desk: Desk) -> None:
    assert replay(desk).identical and replay(desk).events == 0
    with pytest.raises(NotFound):
        as_of(desk, "0")
    assert not desk.has_log


def test_a_saved_view_that_differs_from_the_log_is_found(desk: Desk, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    assert replay(desk).identical
    assert set(replay(desk).projections) == {view.name for view in kept_views()}
    view = RepositoriesView()
    state, position = view.load(seeded.log)
    state.by_id.clear()
    seeded.log.append([], writes=view.saving(state, position))
    assert not replay(desk).identical


def test_the_past_is_what_had_been_told_until_then(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    deferred = seeded.raise_(seeded.note("later"), seed="b")
    before = seeded.log.head()
    seeded.append(ev.ProposalDeferred(id=deferred.id, until=2**60), f"proposal-{deferred.id}")
    seeded.append(ev.ProposalRejected(id=raised.id, reason="wrong"), f"proposal-{raised.id}")
    assert {p.id for p in as_of(desk, str(before)).pending} == {raised.id, deferred.id}
    assert as_of(desk, str(before)).deferred == 0
    now = as_of(desk, str(seeded.log.head()))
    assert (now.pending, now.deferred) == ([], 1)
    nothing = as_of(desk, "0")
    assert (nothing.position, nothing.at, nothing.pending, nothing.turns) == (0, None, [], 0)


def test_a_time_is_the_last_position_until_it(desk: Desk, seeded: Any) -> None:
    assert as_of(desk, "2000-01-01").position == 0
    assert as_of(desk, "2999-01-01").position == seeded.log.head()


@pytest.mark.parametrize("moment", ["99", "whenever", "-1"])
def test_a_moment_that_never_was_is_refused(desk: Desk, seeded: Any, moment: str) -> None:
    with pytest.raises(KairosError):
        as_of(desk, moment)
