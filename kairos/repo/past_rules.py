"""What the ignore files and the attributes of a past tree say: git itself judges, in an empty repository that holds
only those files. (`git check-attr --source` would need git 2.40.)"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kairos.repo.git import Git, GitError
from kairos.repo.past_tree import REGULAR, PastTree
from kairos.repo.rules import attribute, is_plain

_NAMES = frozenset({".gitignore", ".gitattributes"})
_ENDS = tuple(_NAMES)
_MOST = 500


class PastRules:
    """The ignore rules and attributes of a `PastTree`, as it stands. Close it: it holds a process and a temporary
    folder."""

    def __init__(self, tree: PastTree) -> None:
        self._tree = tree
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._files: dict[str, str] = {}
        self._commit = ""

    def covering(self, paths: Sequence[str]) -> dict[str, str]:
        """Those of these paths that a rule covers, with the rule (`!…` keeps its path). GitError."""
        asked = [p for p in paths if is_plain(p)]
        if not asked:
            return {}
        self._refresh()
        process = self._asking()
        assert process.stdin is not None and process.stdout is not None
        found = {}
        for path in asked:
            process.stdin.write(os.fsencode(path) + b"\0")
            process.stdin.flush()
            fields = [_field(process.stdout) for _ in range(4)]  # source, line, rule, path
            if fields[2]:
                found[path] = os.fsdecode(fields[2])
        return found

    def attribute(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        """The value of an attribute for each of these paths that has one. GitError."""
        self._refresh()
        assert self._folder is not None
        return attribute(Git(Path(self._folder.name)), name, paths)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _refresh(self) -> None:
        """Makes the files of the folder those of the tree; git reads them anew if they differ."""
        if self._commit == self._tree.commit:
            return
        self._commit = self._tree.commit
        wanted = {
            p: e.oid for p, e in self._tree.entries.items()
            if p.endswith(_ENDS) and p.rpartition("/")[2] in _NAMES and e.mode in REGULAR and is_plain(p)
        }  # fmt: skip
        wanted = dict(sorted(wanted.items())[:_MOST])
        if wanted == self._files and self._folder is not None:
            return
        self.close()
        self._files = wanted
        self._folder = tempfile.TemporaryDirectory(prefix="kairos-rules-")
        root = Path(self._folder.name)
        Git(root).run("init", "-q", "--template=", ".")
        for path, oid in wanted.items():
            data = self._tree.blobs.read(oid)
            if data is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)

    def _asking(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            assert self._folder is not None
            git = Git(Path(self._folder.name))
            self._process = git.open("check-ignore", "--verbose", "--non-matching", "-z", "--stdin", "--no-index")
        return self._process


def _field(stream: object) -> bytes:
    """One NUL-terminated field."""
    read = stream.read1  # type: ignore[attr-defined]
    out = bytearray()
    while True:
        byte = read(1)
        if not byte:
            raise GitError("git check-ignore ended before it answered")
        if byte == b"\0":
            return bytes(out)
        out += byte
