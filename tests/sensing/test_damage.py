"""A repository that cannot be read: degraded with a remedy, and watched by itself once it is repaired."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.repo.git import Git, GitError

Repair = Callable[[], object]


def overwrite(name: str, content: bytes) -> Callable[[Any], Repair]:
    def act(repo: Any) -> Repair:
        path = repo.root / ".git" / name
        before = path.read_bytes()
        path.write_bytes(content)
        return lambda: path.write_bytes(before)

    return act


def hide(name: str) -> Callable[[Any], Repair]:
    def act(repo: Any) -> Repair:
        path, away = repo.root / name, repo.root.with_name("hidden")
        path.rename(away)
        return lambda: away.rename(path)

    return act


def empty_objects(repo: Any) -> Repair:
    kept = repo.root.with_name("objects")
    objects = repo.root / ".git/objects"
    shutil.copytree(objects, kept)
    for file in objects.glob("??/*"):
        file.chmod(0o600)
        file.write_bytes(b"")
    return lambda: (shutil.rmtree(objects), shutil.copytree(kept, objects))


def spoil(find: str, content: bytes | None) -> Callable[[Any], Repair]:
    """Overwrites one object of HEAD (`find` names it for rev-parse), None: removes it."""

    def act(repo: Any) -> Repair:
        oid = repo.git("rev-parse", find).strip()
        path = repo.root / ".git/objects" / oid[:2] / oid[2:]
        before = path.read_bytes()
        path.chmod(0o600)
        path.unlink() if content is None else path.write_bytes(content)
        return lambda: path.write_bytes(before)

    return act


def spoil_packs(content: bytes | None) -> Callable[[Any], Repair]:
    """Packs everything, and then overwrites the packs; None: removes them."""

    def act(repo: Any) -> Repair:
        packs = {path: path.read_bytes() for path in (repo.root / ".git/objects/pack").iterdir()}
        for path in packs:
            path.chmod(0o600)
            path.unlink() if content is None else path.write_bytes(content)
        return lambda: [path.write_bytes(before) for path, before in packs.items()]

    return act


OBJECTS: dict[str, Callable[[Any], Repair]] = {
    "an empty commit": spoil("HEAD", b""),
    "a commit of noise": spoil("HEAD", b"noise"),
    "no commit": spoil("HEAD", None),
    "an empty tree": spoil("HEAD^{tree}", b""),
    "no tree": spoil("HEAD^{tree}", None),
    "empty packs": spoil_packs(b""),
    "no packs": spoil_packs(None),
}

DAMAGE: dict[str, Callable[[Any], Repair]] = {
    "an empty HEAD": overwrite("HEAD", b""),
    "a HEAD that names a missing commit": overwrite("HEAD", b"1" * 40 + b"\n"),
    "a branch of noise": overwrite("refs/heads/main", b"noise\n"),
    "a branch without its commit": overwrite("refs/heads/main", b"2" * 40 + b"\n"),
    "a configuration that is none": overwrite("config", b"[core\n"),
    "an index of noise": overwrite("index", b"noise"),
    "empty objects": empty_objects,
    "no .git": hide(".git"),
    "no objects": hide(".git/objects"),
}


def paths(told: list[Any]) -> set[str]:
    return {c.fs for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_at_the_start_is_degraded_until_it_is_repaired(watch_at: Any, repo: Any, name: str) -> None:
    """N42."""
    watch = watch_at(repo.root)
    watch.baseline()
    repair = DAMAGE[name](repo)
    repo.write("meanwhile", "1")
    told = watch.start()
    status = watch.sensor.status()
    assert (status.state, bool(status.problem), bool(status.remedy)) == ("degraded", True, True)
    repair()
    watch.until(lambda: watch.sensor.status().state == "watching")
    watch.settle()
    told += watch.since(told[-1].position if told else watch.repository.ready_at)
    assert {r.origin for r in told} == {"offline"} and paths(told) == {"meanwhile"}
    assert not [r for r in told if isinstance(r.event, GitMoved)]
    watch.check()
    assert {r.origin for r in watch.told(lambda: repo.write("later", "1"))} == {"live"}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_while_it_is_watched_is_degraded_and_nothing_is_lost(
    watch: Any, repo: Any, tmp_path: Path, name: str
) -> None:
    """N42."""
    (tmp_path / "person/.config/git").mkdir(parents=True)
    (tmp_path / "person/.config/git/ignore").write_text("*.old\n")
    repo.write("ignored.old", "")
    watch.settle()
    before = watch.log.head()
    repair = DAMAGE[name](repo)
    watch.until(lambda: watch.sensor.status().state == "degraded")
    repo.write("meanwhile", "1")
    watch.sensor.step(0.2)
    assert not [r for r in watch.since(before) if isinstance(r.event, GitMoved)]
    repair()
    repo.write("later", "1")
    commit = repo.commit("repaired")
    watch.until(lambda: watch.sensor.status().state == "watching")
    watch.settle()
    told = watch.since(before)
    assert [r.event.oid for r in told if isinstance(r.event, CommitRecorded)] == [commit]
    assert [r.event.what for r in told if isinstance(r.event, GitMoved)] == ["commit"]
    assert paths(told) == {"meanwhile", "later"}
    watch.check()


@pytest.mark.parametrize("name", OBJECTS)
def test_damage_of_objects_that_head_needs_is_noticed_without_a_sweep(watch: Any, repo: Any, name: str) -> None:
    repo.write("a", "1")
    repo.commit("first")
    if "packs" in name:
        repo.git("repack", "-q", "-a", "-d")
        repo.git("prune-packed")
    watch.settle()
    repair = OBJECTS[name](repo)
    watch.until(lambda: watch.sensor.status().state == "degraded")
    assert watch.sensor.status().remedy
    repair()
    watch.until(lambda: watch.sensor.status().state == "watching")
    watch.settle()
    watch.check()


def test_writing_and_packing_objects_is_no_damage_and_says_nothing(watch: Any, repo: Any) -> None:
    repo.write("a", "1")
    repo.commit("first")
    watch.settle()
    before = watch.log.head()
    repo.git("hash-object", "-w", str(repo.root / ".git/config"))
    repo.git("gc", "-q")
    watch.settle()
    assert watch.sensor.status().state == "watching"
    assert [r.topic for r in watch.since(before)] == []


@pytest.mark.parametrize("place", ["", ".git"])
def test_a_tree_that_may_not_be_read_is_not_told_as_deleted(
    watch: Any, repo: Any, place: str, as_a_plain_user: None
) -> None:
    before = watch.log.head()
    (repo.root / place).chmod(0)
    watch.until(lambda: watch.sensor.status().state == "degraded")
    assert f"chmod u+rwx {repo.root / place}" in watch.sensor.status().remedy
    (repo.root / place).chmod(0o755)
    watch.until(lambda: watch.sensor.status().state == "watching")
    repo.write("later", "1")
    watch.settle()
    assert paths(watch.since(before)) == {"later"}
    watch.check()


def test_commits_that_cannot_be_read_yet_are_told_when_they_can(
    watch: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: Any) -> Any:
        raise GitError("git log failed: fatal: unable to read tree")

    with monkeypatch.context() as patched:
        patched.setattr("kairos.sensing.commits.read_commits", unreadable)
        repo.write("a", "1")
        repo.commit("first")
        assert paths(watch.told(lambda: None)) == {"a"}
        assert watch.sensor.status().state == "degraded"
    watch.until(lambda: watch.sensor.status().state == "watching")
    subjects = [r.event.subject for r in watch.since(0) if isinstance(r.event, CommitRecorded)]
    assert subjects == ["first"]


def test_a_repository_that_git_moved_elsewhere_is_followed_there(watch: Any, repo: Any, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.git"
    (repo.root / ".git").rename(moved)
    watch.until(lambda: watch.sensor.status().state == "degraded")
    (repo.root / ".git").write_text(f"gitdir: {moved}\n")
    watch.until(lambda: watch.sensor.status().state == "watching")
    watch.settle()
    told = watch.told(lambda: repo.git("commit", "-q", "--allow-empty", "-m", "there"))
    assert [r.topic for r in told] == ["GitMoved", "CommitRecorded"]


def test_a_root_that_comes_back_with_its_parent_is_found_by_its_hint(
    watch_at: Any, repo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.sensing.retry.FIRST_S", 1e6)
    parent = tmp_path / "one/two"
    parent.mkdir(parents=True)
    root = repo.root.rename(parent / "repo")
    watch = watch_at(root)
    watch.baseline()
    (tmp_path / "one").rename(tmp_path / "away")
    watch.start()
    assert watch.sensor.status().state == "lost"
    assert "kairos unwatch" in watch.sensor.status().remedy
    parent.mkdir(parents=True)
    watch.sensor.step(0.1)
    (tmp_path / "away/two/repo").rename(root)
    watch.until(lambda: watch.sensor.status().state == "watching")
    (root / "a").write_text("1")
    watch.settle()
    watch.check()


def test_a_command_that_hangs_is_broken_off(repo: Any, tmp_path: Path) -> None:
    (repo.root / ".git/refs/heads/main").unlink()
    os.mkfifo(repo.root / ".git/refs/heads/main")
    git = Git(repo.root)
    timer = threading.Timer(0.2, git.break_off)
    timer.start()
    with pytest.raises(GitError):
        git.head()
    timer.join()
    with pytest.raises(GitError):
        git.git_dir()
