"""The guard looks first in every arrangement of hooks, the rest runs as before, and removal leaves no trace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kairos.acting import hooking
from kairos.acting.hook_scripts import MARK, NAMES, standing_in
from kairos.errors import Conflict
from kairos.repo.git import Git, environment

AWS = "AK" + "IAQ3EGRT5HZX7WLMNP"
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x"}


class Place:
    """A repository whose commits run hooks, as a person's do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.run("git", "init", "-q", "-b", "main")
        self.hooks = root / ".git" / "hooks"
        for sample in self.hooks.glob("*.sample"):
            sample.unlink()

    @property
    def git(self) -> Git:
        return Git(self.root)

    def run(self, *words: str, ok: bool = True, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, cwd=cwd or self.root, capture_output=True, text=True, env=environment(IDENTITY), check=False
        )
        assert not ok or done.returncode == 0, done.stderr
        return done

    def commit(self, name: str, text: str, *, ok: bool = True) -> subprocess.CompletedProcess[str]:
        (self.root / name).write_text(text)
        self.run("git", "add", name)
        return self.run("git", "commit", "-qm", name, ok=ok)

    def hook(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def everything(self) -> dict[str, tuple[int, bytes]]:
        """Each file of `.git` and the tree that says how hooks run: mode and content or link."""
        found = {}
        for path in [*self.root.glob(".git/hooks/**/*"), self.root / ".git/config", *self.root.glob(".git/kairos*")]:
            if path.is_symlink():
                found[str(path)] = (0, os.fsencode(path.readlink()))
            elif path.is_file():
                found[str(path)] = (path.stat().st_mode, path.read_bytes())
            else:
                found[str(path)] = (path.stat().st_mode, b"")
        return found


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "r")


def test_a_credential_is_refused_with_its_place_and_never_its_value(place):
    place.commit("a.txt", "a\n")
    found = hooking.install(place.git)
    assert (found.installed, found.active, found.trouble) == (True, True, "")
    refused = place.commit("dev.env", f"# dev\nAWS={AWS}\n", ok=False)
    assert refused.returncode != 0
    assert "dev.env:2  AWS key" in refused.stderr
    assert "--no-verify" in refused.stderr
    assert AWS not in refused.stderr + refused.stdout
    place.run("git", "commit", "-qnm", "by hand")
    clean = place.commit("b.txt", "b\n")
    assert "looked at 1 staged file, 2 bytes: no credential found" in clean.stderr


def test_the_first_commit_of_a_repository_is_looked_at(place):
    hooking.install(place.git)
    assert place.commit("dev.env", f"AWS={AWS}\n", ok=False).returncode != 0
    assert place.run("git", "rev-parse", "-q", "--verify", "HEAD", ok=False).returncode != 0


def test_a_value_that_was_there_before_does_not_refuse_an_edit_beside_it(place):
    place.commit("a.env", f"AWS={AWS}\n")
    hooking.install(place.git)
    place.commit("a.env", f"B=1\nAWS={AWS}\n")


def test_a_part_of_a_tree_is_looked_at_as_it_is_committed(place):
    place.commit("a.env", "A=1\n")
    hooking.install(place.git)
    (place.root / "a.env").write_text(f"AWS={AWS}\n")
    assert place.run("git", "commit", "-qam", "all", ok=False).returncode != 0
    assert place.run("git", "commit", "-qm", "one", "a.env", ok=False).returncode != 0


def _none(place):
    return None


def _own(place):
    return place.hook(place.hooks / "pre-commit", 'echo "own $0 $#" >> ran; . "$(dirname "$0")/beside.sh"')


def _link(place):
    place.hook(place.root / "scripts/check", 'echo "own $0 $#" >> ran')
    (place.hooks / "pre-commit").symlink_to("../../scripts/check")
    return place.hooks / "pre-commit"


def _husky(place):
    place.run("git", "config", "core.hooksPath", ".husky/_")
    return place.hook(place.root / ".husky/_/pre-commit", 'echo "own $0 $#" >> ran')


def _outside(place):
    folder = place.root.parent / "all hooks"
    place.run("git", "config", "core.hooksPath", str(folder))
    return place.hook(folder / "pre-commit", 'echo "own $0 $#" >> ran')


@pytest.mark.parametrize("arrange", [_none, _own, _link, _husky, _outside])
def test_what_was_there_runs_after_the_guard_and_is_restored(place, arrange):
    place.commit("a.txt", "a\n")
    place.hook(place.hooks / "beside.sh", "echo beside >> ran")
    hook = arrange(place)
    before = place.everything()
    identity = hook.lstat().st_ino if hook is not None and not hook.is_symlink() else None
    assert hooking.install(place.git).active
    assert hooking.install(place.git).active, "installing twice changes nothing"
    assert place.commit("x.env", f"AWS={AWS}\n", ok=False).returncode != 0
    assert not (place.root / "ran").exists(), "the guard looks first"
    place.run("git", "rm", "-qf", "--cached", "x.env")
    place.commit("b.txt", "b\n")
    ran = (place.root / "ran").read_text() if hook is not None else ""
    assert ran.startswith("own ") == (hook is not None)
    if hook is not None and arrange is not _link:
        assert "/pre-commit 0\n" in ran
    assert hooking.state(place.git).chained is None or hook is not None
    assert hooking.remove(place.git)
    assert place.everything() == before
    assert identity is None or hook.lstat().st_ino == identity
    assert not hooking.state(place.git).installed
    assert not hooking.remove(place.git)
    place.run("git", "add", "x.env")
    place.run("git", "commit", "-qm", "unguarded")


