"""A clone of a public history in which commits with renames are tried."""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kairos.detectors.scene import Scene, scene_of
from kairos.domain.events import CommitChange, CommitRecorded, GitMoved, Name, name_fields
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.objects import PastCommit

REPO = "repo-history"
EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
"""The id of an empty file."""


class Hunk(NamedTuple):
    """Lines from the 0-based `start` that became other lines."""

    start: int
    old: list[str]
    new: list[str]


class Clone:
    """A clone in which a commit with renames and its plain move are looked at one after the other."""

    def __init__(self, source: Path, clone: Path) -> None:
        self.clone = clone
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(source), str(clone)], check=True)
        self.git = Git(clone)
        self.head = self.run("rev-parse", "HEAD").strip()
        self.known = Repository(id=REPO, root=str(clone), dev=0, ino=0, trusted_at=1)

    def commits(self, most: int) -> list[str]:
        """The latest commits with renames in the history of HEAD, which have one parent."""
        out = self.run(
            "log", self.head, "--no-merges", "--diff-filter=R", "-M70%", "--format=%H %P", f"--max-count={most}"
        )
        return [row.split()[0] for row in out.splitlines() if len(row.split()) == 2]

    def last(self) -> tuple[str, str]:
        """HEAD and its parent."""
        head, parent = self.run("rev-list", "--parents", "-n1", "HEAD").split()
        return head, parent

    def parent(self, oid: str) -> str:
        """The parent of a commit."""
        return self.run("rev-parse", f"{oid}^").strip()

    def renames(self, parent: str, oid: str, least: int = 80) -> dict[str, str]:
        """The renames of a commit, old path → new path: those that are beyond doubt, which are alike to `least` percent
        (60, if the name was kept). None of an empty file, which is like any other one."""
        found = {}
        out = self.run("diff-tree", "-r", "-M50%", "-l0", "-z", "--raw", "--diff-filter=R", parent, oid)
        fields = iter(out.split("\0"))
        for head in fields:
            if head.startswith(":"):
                _, _, blob, _, status = head.split()
                old, new = next(fields), next(fields)
                same = posixpath.basename(old) == posixpath.basename(new)
                if blob != EMPTY and int(status[1:]) >= min(least, 60 if same else 100):
                    found[old] = new
        return found

    def scene(self, oid: str, parent: str) -> Scene:
        """What a detector sees right after a commit."""
        self.run("checkout", "-q", "--force", "--detach", oid)
        out = self.run("diff-tree", "-r", "-M", "-l0", "-z", "--name-status", parent, oid)
        commit = PastCommit(oid, [parent], list(_statuses(out)))
        return scene_of(self.known, self.git, _trigger(commit), "commit", 0, salt=b"history")

    def plain(self, parent: str, moved: Mapping[str, str]) -> str:
        """A commit on `parent` that moves these files and changes nothing else."""
        index = {"GIT_INDEX_FILE": str(self.clone / ".git" / "plain.index")}
        self.run("read-tree", parent, env=index)
        held = dict(reversed(row.split("\t", 1)) for row in self.run("ls-tree", "-r", "-z", parent).split("\0") if row)
        rows = []
        for old, new in moved.items():
            mode, _, blob = held[old].split()
            rows += [f"0 {'0' * 40}\t{old}\0", f"{mode} {blob}\t{new}\0"]
        self.run("update-index", "-z", "--index-info", env=index, text="".join(rows))
        tree = self.run("write-tree", env=index).strip()
        return self.run("commit-tree", tree, "-p", parent, "-m", "plain").strip()

    def paths(self, oid: str) -> frozenset[str]:
        """The files of a commit."""
        return frozenset(self.run("ls-tree", "-r", "-z", "--name-only", oid).split("\0")) - {""}

    def text(self, oid: str, path: str) -> str:
        """The text of a file in a commit."""
        return self.run("cat-file", "blob", f"{oid}:{path}")

    def hunks(self, before: str, after: str) -> dict[str, list[Hunk]]:
        """The changed lines between two commits, by path."""
        out = self.run(
            "diff-tree", "-r", "-p", "-U0", "--no-renames", "--diff-filter=M", "--no-prefix", "--no-color",
            "--no-ext-diff", "--no-textconv", before, after,
        )  # fmt: skip
        return parse(out)

    def next_texts(self, oid: str, path: str, most: int) -> Iterator[str]:
        """The texts that a file had after each of the next commits that changed it."""
        later = self.run(
            "log", "--format=%H", "--reverse", "--diff-filter=AM", f"{oid}..{self.head}", "--", path
        ).split()
        for commit in later[:most]:
            yield self.text(commit, path)

    def run(self, *args: str, env: Mapping[str, str] | None = None, text: str = "") -> str:
        """Runs git in the clone."""
        who = {f"GIT_{role}_{what}": "bench@bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *args],
            cwd=self.clone, input=os.fsencode(text), capture_output=True, check=True,
            env={**os.environ, **who, **(env or {})},
        )  # fmt: skip
        return done.stdout.decode("utf-8", "surrogateescape")


def _trigger(commit: PastCommit) -> list[Recorded]:
    """The events that sensing records of a commit."""
    changes = [
        CommitChange(status=status, was=Name(**name_fields(was)) if was else None, **name_fields(path))
        for path, status, was in commit.files
    ]
    events = (
        GitMoved(repo=REPO, head="refs/heads/main", refs=[], what="commit"),
        CommitRecorded(
            repo=REPO, oid=commit.oid, parents=list(commit.parents), author="", at_s=0, subject="", changes=changes
        ),
    )
    return [
        Recorded(at, REPO, at, type(event).__name__, 1, 0, None, at, "live", event)
        for at, event in enumerate(events, 1)
    ]


def _statuses(out: str) -> Iterator[tuple[str, str, str | None]]:
    fields = iter(out.split("\0"))
    for status in fields:
        if not status:
            return
        first = next(fields)
        if status[0] in "RC":
            yield next(fields), status[0], first
        else:
            yield first, status[0], None


def parse(patch: str) -> dict[str, list[Hunk]]:
    """The hunks of a patch without context, by path."""
    found: dict[str, list[Hunk]] = defaultdict(list)
    path = ""
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            path = ""
        elif not path and line.startswith("+++ "):
            path = line[4:].rstrip("\t")
        elif path and line.startswith("@@ "):
            start, _, count = line.split(" ")[1][1:].partition(",")
            found[path].append(Hunk(int(start) - (count != "0"), [], []))
        elif path and found[path] and line.startswith("-"):
            found[path][-1].old.append(line[1:])
        elif path and found[path] and line.startswith("+"):
            found[path][-1].new.append(line[1:])
    return found
