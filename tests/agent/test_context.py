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


def _moved(new: str, repo: str = "repo-1") -> GitMoved:
    move = RefMove(name="refs/heads/main", old=None, new=new)
    return GitMoved(repo=repo, head="refs/heads/main", refs=[move], what="commit")


def test_the_subject_is_found_above_the_cause(log: Log, given: Given) -> None:
    moved = log.append([NewEvent("repo-1", _moved("a" * 40))])[0]
    due = log.append([NewEvent("repo-1", AttentionDue(repo="repo-1", boundary="commit", rule="r"), moved)])[0]
    assert context.subject_of(log, given(due)).commits == ["a" * 40]
    assert context.subject_of(log, given(due, 999)).commits == ["a" * 40]


def test_another_repositorys_commits_are_not_the_subject(log: Log, given: Given) -> None:
    moved = log.append([NewEvent("repo-2", _moved("a" * 40, "repo-2"))])[0]
    assert context.subject_of(log, given(moved)) == context.ReviewSubject([], [])


def test_a_settled_burst_is_reviewed_by_its_work_tree_diff(log: Log, repo: Any, given: Given, files_of: Any) -> None:
    burst = FilesChanged(repo="repo-1", burst="b", part=1, parts=1, changes=[Change(path="README.md", kind="modified")])
    assignment = given(log.append([NewEvent("repo-1", burst)])[0])
    repo.write("README.md", "# Demo\nmore\n")
    [_, user] = context.opening(files_of(repo), assignment, context.subject_of(log, assignment), ["a memory"])
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
    assert "[40 of 100 files are left out]" in messages[1]["content"]


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
