"""What git's objects say: staged blobs, commits that were never pushed, the content of blobs. All bounded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kairos.repo.git import Git
from kairos.repo.reading import TEXT_LIMIT

UNPUSHED_LIMIT = 10_000
BYTES_LIMIT = 64 << 20
LATEST = 20
_REGULAR = ("100644", "100755")


class BlobChange(NamedTuple):
    """A regular file that became blob `new`; `old`: the blobs it was before (several in a merge, none if created)."""

    commit: str
    path: str
    old: Sequence[str]
    new: str


class PastCommit(NamedTuple):
    """A commit read from git rather than from the log; files are (path, status, was)."""

    oid: str
    parents: Sequence[str]
    files: Sequence[tuple[str, str, str | None]]


class Objects:
    """Reading git's objects in one repository."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def staged(self) -> list[BlobChange]:
        """Regular files whose blob in the index is not the one in HEAD."""
        if self._git.head() is None:
            out = self._git.run("ls-files", "-z", "--stage")
            found = []
            for record in out.split(b"\0"):
                fields, _, path = record.partition(b"\t")
                mode, oid, stage = [*fields.decode("ascii").split(), "", "", ""][:3]
                if mode in _REGULAR and stage == "0":
                    found.append(BlobChange("", os.fsdecode(path), (), oid))
            return found
        out = self._git.run("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--")
        return list(_raw(out))

    def unpushed(self) -> dict[str, int]:
        """Commits reachable from HEAD or a local branch and from no remote-tracking branch; the latest
        UNPUSHED_LIMIT of them, each with its place from the newest."""
        heads = ["--branches"] + (["HEAD"] if self._git.head() else [])
        out = self._git.run("rev-list", f"--max-count={UNPUSHED_LIMIT}", *heads, "--not", "--remotes", "--")
        return {oid: place for place, oid in enumerate(out.decode("ascii").split())}

    def introduced(self, oids: Sequence[str]) -> list[BlobChange]:
        """Regular files that commits made what they are, against every parent. Unknown commits are left out."""
        known = self._known(oids)
        if not known:
            return []
        out = self._git.run(
            "diff-tree", "--stdin", "-r", "-c", "--root", "--raw", "-z", "--no-renames", "--no-abbrev",
            stdin="".join(f"{oid}\n" for oid in known).encode("ascii"),
        )  # fmt: skip
        return list(_raw(out))

    def latest(self, count: int = LATEST) -> list[PastCommit]:
        """The latest first-parent commits of HEAD with their renames, oldest first."""
        if self._git.head() is None:
            return []
        out = self._git.run(
            "rev-list", f"--max-count={count}", "--first-parent", "--no-merges", "--parents", "HEAD", "--"
        )
        commits = []
        for line in reversed(out.decode("ascii").splitlines()):
            oid, *parents = line.split()
            raw = self._git.run("diff-tree", "-r", "--root", "-M", "-z", "--name-status", "--no-commit-id", oid, "--")
            commits.append(PastCommit(oid, parents, list(_name_status(raw))))
        return commits

    def before(self, commit: str, count: int) -> list[frozenset[str]]:
        """The paths that each ordinary ancestor of a commit touched, newest first, at most `count` of them."""
        out = self._git.run(
            "log", f"--max-count={count + 1}", "--no-merges", "--topo-order", "--no-renames", "--name-only", "-z",
            "--format=%x01%H", "--end-of-options", commit, "--",
        )  # fmt: skip
        found = [block.split(b"\0") for block in out.split(b"\x01")[1:]]
        return [
            frozenset(os.fsdecode(p.removeprefix(b"\n")) for p in paths if p.strip())
            for oid, *paths in found
            if oid.decode("ascii", "replace") != commit
        ]

    def path_in(self, commit: str, path: str) -> bytes | None:
        """A file as a commit has it, None if it has none or it is larger than 1 MiB."""
        status, out = self._git.result(
            "ls-tree", "-z", "--full-tree", commit, "--", os.fsencode(f":(literal,top){path}"), ok=(0, 128)
        )
        fields = out.split(b"\t", 1)[0].decode("ascii", "replace").split()
        if status != 0 or len(fields) != 3 or fields[1] != "blob":
            return None
        return self.blobs([fields[2]]).get(fields[2])

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The content of blobs of at most 1 MiB each and BYTES_LIMIT together; larger or missing ones left out."""
        wanted, total = [], 0
        for oid, (kind, size) in self._sizes(sorted(set(oids))).items():
            total += size
            if kind == "blob" and size <= TEXT_LIMIT and total <= BYTES_LIMIT:
                wanted.append(oid)
        if not wanted:
            return {}
        out = self._git.run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in wanted).encode("ascii"))
        found, at = {}, 0
        for oid in wanted:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            found[oid] = out[end + 1 : end + 1 + size]
            at = end + size + 2
        return found

    def _known(self, oids: Sequence[str]) -> list[str]:
        sizes = self._sizes(oids)
        return [oid for oid in oids if sizes.get(oid, ("", 0))[0] == "commit"]

    def _sizes(self, oids: Sequence[str]) -> dict[str, tuple[str, int]]:
        if not oids:
            return {}
        out = self._git.run("cat-file", "--batch-check", stdin="".join(f"{oid}\n" for oid in oids).encode("ascii"))
        rows = [line.split() for line in out.decode("ascii").splitlines()]
        return {row[0]: (row[1], int(row[2])) for row in rows if len(row) == 3}


def _raw(out: bytes) -> Iterator[BlobChange]:
    """Records of git's raw format with -z, ordinary (one colon) and combined (one colon a parent); a record
    without a colon is the id of the commit that the next ones belong to."""
    fields = iter(out.split(b"\0"))
    commit = ""
    for head in fields:
        if not head.startswith(b":"):
            commit = head.decode("ascii", "replace").strip() or commit
            continue
        parents = len(head) - len(head.lstrip(b":"))
        values = head.lstrip(b":").decode("ascii").split()
        path = os.fsdecode(next(fields))
        modes, oids = values[: parents + 1], values[parents + 1 : 2 * parents + 2]
        if modes[-1] in _REGULAR:
            yield BlobChange(commit, path, tuple(o for o in oids[:-1] if o.strip("0")), oids[-1])


def _name_status(out: bytes) -> Iterator[tuple[str, str, str | None]]:
    fields = iter(out.split(b"\0"))
    for status in fields:
        if not status:
            continue
        letter = status[:1].decode("ascii")
        first = os.fsdecode(next(fields))
        if letter in "RC":
            yield os.fsdecode(next(fields)), letter, first
        else:
            yield first, letter, None
