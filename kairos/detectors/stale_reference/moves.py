"""The renames and deletions of commits, as one map from the tree before to the tree now."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from functools import cached_property

from kairos.detectors.scene import Scene, SeenCommit
from kairos.detectors.stale_reference.believing import believed, generated, made_by_a_build
from kairos.detectors.wording import key_of

DETECTOR = "stale-reference"


class Moves:
    """`moved`: old path → new path; `gone`: deleted paths; `now`: tracked paths. Chains over several commits are
    joined: each name that the file had leads to where it is now, the first one first. A path that exists again is in
    neither. `guesses`: renames that git takes two files for and that are not
    believed, old → (new, similarity in percent); their old paths are gone. `altered`: old paths of files whose content
    was changed, too."""

    def __init__(
        self,
        moved: dict[str, str],
        gone: frozenset[str],
        now: frozenset[str],
        guesses: dict[str, tuple[str, int]] | None = None,
        altered: frozenset[str] = frozenset(),
    ) -> None:
        self.moved = moved
        self.gone = gone
        self.now = now
        self.guesses = guesses or {}
        self.altered = altered
        self._former = {new: old for old, new in reversed(moved.items())}

    def __bool__(self) -> bool:
        return bool(self.moved or self.gone)

    @property
    def stale(self) -> Iterable[str]:
        """Every old path, sorted."""
        return sorted([*self.moved, *self.gone])

    def former(self, path: str) -> str:
        """The path of a current file before the moves."""
        return self._former.get(path, path)

    def was(self, path: str) -> bool:
        """Whether the tree before the moves had this file."""
        return path in self.moved or path in self.gone or (path in self.now and path not in self._former)

    def is_stale(self, path: str) -> bool:
        return path in self.moved or path in self.gone

    def shared(self, directory: str, other: str) -> bool:
        """Whether a file of a directory before is at the same place in another directory now."""
        pairs = self.moved.items() if other != directory and other in self.directories_now else ()
        return any(o.startswith(directory + "/") and n == other + o[len(directory) :] for o, n in pairs)

    @cached_property
    def deepest(self) -> int:
        """The number of parts of the longest old path."""
        return max((old.count("/") + 1 for old in self.stale), default=0)

    @cached_property
    def directories(self) -> dict[str, str]:
        """Directories that were moved as a whole: all their files moved, with the rest of their paths unchanged."""
        found: dict[str, set[str]] = {}
        for old, new in self.moved.items():
            parent = posixpath.dirname(old)
            while parent:
                rest = old[len(parent) :]
                found.setdefault(parent, set()).add(new.removesuffix(rest) if new.endswith(rest) else "")
                parent = posixpath.dirname(parent)
        for old in self.gone:
            parent = posixpath.dirname(old)
            while parent:
                found.setdefault(parent, set()).add("")
                parent = posixpath.dirname(parent)
        return {
            old: next(iter(new))
            for old, new in found.items()
            if len(new) == 1 and "" not in new and old not in new and old not in self.directories_now
        }

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """Every path before and now, by its last part."""
        found: dict[str, list[str]] = {}
        for path in sorted({*self.now, *self.stale}):
            found.setdefault(posixpath.basename(path), []).append(path)
        return found

    @cached_property
    def sources_now(self) -> dict[tuple[str, str], list[str]]:
        """The Go files now, by (directory, suffix)."""
        found: dict[tuple[str, str], list[str]] = {}
        for path in sorted(path for path in self.now if path.endswith((".go", ".java"))):
            found.setdefault((posixpath.dirname(path), posixpath.splitext(path)[1]), []).append(path)
        return found

    def settled(self, directory: str, suffix: str) -> list[str]:
        """The Go files of a directory that stood there before."""
        return [path for path in self.sources_now.get((directory, suffix), ()) if path not in self._former]

    @cached_property
    def written(self) -> frozenset[str]:
        """The words by which source files name what moved: the names of files, with and without suffix, and those of
        their directories."""
        found = set(map(posixpath.basename, self.directories))
        for old in self.stale:
            directory, base = posixpath.split(old)
            found |= {base, base.partition(".")[0] or base, posixpath.basename(directory)}
        return frozenset(found - {""})

    @cached_property
    def go_packages_moved(self) -> dict[str, set[str]]:
        """The directories from which Go files moved, with those that they moved to; tests tell of none."""
        found: dict[str, set[str]] = {}
        for old in self.stale:
            if old.endswith(".go") and not old.endswith("_test.go"):
                news = found.setdefault(posixpath.dirname(old), set())
                if old in self.moved:
                    news.add(posixpath.dirname(self.moved[old]))
        return found

    @cached_property
    def go_packages_left(self) -> list[str]:
        """The directories that no Go file is in any more, without the root."""
        return sorted(d for d in self.go_packages_moved if d and (d, ".go") not in self.sources_now)

    @cached_property
    def directories_now(self) -> frozenset[str]:
        """Every directory that contains a tracked file; the root is the empty string."""
        found = {""}
        for path in self.now:
            parent = posixpath.dirname(path)
            while parent not in found:
                found.add(parent)
                parent = posixpath.dirname(parent)
        return frozenset(found)

    @cached_property
    def directories_before(self) -> frozenset[str]:
        found = set(self.directories_now)
        for path in self.stale:
            parent = posixpath.dirname(path)
            while parent not in found:
                found.add(parent)
                parent = posixpath.dirname(parent)
        return frozenset(found)


def key_parts(path: str) -> list[str]:
    """What a move of this path, or its deletion, is known by."""
    return ["path", path]


def _is_apart(scene: Scene, path: str) -> bool:
    return key_of(DETECTOR, key_parts(path)) in scene.apart


def moves_of(scene: Scene) -> tuple[Moves, list[SeenCommit]]:
    """The moves of a scene's commits, and the commits that made them."""
    moved: dict[str, str] = {}
    gone: set[str] = set()
    makers: list[SeenCommit] = []
    for commit in scene.commits:
        by_new: dict[str, list[str]] = {}
        for before, new in moved.items():
            by_new.setdefault(new, []).append(before)
        relevant = False
        for change in commit.changes:
            old = change.was if change.status == "R" else change.path if change.status == "D" else None
            if old is not None:
                relevant = True
                for name in (*by_new.get(old, ()), old):  # by whichever name it is called
                    moved.pop(name, None)
                    if change.status == "R":
                        moved[name] = change.path
                    else:
                        gone.add(name)
            if change.status != "D":
                # The path exists again, so references to it are right.
                gone.discard(change.path)
                if moved.get(change.path) not in (None, change.path):
                    moved.pop(change.path)
        if relevant:
            makers.append(commit)
    back = {p for p in {*moved, *gone} if p in scene.tracked or scene.exists(p)}
    gone -= made_by_a_build(scene, gone - back)
    kept = {
        old: new
        for old, new in moved.items()
        if old != new and old not in back and new in scene.tracked and scene.exists(new)
    }
    if scene.apart:
        kept = {old: new for old, new in kept.items() if not _is_apart(scene, old)}
        gone = {old for old in gone if not _is_apart(scene, old)}
    made = generated(scene, kept)
    kept = {old: new for old, new in kept.items() if old not in made}
    sure, guesses, altered = believed(scene, kept, makers)
    return Moves(sure, frozenset((gone - back) | guesses.keys()), scene.tracked, guesses, altered), makers
