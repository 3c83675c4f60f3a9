"""What git did, told as what it was: real git, one operation at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved


def whats(told: list[Any]) -> list[str]:
    return [r.event.what for r in told if isinstance(r.event, GitMoved)]


def commits(told: list[Any]) -> list[str]:
    return [r.event.subject for r in told if isinstance(r.event, CommitRecorded)]


def files(told: list[Any]) -> dict[str, str | None]:
    return {c.fs: r.event.cause for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


def test_a_commit_is_told_with_its_changes_and_changes_no_file(watch: Any, repo: Any) -> None:
    watch.told(lambda: repo.write("src/a.py", "a\n" * 9))
    told = watch.told(lambda: repo.commit("add a"))
    assert whats(told) == ["commit"] and commits(told) == ["add a"] and files(told) == {}
    moved, commit = told
    assert moved.caused_by is None and commit.caused_by == moved.position
    head = repo.git("rev-parse", "HEAD")
    assert {m.name: m.new for m in moved.event.refs} == {"HEAD": head, "refs/heads/main": head}
    assert moved.event.head == moved.event.previous_head == "refs/heads/main"
    assert commit.event.oid == head and [(c.status, c.fs) for c in commit.event.changes] == [("A", "src/a.py")]
    watch.told(lambda: repo.git("mv", "src/a.py", "src/b.py"))
    change = next(r for r in watch.told(lambda: repo.commit("rename")) if r.topic == "CommitRecorded").event.changes[0]
    assert (change.status, change.was.fs, change.fs) == ("R", "src/a.py", "src/b.py")


def test_the_first_commit_of_a_repository_is_a_commit(watch_at: Any, tmp_path: Path, repo: Any) -> None:
    root = tmp_path / "young"
    root.mkdir()
    young = type(repo)(root)
    young.git("init", "-q", "-b", "main")
    watch = watch_at(root)
    watch.baseline(history=0)
    assert watch.start() == []
    young.write("a", "a")
    told = watch.told(lambda: young.commit("one"))
    assert whats(told) == ["commit"] and commits(told) == ["one"]


def test_amend_branch_tag_and_checkout_are_told_apart(watch: Any, repo: Any) -> None:
    repo.write("a", "1")
    watch.told(lambda: repo.commit("one"))
    told = watch.told(lambda: repo.git("commit", "--amend", "-q", "-m", "one!"))
    assert whats(told) == ["amend"] and commits(told) == ["one!"]
    assert whats(watch.told(lambda: repo.git("branch", "x/y"))) == ["branch"]
    assert whats(watch.told(lambda: repo.git("tag", "v1"))) == ["tag"]
    assert whats(watch.told(lambda: repo.git("tag", "-a", "v2", "-m", "two"))) == ["tag"]
    told = watch.told(lambda: repo.git("checkout", "-q", "x/y"))
    assert whats(told) == ["checkout"] and told[0].event.head == "refs/heads/x/y" and commits(told) == []
    assert whats(watch.told(lambda: repo.git("checkout", "-q", "-b", "z"))) == ["checkout"]
    assert whats(watch.told(lambda: repo.git("checkout", "-q", "--detach"))) == ["checkout"]
    assert whats(watch.told(lambda: repo.git("checkout", "-q", "main"))) == ["checkout"]
    assert whats(watch.told(lambda: repo.git("branch", "-D", "x/y"))) == ["branch"]
    assert whats(watch.told(lambda: repo.git("branch", "-m", "main", "trunk"))) == ["branch"]


@pytest.mark.parametrize(
    "back",
    [
        ("reset", "-q", "--soft", "HEAD~1"),
        ("update-ref", "HEAD", "HEAD~1"),
        ("symbolic-ref", "HEAD", "refs/heads/before"),
        ("symbolic-ref", "HEAD", "refs/heads/unborn"),
    ],
)
def test_what_a_move_of_head_alone_left_staged_is_told_when_it_leaves(watch: Any, repo: Any, back: Any) -> None:
    repo.write("a", "1")
    watch.told(lambda: repo.commit("one"))
    watch.told(lambda: repo.git("branch", "before"))
    repo.write("b", "2")
    watch.told(lambda: repo.commit("two"))
    assert whats(watch.told(lambda: repo.git(*back))) != []
    assert whats(watch.told(lambda: repo.git("rm", "-q", "--cached", "b"))) == ["stage"]
    assert whats(watch.told(lambda: repo.git("add", "b"))) == ["stage"]


def test_a_commit_right_after_a_switch_is_a_commit_on_the_new_branch(watch: Any, repo: Any) -> None:
    repo.write("a", "1")
    watch.told(lambda: repo.commit("one"))

    def switch_and(*then: str) -> None:
        repo.git("switch", "-q", "-c", f"branch-{then[-1]}")
        repo.write("a", then[-1])
        repo.git(*then)

    for then in (("commit", "-qam", "two"), ("commit", "-q", "--amend", "-am", "three"), ("commit", "-qam", "four")):
        told = watch.told(lambda then=then: switch_and(*then))
        [moved] = [r for r in told if r.topic == "GitMoved"]
        assert moved.event.what == ("amend" if "--amend" in then else "commit") and commits(told) == [then[-1]]
        assert moved.event.head == f"refs/heads/branch-{then[-1]}" != moved.event.previous_head


def test_files_of_a_checkout_carry_their_cause(watch: Any, repo: Any) -> None:
    repo.write("dir/b", "main")
    repo.write("a", "main")
    repo.commit("main")
    repo.git("checkout", "-q", "-b", "other")
    repo.git("rm", "-q", "-r", "dir")
    repo.write("a", "other")
    repo.write("new/c", "other")
    repo.commit("other")
    watch.settle()
    told = watch.told(lambda: repo.git("checkout", "-q", "main"))
    assert whats(told) == ["checkout"]
    assert files(told) == {"a": "git", "dir": "git", "dir/b": "git", "new": "git", "new/c": "git"}
    moved = next(r for r in told if r.topic == "GitMoved")
    assert {r.caused_by for r in told if r.topic == "FilesChanged"} == {moved.position}

    def both() -> None:
        repo.git("checkout", "-q", "other")
        repo.write("mine", "m")
        repo.write("a", "edited by hand")

    assert files(watch.told(both)) == {
        "a": None, "mine": None, "dir": "git", "dir/b": "git", "new": "git", "new/c": "git"
    }  # fmt: skip
    watch.check()


def test_merges_rebases_and_cherry_picks_are_told(watch: Any, repo: Any) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.write("side", "1")
    side = repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.write("main", "1")
    repo.commit("main")
    repo.git("branch", "second")
    repo.git("branch", "third")
    watch.settle()
    told = watch.told(lambda: repo.git("merge", "-q", "--no-edit", "side"))
    assert whats(told) == ["merge"] and files(told) == {"side": "git"} and len(commits(told)) == 1
    assert [c.fs for r in told if r.topic == "CommitRecorded" for c in r.event.changes] == ["side"]
    watch.told(lambda: repo.git("checkout", "-q", "second"))
    told = watch.told(lambda: repo.git("cherry-pick", side))
    assert whats(told) == ["cherry-pick"] and files(told) == {"side": "git"} and commits(told) == ["side"]
    watch.told(lambda: repo.git("checkout", "-q", "side"))
    told = watch.told(lambda: repo.git("rebase", "-q", "third"))
    assert set(whats(told)) == {"rebase"} and set(files(told).values()) == {"git"}
    told = watch.told(lambda: repo.git("reset", "-q", "--hard", "HEAD~1"))
    assert whats(told) == ["reset"] and files(told) == {"side": "git"}
    told = watch.told(lambda: repo.git("merge", "-q", "second"))
    assert whats(told) == ["merge"]
    told = watch.told(lambda: repo.git("revert", "--no-edit", "HEAD"))
    assert whats(told) == ["commit"] and files(told) == {"side": "git"}
    watch.check()


def test_a_conflict_is_a_state_and_its_files_are_nobodys_but_the_users(watch: Any, repo: Any) -> None:
    repo.write("f", "base\n")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "side")
    repo.write("f", "side\n")
    repo.write("clean", "c")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.write("f", "main\n")
    repo.commit("main")
    watch.settle()
    told = watch.told(lambda: repo.git("merge", "side", check=False))
    assert whats(told) == ["state"] and files(told) == {"f": None, "clean": "git"}
    told = watch.told(lambda: repo.git("merge", "--abort"))
    assert whats(told) == ["state"] and files(told) == {"f": "git", "clean": "git"}
    watch.told(lambda: repo.git("merge", "side", check=False))
    repo.write("f", "both\n")
    watch.settle()
    assert "merge" in whats(watch.told(lambda: repo.commit("merged")))
    watch.check()


def test_a_stash_is_told_and_its_files_are_gits_both_ways(watch: Any, repo: Any) -> None:
    watch.told(lambda: (repo.write("README.md", "changed"), repo.write("untracked", "u")))
    told = watch.told(lambda: repo.git("stash", "-u", "-q"))
    assert set(whats(told)) == {"stash"} and files(told) == {"README.md": "git", "untracked": "git"}
    told = watch.told(lambda: repo.git("stash", "pop", "-q"))
    assert set(whats(told)) == {"stash"} and files(told) == {"README.md": "git", "untracked": "git"}
    assert commits(told) == []
    watch.check()


def test_a_fetch_is_told_and_records_no_commit_until_it_is_merged(watch: Any, repo: Any, tmp_path: Path) -> None:
    other = type(repo)(tmp_path / "other")
    repo.git("clone", "-q", str(repo.root), str(other.root))
    other.write("theirs", "t")
    other.commit("theirs")
    repo.git("remote", "add", "up", str(other.root))
    watch.settle()
    told = watch.told(lambda: repo.git("fetch", "-q", "up"))
    assert set(whats(told)) == {"fetch"} and commits(told) == []
    told = watch.told(lambda: repo.git("merge", "-q", "up/main"))
    assert whats(told) == ["merge"] and commits(told) == ["theirs"] and files(told) == {"theirs": "git"}


def test_a_commit_that_comes_back_is_not_recorded_again(watch: Any, repo: Any) -> None:
    repo.write("a", "1")
    watch.told(lambda: repo.commit("one"))
    watch.told(lambda: repo.git("reset", "-q", "--hard", "HEAD~1"))
    told = watch.told(lambda: repo.git("reset", "-q", "--hard", "HEAD@{1}"))
    assert whats(told) == ["reset"] and commits(told) == []


def test_a_linked_work_tree_is_watched_by_itself(watch_at: Any, watch: Any, repo: Any, tmp_path: Path) -> None:
    """N15."""
    told = watch.told(lambda: repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side"))
    assert set(whats(told)) == {"worktree"}
    linked = type(repo)(tmp_path / "linked")
    second = watch_at(linked.root)
    second.baseline()
    assert second.start() == []
    assert files(second.told(lambda: linked.write("a", "1"))) == {"a": None}
    told = second.told(lambda: linked.commit("in linked"))
    assert whats(told) == ["commit"] and commits(told) == ["in linked"] and files(told) == {}
    here = watch.told(lambda: None)
    assert set(whats(here)) == {"branch"} and files(here) == {} and commits(here) == ["in linked"]
    second.check()
    watch.check()


def test_a_large_checkout_is_one_burst_in_parts(watch: Any, repo: Any) -> None:
    repo.git("checkout", "-q", "-b", "big")
    for n in range(2_500):
        repo.write(f"d{n % 7}/f{n}", str(n))
    repo.commit("big")
    watch.settle()
    told = watch.told(lambda: repo.git("checkout", "-q", "main"))
    parts = [r.event for r in told if isinstance(r.event, FilesChanged)]
    assert [(p.part, p.parts, p.cause) for p in parts] == [(1, 3, "git"), (2, 3, "git"), (3, 3, "git")]
    assert len({p.burst for p in parts}) == 1 and sum(len(p.changes) for p in parts) == 2_507
    assert max(len(p.changes) for p in parts) == 1_000
    watch.check()


@pytest.mark.parametrize("lines", [b"", b"garbage\nmore garbage\t\n", b"\0" * 5000])
def test_a_damaged_reflog_changes_no_truth(watch: Any, repo: Any, lines: bytes) -> None:
    (repo.root / ".git/logs/HEAD").write_bytes(lines)
    repo.git("config", "core.logAllRefUpdates", "false")
    (repo.root / ".git/logs/HEAD").unlink()
    repo.write("a", "1")
    assert whats(watch.told(lambda: repo.commit("one"))) == ["commit"]
    assert whats(watch.told(lambda: repo.git("commit", "-q", "--amend", "-m", "two"))) == ["amend"]
    assert whats(watch.told(lambda: repo.git("reset", "-q", "--hard", "HEAD~1"))) == ["reset"]


def test_a_rebase_that_stops_is_ongoing_until_it_ends(watch: Any, repo: Any) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.write("new", "side")
    repo.commit("one")
    repo.write("README.md", "side")
    repo.commit("two")
    repo.git("checkout", "-q", "main")
    repo.write("README.md", "main")
    repo.commit("main")
    repo.git("checkout", "-q", "side")
    watch.settle()
    told = watch.told(lambda: repo.git("rebase", "main", check=False))
    moves = [r.event for r in told if isinstance(r.event, GitMoved)]
    assert {m.what for m in moves} == {"rebase"} and all(m.ongoing for m in moves) and commits(told) == ["one"]
    repo.write("README.md", "both")
    watch.settle()
    told = watch.told(lambda: (repo.git("add", "-A"), repo.git("-c", "core.editor=true", "rebase", "--continue")))
    moves = [r.event for r in told if isinstance(r.event, GitMoved)]
    assert moves[-1].what == "rebase" and not moves[-1].ongoing and commits(told) == ["two"]


def test_git_is_followed_again_after_its_directory_came_back(watch: Any, repo: Any, tmp_path: Path) -> None:
    (repo.root / ".git").rename(tmp_path / "away")
    watch.settle()
    watch.sensor.step(0.3)
    (tmp_path / "away").rename(repo.root / ".git")
    watch.settle()
    assert whats(watch.told(lambda: repo.commit("back"))) == ["commit"]
    assert whats(watch.told(lambda: repo.git("branch", "x"))) == ["branch"]
    assert watch.sensor.status().state == "watching"


def test_a_repository_further_up_is_never_taken_for_the_lost_one(watch: Any, repo: Any, tmp_path: Path) -> None:
    outer = type(repo)(tmp_path)
    outer.git("init", "-q")
    (repo.root / ".git").rename(tmp_path / "away")
    watch.settle()

    def act() -> None:
        outer.git("commit", "-q", "--allow-empty", "-m", "not ours")
        repo.write("a", "1")

    watch.told(act)
    watch.sensor.wake()
    assert watch.sensor.status().state == "degraded"
    assert not [r for r in watch.since(0) if isinstance(r.event, GitMoved | CommitRecorded)]
