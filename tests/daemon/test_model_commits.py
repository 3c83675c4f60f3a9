"""The commit that a model turn is about, and the tools that a policy leaves it."""

from __future__ import annotations

from typing import Any

from kairos.daemon.model_commits import commit_at, level_of, resting
from kairos.domain.action import NoteAction
from kairos.domain.events import AttentionDue, GitMoved, RefMove
from kairos.domain.finding import Finding
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import Home


def moved(log: Log, *refs: RefMove) -> Any:
    """A boundary after these refs moved, as the log holds it."""
    move = GitMoved(repo="repo-1", head="refs/heads/main", refs=list(refs), what="commit")
    at = log.append([NewEvent("repo-1", move)])
    due = AttentionDue(repo="repo-1", boundary="commit", rule="commit@1")
    return log.at(log.append([NewEvent("repo-1", due, at[0], "system")])[0])


def test_it_is_the_one_to_which_head_moved(log: Log) -> None:
    other = RefMove(name="refs/heads/other", old="a" * 40, new="b" * 40)
    assert commit_at(log, moved(log, other, RefMove(name="refs/heads/main", old=None, new="c" * 40))) == "c" * 40
    assert commit_at(log, moved(log, other)) is None


def test_a_finding_rests_on_the_commit_if_it_is_known() -> None:
    note = NoteAction(repo="repo-1", text="x")
    finding = Finding(detector="d", version=1, key="d:x", title="t", claim="c", action=note, evidence=[1])
    assert resting(finding, None) is finding
    basis = resting(finding, "c" * 40).basis
    assert basis is not None and basis.commits[0].oids == ["c" * 40]


def test_a_policy_that_only_observes_or_cannot_be_read_leaves_reading(home: Home) -> None:
    assert level_of(home) == 1
    for text in ('mode = "observe"\n', "mode = 7\n"):
        home.policy_file.write_text(text)
        home.policy_file.chmod(0o600)
        assert level_of(home) == 0
    home.policy_file.write_text('mode = "auto"\n')
    assert level_of(home) == 1, "no mode gives a turn more than the scratch tree"
