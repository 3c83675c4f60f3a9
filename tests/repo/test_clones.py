"""Clones that lack blobs, trees or history: what is there is read, the rest is named, and nothing is fetched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import CommitRecorded
from kairos.repo import git as git_module
from kairos.repo.clones import MOST_FAILURES, Clone, clone_of, is_partial, read_readable
from kairos.repo.git import Git, GitError
from kairos.repo.objects import Objects
from kairos.sensing import commits

CLONES: dict[str, tuple[str, ...]] = {
    "whole": (),
    "blobless": ("--filter=blob:none",),
    "blobless without files": ("--filter=blob:none", "--no-checkout"),
    "small blobs": ("--filter=blob:limit=20",),
    "treeless": ("--filter=tree:0",),
    "treeless without files": ("--filter=tree:0", "--no-checkout"),
    "one level of trees": ("--filter=tree:1",),
    "shallow": ("--depth=2",),
    "shallow and blobless": ("--depth=2", "--filter=blob:none"),
    "shallow and treeless": ("--depth=2", "--filter=tree:0"),
    "sparse and blobless": ("--filter=blob:none", "--sparse"),
}
PARTIAL = [name for name, options in CLONES.items() if any("filter" in option for option in options)]
SUBJECTS = ["first", "renamed", "edited and renamed", "last"]


@pytest.fixture
def source(repo: Any) -> Any:
    """Four commits with a rename of an unchanged file and one of a changed file, in directories."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.git("rm", "-q", "README.md")
    repo.write("top.py", "".join(f"x{n} = {n}\n" for n in range(30)))
    repo.write("deep/er/one.py", "import top\n")
    repo.git("checkout", "-q", "--orphan", "told")
    repo.commit("first")
    repo.git("mv", "deep/er/one.py", "deep/two.py")
    repo.commit("renamed")
    repo.git("mv", "top.py", "deep/bottom.py")
    repo.write("deep/bottom.py", "".join(f"x{n} = {n}\n" for n in range(31)))
    repo.commit("edited and renamed")
    repo.write("deep/two.py", "import bottom\n")
    repo.commit("last")
    return repo


def clone(source: Any, name: str, tmp_path: Path) -> Any:
    """A clone whose source cannot be reached any more: whoever would fetch fails or leaves a trace."""
    root = tmp_path / "clone"
    url = f"file://{source.root}"
    subprocess.run(["git", "clone", "-q", *CLONES[name], url, root], check=True, capture_output=True)
    made = type(source)(root)
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.invalid")
    source.root.rename(tmp_path / "away")
    return made


def told(commit: CommitRecorded) -> list[tuple[str, str]]:
    return [(c.status, c.fs) for c in commit.changes]


def imported(made: Any) -> dict[str, CommitRecorded]:
    git = Git(made.root)
    head = git.head()
    assert head is not None
    found = list(commits.history(git, "repo-1", head, 0))
    assert commits.count(git, head, 0) == len(found)
    assert commits.read_commits(git, "repo-1", [c.oid for c in found]) == found
    return {c.subject: c for c in found}


@pytest.mark.parametrize("name", ["whole", "blobless", "blobless without files", "small blobs", "sparse and blobless"])
def test_a_clone_without_blobs_tells_every_commit_and_its_paths(source: Any, tmp_path: Path, name: str) -> None:
    found = imported(clone(source, name, tmp_path))
    assert list(found) == SUBJECTS
    assert told(found["first"]) == [("A", "deep/er/one.py"), ("A", "top.py")]
    assert told(found["renamed"]) == [("R", "deep/two.py")]
    renamed = [("R", "deep/bottom.py")] if name == "whole" else [("A", "deep/bottom.py"), ("D", "top.py")]
    assert told(found["edited and renamed"]) == renamed
    assert {c.left_out for c in found.values()} == {""}


@pytest.mark.parametrize("name", ["treeless", "treeless without files", "one level of trees"])
def test_a_clone_without_trees_tells_every_commit_and_of_which_the_changes_are_missing(
    source: Any, tmp_path: Path, name: str
) -> None:
    made = clone(source, name, tmp_path)
    found = imported(made)
    assert list(found) == SUBJECTS
    assert [found[s].parents for s in SUBJECTS] == [[], *([found[s].oid] for s in SUBJECTS[:-1])]
    assert {(c.left_out, len(c.changes)) for c in found.values()} == {("trees", 0)}


@pytest.mark.parametrize("name", ["shallow", "shallow and blobless", "shallow and treeless"])
def test_the_end_of_a_shallow_clone_is_not_told_as_a_commit_that_added_everything(
    source: Any, tmp_path: Path, name: str
) -> None:
    found = imported(clone(source, name, tmp_path))
    assert list(found) == SUBJECTS[2:]
    assert found["edited and renamed"].changes == [] and found["edited and renamed"].left_out
    whole = "treeless" not in name
    assert told(found["last"]) == ([("M", "deep/two.py")] if whole else [])


