"""Shared fixtures: a private home, a real git repository, the log of the home."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.eventlog.log import Log
from kairos.settings import Home, find_home

GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}


class Repo:
    """A real repository for tests: `git` runs, `write` writes, `commit` adds everything and commits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *args: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", "-C", self.root, *args], capture_output=True, check=check, env={**os.environ, **GIT_ENV}
        )
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str, content: str | bytes, mode: int | None = None) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            target.chmod(mode)
        return target

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A private Kairos home; KAIROS_HOME points at it for child processes too."""
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / "home"))
    found = find_home()
    found.prepare()
    return found


@pytest.fixture
def log(home: Home) -> Iterator[Log]:
    opened = Log(home.log)
    yield opened
    opened.close()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    root = tmp_path / "repo"
    root.mkdir()
    made = Repo(root)
    made.git("init", "-q", "-b", "main")
    made.write("README.md", "# Demo\n")
    made.commit("first")
    return made
