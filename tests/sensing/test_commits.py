"""Commits become events whatever their names, authors and subjects hold."""

from __future__ import annotations

import os
from typing import Any

import pytest

from kairos.domain.events import CommitRecorded
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.repo.git import Git
from kairos.sensing import commits


def read(repo: Any, *oids: str) -> list[CommitRecorded]:
    return commits.read_commits(Git(repo.root), "repo-1", oids)


def told(commit: CommitRecorded) -> list[tuple[str, str, str | None]]:
    return [(c.status, c.fs, c.was.fs if c.was else None) for c in commit.changes]


def test_a_commit_says_who_when_what_and_which_paths(repo: Any) -> None:
    repo.write("new", "x")
    repo.git("mv", "README.md", "docs.md")
    [found] = read(repo, repo.commit("subject: why\n\nbody"))
    assert (found.author, found.subject, len(found.parents)) == ("Ada <ada@example.invalid>", "subject: why", 1)
    assert told(found) == [("R", "docs.md", "README.md"), ("A", "new", None)]
    assert found.at_s == int(repo.git("show", "-s", "--format=%ct"))


@pytest.mark.parametrize("name", ["a\nb", ":100644 x", os.fsdecode(b"caf\xe9"), " lead", 'q"q', "é"])
def test_a_path_is_a_path_and_nothing_else(repo: Any, name: str) -> None:
    repo.write(name, "x")
    first = repo.commit()
    (repo.root / name).unlink()
    assert [told(c) for c in read(repo, first, repo.commit())] == [[("A", name, None)], [("D", name, None)]]


@pytest.mark.parametrize("subject", [":100644 100644 a b M", "a" * 5_000, "größe\x01", ""])
def test_a_subject_is_a_subject_and_nothing_else(repo: Any, subject: str) -> None:
    repo.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", subject)
    [found] = read(repo, repo.git("rev-parse", "HEAD"))
    assert (found.subject, found.changes) == (subject, [])


def test_a_merge_is_told_against_its_first_parent_and_a_root_against_nothing(repo: Any) -> None:
    root = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "-b", "side")
    repo.write("side", "x")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("main", "x")
    repo.commit()
    repo.git("merge", "-q", "--no-edit", "side")
    merge, first = read(repo, repo.git("rev-parse", "HEAD"), root)
    assert (told(merge), len(merge.parents)) == ([("A", "side", None)], 2)
    assert (told(first), first.parents) == ([("A", "README.md", None)], [])


def test_a_commit_of_very_many_paths_is_cut_and_says_by_how_many(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        repo.write(f"f{n}", "x")
    monkeypatch.setattr(commits, "MAX_CHANGES", 3)
    [found] = read(repo, repo.commit())
    assert (len(found.changes), found.cut) == (3, 2)


def test_what_is_newly_reachable_comes_oldest_first_and_bounded(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    git, old = Git(repo.root), repo.git("rev-parse", "HEAD")
    made = [repo.commit(str(n)) for n in range(4)]
    assert sorted(commits.newly_reachable(git, [made[-1]], [old])) == sorted(made)
    assert commits.newly_reachable(git, [made[-1]], [made[-1]]) == []
    assert commits.newly_reachable(git, [made[0]], ["f" * 40]) == [old, made[0]], "an unknown commit excludes nothing"
    monkeypatch.setattr(commits, "MAX_LIVE", 2)
    assert len(commits.newly_reachable(git, [made[-1]], [old])) == 2


def test_history_streams_oldest_first_with_a_limit_on_the_newest(repo: Any) -> None:
    git = Git(repo.root)
    made = [repo.git("rev-parse", "HEAD"), *(repo.commit(str(n)) for n in range(3))]
    assert {c.oid for c in commits.history(git, "repo-1", "HEAD", 0)} == set(made)
    assert [commits.count(git, "HEAD", n) for n in (0, 2, 9)] == [4, 2, 4]
    assert len(list(commits.history(git, "repo-1", "HEAD", 2))) == 2
    assert read(repo) == []


def test_a_commit_is_known_once_its_row_is_appended(repo: Any, log: Log) -> None:
    [found] = read(repo, repo.git("rev-parse", "HEAD"))
    assert not commits.is_known(log, "repo-1", found.oid)
    log.append([NewEvent("repo-1", found)], writes=[commits.known_row(found)])
    assert commits.is_known(log, "repo-1", found.oid)
    assert not commits.is_known(log, "repo-2", found.oid)
