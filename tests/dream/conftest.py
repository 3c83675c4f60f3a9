"""A real repository whose commits are recorded in a real log, and dreams in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from kairos.domain.events import CommitChange, CommitRecorded, Name, RepoTrusted
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import repository_id
from kairos.home import Home

DAY_S = 86_400


class Life:
    """A repository lived in: `change` edits, commits and records, a day after the last time."""

    def __init__(self, home: Home, log: Log, repo: Any) -> None:
        self.home, self.log, self.repo = home, log, repo
        self.at_s = 1_700_000_000
        stat = repo.root.stat()
        self.id = repository_id(stat.st_dev, stat.st_ino, str(repo.root))
        self.serial = 0
        trusted = RepoTrusted(repo=self.id, root=str(repo.root), dev=stat.st_dev, ino=stat.st_ino, by="ada")
        log.append([NewEvent(self.id, trusted)])

    def change(self, *paths: str, subject: str = "change") -> int:
        """Edits the paths, commits, and returns the position of the recorded commit."""
        for path in paths:
            self.serial += 1
            self.repo.write(path, f"{path} {self.serial}\n" * 5)
        return self.commit(subject)

    def commit(self, subject: str = "change") -> int:
        self.at_s += DAY_S
        oid = self.repo.commit(subject)
        raw = self.repo.git("diff-tree", "-r", "-M", "--no-commit-id", "--name-status", "-z", f"{oid}^", oid)
        parts = iter(p for p in raw.split("\0") if p)
        changes = []
        for status in parts:
            if status[0] in "RC":
                was = Name(path=next(parts))
                changes.append(CommitChange(status=status[0], was=was, path=next(parts)))
            else:
                changes.append(CommitChange(status=status[0], path=next(parts)))
        event = CommitRecorded(
            repo=self.id, oid=oid, parents=["0" * 40], author="ada", at_s=self.at_s, subject=subject, changes=changes
        )
        return self.log.append([NewEvent(self.id, event)])[0]

    def dream(self, *args: str, ok: int = 0) -> list[dict[str, Any]]:
        """One dream in its own process: its memory events."""
        done = self.start(*args)
        assert done.returncode == ok, done.stderr.decode()
        return [msgspec.json.decode(line) for line in done.stdout.splitlines()]

    def start(self, *args: str, code: str = "") -> subprocess.CompletedProcess[bytes]:
        command = ["-c", code] if code else ["-m", "dream"]
        return subprocess.run(
            [sys.executable, "-P", *command, "--json", "--manual", *args],
            cwd=self.home.data, env=self.environment(), capture_output=True, check=False, timeout=60,
        )  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "KAIROS_HOME": str(self.home.data)}

    def files(self) -> dict[str, bytes]:
        """Every memory file by its name."""
        folder = self.home.memory
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.md"))}

    def index(self) -> str:
        return (self.home.memory / "MEMORY.md").read_text("utf-8")


@pytest.fixture
def life(home: Home, log: Log, repo: Any) -> Life:
    """Four commits in which pay and billing change together, and one of something else."""
    made = Life(home, log, repo)
    for _ in range(4):
        made.change("src/pay.py", "src/billing.py")
    made.change("notes.md")
    return made
