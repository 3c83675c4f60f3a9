"""A repository that cannot be read is told from one that can, without waiting for git, and with what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.repo.git import Git, GitError
from kairos.repo.health import advised, ongoing, require_readable_root, require_sound, require_usable, vitals

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")


def put(name: str, content: bytes | None) -> Callable[[Path], None]:
    """Replaces a path below .git (empty: .git itself) by a file, None: by nothing."""

    def act(root: Path) -> None:
        path = root / ".git" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if content is not None:
            path.write_bytes(content)

    return act


def fifo(name: str) -> Callable[[Path], None]:
    return lambda root: (put(name, None)(root), os.mkfifo(root / ".git" / name))[1]


PLAIN: dict[str, tuple[Callable[[Path], None], str]] = {
    "an empty HEAD": (put("HEAD", b""), "is empty"),
    "a HEAD of noise": (put("HEAD", b"\x00\xff noise"), "is damaged"),
    "no HEAD": (put("HEAD", None), "HEAD is gone"),
    "no objects": (put("objects", None), "objects is gone"),
    "refs as a file": (put("refs", b""), "is not a directory"),
    "no .git": (put("", None), ".git is gone"),
    "a .git that leads nowhere": (put("", b"gitdir: /nowhere/at/all\n"), "/nowhere/at/all, which is not there"),
    "a .git of noise": (put("", b"\xff\x00"), "names no directory"),
    "an empty .git": (put("", b""), "names no directory"),
    "a .git that is a loop": (lambda root: (put("", None)(root), (root / ".git").symlink_to(".git"))[1], "links"),
    "a FIFO as .git": (fifo(""), "neither a directory nor a file"),
    "a FIFO as HEAD": (fifo("HEAD"), "not a regular file"),
    "a FIFO as the index": (fifo("index"), "not a regular file"),
    "a FIFO as the configuration": (fifo("config"), "not a regular file"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_damage_is_found_without_running_git(repo: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    damage, words = PLAIN[name]
    require_sound(repo.root)
    before = vitals(repo.root)
    damage(repo.root)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match=words) as raised:
        require_sound(repo.root)
    assert raised.value.hint
    assert vitals(repo.root) != before


SPECIAL = [
    "refs/heads/main", "refs/heads/deep/er/one", "refs/tags/v1", "refs/remotes/origin/HEAD", "refs/stash", "shallow",
    "config.worktree", "info/exclude", "objects/info/alternates", "objects/pack/pack-1.idx",
]  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_that_git_would_wait_on_is_found_without_running_git(
    repo: Any, name: str, linked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = repo.root / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    pipe = tmp_path / "pipe" if linked else path
    os.mkfifo(pipe)
    if linked:
        path.symlink_to(pipe)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match="not a regular file") as raised:
        require_sound(repo.root)
    assert raised.value.hint


def test_links_among_the_refs_and_many_refs_are_sound(repo: Any, tmp_path: Path) -> None:
    refs = repo.root / ".git/refs"
    (tmp_path / "kept").mkdir()
    (refs / "remotes").mkdir(exist_ok=True)
    (refs / "remotes/there").symlink_to(tmp_path / "kept")
    (refs / "heads/dangling").symlink_to("nowhere")
    (refs / "heads/loop").symlink_to("loop")
    (refs / "heads/head").symlink_to("refs/heads/main")
    require_sound(repo.root)


@pytest.mark.parametrize("place", ["", ".git", ".git/HEAD", ".git/index", ".git/config", ".git/objects", ".git/refs"])
def test_what_may_not_be_read_is_named(repo: Any, place: str, as_a_plain_user: None) -> None:
    path = repo.root / place
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        with pytest.raises(GitError, match=f"{path} (is not readable|cannot be read)") as raised:
            require_sound(repo.root)
        assert raised.value.hint
    finally:
        path.chmod(mode)
    require_sound(repo.root)


@AS_ROOT
def test_a_root_that_belongs_to_somebody_else_is_refused(repo: Any) -> None:
    os.chown(repo.root, 65534, 65534)
    with pytest.raises(GitError, match="belongs to another user") as raised:
        require_readable_root(repo.root)
    assert "chown" in raised.value.hint


def test_a_linked_work_tree_and_one_without_commits_are_sound(repo: Any, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    fresh = type(repo)(tmp_path / "fresh")
    fresh.root.mkdir()
    fresh.git("init", "-q", "--ref-format=files" if "ref-format" in fresh.git("init", "-h", check=False) else "-q")
    for root in (tmp_path / "linked", fresh.root):
        require_sound(root)
        require_usable(Git(root))


@pytest.mark.parametrize("left", [b"", b"noise"])
def test_a_damaged_commit_is_named_with_a_way_to_repair_it(repo: Any, left: bytes) -> None:
    require_usable(Git(repo.root))
    for file in (repo.root / ".git/objects").glob("??/*"):
        file.chmod(0o600)
        file.write_bytes(left)
    require_sound(repo.root)
    with pytest.raises(GitError) as raised:
        require_usable(Git(repo.root))
    assert "git fsck" in raised.value.hint


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        ("[core\n", "Correct the git configuration"),
        ("[core]\nrepositoryformatversion = 99\n", "newer git"),
        ("[core]\nrepositoryformatversion = 0\nbare = true\n", "Remove core.bare"),
        ("[core]\nrepositoryformatversion = 0\nworktree = /\n", "Remove core.worktree"),
        ("[core]\nrepositoryformatversion = 0\nworktree = /nowhere\n", "Remove core.worktree"),
    ],
)
def test_a_configuration_that_git_refuses_is_explained(repo: Any, config: str, hint: str) -> None:
    (repo.root / ".git/config").write_text(config)
    require_sound(repo.root)
    with pytest.raises(GitError) as raised:
        require_usable(Git(repo.root))
    assert hint in advised(raised.value, repo.root).hint


def test_the_name_of_the_root_is_not_taken_for_a_reason(tmp_path: Path) -> None:
    root = tmp_path / "config-index-object"
    root.mkdir()
    with pytest.raises(GitError) as raised:
        Git(root).text("rev-parse", "--absolute-git-dir")
    assert advised(raised.value, root).message == f"{root / '.git'} is gone"
    shutil.copytree(Path(__file__).parent, root / ".git")
    assert "Correct" not in advised(raised.value, root).hint


def test_what_git_has_begun_is_named_in_its_own_work_tree_only(repo: Any, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Path(repo.git("-C", str(tmp_path / "linked"), "rev-parse", "--absolute-git-dir"))
    assert ongoing(repo.root) == ongoing(tmp_path / "linked") == ongoing(tmp_path / "nothing") == ""
    (linked / "MERGE_HEAD").touch()
    assert (ongoing(repo.root), ongoing(tmp_path / "linked")) == ("", "a merge")
    (linked / "rebase-merge").mkdir()
    assert (ongoing(repo.root), ongoing(tmp_path / "linked")) == ("", "a rebase")
