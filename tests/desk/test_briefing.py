"""The briefing before a change: what changes with it and does not yet, and what is remembered about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.desk.briefing import brief
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.domain import events as ev
from kairos.errors import NotFound


@pytest.fixture
def pairs(seeded: Any, commit: Callable[..., str]) -> str:
    """Cargo.toml and Cargo.lock changed together four times; the last commit has the first alone."""
    for _ in range(4):
        commit("Cargo.toml", "Cargo.lock")
    return commit("Cargo.toml")


def test_what_usually_changes_too_and_does_not_yet_is_named_with_its_events(desk: Desk, pairs: str) -> None:
    (one,) = brief(desk, None, ["Cargo.toml"], 10).companions
    assert (one.path, one.changes_with, one.support) == ("Cargo.lock", "Cargo.toml", 4) and one.confidence > 0.5
    assert all(isinstance(desk.log.at(position).event, ev.CommitRecorded) for position in one.cites)
    assert brief(desk, None, ["Cargo.toml", "Cargo.lock"], 10).companions == []
    assert brief(desk, None, ["README.md"], 10).companions == []


def test_without_a_path_it_is_about_what_differs_from_the_last_commit(desk: Desk, pairs: str, repo: Any) -> None:
    assert brief(desk, None, [], 10).paths == []
    repo.write("Cargo.toml", "changed\n")
    repo.write("untracked.txt", "x\n")
    told = brief(desk, None, [], 10)
    assert told.paths == ["Cargo.toml"] and [c.path for c in told.companions] == ["Cargo.lock"]
    repo.git("rm", "-q", "Cargo.lock")
    assert brief(desk, None, [], 10).companions == [], "it changes already"


def test_a_path_that_never_was_is_refused(desk: Desk, pairs: str, repo: Any) -> None:
    with pytest.raises(NotFound, match="has no Crago"):
        brief(desk, None, ["Cargo.toml", "Crago.toml"], 10)
    repo.git("rm", "-q", "Cargo.lock")
    assert brief(desk, None, ["Cargo.lock"], 10).companions, "one that is gone was there"


def test_a_file_that_is_gone_is_not_named(desk: Desk, pairs: str, repo: Any) -> None:
    repo.git("rm", "-q", "Cargo.lock")
    repo.git("commit", "-q", "-m", "no lock")
    assert brief(desk, None, ["Cargo.toml"], 10).companions == []


def test_what_is_remembered_about_it_or_about_every_change_is_told(desk: Desk, seeded: Any, remember: Any) -> None:
    remember("old.md", "README.md", "rename")
    remember("a.md", "b.md", "rename")
    remember("check", "make test", "command")
    told = brief(desk, repositories(desk).by_id[seeded.id], ["README.md"], 10)
    assert {m.kind: m.value for m in told.memories} == {"rename": "README.md", "command": "make test"}


def test_a_repository_that_git_cannot_read_is_said(desk: Desk, seeded: Any) -> None:
    (seeded.root / ".git/HEAD").write_text("nonsense")
    with pytest.raises(NotFound, match="git cannot tell"):
        brief(desk, repositories(desk).by_id[seeded.id], [], 10)