@pytest.mark.parametrize("name", CLONES)
def test_a_commit_made_in_the_clone_is_told_with_its_renames(source: Any, tmp_path: Path, name: str) -> None:
    made = clone(source, name, tmp_path)
    if "without files" in name or "sparse" in name:
        return
    made.write("deep/bottom.py", "".join(f"x{n} = {n}\n" for n in range(32)))
    made.git("commit", "-qam", "base")
    made.git("mv", "deep/bottom.py", "deep/lowest.py")
    made.write("deep/lowest.py", "".join(f"x{n} = {n}\n" for n in range(33)))
    [found] = commits.read_commits(Git(made.root), "repo-1", [made.commit("mine")])
    assert told(found) == [("R", "deep/lowest.py")] and found.left_out == ""
    objects = Objects(Git(made.root))
    assert [change.path for change in objects.introduced([found.oid])] == ["deep/lowest.py"]
    assert [c.files for c in objects.latest(1)] == [[("deep/lowest.py", "R", "deep/bottom.py")]]


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_missing_stays_missing_and_is_no_error(source: Any, tmp_path: Path, name: str) -> None:
    made = clone(source, name, tmp_path)
    (tmp_path / "away").rename(source.root)  # it could be fetched
    before = missing(made)
    imported(made)
    objects, git = Objects(Git(made.root)), Git(made.root)
    assert objects.read(before[:50]) == {} and objects.blobs(before[:50]) == {}
    objects.latest()
    objects.introduced(git.run("rev-list", "HEAD").decode().split())
    objects.path_in("HEAD~1", "deep/two.py")
    assert missing(made) == before


@pytest.mark.parametrize("name", ["blobless", "treeless"])
def test_a_git_that_knows_no_switch_for_lazy_fetches_still_fetches_nothing(
    source: Any, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = clone(source, name, tmp_path)
    (tmp_path / "away").rename(source.root)
    for key in ("protocol.allow", "protocol.file.allow"):
        made.git("config", key, "always")
    before = missing(made)
    hardened = git_module.environment

    def old(extra: Any = None) -> dict[str, str]:
        return {key: value for key, value in hardened(extra).items() if key != "GIT_NO_LAZY_FETCH"}

    monkeypatch.setattr(git_module, "environment", old)
    assert [c.subject for c in imported(made).values()] == SUBJECTS
    with pytest.raises(GitError):
        Git(made.root).run("cat-file", "-p", before[0])
    assert missing(made) == before


def missing(made: Any) -> list[str]:
    """The objects that the clone does not hold, as git itself counts them without fetching."""
    out = subprocess.run(
        ["git", "-C", made.root, "rev-list", "--objects", "--all", "--missing=print"],
        env={**os.environ, "GIT_NO_LAZY_FETCH": "1"}, capture_output=True, check=True, text=True,
    )  # fmt: skip
    found = sorted(line[1:] for line in out.stdout.splitlines() if line.startswith("?"))
    assert found
    return found


@pytest.mark.parametrize("name", CLONES)
def test_what_a_clone_is_is_read_from_it(source: Any, tmp_path: Path, name: str) -> None:
    found = clone_of(Git(clone(source, name, tmp_path).root))
    assert found.partial == (name in PARTIAL)
    assert bool(found.boundary) == ("shallow" in name)


@pytest.mark.parametrize(
    ("settings", "partial"),
    [
        ([("remote.origin.promisor", "false")], False),
        ([("remote.origin.promisor", "true"), ("remote.origin.promisor", "off")], False),
        ([("remote.origin.promisor", "no"), ("remote.other.promisor", "1")], True),
        ([("remote.origin.promisor", "perhaps")], True),
        ([("extensions.partialclone", "origin")], True),
    ],
)
def test_a_remote_that_promises_nothing_makes_no_partial_clone(
    repo: Any, settings: list[tuple[str, str]], partial: bool
) -> None:
    for key, value in settings:
        repo.git("config", "--add", key, value)
    assert is_partial(Git(repo.root)) is partial


def test_a_promise_without_a_value_is_one(repo: Any) -> None:
    with (repo.root / ".git/config").open("a") as config:
        config.write('[remote "origin"]\n\tpromisor\n')
    assert is_partial(Git(repo.root))


def test_a_pipe_as_the_list_of_a_shallow_clone_is_not_waited_on(repo: Any) -> None:
    os.mkfifo(repo.root / ".git/shallow-pipe")
    (repo.root / ".git/shallow").symlink_to("shallow-pipe")
    from kairos.repo.clones import _boundary

    assert _boundary(repo.root / ".git/shallow") == frozenset() and Clone() == Clone(False, frozenset())


def test_reading_goes_on_around_what_cannot_be_read_and_ends_when_nearly_nothing_can() -> None:
    calls = 0

    def read(some: Any) -> list[str]:
        nonlocal calls
        calls += 1
        if any(oid.startswith("bad") for oid in some):
            raise GitError("unable to read tree")
        return list(some)

    assert read_readable([], read) == ([], [])
    assert read_readable(["a", "bad1", "b", "c", "bad2"], read) == (["a", "b", "c"], ["bad1", "bad2"])
    calls = 0
    oids = [f"bad{n}" for n in range(5_000)]
    assert read_readable(oids, read) == ([], oids) and calls < 5 * MOST_FAILURES
