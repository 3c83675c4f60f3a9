"""What waits for a decision is compared with the disk when its files change."""

from __future__ import annotations

from typing import Any

from kairos.acting.drift import drift
from kairos.domain.action import NoteAction
from kairos.domain.events import ProposalStale, ProposalSuperseded
from kairos.eventlog.views.inbox import InboxView


def seen(bench: Any, paths: set[str] | None) -> list[Any]:
    return [n.event for n in drift(InboxView().load(bench.log)[0], bench.repo, paths, bench.root)]


def test_a_moved_base_is_stale_and_names_the_paths(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    repo.write("b.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n", "b.txt": "two\n"}))
    repo.write("b.txt", "mine\n")
    assert seen(bench, {"b.txt"}) == [ProposalStale(id=p.id, paths=["b.txt"])]
    assert seen(bench, None) == [ProposalStale(id=p.id, paths=["b.txt"])]


def test_the_same_change_by_hand_supersedes(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n", "new.txt": "x\n"}))
    repo.write("a.txt", "two\n")
    repo.write("new.txt", "x\n")
    (event,) = seen(bench, {"a.txt"})
    assert isinstance(event, ProposalSuperseded)
    assert (event.id, event.why) == (p.id, "you made the same change by hand")


def test_a_touched_file_with_the_same_content_is_no_drift(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    bench.verified(bench.patch({"a.txt": "two\n"}))
    repo.write("a.txt", "one\n")
    assert seen(bench, {"a.txt"}) == []


def test_other_paths_and_other_repositories_are_not_looked_at(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    bench.verified(bench.patch({"a.txt": "two\n"}))
    repo.write("a.txt", "mine\n")
    assert seen(bench, {"c.txt"}) == []
    assert drift(InboxView().load(bench.log)[0], "repo-other", None, bench.root) == []


def test_a_directory_that_went_away_is_drift_of_what_it_held(bench: Any, repo: Any) -> None:
    target = repo.write("d/a.txt", "one\n")
    bench.verified(bench.patch({"d/a.txt": "two\n"}))
    target.unlink()
    target.parent.rmdir()
    assert len(seen(bench, {"d"})) == 1


def test_notes_and_what_was_carried_out_do_not_drift(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    bench.verified(NoteAction(repo=bench.repo, text="x"))
    bench.executed({"a.txt": "two\n"})
    repo.write("a.txt", "three\n")
    assert seen(bench, None) == []


def test_a_root_that_is_away_says_nothing(bench: Any, repo: Any, tmp_path: Any) -> None:
    repo.write("a.txt", "one\n")
    bench.verified(bench.patch({"a.txt": "two\n"}))
    repo.root.rename(tmp_path / "away")
    assert seen(bench, None) == []


def test_another_proposal_that_made_the_same_change_is_named(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    other = bench.executed({"a.txt": "two\n"})
    (event,) = seen(bench, {"a.txt"})
    assert isinstance(event, ProposalSuperseded)
    assert (event.id, event.by) == (p.id, other.id)
