"""What the difference of two ref snapshots means, with and without the reflog's help."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.sensing.refs import Logged, RefSnapshot, difference, places, read_refs

A, B, C = "a" * 40, "b" * 40, "c" * 40
BASE: dict[str, Any] = {"head": "refs/heads/main", "head_oid": A, "refs": {"refs/heads/main": A}}


def what(new: dict[str, Any], message: str = "", old: dict[str, Any] | None = None, parents: Any = None) -> str:
    reflog = [Logged(A, new.get("head_oid", A), message)] if message else []
    graph = parents or {}
    move = difference(
        RefSnapshot(**{**BASE, **(old or {})}), RefSnapshot(**{**BASE, **new}), reflog, lambda oid: graph.get(oid, []),
        lambda ref: ref.endswith("pushed"),
    )  # fmt: skip
    assert move is not None
    return move.what


def test_equal_snapshots_are_no_move() -> None:
    same = RefSnapshot(**BASE)
    assert difference(same, RefSnapshot(**BASE), [Logged(A, A, "commit: x")], lambda _: [], lambda _: False) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [("commit: x", "commit"), ("commit (initial): x", "commit"), ("commit (amend): x", "amend"),
     ("commit (merge): x", "merge"), ("commit (cherry-pick): x", "cherry-pick"), ("merge side: Fast-forward", "merge"),
     ("pull: Fast-forward", "merge"), ("pull --rebase (finish): returning", "rebase"), ("reset: moving to x", "reset"),
     ("rebase (finish): returning to refs/heads/main", "rebase"), ("cherry-pick: x", "cherry-pick"),
     ("revert: x", "commit"), ("am: x", "commit")],
)  # fmt: skip
def test_the_reflog_names_the_command(message: str, expected: str) -> None:
    assert what({"head_oid": B, "refs": {"refs/heads/main": B}}, message) == expected


@pytest.mark.parametrize(
    ("graph", "expected"),
    [({B: [A]}, "commit"), ({B: [A, C]}, "merge"), ({A: [B]}, "reset"), ({A: [C], B: [C]}, "amend"),
     ({A: [C], B: []}, "other")],
)  # fmt: skip
def test_without_a_reflog_the_graph_tells(graph: dict[str, list[str]], expected: str) -> None:
    new = {"head_oid": B, "refs": {"refs/heads/main": B}}
    assert what(new, parents=graph) == expected
    assert what(new, parents=graph, message="") == expected


def test_a_reflog_that_ends_elsewhere_is_not_believed() -> None:
    old, new = RefSnapshot(**BASE), RefSnapshot(**{**BASE, "head_oid": B})
    move = difference(old, new, [Logged(A, C, "reset: moving")], lambda _: [A], lambda _: False)
    assert move is not None and move.what == "commit" and move.note == ""


def refs(**more: str) -> dict[str, Any]:
    return {"refs": {"refs/heads/main": A, **{name.replace("_", "/"): oid for name, oid in more.items()}}}


@pytest.mark.parametrize(
    ("new", "expected"),
    [(refs(refs_heads_x=B), "branch"), (refs(refs_tags_x=B), "tag"), (refs(refs_stash=B), "stash"),
     (refs(refs_remotes_o_x=B), "fetch"), (refs(refs_remotes_o_x=B, refs_tags_x=B), "fetch"),
     (refs(refs_remotes_o_pushed=B), "other"), (refs(refs_notes_x=B), "other"),
     ({"special": {"FETCH_HEAD": B}}, "fetch"),
     ({"special": {"MERGE_HEAD": B}}, "state"), ({"markers": ["BISECT_LOG"]}, "state"),
     ({"worktrees": {"w": A}}, "worktree"),
     ({"head": "refs/heads/other"}, "checkout"), ({"head": None}, "checkout"),
     ({"head": None, "head_oid": B, "markers": ["rebase-merge"]}, "rebase")],
)  # fmt: skip
def test_each_ref_has_its_kind(new: dict[str, Any], expected: str) -> None:
    assert what(new) == expected


def test_a_head_that_went_away_and_is_back_moved() -> None:
    lines = [
        Logged(C, A, "commit: x", 100), Logged(A, B, "checkout: moving from main to x", 200),
        Logged(B, A, "checkout: moving from x to main", 300),
    ]  # fmt: skip

    def moved(before: int | None, after: int, logged: list[Logged]) -> Any:
        old, new = RefSnapshot(**BASE, logged=before), RefSnapshot(**BASE, logged=after)
        return difference(old, new, logged, lambda _: [], lambda _: False)

    move = moved(100, 300, lines)
    assert (move.what, move.refs, move.note) == ("checkout", [], "checkout: moving from x to main")
    assert move.steps == ((A, B), (B, A))
    assert moved(None, 300, lines) is None, "an earlier version did not record how far it had read"
    assert moved(300, 300, lines) is None
    assert moved(300, 100, lines[:1]) is None, "the reflog was pruned"
    assert moved(100, 200, lines[:2]) is None, "the next snapshot sees where HEAD is now"
    assert moved(300, 400, [*lines, Logged(A, A, "reset: moving to HEAD", 400)]) is None


def test_a_detour_on_the_way_wrote_files_too() -> None:
    old = RefSnapshot(**BASE, logged=0)
    new = RefSnapshot(**{**BASE, "head": "refs/heads/x", "head_oid": B}, logged=300)
    lines = [
        Logged(A, C, "checkout: to y", 100), Logged(C, A, "checkout: to main", 200), Logged(A, B, "checkout: to x", 300)
    ]  # fmt: skip
    move = difference(old, new, lines, lambda _: [], lambda _: False)
    assert move is not None
    assert move.steps == ((A, C), (C, A), (A, B))
    later = [*lines, Logged(B, A, "checkout: to main", 400)]  # after the snapshot was read
    move = difference(old, new, later, lambda _: [], lambda _: False)
    assert move is not None
    assert move.steps == ((A, C), (C, A), (A, B))


def test_a_rebase_writes_files_at_each_step_and_a_commit_at_none() -> None:
    old, new = RefSnapshot(**BASE), RefSnapshot(**{**BASE, "head_oid": B})
    lines = [Logged(C, A, "x"), Logged(A, C, "rebase (start): x"), Logged(C, B, "rebase (pick): x")]
    move = difference(old, new, lines, lambda _: [], lambda _: False)
    assert move is not None and move.steps == ((A, C), (C, B))
    move = difference(old, new, [Logged(A, B, "commit: x")], lambda _: [], lambda _: False)
    assert move is not None and move.steps == ()


def test_a_fetch_head_emptied_by_a_running_fetch_keeps_its_value(repo: Any) -> None:
    from kairos.repo.git import Git

    git = Git(repo.root)
    at = places(git)
    fetched = repo.root / ".git" / "FETCH_HEAD"
    fetched.write_text(f"{B}\t\tbranch 'main' of x\n")
    first = read_refs(git, at, None)
    assert first.special == {"FETCH_HEAD": B}
    fetched.write_text("")
    assert read_refs(git, at, first) == first


def test_links_and_pipes_in_the_git_directory_are_not_followed(repo: Any) -> None:
    import os

    from kairos.repo.git import Git

    git = Git(repo.root)
    os.mkfifo(repo.root / ".git" / "MERGE_HEAD")
    (repo.root / ".git" / "CHERRY_PICK_HEAD").symlink_to("refs/heads/main")
    assert read_refs(git, places(git), None).special == {}
