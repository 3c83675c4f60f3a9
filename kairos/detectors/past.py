"""A repository as a detector would have seen it right after a past commit, or right before it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from functools import cached_property

from kairos.detectors.scene import Facts
from kairos.repo.beneath import Content
from kairos.repo.links import followed
from kairos.repo.objects import BlobChange
from kairos.repo.past_rules import PastRules
from kairos.repo.past_tree import LINK, REGULAR, PastTree, TreeChange
from kairos.repo.search import files_naming, files_with_lines, lines_naming

_LISTED_LIMIT = 500


class PastFacts(Facts):
    """The facts of a commit, of which `changes` differ from its first parent. The index and the work tree are the
    commit's; `before_commit`: the index is still its first parent's, so that what it added is untracked. Valid as long
    as `tree` stands at the commit."""

    def __init__(
        self,
        tree: PastTree,
        rules: PastRules,
        changes: Sequence[TreeChange],
        *,
        parent: str,
        new: Sequence[BlobChange] = (),
        before_commit: bool = False,
    ) -> None:
        """`new`: what the commit changed relative to every parent."""
        super().__init__(tree.git)
        self._tree = tree
        self._rules = rules
        self._parent = parent
        self._new = new
        self._added = [c.path for c in changes if c.before is None and c.after is not None and c.after.mode in REGULAR]
        self._is_before = before_commit

    def commit(self) -> str | None:
        return self._parent if self._is_before else self._tree.commit

    @cached_property
    def tracked(self) -> frozenset[str]:
        everything = frozenset(self._tree.entries)
        return everything - frozenset(self._added) if self._is_before else everything

    @cached_property
    def unmerged(self) -> frozenset[str]:
        return frozenset()

    @cached_property
    def untracked(self) -> Sequence[str]:
        if not self._is_before:
            return ()
        covered = {p for p, rule in self.ignored(self._added).items() if not rule.startswith("!")}
        return sorted(set(self._added) - covered)

    def untracked_under(self, directories: Sequence[str]) -> list[str]:
        return []

    @cached_property
    def staged(self) -> Sequence[BlobChange]:
        return ()

    @cached_property
    def unpushed(self) -> dict[str, int]:
        return {} if self._is_before else {self._tree.commit: 0}

    def read(self, path: str) -> Content | None:
        entry = self._tree.entries.get(path)
        if entry is None or entry.mode not in REGULAR:
            return None
        data = self._tree.blobs.read(entry.oid)
        return None if data is None else Content(data, 0o755 if entry.mode == "100755" else 0o644)

    def text_in(self, commit: str, path: str) -> str | None:
        from kairos.repo.beneath import as_text

        if commit == "HEAD":
            commit = self._parent if self._is_before else self._tree.commit
        data = self._tree.blobs.read(f"{commit}:{path}") if commit and _named(path) else None
        return None if data is None else as_text(data)

    def exists(self, path: str) -> bool:
        return self._tree.exists(posixpath.normpath(path) if path else "")

    def size(self, path: str) -> int:
        entry = self._tree.entries.get(path)
        if entry is None or entry.mode not in REGULAR:
            return 0
        return self._tree.blobs.size(entry.oid) or 0

    def listed(self, directory: str) -> list[tuple[int, str, bool]]:
        top = directory.rstrip("/") + "/"
        found: dict[tuple[int, str, bool], None] = {}
        for path in self._tree.entries:
            if path.startswith(top) and len(found) < _LISTED_LIMIT:
                parts = path[len(top) :].split("/")
                found[0, parts[0], len(parts) > 1] = None
                if len(parts) > 1:
                    found[1, parts[1], len(parts) > 2] = None
        return list(found)

    @cached_property
    def links(self) -> Sequence[str]:
        return sorted(p for p, e in self._tree.entries.items() if e.mode == LINK)

    def target(self, link: str) -> str | None:
        entry = self._tree.entries.get(link)
        data = self._tree.blobs.read(entry.oid) if entry is not None and entry.mode == LINK else None
        return None if data is None else os.fsdecode(data)

    def leads(self, link: str) -> bool:
        end = followed(link, self.target)
        return end.where == "outside" or (end.where == "inside" and self._tree.exists(end.path))

    def naming(self, needles: Sequence[str], pathspecs: Sequence[str] = (), *, words: bool = True) -> list[str]:
        return files_naming(self.git, needles, pathspecs, words=words, tree=self._tree.commit)

    def with_lines(self, starts: Sequence[str]) -> list[str]:
        return files_with_lines(self.git, starts, tree=self._tree.commit)

    def lines_naming(
        self, needles: Sequence[str], per_file: int, pathspecs: Sequence[str] = ()
    ) -> list[tuple[str, int, str]]:
        return lines_naming(self.git, needles, per_file, pathspecs, tree=self._tree.commit)

    def ignored(self, paths: Sequence[str]) -> dict[str, str]:
        return self._rules.covering(paths)

    def attribute(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        return self._rules.attribute(name, paths)

    def has_head(self) -> bool:
        return bool(self._parent) or not self._is_before

    def introduced(self, oids: Sequence[str]) -> list[BlobChange]:
        if list(oids) == [self._tree.commit]:
            return list(self._new)
        return super().introduced(oids)

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        read = self._tree.blobs.read
        return {oid: data for oid in oids if (data := read(oid)) is not None}


def _named(path: str) -> bool:
    return "\n" not in path and "\0" not in path
