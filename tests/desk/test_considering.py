"""What the detectors make of a commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cli.look.why import considered_text
from kairos.acting import decisions
from kairos.desk.considering import considered
from kairos.desk.reading import repositories
from kairos.domain import events as ev
from kairos.domain.basis import basis_of
from kairos.domain.checks.state import check_stream
from kairos.domain.proposal import proposal_id
from kairos.errors import NotFound
from kairos.eventlog.record import NewEvent


def test_it_lists_what_was_looked_at_and_what_nobody_covers(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    for _ in range(3):
        commit("Cargo.toml", "Cargo.lock")
    oid = commit("Cargo.toml")
    found = considered(desk, oid[:9], None)
    assert (found.commit, found.files) == (oid, 1)
    by = {d.detector: d for d in found.detectors}
    assert set(by) >= {"secret", "conflict-marker", "stale-reference", "ignore-artifact"}
    assert "is off (kairos detectors promote dangling-link)" in by["dangling-link"].what
    assert any("binary files" in text for text in found.uncovered)


def test_what_the_checks_said_of_the_commit_is_told(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    green, red, bare = commit("a.md"), commit("b.md"), commit("c.md")
    repo = repositories(desk).watched()[0].id
    stream = check_stream(repo, "test")
    assert any("only checks that you name run it" in text for text in considered(desk, green, None).uncovered)
    named = ev.CheckNamed(repo=repo, name="test", kind="test", command=["make"], seconds=9.0, memory_mb=64)
    ran = ev.CheckRan(repo=repo, check="test", tree="1", commit=green, outcome="passed", passed=3)
    failed = [ev.FailedCase(id="t.py::x")]
    events = [
        named, ran, ev.CheckRan(repo=repo, check="test", tree="2", commit=red, outcome="failed", failed=failed),
        ev.CheckJudged(repo=repo, check="test", cases=["t.py::x"], verdict="new", commit=red, tree="2", culprit=red),
    ]  # fmt: skip
    desk.log.append([NewEvent(stream, event, None, "system") for event in events])
    found = considered(desk, green, None)
    assert found.checks == ["test: green at it"]
    assert not any("only checks that you name" in text for text in found.uncovered)
    assert "check test: green at it" in considered_text(found)
    assert considered(desk, red, None).checks == ["test: 1 case red since this commit: t.py::x"]
    assert considered(desk, bare, None).checks == [f"test: did not run at it (kairos check run --at {bare[:10]} test)"]


def test_a_muted_detector_is_said_to_be_muted(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    from kairos.desk.controlling import mute

    oid = commit("a.md")
    mute(desk, "secret", None)
    assert "muted" in {d.detector: d.what for d in considered(desk, oid, None).detectors}["secret"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ffffffff", "no proposal, no position"), ("not-hex", "no commit of a watched"), ("", "no commit"),
        ("-x", "no commit"), ("HEAD", "is not in the log"), ("5", "5 is a position of the log"),
        ("5999", "there is no event 5 999: the last position of the log is"),
    ],
)  # fmt: skip
def test_what_is_no_commit_of_the_log_says_what_is_meant(desk: Any, seeded: Any, text: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        considered(desk, text, None)


@pytest.mark.parametrize("name", ["HEAD", "main", "v1", "HEAD~0", "main^{commit}"])
def test_a_commit_may_be_named_as_git_names_it(desk: Any, seeded: Any, repo: Any, commit: Any, name: str) -> None:
    commit("a.md")
    oid = commit("b.md")
    repo.git("tag", "-a", "-m", "one", "v1")
    assert considered(desk, name, None).commit == oid


def test_the_cards_that_rest_on_the_commit_and_wait_are_named(
    desk: Any, seeded: Any, commit: Callable[..., str]
) -> None:
    """A pushed secret is no news to the detector, but its card still waits."""
    oid, other = commit("a.md"), commit("b.md")
    first = seeded.raise_(seeded.note(), seed="a")
    on_it = msgspec.structs.replace(
        first, id=proposal_id("b"), key="b", detector="secret", basis=basis_of([[oid]], reach="refs")
    )
    seeded.append(on_it, f"proposal-{on_it.id}")
    found = considered(desk, oid, None)
    assert found.waiting == [on_it.id[:4]]
    said = {d.detector: d.what for d in found.detectors}
    assert "what it found waits" in said["secret"] and said["conflict-marker"] == "finds nothing now"
    assert f"1 card about this commit waits: kairos review {on_it.id[:4]}" in considered_text(found)
    assert considered(desk, other, None).waiting == []
    decisions.reject(desk.log, on_it.id, "wrong")
    assert considered(desk, oid, None).waiting == []
