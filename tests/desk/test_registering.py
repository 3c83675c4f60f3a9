"""Registering a repository: once, with somebody's trust, and its baseline triggers nothing."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.registering import Told, parse_history, register, unwatch
from kairos.errors import NotFound, UsageError


def told(asked: list[Path] | None = None, *, no: bool = False) -> Told:
    def trusts(root: Path) -> None:
        if asked is not None:
            asked.append(root)
        if no:
            raise UsageError("it was not trusted")

    return Told(trusts, lambda root: nullcontext(lambda done, total: None), lambda text: None)


def test_trust_is_asked_for_once_and_the_second_time_is_harmless(desk: Desk, repo: Any) -> None:
    asked: list[Path] = []
    first = register(desk, str(repo.root), history=0, told=told(asked))
    again = register(desk, str(repo.root), history=None, told=told(asked))
    assert asked == [repo.root.resolve()]
    assert (first.new, first.commits, again.new, again.repo) == (True, 1, False, first.repo)
    assert not list(desk.log.read(topics={"AttentionDue", "ProposalRaised"}))


def test_a_repository_that_is_not_trusted_leaves_no_trace(desk: Desk, repo: Any) -> None:
    with pytest.raises(UsageError):
        register(desk, str(repo.root), history=None, told=told(no=True))
    assert not desk.has_log


def test_what_is_unwatched_stays_known_and_can_be_watched_again(desk: Desk, repo: Any) -> None:
    first = register(desk, str(repo.root), history=None, told=told())
    done = unwatch(desk, str(repo.root))
    assert desk.log.at(done.position).topic == "RepoUnwatched"
    assert unwatch(desk, str(repo.root)).repo == first.repo
    assert [r.watched for r in repositories(desk).by_id.values()] == [False]
    assert register(desk, str(repo.root), history=None, told=told()).new
    with pytest.raises(NotFound):
        unwatch(desk, str(repo.root.parent))


def test_kairos_does_not_watch_its_own_home(desk: Desk, repo: Any) -> None:
    inside = desk.home.data / "repo"
    inside.mkdir(parents=True)
    repo.git("clone", "-q", ".", str(inside))
    with pytest.raises(UsageError, match="own directory"):
        register(desk, str(inside), history=None, told=told())


@pytest.mark.parametrize(("text", "meant"), [(None, None), ("all", 0), ("500", 500)])
def test_history_is_all_or_a_number(text: str | None, meant: int | None) -> None:
    assert parse_history(text) == meant


@pytest.mark.parametrize("text", ["0", "-1", "some", "", "1.5"])
def test_other_histories_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_history(text)
