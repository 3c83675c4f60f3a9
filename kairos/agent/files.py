"""Reading one repository for a model: listed files only, beneath the root, no symlinks, no private files, bounded,
with credentials cut out before anything else happens to the text.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from kairos.domain.inert import escape
from kairos.domain.secrets import redact
from kairos.repo.git import Git, GitError

FILE_AT_MOST = 1_000_000
DIFFED_AT_MOST = 256_000
DIFFED_FILES = 60
_PRIVATE = re.compile(
    r"(?:^|/)(?:\.env(?!\.(?:example|sample|template|dist)$)(?:\.[^/]*|rc)?|[^/]+\.env|\.netrc|\.npmrc|\.pypirc|\.pgpass"
    r"|\.htpasswd|\.git-credentials|\.dockercfg|kubeconfig|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*"
    r"|(?:credentials|secrets?)(?:\.(?:json|ya?ml|toml|ini|cfg|conf|properties|txt|xml|csv))?"
    r"|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|tfstate|tfvars)|(?:\.ssh|\.gnupg|\.aws|\.kube|\.docker)/.*)$",
    re.IGNORECASE,
)
_ZERO = re.compile(r"0+$")


class Unreadable(Exception):
    """A file that is not shown, with the reason in words for the model."""


class Changed(NamedTuple):
    """One path of a commit: status letter, path, blob ids before and after (None: no file)."""

    status: str
    path: str
    old: str | None
    new: str | None


class Files:
    """The readable files of one work tree at the time of the turn."""

    def __init__(self, git: Git) -> None:
        self._git = git

    @cached_property
    def tracked(self) -> frozenset[str]:
        """Paths in the index that may be shown."""
        return frozenset(filter(shown, self._git.tracked()))

    @cached_property
    def listing(self) -> list[str]:
        """Every path that may be shown: tracked, or untracked and not ignored; sorted."""
        out = self._git.run("ls-files", "-z", "--others", "--exclude-standard", timeout=30)
        others = {os.fsdecode(p) for p in out.split(b"\0") if p and not p.endswith(b"/")}
        return sorted(self.tracked | {p for p in others if shown(p)})

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.listing)

    def raw(self, path: str) -> tuple[bytes, int]:
        """(content, permission bits) of a listed text file. Unreadable."""
        if path not in self._listed:
            raise Unreadable("no such file, or one that is not shown (ignored, private, or outside the repository)")
        return _read_beneath(os.fspath(self._git.root), path)

    def text(self, path: str) -> str:
        """The text of a listed file with credentials cut. Unreadable."""
        return redact(_decode(self.raw(path)[0]))

    def containing(self, wanted: str, paths: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """(path, text) of each path whose redacted text holds `wanted`, (path, None) of each other one."""
        for path in paths:
            try:
                text = _decode(self.raw(path)[0])
            except Unreadable:
                text = ""
            clean = redact(text) if wanted in text else ""
            yield path, clean if wanted in clean else None

    def commit(self, name: str) -> str | None:
        """The id of a commit by (short) id or `HEAD`; None when there is none. Other names are not looked up."""
        if not re.fullmatch(r"[0-9a-fA-F]{4,64}|HEAD(?:~[0-9]{1,3})?", name):
            return None
        status, out = self._git.result("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128))
        return out.decode("ascii", "replace").strip() if status == 0 else None

    def changes(self, commit: str) -> list[Changed]:
        """What a commit changed against its first parent."""
        status, out = self._git.result("rev-parse", "--verify", "--quiet", f"{commit}^1^{{commit}}", ok=(0, 1, 128))
        if status == 0:
            args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", out.decode().strip(), commit]
        else:
            args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", "--root", commit]
        fields = iter(self._git.run(*args, "--").split(b"\0"))
        found = []
        for head in fields:
            if not head.startswith(b":"):
                continue
            old_mode, new_mode, old, new, letter = head[1:].decode("ascii").split(" ")
            found.append(Changed(letter, os.fsdecode(next(fields)), _blob(old, old_mode), _blob(new, new_mode)))
        return found

    def subject(self, commit: str) -> str:
        """The message of a commit, credentials cut, at most 1 000 characters."""
        raw = self._git.run("cat-file", "commit", commit)
        message = raw.partition(b"\n\n")[2].decode("utf-8", "replace")
        return redact(message).strip()[:1_000]

    def commit_diff(self, commit: str) -> list[str]:
        """One section a file: the unified diff of both redacted sides, or why it is not shown."""
        changes = self.changes(commit)
        wanted = [c for c in changes[:DIFFED_FILES] if shown(c.path)]
        blobs = self._blobs({oid for c in wanted for oid in (c.old, c.new) if oid})
        sections = []
        for change in changes[:DIFFED_FILES]:
            if not shown(change.path):
                sections.append(f"{change.status} {escape(change.path)}: not shown (private)\n")
                continue
            try:
                old = _side(blobs, change.old)
                new = _side(blobs, change.new)
            except Unreadable as why:
                sections.append(f"{change.status} {escape(change.path)}: {why}\n")
                continue
            sections.append(_unified(change.path, old, new))
        if len(changes) > DIFFED_FILES:
            sections.append(f"[{len(changes) - DIFFED_FILES} of {len(changes)} files are left out]\n")
        return sections

    def tree_diff(self, path: str) -> str:
        """The unified diff of a file from HEAD to the work tree, both redacted. Unreadable."""
        if not shown(path):
            raise Unreadable("not shown (private)")
        old: str | None = None
        try:
            blob = self._git.blob(f"HEAD:{path}") if path in self.tracked or path not in self._listed else None
            old = None if blob is None else _side({"": blob}, "")
        except GitError:
            old = None
        new: str | None = None
        if path in self._listed and os.path.lexists(self._git.root / path):
            new = _side({"": self.raw(path)[0]}, "")
        if old is None and new is None:
            raise Unreadable("no such file")
        return _unified(path, old, new)

    def _blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Contents by id; those above the size limit are left out."""
        names = sorted(oids)
        if not names:
            return {}
        asked = "".join(f"{n}\n" for n in names).encode()
        small = []
        for line in self._git.run("cat-file", "--batch-check", stdin=asked).decode("ascii", "replace").splitlines():
            parts = line.split(" ")
            if len(parts) == 3 and parts[1] == "blob" and int(parts[2]) <= DIFFED_AT_MOST:
                small.append(parts[0])
        if not small:
            return {}
        out = self._git.run("cat-file", "--batch", stdin="".join(f"{n}\n" for n in small).encode())
        found, place = {}, 0
        for name in small:
            end = out.index(b"\n", place)
            size = int(out[place:end].rpartition(b" ")[2])
            found[name] = out[end + 1 : end + 1 + size]
            place = end + size + 2
        return found


