"""Which repositories there are, where, and which are watched, folded from what a person and the disk said."""

from __future__ import annotations

from typing import Any

from kairos.domain.events import BaselineRecorded, RepoTrusted, RepoUnwatched, RootFound, RootLost
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repositories, RepositoriesView, repository_id


def trusted(repo: str, root: str = "/r", host: str = "") -> RepoTrusted:
    return RepoTrusted(repo=repo, root=root, dev=1, ino=2, by="ada", host=host)


def folded(*events: Any) -> Repositories:
    state, view = Repositories(), RepositoriesView()
    for position, event in enumerate(events, 1):
        view.apply(state, Recorded(position, "s", position, type(event).__name__, 1, 0, None, position, "live", event))
    return state


def baseline(repo: str) -> BaselineRecorded:
    return BaselineRecorded(repo=repo, entries=1)


def test_a_repository_is_watched_once_its_baseline_is_complete() -> None:
    assert folded(trusted("a")).watched() == []
    [found] = folded(trusted("a"), baseline("a")).watched()
    assert (found.id, found.trusted_at, found.ready_at, found.ready) == ("a", 1, 2, True)
    assert folded(trusted("a"), baseline("a"), RepoUnwatched(repo="a", root="/r")).watched() == []


def test_trusting_anew_keeps_the_baseline() -> None:
    [found] = folded(trusted("a"), baseline("a"), RepoUnwatched(repo="a", root="/r"), trusted("a")).watched()
    assert (found.trusted_at, found.ready_at) == (4, 2)


def test_a_directory_that_took_anothers_place_is_watched_instead_of_it() -> None:
    state = folded(trusted("a"), baseline("a"), trusted("b"), baseline("b"))
    assert [r.id for r in state.watched()] == ["b"]
    latest = state.at("/r")
    assert latest is not None and latest.id == "b"


def test_the_same_place_on_two_machines_is_two_repositories() -> None:
    state = folded(trusted("a", host="one"), baseline("a"), trusted("b", host="two"), baseline("b"))
    assert [r.id for r in state.watched()] == ["a", "b"]
    found = state.at("/r", "one")
    assert found is not None and found.id == "a"
    assert state.at("/r", "three") is None


def test_a_lost_root_is_marked_until_it_is_found() -> None:
    lost = RootLost(repo="a", why="gone")
    assert folded(trusted("a"), lost).by_id["a"].lost
    assert not folded(trusted("a"), lost, RootFound(repo="a")).by_id["a"].lost


def test_words_about_a_repository_that_nobody_trusted_are_passed_over() -> None:
    unknown = folded(
        baseline("a"), RepoUnwatched(repo="a", root="/r"), RootLost(repo="a", why="gone"), RootFound(repo="a")
    )
    assert unknown == Repositories()


def test_an_id_is_of_the_directory_its_place_and_machine() -> None:
    ids = {repository_id(*p) for p in ((1, 2, "/r"), (2, 2, "/r"), (1, 3, "/r"), (1, 2, "/s"), (1, 2, "/r", "host"))}
    assert len(ids) == 5
    assert repository_id(1, 2, "/caf\udce9").startswith("repo-")
