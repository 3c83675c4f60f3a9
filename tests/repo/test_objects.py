"""What git's objects say, asked in batches: bounded, exact, and quiet about what is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from kairos.repo import objects
from kairos.repo.beneath import Unreadable
from kairos.repo.git import Git
from kairos.repo.objects import BlobChange, Objects

MISSING = "1" * 40


@pytest.fixture
def of(repo: Any) -> Objects:
    return Objects(Git(repo.root))


def oid_of(repo: Any, name: str) -> str:
    return str(repo.git("rev-parse", name))


def test_objects_are_read_whole_by_the_names_asked_for(repo: Any, of: Objects) -> None:
    repo.write("a b.txt", b"\nno end\n\n\0")
    repo.write("empty", b"")
    commit = repo.commit("a message")
    names = ["HEAD:a b.txt", MISSING, "HEAD:empty", "HEAD:no such file", oid_of(repo, "HEAD:README.md"), commit]
    found = of.read(names)
    assert [found.get(n) for n in names[:-1]] == [b"\nno end\n\n\0", None, b"", None, b"# Demo\n"]
    assert found[commit].endswith(b"\n\na message\n")


def test_blobs_are_those_within_the_limit_and_of_that_kind(repo: Any, of: Objects) -> None:
    repo.write("small", b"12345")
    repo.write("large", b"123456")
    commit = repo.commit()
    small, large = oid_of(repo, "HEAD:small"), oid_of(repo, "HEAD:large")
    assert of.blobs([small, large, small, MISSING, commit], each=5) == {small: b"12345"}
    assert of.blobs([large, small], each=6) == {small: b"12345", large: b"123456"}
    assert of.blobs([]) == {}


def test_a_blob_that_is_left_out_takes_no_room_from_the_others(
    repo: Any, of: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        repo.write(str(n), f"{n}".encode() * 40)
    repo.write("large", b"x" * 500)
    repo.commit()
    oids = [oid_of(repo, f"HEAD:{name}") for name in ("0", "1", "2", "3", "large")]
    monkeypatch.setattr(objects, "BYTES_LIMIT", 100)
    assert len(of.blobs(oids, each=100)) == 2
    monkeypatch.setattr(objects, "BYTES_LIMIT", 160)
    assert sorted(of.blobs(oids, each=100)) == sorted(oids[:4])


def test_a_file_of_a_commit_is_found_by_its_exact_path(repo: Any, of: Objects) -> None:
    weird = "a\n[b]*\t\udce9"
    repo.write(weird, b"weird")
    repo.write("dir/in", b"in")
    first = repo.commit()
    repo.write("dir/in", b"later")
    repo.commit()
    assert of.path_in(first, weird) == b"weird"
    assert of.path_in(first, "dir/in") == b"in"
    assert of.path_in("HEAD", "dir/in") == b"later"
    for path in ("dir", "dir/", ".", "./README.md", "*", "nothing", "in", "a\0b", "\ud800", "../repo/README.md"):
        assert of.path_in("HEAD", path) is None, path
    assert of.path_in(MISSING, "dir/in") is None


def test_a_file_of_a_commit_that_is_too_large_is_refused(repo: Any, of: Objects) -> None:
    with pytest.raises(Unreadable, match="too large"):
        of.path_in("HEAD", "README.md", each=6)
    assert of.path_in("HEAD", "README.md", each=7) == b"# Demo\n"


def test_nothing_is_found_before_the_first_commit(tmp_path: Any, repo: Any) -> None:
    repo.git("init", "-q", str(tmp_path / "fresh"))
    fresh = Objects(Git(tmp_path / "fresh"))
    assert fresh.path_in("HEAD", "README.md") is None
    assert fresh.latest() == [] and fresh.staged() == [] and fresh.unpushed() == {}


def test_staged_files_are_those_that_differ_from_head(repo: Any, of: Objects) -> None:
    before = oid_of(repo, "HEAD:README.md")
    repo.write("README.md", "changed")
    repo.write("new", "new")
    (repo.root / "link").symlink_to("new")
    repo.git("add", "-A")
    assert of.staged() == [
        BlobChange("", "README.md", (before,), oid_of(repo, ":README.md")),
        BlobChange("", "new", (), oid_of(repo, ":new")),
    ]


def test_commits_introduce_files_against_every_parent_and_unknown_commits_are_left_out(repo: Any, of: Objects) -> None:
    root = oid_of(repo, "HEAD")
    repo.git("checkout", "-q", "-b", "side")
    repo.write("README.md", "side\n")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.write("README.md", "main\n")
    repo.commit("main")
    repo.git("merge", "-q", "side", check=False)
    repo.write("README.md", "both\n")
    merge = repo.commit("merge")
    sides = (oid_of(repo, "main^1:README.md"), oid_of(repo, "side:README.md"))
    assert of.introduced([MISSING, root, merge, sides[0]]) == [
        BlobChange(root, "README.md", (), oid_of(repo, f"{root}:README.md")),
        BlobChange(merge, "README.md", sides, oid_of(repo, "HEAD:README.md")),
    ]


def test_unpushed_are_the_commits_of_local_branches_that_no_remote_has(repo: Any, of: Objects) -> None:
    pushed = oid_of(repo, "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", pushed)
    first, second = repo.commit("one"), repo.commit("two")
    assert of.unpushed() == {second: 0, first: 1}


def test_the_latest_commits_come_oldest_first_with_their_renames(repo: Any, of: Objects) -> None:
    repo.git("mv", "README.md", "docs.md")
    repo.commit("rename")
    moved, last = oid_of(repo, "HEAD"), repo.commit("empty")
    assert [(c.oid, c.files) for c in of.latest(2)] == [(moved, [("docs.md", "R", "README.md")]), (last, [])]


def test_a_batch_is_one_git_process(repo: Any, of: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(20):
        repo.write(f"{n}", f"{n}")
    repo.commit()
    oids = [oid_of(repo, f"HEAD:{n}") for n in range(20)]
    runs = counted(monkeypatch)
    assert len(of.read(oids)) == 20
    assert len(of.blobs(oids)) == 20
    assert runs == ["--batch", "--batch-check", "--batch"]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The second word of each git command from now on."""
    runs: list[str] = []
    result: Callable[..., Any] = Git.result

    def counting(self: Git, *args: Any, **options: Any) -> Any:
        runs.append(os.fsdecode(args[1]))
        return result(self, *args, **options)

    monkeypatch.setattr(Git, "result", counting)
    return runs
