"""Reads one repository for a model: only listed files beneath the root, no symlinks and no private files, with bounds.

Credentials are removed from a text before it is processed further.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from kairos.domain.amounts import count
from kairos.domain.differences import diff_lines, differences
from kairos.domain.inert import escape
from kairos.domain.secrets import find, redact
from kairos.repo.beneath import Content, Unreadable, read_beneath
from kairos.repo.git import Git, GitError
from kairos.repo.objects import Objects
from kairos.repo.tree_search import TreeSearch

FILE_AT_MOST = 1_000_000
DIFFED_AT_MOST = 256_000
DIFFED_FILES = 60
PRIVATE = (
    r"(?:^|/)(?:\.env(?:\.[^/]*|rc)?|[^/]+\.env|\.netrc|\.npmrc|\.pypirc|\.pgpass"
    r"|\.htpasswd|\.git-credentials|\.dockercfg|kubeconfig|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*"
    r"|(?:credentials|secrets?)(?:\.(?:json|ya?ml|toml|ini|cfg|conf|properties|txt|xml|csv))?"
    r"|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|tfstate|tfvars)|(?:\.ssh|\.gnupg|\.aws|\.kube|\.docker)/[\s\S]*)\n?$"
)
"""Names that suggest credentials. Read by Python and by Rust: only what both understand alike."""
PUBLIC = r"(?:^|/)\.env\.(?:example|sample|template|dist)$"
"""The exceptions."""
_PRIVATE, _PUBLIC = re.compile(PRIVATE, re.IGNORECASE), re.compile(PUBLIC, re.IGNORECASE)
_ZERO = re.compile(r"0+$")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
RANGE_AT_MOST = 1_000
PATCH_AT_MOST, PATCH_SECONDS = 4 << 20, 10.0
_LONGEST_CREDENTIAL = 68_000
"""Characters; the longest is a private key of 64 KiB."""
_NO_FILE = "no such file, or one that is not shown (ignored, private, or outside the repository)"
_READ_AT_ONCE = 8
"""The blobs of so many files are held at once."""


class Changed(NamedTuple):
    """One path of a commit: status letter, path, blob ids before and after (None: no file)."""

    status: str
    path: str
    old: str | None
    new: str | None


class Files:
    """The readable files of one work tree at the time of the turn."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._objects = Objects(git)
        self.search = TreeSearch(git, PRIVATE, PUBLIC)

    @cached_property
    def tracked(self) -> frozenset[str]:
        """Paths in the index that may be shown."""
        return frozenset(filter(shown, self.git.tracked()))

    def raw(self, path: str) -> Content:
        """Content and permission bits of a listed file: tracked or not ignored, and not private. Raises Unreadable."""
        try:
            if not shown(path):
                raise Unreadable(_NO_FILE)
            found = read_beneath(self.git.root, path, FILE_AT_MOST)
            listed = self.search.lists(path)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Unreadable(_NO_FILE) from error
        if not listed:
            raise Unreadable(_NO_FILE)
        if found.torn:
            raise Unreadable("it is being written")
        return found

    def text(self, path: str) -> str:
        """The text of a listed file with credentials removed. Raises Unreadable."""
        return redact(decoded(self.raw(path).data))

    def lines(self, path: str, start: int, lines: int) -> tuple[str, int]:
        """(those lines from `start`, the first is 1, with credentials removed; how many lines there are). Only what is
        near them is searched for credentials, farther than any that is known is long. Raises Unreadable."""
        text = decoded(self.raw(path).data)
        total = text.count("\n") + (not text.endswith("\n"))
        first = _line_start(text, start - 1, 0)
        last = _line_start(text, lines, first)
        return _redacted_part(text, first, last), total

    def commit(self, name: str) -> str | None:
        """The id of a commit given by its (short) id or `HEAD`; None if there is none. Other names are not resolved."""
        if not re.fullmatch(r"[0-9a-fA-F]{4,64}|HEAD(?:~[0-9]{1,3})?", name):
            return None
        return self.git.commit(name)

    def changes(self, commit: str, base: str | None = None) -> list[Changed]:
        """The changes of a commit relative to `base`, or else to its first parent."""
        parent = base or self.git.commit(f"{commit}^1")
        if parent is not None:
            args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", parent, commit]
        else:
            args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--root", commit]
        fields = iter(self.git.run(*args, "--").split(b"\0"))
        found = []
        for head in fields:
            if not head.startswith(b":"):
                continue
            old_mode, new_mode, old, new, letter = head[1:].decode("ascii").split(" ")
            found.append(Changed(letter, os.fsdecode(next(fields)), _blob(old, old_mode), _blob(new, new_mode)))
        return found

    def subject(self, commit: str) -> str:
        """The message of a commit with credentials removed, at most 1 000 characters."""
        raw = self._objects.read([commit]).get(commit, b"")
        message = raw.partition(b"\n\n")[2].decode("utf-8", "replace")
        return redact(message).strip()[:1_000]

    def withheld(self, commit: str, path: str) -> dict[int, str]:
        """The lines of a file of a commit that hold a credential or a part of one, by number from 1, and what stands in
        their place. Raises Unreadable."""
        content = self._objects.path_in(commit, path, each=FILE_AT_MOST)
        text = decoded(content) if content is not None else ""
        found: dict[int, str] = {}
        at, line = 0, 1
        for match in find(text):
            line += text.count("\n", at, match.start)
            at = match.start
            for n in range(line, line + text.count("\n", at, match.end) + 1):
                found[n] = f"[redacted {match.kind}]"
        return found

    def between(self, start: str | None, end: str) -> list[str]:
        """The commits that a branch moved over, oldest first and at most `RANGE_AT_MOST`: those of its own line that
        lead to `end` and not to `start`; a merge stands for what it brought. Only `end` if the start is unknown."""
        if start is None or not (_OID.fullmatch(start) and _OID.fullmatch(end)):
            return [end]
        try:
            out = self.git.run(
                "rev-list", "--first-parent", f"--max-count={RANGE_AT_MOST}", end, f"^{start}", "--", timeout=30
            )
        except GitError:
            return [end]
        return out.decode("ascii", "replace").split()[::-1]

    def patch_id(self, commit: str) -> str:
        """A hash of what a commit changes relative to its first parent, whatever its id, message and place in the file:
        it stays when a commit is rebased or cherry-picked. Empty if there is no such commit or it changes too much."""
        known = self.commit(commit)
        if known is None:
            return ""
        parent = self.git.commit(f"{known}^1")
        sides = ["--root", known] if parent is None else [parent, known]
        options = ("-r", "-p", "-U3", "--no-renames", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
        raw = self.git.beginning("diff-tree", *options, *sides, "--", most=PATCH_AT_MOST, seconds=PATCH_SECONDS)
        return "" if raw is None else _patch_hash(raw)

    def commit_diff(
        self, commit: str, most: int = 1 << 30, until: float = math.inf, *, base: str | None = None, path: str = ""
    ) -> list[str]:
        """One section per file: the unified diff of both redacted sides, or the reason why it is not shown. `path`:
        only of that file or directory. Ends after `most` characters or at a time (time.monotonic), and says how many
        files are left out then."""
        changes = [c for c in self.changes(commit, base) if not path or c.path == path or c.path.startswith(f"{path}/")]
        sections: list[str] = []
        size = 0
        for first in range(0, min(len(changes), DIFFED_FILES), _READ_AT_ONCE):
            part = changes[first : min(first + _READ_AT_ONCE, DIFFED_FILES)]
            wanted = [c for c in part if shown(c.path)]
            blobs = self._objects.blobs((oid for c in wanted for oid in (c.old, c.new) if oid), each=DIFFED_AT_MOST)
            for change in part:
                if size >= most or time.monotonic() >= until:
                    return [*sections, left_out(len(changes) - len(sections), len(changes))]
                sections.append(_section(change, blobs))
                size += len(sections[-1])
        return [*sections, left_out(len(changes) - len(sections), len(changes))]

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Those of these untracked paths that git ignores; they need not exist. GitError."""
        if not paths:
            return set()
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        out = self.git.run("check-ignore", "-z", "--stdin", stdin=given, ok=(0, 1))
        return {os.fsdecode(path) for path in out.split(b"\0") if path}

    def _is_listed(self, path: str) -> bool:
        try:
            return self.search.lists(path)
        except (OSError, ValueError):
            return False

    def tree_diff(self, path: str, base: str = "HEAD") -> str:
        """The unified diff of a file from a commit to the work tree, both redacted. Raises Unreadable."""
        if not shown(path):
            raise Unreadable("not shown (private)")
        listed = self._is_listed(path)
        old = new = None
        if path in self.tracked or not listed or base != "HEAD":
            old = _text(self._objects.path_in(base, path, each=DIFFED_AT_MOST))
        if listed:
            new = _text(self.raw(path).data)
        if old is None and new is None:
            raise Unreadable("no such file")
        return _unified(path, old, new)


def shown(path: str) -> bool:
    """Whether a path may be shown: not a file of git itself, and no name that suggests credentials."""
    if any(part.casefold() in (".git", "..", "") for part in path.split("/")):
        return False
    return not _PRIVATE.search(path) or bool(_PUBLIC.search(path))


def left_out(files: int, of: int) -> str:
    """The notice that so many files of so many are not shown; empty for none."""
    return f"[{files} of {count(of, 'file')} left out]\n" if files else ""


def _section(change: Changed, blobs: dict[str, bytes]) -> str:
    if not shown(change.path):
        return f"{change.status} {escape(change.path)}: not shown (private)\n"
    try:
        return _unified(change.path, _text(_blob_of(blobs, change.old)), _text(_blob_of(blobs, change.new)))
    except Unreadable as why:
        return f"{change.status} {escape(change.path)}: {why}\n"


def _patch_hash(raw: bytes) -> str:
    """The hash of a patch without its places: names, changed lines and what is around them; of binary files their
    contents' ids."""
    found = hashlib.sha256()
    index = b""
    for line in raw.split(b"\n"):
        if line.startswith(b"index "):
            index = line
        elif line.startswith(b"Binary files "):
            found.update(index + b"\n")
        elif not line.startswith(b"@@ "):
            found.update(line + b"\n")
    return found.hexdigest()[:32]


def _blob(oid: str, mode: str) -> str | None:
    return None if _ZERO.match(oid) or not mode.startswith("100") else oid


def _blob_of(blobs: dict[str, bytes], oid: str | None) -> bytes | None:
    if oid is not None and oid not in blobs:
        raise Unreadable("too large to show")
    return None if oid is None else blobs[oid]


def _text(content: bytes | None) -> str | None:
    """One side of a diff with credentials removed; None for no file. Raises Unreadable."""
    if content is not None and len(content) > DIFFED_AT_MOST:
        raise Unreadable("too large to show")
    return None if content is None else redact(decoded(content))


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, else Latin-1. Unreadable for what is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise Unreadable("not a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _line_start(text: str, lines: int, at: int) -> int:
    """Where the line begins that is so many lines after the one at `at`; the end if there are fewer."""
    for _ in range(lines):
        at = text.find("\n", at) + 1
        if at == 0:
            return len(text)
    return at


def _redacted_part(text: str, first: int, last: int) -> str:
    """text[first:last] without the credentials that lie in it, also those that only begin before it or end behind."""
    begin = max(first - _LONGEST_CREDENTIAL, 0)
    found = find(text[begin : last + _LONGEST_CREDENTIAL])
    parts, at = [], first
    for match in found:
        start, end = max(match.start + begin, first), min(match.end + begin, last)
        if start < end:
            parts += [text[at:start], f"[redacted {match.kind}]"]
            at = end
    return redact("".join([*parts, text[at:last]]))


def _unified(path: str, old: str | None, new: str | None) -> str:
    name = escape(path)
    sides = ("/dev/null" if old is None else f"a/{name}", "/dev/null" if new is None else f"b/{name}")
    before, after = _lines(old), _lines(new)
    body = "".join(diff_lines(before, after, differences(before, after), sides))
    return body or f"{name}: no difference that can be shown\n"


def _lines(text: str | None) -> list[str]:
    return (
        []
        if text is None
        else [line + "\n" for line in text.split("\n")[:-1]] + [last for last in text.split("\n")[-1:] if last]
    )
