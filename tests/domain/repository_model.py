"""A small model of a repository, and of the detector of stale references over it."""

from __future__ import annotations

from kairos.domain.action import PatchAction, edit
from kairos.domain.basis import BasisTree, basis_of
from kairos.domain.finding import Finding

REPO, OLD, NEW = "repo-1", "old.py", "new.py"


class ModelCommit:
    """A commit of the model: its parent, its files, and whether it is the rename (or carries it)."""

    def __init__(self, oid: str, parent: str | None, files: dict[str, str]) -> None:
        self.oid, self.parent, self.files = oid, parent, files


class ModelRepo:
    """A repository of the model: commits, branches, a work tree, one stash, ORIG_HEAD. No index: a commit takes all."""

    def __init__(self) -> None:
        self.count = 0
        self.commits: dict[str, ModelCommit] = {}
        files = {OLD: "code\n", "a.md": f"one\nsee {OLD}\n", "b.md": "two\n", "x.txt": "0\n"}
        self.branches = {"main": self.make(None, files)}
        self.branch = "main"
        self.work = dict(files)
        self.stash: dict[str, str] | None = None
        self.saved: str | None = None

    def make(self, parent: str | None, files: dict[str, str]) -> str:
        self.count += 1
        oid = f"{self.count:040x}"
        self.commits[oid] = ModelCommit(oid, parent, dict(files))
        return oid

    @property
    def head(self) -> ModelCommit:
        return self.commits[self.branches[self.branch]]

    def history(self, oid: str | None) -> list[str]:
        found = []
        while oid is not None:
            found.append(oid)
            oid = self.commits[oid].parent
        return found

    def renames(self, oid: str) -> bool:
        commit = self.commits[oid]
        before = self.commits[commit.parent].files if commit.parent else {}
        return OLD in before and OLD not in commit.files and NEW in commit.files and NEW not in before

    def tree(self) -> BasisTree:
        heads = [*self.branches.values(), *([self.saved] if self.saved else [])]
        return BasisTree(
            in_head=frozenset(self.history(self.head.oid)),
            in_refs=frozenset(o for h in heads for o in self.history(h)),
            existing=frozenset(self.work),
            tracked=frozenset(self.head.files),
        )

    def look(self, oids: list[str]) -> list[Finding]:
        """The finding of a rename, from these commits, in the work tree as it is."""
        made = [o for o in oids if self.renames(o)]
        if not made or OLD in self.work or NEW not in self.head.files or NEW not in self.work:
            return []
        edits, places = [], []
        for path, text in sorted(self.work.items()):
            if path.endswith(".md") and OLD in text:
                edits.append(edit(path, (text.encode(), 0o644), (text.replace(OLD, NEW).encode(), 0o644)))
                places.append(path)
        if not edits:
            return []
        return [
            Finding(
                detector="stale-reference", version=1, key="stale-reference:old", title=f"Update {len(places)}",
                claim="It moved.", action=PatchAction(repo=REPO, edits=edits), evidence=[int(o, 16) for o in made],
                fingerprint=places, basis=basis_of([[o] for o in made], present=[NEW], absent=[OLD]),
            )
        ]  # fmt: skip
