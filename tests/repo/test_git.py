"""The git wrapper on hostile repositories: nothing of theirs runs, nothing of theirs is believed."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.errors import Denied, KairosError, UsageError
from kairos.repo.git import Git, GitError, environment, open_repository
from kairos.repo.objects import Objects

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
SOURCES = Path(__file__).resolve().parents[2]

# Each git command that the product uses, in a form as hostile to us as we use it.
USED: dict[str, tuple[str, ...]] = {
    "rev-parse": ("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
    "rev-list": ("rev-list", "--parents", "--max-count=5", "--end-of-options", "HEAD"),
    "ls-files": ("ls-files", "-z", "--others", "--exclude-standard"),
    "ls-tree": ("ls-tree", "-r", "-z", "--full-tree", "HEAD"),
    "cat-file": ("cat-file", "blob", "HEAD:a.txt"),
    "diff-files": ("diff-files", "-z", "--name-only", "--ignore-submodules=all"),
    "diff-index": ("diff-index", "--cached", "--raw", "-z", "--no-renames", "HEAD", "--"),
    "diff": ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "HEAD", "--"),
    "diff-tree": ("diff-tree", "-r", "--root", "-M", "-z", "--name-status", "HEAD", "--"),
    "log": ("log", "--no-walk=unsorted", "--raw", "-z", "-M", "--format=%H", "HEAD"),
    "for-each-ref": ("for-each-ref", "--format=%(objectname) %(refname)"),
    "status": ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"),
    "symbolic-ref": ("symbolic-ref", "--quiet", "HEAD"),
    "config": ("config", "--get", "--type=path", "core.excludesFile"),
    "check-ignore": ("check-ignore", "--verbose", "--no-index", "a.txt"),
    "check-attr": ("check-attr", "-z", "conflict-marker-size", "a.txt"),
    "grep": ("grep", "-n", "-z", "-I", "-F", "-w", "--no-color", "--no-recurse-submodules", "-e", "one", "--"),
    "blame": ("blame", "--porcelain", "--no-textconv", "HEAD", "--", "a.txt"),
    "merge-file": ("merge-file", "-p", "a.txt", "a.txt", "a.txt"),
}
OWN_STORE = {"init", "hash-object", "prune", "repack", "update-ref"}
"""Commands that only run in a store that Kairos made for itself."""


class Planted:
    """A repository whose configuration and hooks run a script that leaves a mark."""

    def __init__(self, repo: Any, place: Path) -> None:
        self.root: Path = repo.root
        self.mark = place / "sprung"
        self.script = place / "evil.sh"
        self.script.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.mark}\ncat 2>/dev/null\n')
        self.script.chmod(0o755)
        repo.write("a.txt", "one\n")
        repo.write(".gitattributes", "* diff=evil filter=e=v.il merge=evil\n")
        repo.git("-c", "core.attributesFile=/dev/null", "add", "-A")
        repo.git("commit", "-q", "-m", "second")
        (self.root / ".git/info/attributes").write_text("* diff=evil filter=e=v.il\n")
        hooks = place / "hooks"
        hooks.mkdir()
        for name in ("reference-transaction", "post-index-change", "post-checkout", "fsmonitor-watchman", "pre-commit"):
            for folder in (hooks, self.root / ".git/hooks"):
                folder.mkdir(exist_ok=True)
                (folder / name).write_bytes(self.script.read_bytes())
                (folder / name).chmod(0o755)
        evil = str(self.script)
        for key, value in {
            "core.fsmonitor": evil, "core.hooksPath": str(hooks), "core.pager": evil, "core.editor": evil,
            "core.sshCommand": evil, "core.askPass": evil, "core.gitProxy": evil, "credential.helper": f"!{evil}",
            "core.alternateRefsCommand": evil, "diff.external": evil, "diff.evil.command": evil,
            "diff.evil.textconv": evil, "filter.e=v.il.clean": evil, "filter.e=v.il.smudge": evil,
            "filter.e=v.il.process": evil, "merge.evil.driver": evil, "gpg.program": evil, "log.showSignature": "true",
            "pager.log": evil, "pager.diff-tree": evil, "interactive.diffFilter": evil,
            "uploadpack.packObjectsHook": evil,
            **{f"alias.{name}": f"!{evil}" for name in USED},
        }.items():  # fmt: skip
            repo.git("config", key, value)
        repo.write("a.txt", "two\n")  # dirty, so that a comparison would have to look inside
        repo.write("new.txt", "new\n")


@pytest.fixture
def planted(repo: Any, tmp_path: Path) -> Planted:
    return Planted(repo, tmp_path)


@pytest.mark.parametrize("name", USED)
def test_no_configured_program_and_no_hook_runs(planted: Planted, name: str) -> None:
    status, _ = Git(planted.root).result(*USED[name], ok=(0, 1))
    if status == 0:
        list(Git(planted.root).stream(*USED[name]))
    assert not planted.mark.exists(), planted.mark.read_text()


def test_opening_a_hostile_repository_runs_nothing(planted: Planted) -> None:
    git = open_repository(planted.root)
    assert git.tracked() == [".gitattributes", "README.md", "a.txt"]
    assert git.head() is not None
    assert Objects(git).read(["HEAD:a.txt"]) == {"HEAD:a.txt": b"one\n"}
    assert Objects(git).path_in("HEAD", "a.txt") == b"one\n"
    assert not planted.mark.exists()


def test_the_plants_do_work_in_a_git_that_is_not_hardened(planted: Planted) -> None:
    subprocess.run(["git", "-C", planted.root, "status"], capture_output=True, check=False)
    assert planted.mark.exists()


def test_a_missing_object_is_not_fetched(planted: Planted) -> None:
    def plant(key: str, value: str) -> None:
        subprocess.run(["git", "-C", planted.root, "config", key, value], check=True)

    for key, value in {
        "remote.origin.url": f"ext::sh {planted.script}", "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "extensions.partialClone": "origin", "core.repositoryFormatVersion": "1", "protocol.allow": "always",
    }.items():  # fmt: skip
        plant(key, value)
    with pytest.raises(GitError):
        Git(planted.root).run("cat-file", "blob", "1" * 40)
    assert not planted.mark.exists(), planted.mark.read_text()


OWN_REPOSITORY = {
    ("kairos/desk/demonstrating.py", "add"),  # in the demo's own repository
    ("kairos/desk/doctoring.py", "version"),  # in none
}
"""Commands that never run in a repository of somebody else."""


def git_commands() -> Iterator[tuple[str, str]]:
    """(file, git command) of every call through the wrapper, read from the syntax trees."""
    for package in ("kairos", "dream"):
        for path in (SOURCES / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("run", "result", "stream", "text")
                    and "git" in ast.unparse(node.func.value).lower()
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                ):
                    yield path.relative_to(SOURCES).as_posix(), str(node.args[0].value)


def test_every_git_command_that_is_used_is_tried_here() -> None:
    found = list(git_commands())
    assert len(found) > 10
    assert {(file, command) for file, command in found if command not in {*USED, *OWN_STORE}} == OWN_REPOSITORY


def test_the_callers_environment_does_not_redirect_git(repo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    mark = tmp_path / "mark"
    for name, value in {
        "GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": str(other / "index"),
        "GIT_EXTERNAL_DIFF": f"touch {mark}", "GIT_PAGER": f"touch {mark}", "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "true", "GIT_TRACE": str(mark), "PAGER": f"touch {mark}",
        "GIT_OBJECT_DIRECTORY": str(other), "LANG": "de_DE.UTF-8",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    git = open_repository(repo.root)
    assert git.git_dir() == repo.root / ".git"
    assert git.tracked() == ["README.md"]
    assert not mark.exists()
    assert {k for k in environment() if k.startswith("GIT_")} == {
        "GIT_TERMINAL_PROMPT", "GIT_OPTIONAL_LOCKS", "GIT_NO_LAZY_FETCH", "GIT_ALLOW_PROTOCOL",
        "GIT_NO_REPLACE_OBJECTS",
    }  # fmt: skip


@pytest.mark.parametrize("elsewhere", ["private", ".", "/"])
def test_a_work_tree_elsewhere_is_not_followed(repo: Any, tmp_path: Path, elsewhere: str) -> None:
    """core.worktree would have a person who trusts one folder watch another."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private/diary.txt").write_text("dear diary")
    repo.git("config", "core.worktree", str(tmp_path / elsewhere))
    try:
        found = open_repository(repo.root).root
    except KairosError as error:
        assert error.code in (2, 6)
    else:
        assert found == repo.root


