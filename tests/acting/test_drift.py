"""What became of the files of a waiting patch."""

from __future__ import annotations

from typing import Any

from kairos.acting.drift import BY_HAND, done_by, drift
from kairos.domain.action import NoteAction
from kairos.eventlog.views.inbox import InboxView


def test_a_moved_base_names_the_paths(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    repo.write("b.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n", "b.txt": "two\n"}))
    repo.write("a.txt", "one\n")  # the same content again
    assert drift(p, bench.root) == ("same", [])
    repo.write("b.txt", "mine\n")
    assert drift(p, bench.root) == ("moved", ["b.txt"])


def test_the_same_change_by_hand_is_told_from_another(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n", "new.txt": "x\n"}))
    repo.write("a.txt", "two\n")
    assert drift(p, bench.root) == ("moved", ["a.txt"])
    repo.write("new.txt", "x\n")
    assert drift(p, bench.root) == ("done", [])
    assert done_by(InboxView().load(bench.log)[0], p) == (BY_HAND, "")


def test_a_directory_that_went_away_is_drift_of_what_it_held(bench: Any, repo: Any) -> None:
    target = repo.write("d/a.txt", "one\n")
    p = bench.verified(bench.patch({"d/a.txt": "two\n"}))
    target.unlink()
    target.parent.rmdir()
    assert drift(p, bench.root) == ("moved", ["d/a.txt"])


def test_a_note_does_not_drift_and_nothing_does_while_the_root_is_away(bench: Any, repo: Any, tmp_path: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert drift(bench.verified(NoteAction(repo=bench.repo, text="x")), bench.root) == ("same", [])
    repo.root.rename(tmp_path / "away")
    assert drift(p, bench.root) == ("same", [])


def test_another_proposal_that_made_the_same_change_is_named(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    other = bench.executed({"a.txt": "two\n"})
    assert drift(p, bench.root)[0] == "done"
    assert done_by(InboxView().load(bench.log)[0], p) == (f"{other.id} made the same change", other.id)
