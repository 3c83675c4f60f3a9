"""Commits that are not what is checked out when their turn looks are looked at when they are."""

from __future__ import annotations

import pytest

from kairos.daemon.elsewhere import MOST, kept_with
from kairos.domain.events import CommitRecorded
from kairos.eventlog.record import NewEvent
from tests.daemon.kept import Kept


@pytest.fixture
def kept(kept: Kept) -> Kept:
    """With a branch to go to."""
    kept.repo.git("branch", "topic")
    return kept


def test_a_rename_is_found_though_its_turn_looked_at_another_branch(kept: Kept) -> None:
    kept.rename()
    kept.git("checkout", "-q", "topic", what="checkout")
    assert kept.all() == [] and kept.elsewhere()
    kept.repo.write("other.txt", "1\n")
    kept.repo.git("commit", "-qam", "aside")
    kept.sense("commit")
    assert kept.all() == []
    kept.start()  # what is kept is in the log
    kept.git("checkout", "-q", "main", what="checkout")
    assert (kept.one().state, kept.told()) == ("pending", 1)
    assert kept.elsewhere() == {kept.id.encode(): b"[]"}
    kept.git("checkout", "-q", "topic", what="checkout")
    kept.git("checkout", "-q", "main", what="checkout")
    assert (kept.one().state, kept.told()) == ("pending", 1)


def test_a_rename_on_another_branch_is_found_when_it_is_merged(kept: Kept) -> None:
    kept.rename()
    kept.git("checkout", "-q", "topic", what="checkout")
    kept.git("merge", "-q", "--ff-only", "main", what="merge")
    assert kept.one().state == "pending"


def test_a_rename_whose_branch_got_another_name_at_once_is_found_with_the_next_commit(kept: Kept) -> None:
    kept.rename()
    kept.repo.git("branch", "-q", "-m", "main", "trunk")
    kept.sense("stage")  # sensing tells of a branch, not of a commit
    assert kept.elsewhere() != {}
    kept.repo.write("other.txt", "1\n")
    kept.repo.git("commit", "-qam", "aside")
    kept.sense("commit")
    assert (kept.one().state, kept.told()) == ("pending", 1)


def test_conflict_markers_that_were_committed_elsewhere_are_found_as_well(kept: Kept) -> None:
    kept.repo.write("other.txt", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n")
    kept.repo.git("commit", "-qam", "merged")
    kept.git("checkout", "-q", "topic", what="checkout")
    assert kept.all() == []
    kept.git("checkout", "-q", "main", what="checkout")
    assert kept.one().raised.detector == "conflict-marker"


def test_a_commit_that_no_ref_leads_to_is_kept_no_longer(kept: Kept) -> None:
    kept.repo.git("checkout", "-q", "-b", "short")
    kept.rename()
    kept.git("checkout", "-q", "topic", what="checkout")
    assert kept.elsewhere() != {kept.id.encode(): b"[]"}
    kept.repo.git("branch", "-q", "-D", "short")
    kept.repo.git("commit", "-q", "--allow-empty", "-m", "more")
    kept.sense("commit")
    assert kept.all() == [] and kept.elsewhere() == {kept.id.encode(): b"[]"}


def test_an_ordinary_commit_keeps_nothing(kept: Kept) -> None:
    kept.rename()
    kept.sense("commit")
    assert kept.one().state == "pending" and kept.elsewhere() == {}


def test_the_latest_commits_that_no_turn_looked_at_are_kept(kept: Kept) -> None:
    def commit(n: int) -> CommitRecorded:
        return CommitRecorded(repo=kept.id, oid=f"{n:040x}", parents=[], author="", at_s=0, subject="", changes=[])

    positions = kept.log.append([NewEvent(kept.id, commit(n)) for n in range(MOST + 5)])
    kept.log.append([], writes=kept_with(kept.log, kept.id, [kept.log.at(p) for p in positions]))
    assert kept.elsewhere()[kept.id.encode()] == b"[" + b",".join(b"%d" % p for p in positions[5:]) + b"]"
    assert kept_with(kept.log, kept.id, []) == []