def test_names_come_back_as_the_bytes_they_are(repo: Any) -> None:
    names = [
        b"-rf",
        b"a\nb",
        b"caf\xe9",
        b"tab\t",
        b'quo"te',
        b"\xe2\x80\xaegnp.txt",
        b"\x1b[31m",
        b":(top)x",
        "é".encode(),
    ]
    for name in names:
        with open(os.fsencode(repo.root) + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(name)
    repo.commit("names")
    git = open_repository(repo.root)
    assert {os.fsencode(n) for n in git.tracked()} == {*names, b"README.md"}
    assert list(git.stream("ls-tree", "-r", "-z", "--name-only", "HEAD")) == sorted([*names, b"README.md"])


def test_a_command_that_fails_says_which_and_why(repo: Any) -> None:
    with pytest.raises(GitError, match=r"git cat-file failed in .*repo: .*nothing") as caught:
        Git(repo.root).run("cat-file", "blob", "HEAD:nothing")
    assert caught.value.status == 128
    with pytest.raises(GitError, match="cat-file"):
        list(Git(repo.root).stream("cat-file", "blob", "HEAD:nothing"))


def test_a_secret_in_the_words_of_git_is_cut(repo: Any) -> None:
    token = "ghp_" + "a1B2" * 9
    with pytest.raises(GitError) as failed:
        Git(repo.root).run("cat-file", "blob", f"refs/heads/{token}")
    assert token not in failed.value.message and "[redacted" in failed.value.message


def test_a_command_that_hangs_is_given_up(repo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="longer than"):
        Git(repo.root).run("rev-parse", timeout=0.2)


def test_without_git_the_error_says_so(repo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="not installed"):
        Git(repo.root).run("rev-parse")


def test_a_fresh_repository_has_no_head(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "fresh"], check=True)
    assert open_repository(tmp_path / "fresh").head() is None


