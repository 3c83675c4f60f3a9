"""Reads git's objects: staged blobs, commits that were never pushed, the content of blobs. All results are bounded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kairos.repo.beneath import TEXT_LIMIT, Unreadable
from kairos.repo.clones import PLAIN_RENAMES, RENAMES, clone_of, is_partial, read_readable
from kairos.repo.git import Git, GitError

UNPUSHED_LIMIT = 10_000
BYTES_LIMIT = 64 << 20
LATEST = 20
_AT_ONCE = 1_000
"""So many object ids are given to one command."""
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
    """Reads git's objects in one repository."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def staged(self) -> list[BlobChange]:
        """Regular files whose blob in the index differs from the one in HEAD."""
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
        """Commits reachable from HEAD or a local branch but from no remote-tracking branch; the latest
        UNPUSHED_LIMIT of them, each with its rank counted from the newest."""
        heads = ["--branches"] + (["HEAD"] if self._git.head() else [])
        out = self._git.run("rev-list", f"--max-count={UNPUSHED_LIMIT}", *heads, "--not", "--remotes", "--")
        return {oid: place for place, oid in enumerate(out.decode("ascii").split())}

    def pushed(self, oids: Sequence[str]) -> list[str]:
        """Those of these commits that are in a remote-tracking branch, in order. Runs two git processes."""
        return self._reached(self._known(oids), "--remotes")

    def reachable(self, oids: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
        """(those of these commits in the history of HEAD, those in the history of any ref or of ORIG_HEAD).

        ORIG_HEAD counts because a reset leaves the way back there. Runs two git processes, and one more if a commit is
        not in the history of HEAD."""
        known = self._known(oids)
        if not known:
            return frozenset(), frozenset()
        head = frozenset(self._reached(known, "HEAD")) if self._git.head() is not None else frozenset[str]()
        rest = [oid for oid in known if oid not in head]
        saved = ["ORIG_HEAD"] if rest and self._git.commit("ORIG_HEAD") is not None else []
        return head, head | frozenset(self._reached(rest, "--all", *saved))

    def _reached(self, known: Sequence[str], *heads: str) -> list[str]:
        """Those of these existing commits that are in the history of the heads."""
        found: list[str] = []
        for first in range(0, len(known), _AT_ONCE):
            part = known[first : first + _AT_ONCE]
            out = self._git.run("rev-list", *part, "--not", *heads, "--")
            beside = frozenset(out.decode("ascii", "replace").split())
            found += [oid for oid in part if oid not in beside]
        return found

    def refs_with(self, oid: str, most: int = 3) -> list[str]:
        """The names of at most `most` refs that lead to a commit, branches first; ORIG_HEAD if no ref does."""
        found: list[str] = []
        for under in ("refs/heads", "refs/tags", "refs/remotes", "refs/stash"):
            out = self._git.run("for-each-ref", f"--count={most}", f"--contains={oid}", "--format=%(refname)", under)
            found += os.fsdecode(out).splitlines()
            if found:
                return found[:most]
        return ["ORIG_HEAD"] if self._git.commit("ORIG_HEAD") is not None else []

    def versions(self, path: str, most: int = 20) -> list[str]:
        """The blobs that a path had lately: in the index, and in the latest commits of any branch and HEAD."""
        here = b":(literal,top)" + os.fsencode(path)
        staged = self._git.run("ls-files", "-z", "--stage", "--", here).split(b" ")[1:2]
        args = ("log", "--all", f"--max-count={most}", "--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "-m")
        head = [] if self._git.head() is None else ["HEAD"]
        changes = list(_raw(self._git.run(*args, *head, "--", here)))
        found = [oid.decode("ascii") for oid in staged] + [oid for c in changes for oid in (c.new, *c.old)]
        return list(dict.fromkeys(oid for oid in found if oid.strip("0")))

    def removed_by(self, path: str) -> str | None:
        """The latest commit in the history of HEAD that removed or renamed a path, None if there is none."""
        args = ("log", "-1", "--format=%H", "--diff-filter=D", "--no-renames", "HEAD", "--")
        status, out = self._git.result(*args, b":(literal,top)" + os.fsencode(path), ok=(0, 128))
        return out.decode("ascii", "replace").strip() or None if status == 0 else None

    def introduced(self, oids: Sequence[str]) -> list[BlobChange]:
        """Regular files that these commits changed relative to every parent. Unknown commits are left out,
        and those whose trees a partial clone lacks."""
        known = self._known(oids)
        if not known:
            return []
        try:
            return self._introduced(known)
        except GitError:
            if not is_partial(self._git):
                raise
            return read_readable(known, self._introduced)[0]

    def _introduced(self, oids: Sequence[str]) -> list[BlobChange]:
        out = self._git.run(
            "diff-tree", "--stdin", "-r", "-c", "--root", "--raw", "-z", "--no-renames", "--no-abbrev",
            stdin="".join(f"{oid}\n" for oid in oids).encode("ascii"),
        )  # fmt: skip
        return list(_raw(out))

    def latest(self, count: int = LATEST) -> list[PastCommit]:
        """The latest first-parent commits of HEAD with their renames, oldest first. Those of which the clone does not
        hold the changes are left out."""
        if self._git.head() is None:
            return []
        clone = clone_of(self._git)
        out = self._git.run(
            "rev-list", f"--max-count={count}", "--first-parent", "--no-merges", "--parents", "HEAD", "--"
        )
        commits = []
        for line in reversed(out.decode("ascii").splitlines()):
            oid, *parents = line.split()
            if oid in clone.boundary:
                continue
            raw = self._changes(oid, (RENAMES, PLAIN_RENAMES) if clone.partial else (RENAMES,))
            if raw is None:
                continue
            commits.append(PastCommit(oid, parents, list(_name_status(raw))))
        return commits

    def _changes(self, oid: str, ways: Sequence[str]) -> bytes | None:
        """The changes of a commit, with renames found in the first of these ways that works. None if none does and
        there is a choice, that is, in a partial clone."""
        for renames in ways:
            options = ("-r", "--root", renames, "-z", "--name-status", "--no-commit-id")
            try:
                return self._git.run("diff-tree", *options, oid, "--")
            except GitError:
                if len(ways) == 1:
                    raise
        return None

    def path_in(self, commit: str, path: str, *, each: int = TEXT_LIMIT) -> bytes | None:
        """The content of a file in a commit. None if it is not there; Unreadable if it is larger than `each` bytes."""
        try:
            name = os.fsencode(path)
        except UnicodeEncodeError:
            return None
        if b"\0" in name:
            return None
        here = b":(literal,top)" + name
        _, out = self._git.result("ls-tree", "-z", "-l", "--full-tree", commit, "--", here, ok=(0, 1, 128))
        fields, _, found = out.partition(b"\0")[0].partition(b"\t")
        _, kind, oid, size = [*fields.decode("ascii", "replace").split(), "", "", "", ""][:4]
        if found != name or kind != "blob" or not size.isdigit():  # `.` lists what is in the root
            return None
        if int(size) > each:
            raise Unreadable("too large to show")
        return self.read([oid]).get(oid)

    def blobs(self, oids: Iterable[str], *, each: int = TEXT_LIMIT) -> dict[str, bytes]:
        """The content of blobs of at most `each` bytes, BYTES_LIMIT in total; larger or missing ones are left out."""
        wanted, total = [], 0
        for oid, (kind, size) in self._headers(sorted(set(oids))).items():
            if kind == "blob" and size <= each and total + size <= BYTES_LIMIT:
                wanted.append(oid)
                total += size
        return self.read(wanted)

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """The full content of objects of any kind, by the requested names (ids or revisions without a line break).
        Missing objects are left out. Runs one git process."""
        if not names:
            return {}
        out = self._git.run("cat-file", "--batch", stdin=_lines(names))
        found, at = {}, 0
        for name in names:
            end = out.index(b"\n", at)
            header = _header(out[at:end])
            at = end + 1
            if header is not None:
                found[name] = out[at : at + header[1]]
                at += header[1] + 1
        return found

    def _known(self, oids: Sequence[str]) -> list[str]:
        headers = self._headers(oids)
        return [oid for oid in oids if oid in headers and headers[oid][0] == "commit"]

    def _headers(self, names: Sequence[str]) -> dict[str, tuple[str, int]]:
        """(kind, size) of objects by the requested names. Missing objects are left out. Runs one git process."""
        if not names:
            return {}
        out = self._git.run("cat-file", "--batch-check", stdin=_lines(names))
        headers = zip(names, map(_header, out.splitlines()), strict=True)
        return {name: header for name, header in headers if header is not None}


def _lines(names: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\n" for name in names)


def _header(line: bytes) -> tuple[str, int] | None:
    """(kind, size) of `<id> <kind> <size>`; None for `<name> missing` or `<name> ambiguous`."""
    *_, kind, size = [b"", *line.split(b" ")]
    return (kind.decode("ascii"), int(size)) if size.isdigit() else None


def _raw(out: bytes) -> Iterator[BlobChange]:
    """Parses git's raw format with -z, ordinary (one colon) and combined (one colon per parent). A record without a
    colon is the id of the commit to which the following records belong."""
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