def test_the_status_of_the_hook_that_was_there_decides(place):
    place.hook(place.hooks / "pre-commit", "exit 3")
    hooking.install(place.git)
    assert place.commit("a.txt", "a\n", ok=False).returncode != 0


def test_a_hook_that_git_would_not_run_is_not_run(place):
    place.hook(place.hooks / "pre-commit", "exit 3").chmod(0o644)
    hooking.install(place.git)
    place.commit("a.txt", "a\n")


def test_every_other_hook_of_the_named_folder_still_runs(place):
    place.run("git", "config", "core.hooksPath", "hooks of us")
    place.hook(place.root / "hooks of us/commit-msg", 'echo "$1" > said; exit 0')
    hooking.install(place.git)
    place.commit("a.txt", "a\n")
    assert (place.root / "said").read_text().strip().endswith("COMMIT_EDITMSG")
    place.hook(place.root / "hooks of us/post-commit", "echo later > later")
    place.commit("b.txt", "b\n")
    assert (place.root / "later").exists(), "a hook that was added since runs as well"


def test_an_edited_configuration_keeps_the_edit(place):
    place.run("git", "config", "core.hooksPath", ".husky")
    hooking.install(place.git)
    place.run("git", "config", "user.name", "somebody")
    assert hooking.remove(place.git)
    assert place.run("git", "config", "core.hooksPath").stdout.strip() == ".husky"
    assert place.run("git", "config", "user.name").stdout.strip() == "somebody"


def test_a_tool_that_sets_the_path_again_turns_the_guard_off_and_that_is_said(place):
    place.run("git", "config", "core.hooksPath", ".husky")
    hooking.install(place.git)
    place.run("git", "config", "core.hooksPath", ".husky")
    found = hooking.state(place.git)
    assert (found.installed, found.active) == (True, False)
    assert "core.hooksPath" in found.trouble
    assert hooking.install(place.git).active
    assert hooking.remove(place.git)
    assert place.run("git", "config", "core.hooksPath").stdout.strip() == ".husky"


def test_a_tool_that_took_over_the_hook_keeps_it(place):
    own = place.hook(place.hooks / "pre-commit", "echo own >> ran")
    text = own.read_bytes()
    hooking.install(place.git)
    (place.hooks / "pre-commit").rename(place.hooks / "pre-commit.legacy")
    theirs = place.hook(place.hooks / "pre-commit", '"$(dirname "$0")/pre-commit.legacy" || exit 1').read_bytes()
    assert "another tool" in hooking.state(place.git).trouble
    assert hooking.remove(place.git)
    assert (place.hooks / "pre-commit").read_bytes() == theirs
    assert (place.hooks / "pre-commit.legacy").read_bytes() == text


def test_what_is_in_the_way_is_left_and_refused(place):
    place.hook(place.hooks / "pre-commit", "echo own")
    kept = place.hook(place.hooks / "kairos-kept/pre-commit", "echo mine")
    before = place.everything()
    with pytest.raises(Conflict, match="in the way"):
        hooking.install(place.git)
    assert kept.read_text().endswith("echo mine\n")
    assert {k: v for k, v in place.everything().items() if k in before} == before


def test_work_trees_share_the_hook(place):
    place.commit("a.txt", "a\n")
    tree = place.root.parent / "tree"
    place.run("git", "worktree", "add", "-q", str(tree))
    hooking.install(Git(tree))
    assert hooking.state(place.git).active
    (tree / "x.env").write_text(f"AWS={AWS}\n")
    place.run("git", "add", "x.env", cwd=tree)
    assert place.run("git", "commit", "-qm", "x", ok=False, cwd=tree).returncode != 0
    assert hooking.remove(place.git)
    assert not hooking.state(Git(tree)).installed


def test_a_program_that_is_gone_refuses_and_says_how_to_take_the_hook_out(place, monkeypatch, tmp_path):
    monkeypatch.setattr(hooking, "PROGRAM", tmp_path / "it's gone")
    found = hooking.install(place.git)
    assert (found.installed, found.active) == (True, False)
    refused = place.commit("a.txt", "a\n", ok=False)
    assert refused.returncode != 0
    assert "kairos guard remove" in refused.stderr
    assert "it's gone is gone" in refused.stderr


def test_a_script_names_the_hook_it_stands_in_for_as_git_would():
    for name in NAMES:
        text = standing_in(name, "a 'b", Path("/x"))
        assert text.startswith(b"#!/bin/sh\n" + MARK)
        assert f"/{name}".encode() in text