def test_a_folder_inside_leads_to_the_root(repo: Any) -> None:
    repo.write("deep/er/file", "x")
    assert open_repository(repo.root / "deep" / "er").root == repo.root


def test_a_linked_work_tree_has_its_own_head_and_shares_the_rest(repo: Any, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    git = open_repository(tmp_path / "linked")
    assert git.root == tmp_path / "linked"
    assert git.git_dir() == repo.root / ".git/worktrees/linked"
    assert git.common_dir() == repo.root / ".git"


def bare(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)
    return tmp_path / "bare"


def plain(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    return tmp_path / "plain"


def a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("x")
    return tmp_path / "file"


def looped(tmp_path: Path) -> Path:
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path / "loop"


def broken(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path / "broken"], check=True)
    (tmp_path / "broken/.git/config").write_text("[core\n")
    return tmp_path / "broken"


@pytest.mark.parametrize("make", [bare, plain, a_file, looped, broken, lambda p: p / "absent"])
def test_what_is_no_work_tree_is_refused_with_the_next_step(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_repository(make(tmp_path))
    assert caught.value.code == 2
    assert caught.value.hint


@AS_ROOT
def test_a_repository_of_somebody_else_is_denied(repo: Any) -> None:
    for path in (repo.root, *repo.root.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(Denied, match="another user") as caught:
        open_repository(repo.root)
    assert caught.value.code == 6


@AS_ROOT
@pytest.mark.parametrize("given_away", [".git", "."])
def test_a_repository_that_is_somebody_elses_in_part_is_denied(repo: Any, given_away: str) -> None:
    """An own folder inside, or an own work tree with a foreign .git: its configuration is still theirs."""
    repo.write("mine/file", "x")
    os.chown(repo.root / given_away, NOBODY, NOBODY)
    with pytest.raises(Denied):
        open_repository(repo.root / "mine")
    with pytest.raises(Denied):
        open_repository(repo.root)


@AS_ROOT
def test_a_folder_that_may_not_be_read_is_refused(repo: Any) -> None:
    repo.root.chmod(0o700)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            open_repository(repo.root)
        except KairosError as error:
            os._exit(error.code)
        os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (2, 6)


def test_a_revision_is_the_commit_that_it_names_or_none(repo: Any) -> None:
    git = Git(repo.root)
    first, second = git.head(), repo.commit()
    assert git.commit("HEAD") == git.commit(second[:9]) == git.head() == second
    assert git.commit("HEAD^1") == first
    for name in ("HEAD^2", "0" * 40, "HEAD:README.md", "--all", "no such", ""):
        assert git.commit(name) is None, name


def test_a_head_that_cannot_be_read_is_an_error_and_not_no_commit(repo: Any) -> None:
    (repo.root / ".git" / "HEAD").write_text("")
    with pytest.raises(GitError):
        Git(repo.root).head()


def test_of_a_long_output_no_more_than_its_beginning_is_read(repo: Any) -> None:
    git = Git(repo.root)
    assert git.beginning("cat-file", "blob", "HEAD:README.md", most=100, seconds=60) == b"# Demo\n"
    assert git.beginning("cat-file", "blob", "HEAD:README.md", most=6, seconds=60) is None
    with pytest.raises(GitError):
        git.beginning("cat-file", "blob", "HEAD:nothing", most=100, seconds=60)
