"""What is chosen, in which order, and under which short names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.desk import reading
from kairos.desk.desk import Desk
from kairos.domain import events as ev
from kairos.errors import NotFound
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.views.repositories import Repositories, Repository

IDS = st.lists(st.text("kl", min_size=6, max_size=12), min_size=1, max_size=12, unique=True)


@given(IDS)
def test_a_short_id_means_one_id(ids: list[str]) -> None:
    found = reading.short(ids, least=2)
    assert set(found) == set(ids)
    for id_, letters in found.items():
        assert id_.startswith(letters) and len(letters) >= 2
        others = [other for other in ids if other != id_ and other.startswith(letters)]
        assert not others or letters == id_, "only an id that begins another cannot be shortened to itself alone"
        longer = [other for other in ids if other != id_ and other[: len(letters) - 1] == letters[:-1]]
        assert len(letters) == 2 or longer, "it is as short as can be"


def test_an_empty_home_has_nothing_to_read(desk: Desk, tmp_path: Path) -> None:
    assert reading.waiting(desk) == [] and reading.chosen(desk, []) == []
    with pytest.raises(NotFound):
        reading.repository_at(desk, tmp_path)
    assert not desk.has_log


def test_a_path_anywhere_in_the_tree_names_its_repository(desk: Desk, seeded: Any) -> None:
    (seeded.root / "a" / "b").mkdir(parents=True)
    link = seeded.root.parent / "link"
    link.symlink_to(seeded.root / "a")
    for path in (seeded.root, seeded.root / "a" / "b", seeded.root / "a" / "not there", link / "b"):
        assert reading.repository_at(desk, path).id == seeded.id
    for path in (seeded.root.parent, Path(f"{seeded.root}2")):
        with pytest.raises(NotFound):
            reading.repository_at(desk, path)
    assert reading.registered_at(desk, os.path.relpath(seeded.root)).id == seeded.id
    with pytest.raises(NotFound):
        reading.registered_at(desk, seeded.root / "a")
    assert reading.selected(desk, None) is None


def test_two_directories_of_one_name_are_shown_whole() -> None:
    def known(*roots: str) -> Repositories:
        made = [Repository(id=root, root=root, dev=1, ino=n, trusted_at=0) for n, root in enumerate(roots)]
        return Repositories(by_id={r.id: r for r in made})

    assert reading.names(known("/w/api", "/w/web")) == {"/w/api": "api", "/w/web": "web"}
    shown = reading.names(known("/w/api", "/x/api", "/w/web"))
    assert shown == {"/w/api": "/w/api", "/x/api": "/x/api", "/w/web": "web"}


def test_what_waits_is_shown_by_risk_and_then_by_age(desk: Desk, seeded: Any) -> None:
    made = [seeded.raise_(seeded.note(risk), seed=risk, risk=risk).id for risk in ("low", "urgent", "medium", "high")]
    later = seeded.raise_(seeded.note("later"), seed="later", risk="high").id
    decided = seeded.raise_(seeded.note("done"), seed="done").id
    seeded.append(ev.ProposalRejected(id=decided, reason="wrong"), f"proposal-{decided}")
    low, urgent, medium, high = made
    assert [p.id for p in reading.waiting(desk)] == [urgent, high, later, medium, low]
    assert [p.id for p in reading.undecided(desk, [decided, low])] == [low]
    assert [p.id for p in reading.chosen(desk, [low, urgent[:8], low])] == [urgent, low]
    with pytest.raises(NotFound):
        reading.chosen(desk, [low, "zzzz"])


def test_only_one_repository_s_proposals_wait_there(desk: Desk, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    here = reading.repository_at(desk, seeded.root)
    assert len(reading.waiting(desk, here)) == 1
    assert reading.waiting(desk, Repository(id="other", root="/o", dev=1, ino=1, trusted_at=0)) == []


def test_the_position_before_a_time_passes_over_what_was_removed(desk: Desk, seeded: Any) -> None:
    position = seeded.append(ev.Paused())
    forget_positions(seeded.log, [position], "private", "user")
    recorded = [r for r in seeded.log.read() if r.position != position]
    for one in recorded:
        assert reading.position_before(desk, one.at) < one.position
        assert reading.position_before(desk, one.at + 1) >= one.position
    row = reading.standing_from(desk, 1)
    assert row is not None and row.position == 1
    assert reading.standing_from(desk, seeded.log.head() + 1) is None


def test_what_is_of_an_unwatched_repository_rests_until_it_is_watched_again(desk: Desk, seeded: Any) -> None:
    id_ = seeded.raise_(seeded.note()).id
    seeded.append(ev.RepoUnwatched(repo=seeded.id, root=str(seeded.root)), seeded.id)
    assert reading.waiting(desk) == [] and reading.resting(desk) == {str(seeded.root): 1}
    again = ev.RepoTrusted(repo=seeded.id, root=str(seeded.root), dev=1, ino=1, by="user")
    seeded.append(again, seeded.id)
    assert [p.id for p in reading.waiting(desk)] == [id_] and reading.resting(desk) == {}