def shown(path: str) -> bool:
    """Whether a path may be shown at all: nothing of git's own, nothing that by its name holds credentials."""
    if any(part.casefold() in (".git", "..", "") for part in path.split("/")):
        return False
    return not _PRIVATE.search(path)


def _blob(oid: str, mode: str) -> str | None:
    return None if _ZERO.match(oid) or not mode.startswith("100") else oid


def _side(blobs: dict[str, bytes], oid: str | None) -> str | None:
    if oid is None:
        return None
    if oid not in blobs or len(blobs[oid]) > DIFFED_AT_MOST:
        raise Unreadable("too large to show")
    return redact(_decode(blobs[oid]))


def _decode(content: bytes) -> str:
    if b"\0" in content:
        raise Unreadable("not a text file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("not a text file (UTF-8)") from error


def _unified(path: str, old: str | None, new: str | None) -> str:
    name = escape(path)
    lines = difflib.unified_diff(
        _lines(old), _lines(new), "/dev/null" if old is None else f"a/{name}",
        "/dev/null" if new is None else f"b/{name}", n=3,
    )  # fmt: skip
    body = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return body or f"{name}: no difference that can be shown\n"


def _lines(text: str | None) -> list[str]:
    return (
        []
        if text is None
        else [line + "\n" for line in text.split("\n")[:-1]] + [last for last in text.split("\n")[-1:] if last]
    )


def _read_beneath(root: str, path: str) -> tuple[bytes, int]:
    """Opens each component without following symlinks; regular files only. Unreadable."""
    *folders, name = path.split("/")
    here = -1
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = below
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    finally:
        if here >= 0:
            os.close(here)
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("not a regular file")
        content = opened.read(FILE_AT_MOST + 1)
    if len(content) > FILE_AT_MOST:
        raise Unreadable("too large to show")
    return content, stat.S_IMODE(found.st_mode)
