"""Sealing and folding as a person asks for it: what a dry run leaves alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kairos.desk.compacting import compact
from kairos.desk.desk import Desk
from kairos.desk.replaying import replay
from kairos.domain import events as ev
from kairos.errors import UsageError
from kairos.eventlog.record import NewEvent, Track


@pytest.fixture
def at_rest(seeded: Any) -> Any:
    """What a turn is still to be taken for stays hot, so there was one."""
    ended = ev.TurnEnded(turn="turn-1", repo=seeded.id, engine="rules", outcome="quiet")
    seeded.log.append([NewEvent("turn-1", ended)], writes=[Track(f"reactor/{seeded.id}", 6)])
    return seeded


def test_an_empty_home_has_nothing_to_seal(tmp_path: Path) -> None:
    with closing(Desk(str(tmp_path / "empty"))) as desk:
        assert compact(desk, at_once=True).sealed == []
        assert not desk.has_log


def test_young_events_are_sealed_only_when_asked(desk: Desk, at_rest: Any) -> None:
    assert compact(desk).sealed == []
    before = replay(desk).projections
    done = compact(desk, at_once=True)
    assert [(s.first, s.last) for s in done.sealed] == [(1, 6)] and done.retired == 6
    assert done.cold_bytes > 0
    assert replay(desk).projections == before


def test_a_dry_run_does_nothing(desk: Desk, at_rest: Any) -> None:
    compact(desk, at_once=True)
    before = (at_rest.log.anchor(), sorted(p.name for p in desk.home.segments.iterdir()))
    assert compact(desk, dry_run=True, fold_after=0.0).fold_before is None, "0 days means that everything is kept"
    tried = compact(desk, at_once=True, dry_run=True, fold_after=1e-9)
    assert tried.dry_run and tried.fold_before is not None and tried.retired == 0
    assert (at_rest.log.anchor(), sorted(p.name for p in desk.home.segments.iterdir())) == before


def test_a_rule_is_tried_in_a_dry_run_and_otherwise_configured(desk: Desk, seeded: Any) -> None:
    with pytest.raises(UsageError, match="dry-run"):
        compact(desk, fold_after=3.0)
    assert compact(desk).fold_before is None
