"""What `why` explains, and what it does not know."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.explaining import proposal_named, why, why_not_proposal
from kairos.domain import events as ev
from kairos.errors import NotFound


def test_a_proposal_is_explained_from_its_root(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    steps = why(desk, raised.id)
    assert [s.type for s in steps][:2] == ["GitMoved", "AttentionDue"]
    assert [s.position for s in steps] == sorted(s.position for s in steps)
    assert why(desk, raised.id[:6]) == steps


@pytest.mark.parametrize("what", ["0", "999999", "zzzz"])
def test_what_is_no_position_id_or_commit_is_not_found(desk: Desk, seeded: Any, what: str) -> None:
    with pytest.raises(NotFound):
        why(desk, what)


@pytest.mark.parametrize("name", ["HEAD", "main", "refs/heads/main", "HEAD~0"])
def test_a_commit_may_be_named_as_git_names_it(desk: Desk, seeded: Any, commit: Any, name: str) -> None:
    oid = commit("a.md")
    assert why(desk, name) == why(desk, oid) == why(desk, oid[:8].upper())
    assert why(desk, name)[-1].type == "CommitRecorded"


def test_why_of_a_commit_shows_the_look_that_it_caused_and_what_became_of_its_card(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    kept = seeded.raise_(seeded.note(), seed="b")
    seeded.append(ev.ProposalRejected(id=raised.id, reason="wrong"), f"proposal-{raised.id}")
    steps = why(desk, seeded.oid[:8])
    assert [s.type for s in steps[:3]] == ["GitMoved", "AttentionDue", "TurnStarted"]
    assert [s.type for s in steps if raised.id in s.summary or kept.id in s.summary] == ["ProposalRaised"] * 2
    assert "ProposalRejected" in [s.type for s in steps]


def test_what_cannot_be_explained_says_what_was_meant(desk: Desk, seeded: Any, repo: Any) -> None:
    for text, said in {
        "5999": "there is no event 5 999: the last position of the log is",
        "HEAD": "of .* is not in the log: it was made before Kairos watched",
        "zzzz": "no proposal, no position of the log and no commit",
        "--all": "no commit of a watched repository",
    }.items():
        with pytest.raises(NotFound, match=said):
            why(desk, text)


def test_a_revision_that_differs_between_repositories_asks_which(desk: Desk, seeded: Any, tmp_path: Any) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(seeded.root), str(other)], check=True)
    git = ["git", "-C", str(other), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    at = other.stat()
    trusted = ev.RepoTrusted(repo="repo-other", root=str(other), dev=at.st_dev, ino=at.st_ino, by="user")
    seeded.append(trusted, "repo-other")
    seeded.append(ev.BaselineRecorded(repo="repo-other", entries=1), "repo-other")
    with pytest.raises(NotFound, match="another commit in each of"):
        why(desk, "HEAD")


def test_why_not_of_a_proposal_is_about_it_alone(desk: Desk, seeded: Any) -> None:
    raised, other = seeded.raise_(seeded.note()), seeded.raise_(seeded.note(), seed="b")
    for one in (raised, other):
        held = ev.AttentionHeld(repo=seeded.id, subject=one.id, rule="boundary@1", why="mid-task", detector="x")
        seeded.append(held, seeded.id)
    proposal = proposal_named(desk, raised.id[:5])
    assert proposal is not None and proposal_named(desk, "") is None and proposal_named(desk, "HEAD") is None
    found = why_not_proposal(desk, proposal)
    assert {h.subject for h in found} == {raised.id} and [h.now for h in found] == [True, False]
