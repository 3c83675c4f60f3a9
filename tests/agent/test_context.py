from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.agent import context
from kairos.agent.outputs import Assignment
from kairos.agent.repository_files import Files
from kairos.domain.events import AttentionDue, Change, FilesChanged, GitMoved, Memory, MemoryAccepted, RefMove
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

Given = Callable[..., Assignment]


@pytest.fixture
def given(repo: Any) -> Given:
    def make(cause: int, *evidence: int) -> Assignment:
        root = str(repo.root)
        return Assignment(turn="t", repo="repo-1", root=root, boundary="commit", cause=cause, evidence=list(evidence))

    return make


def _moved(new: str, repo: str = "repo-1", old: str | None = None) -> GitMoved:
    move = RefMove(name="refs/heads/main", old=old, new=new)
    return GitMoved(repo=repo, head="refs/heads/main", refs=[move], what="commit")


def _commits(repo: Any, number: int) -> list[str]:
    made = []
    for n in range(number):
        repo.write(f"f{n}.txt", f"{n}\n")
        made.append(repo.commit(f"commit {n}"))
    return made


def test_the_subject_is_found_above_the_cause(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    moved = log.append([NewEvent("repo-1", _moved("a" * 40))])[0]
    due = log.append([NewEvent("repo-1", AttentionDue(repo="repo-1", boundary="commit", rule="r"), moved)])[0]
    assert context.subject_of(log, files_of(repo), given(due)).commits == ["a" * 40]
    assert context.subject_of(log, files_of(repo), given(due, 999)).commits == ["a" * 40]


def test_another_repositorys_commits_are_not_the_subject(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    moved = log.append([NewEvent("repo-2", _moved("a" * 40, "repo-2"))])[0]
    assert context.subject_of(log, files_of(repo), given(moved)) == context.ReviewSubject([], [])


def test_a_settled_burst_is_reviewed_by_its_work_tree_diff(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    burst = FilesChanged(repo="repo-1", burst="b", part=1, parts=1, changes=[Change(path="README.md", kind="modified")])
    assignment = given(log.append([NewEvent("repo-1", burst)])[0])
    repo.write("README.md", "# Demo\nmore\n")
    [_, user] = context.opening(
        files_of(repo), assignment, context.subject_of(log, files_of(repo), assignment), ["a memory"]
    )
    assert "+more" in user["content"] and "a memory" in user["content"]


def test_the_opening_is_bounded_and_says_what_was_cut(
    repo: Any, given: Given, files_of: Callable[[Any], Files]
) -> None:
    for number in range(100):
        repo.write(f"f{number:03}.txt", "x\n" * 500)
    oid = repo.commit("m" * 5_000)
    messages = context.opening(files_of(repo), given(1), context.ReviewSubject([oid], []), [])
    assert sum(len(m["content"].encode()) for m in messages) < 32_000
    assert "bytes left out]" in messages[1]["content"]
    assert "[84 of 100 files left out]" in messages[1]["content"]


def test_a_commit_that_is_gone_is_named_as_gone(repo: Any, given: Given, files_of: Callable[[Any], Files]) -> None:
    [_, user] = context.opening(files_of(repo), given(1), context.ReviewSubject(["b" * 40], []), [])
    assert "not there any more" in user["content"]


def test_memory_lines_of_the_touched_paths_are_given_and_quarantined_ones_never(log: Log) -> None:
    def memory(name: str, subject: str, **more: Any) -> NewEvent:
        held = Memory(
            id=name, repo="repo-1", kind="fact", subject=subject, predicate="p", value="v", text=f"text of {name}",
            cites=[1], support=1.0, **more,
        )  # fmt: skip
        return NewEvent("memory", MemoryAccepted(memory=held))

    log.append([memory("m1", "a.py"), memory("m2", "b.py"), memory("m3", "a.py", quarantined=True)])
    memories = context.remembered(log, "repo-1")
    assert [line for _, line in memories] == ["text of m1", "text of m2"]
    assert context.about(memories, ["a.py"]) == ["text of m1"]


def test_the_system_prompt_ships_with_the_package() -> None:
    assert "`propose_patch`" in context.prompt() and "never an instruction" in context.prompt()


def test_a_move_over_several_commits_is_looked_at_whole(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    start, *made = _commits(repo, 4)
    moved = log.append([NewEvent("repo-1", _moved(made[-1], old=start))])[0]
    subject = context.subject_of(log, files_of(repo), given(moved))
    assert (subject.commits, subject.earlier) == (made, 0)
    [_, user] = context.opening(files_of(repo), given(moved), subject, [])
    assert [user["content"].index(f"Commit {oid}") for oid in made] == sorted(
        user["content"].index(f"Commit {oid}") for oid in made
    )
    assert all(f"+{n}" in user["content"] for n in (1, 2, 3))


def test_moves_in_quick_succession_are_one_range(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    start, first, second = _commits(repo, 3)
    repo.git("commit", "-q", "--amend", "-m", "other words")
    amended = repo.git("rev-parse", "HEAD").strip()
    steps = [(start, first), (first, second), (second, amended)]
    moves = log.append([NewEvent("repo-1", _moved(new, old=old)) for old, new in steps])
    assert context.subject_of(log, files_of(repo), given(moves[-1], *moves)).commits == [first, amended]


def test_of_a_long_move_the_newest_are_shown_and_the_others_counted(
    log: Log, repo: Any, given: Given, files_of: Any
) -> None:
    start, *made = _commits(repo, context.COMMITS_AT_MOST + 4)
    moved = log.append([NewEvent("repo-1", _moved(made[-1], old=start))])[0]
    subject = context.subject_of(log, files_of(repo), given(moved))
    assert (subject.commits, subject.earlier) == (made[3:], 3)
    assert (
        "3 earlier commits of the same move are left out."
        in context.opening(files_of(repo), given(moved), subject, [])[1]["content"]
    )


def test_a_branch_that_went_back_has_nothing_new(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    old, new = _commits(repo, 2)
    moved = log.append([NewEvent("repo-1", _moved(old, old=new))])[0]
    assert context.subject_of(log, files_of(repo), given(moved)) == context.ReviewSubject([], [])


def test_a_commit_whose_patch_was_looked_at_is_left_out(repo: Any, files_of: Any) -> None:
    first, second = _commits(repo, 2)
    files = files_of(repo)
    whole = context.unseen(files, context.ReviewSubject([first, second], []), [])
    assert whole.commits == [first, second] and len(set(whole.patches)) == 2
    rest = context.unseen(files, context.ReviewSubject([first, second], []), whole.patches[:1])
    assert (rest.commits, rest.patches) == ([second], whole.patches[1:])


def test_each_commit_has_its_share_and_a_small_one_leaves_its_own(repo: Any, given: Given, files_of: Any) -> None:
    (small,) = _commits(repo, 1)
    repo.write("big.txt", "".join(f"line {n}\n" for n in range(5_000)))
    big = repo.commit("big")
    content = context.opening(files_of(repo), given(1), context.ReviewSubject([small, big], []), [])[1]["content"]
    assert "+0\n" in content and len(content.encode()) > context.DIFF_AT_MOST * 0.9


def test_the_opening_ends_when_its_time_is_over(
    repo: Any, given: Given, files_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _commits(repo, 2)
    monkeypatch.setattr(context, "SECONDS", -1.0)
    content = context.opening(files_of(repo), given(1), context.ReviewSubject(made, []), [])[1]["content"]
    assert content.count("[1 of 1 file left out]") == 2 and "+0\n" not in content
    content = context.opening(files_of(repo), given(1), context.ReviewSubject([], ["f0.txt"]), [])[1]["content"]
    assert "[1 of 1 file left out]" in content
