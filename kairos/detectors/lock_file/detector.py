"""lock-file: a committed manifest requires a name or version that its committed lock file provably lacks."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kairos.detectors.boundaries import COMMIT, IDLE_RETURN, LATER, WHOLE
from kairos.detectors.generated_signs import is_fixture
from kairos.detectors.lock_file import cargo, go_sum, npm, python_locks
from kairos.detectors.lock_file.lock_text import LockedPackage, packages_of
from kairos.detectors.lock_file.requirements import Lacking
from kairos.detectors.maintained import is_foreign
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of
from kairos.domain.action import NoteAction
from kairos.domain.amounts import listed
from kairos.domain.basis import basis_of
from kairos.domain.config_text import BoundedOutError, ConfigTextError, parse_json, parse_toml, table
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

MANIFESTS = {
    "Cargo.toml": ("Cargo.lock",),
    "pyproject.toml": ("uv.lock", "poetry.lock"),
    "package.json": ("package-lock.json",),
    "go.mod": ("go.sum",),
}
_COMMANDS = {
    "Cargo.lock": "cargo update --workspace", "uv.lock": "uv lock", "poetry.lock": "poetry lock",
    "package-lock.json": "npm install --package-lock-only", "go.sum": "go mod tidy",
}  # fmt: skip
_LOCKS = {lock: manifest for manifest, locks in MANIFESTS.items() for lock in locks}
_ABOVE = frozenset({"Cargo.lock", "uv.lock", "package-lock.json"})
"""Locks that may also hold packages in folders below."""
_MOST, _NAMED = 100, 20


class LockFile:
    """Compares each manifest that a commit touched, or whose lock it touched, with its lock; one finding a lock."""

    name = "lock-file"
    version = 1
    boundaries = frozenset({COMMIT, LATER, IDLE_RETURN}) | WHOLE

    def look(self, scene: Scene) -> Iterator[Finding]:
        by_lock: dict[str, dict[str, list[Lacking]]] = {}
        read = _Read(scene)
        for manifest in _manifests(scene):
            for lock in _locks_of(scene, manifest):
                found = list(read.lacking(manifest, lock))
                if found:
                    by_lock.setdefault(lock, {})[manifest] = found
        for lock, manifests in sorted(by_lock.items()):
            yield self._finding(scene, lock, manifests)

    def _finding(self, scene: Scene, lock: str, manifests: dict[str, list[Lacking]]) -> Finding:
        every = [(manifest, one) for manifest, found in sorted(manifests.items()) for one in found]
        key, subjects = keys_of(self.name, sorted({(lock, one.name) for _, one in every}))
        names = listed([shown(m) for m in sorted(manifests)])
        lines = [f"  {shown(manifest)}: {shown(one.why)}" for manifest, one in every[:_NAMED]]
        lines += [f"  and {len(every) - _NAMED} more"] if len(every) > _NAMED else []
        carried = [c.oid for c in scene.commits if any(f.path in (*manifests, lock) for f in c.changes)]
        positions = [c.position for c in scene.commits if any(f.path in manifests for f in c.changes)]
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [lock])],
            fingerprint=fingerprint_of(f"{manifest}\0{one.name}" for manifest, one in every),
            basis=basis_of([carried], present=[lock, *manifests]),
            title=f"{shown(lock)} is out of step with {names}",
            claim=f"{shown(lock)} lacks what {names} {'asks' if len(manifests) == 1 else 'ask'} for: "
            f"{listed([shown(one.why) for _, one in every])}.",
            action=NoteAction(
                repo=scene.repo,
                text=f"{shown(lock)} was not made from this:\n" + "\n".join(lines)
                + f"\nRun in its folder: {_COMMANDS[posixpath.basename(lock)]}",
            ),
            evidence=evidence(scene.cause, positions),
            unchecked=["which versions would be chosen: nothing was resolved or downloaded"],
        )  # fmt: skip


def _manifests(scene: Scene) -> list[str]:
    """The manifests to compare: those that changed, and those of the locks that changed."""
    if scene.whole:
        wanted = {p for p in scene.tracked if posixpath.basename(p) in MANIFESTS}
    else:
        changed = {f.path for c in scene.commits for f in c.changes if f.status != "D"}
        wanted = {p for p in changed if posixpath.basename(p) in MANIFESTS}
        for path in changed:
            manifest = _LOCKS.get(posixpath.basename(path))
            if manifest is not None:
                wanted.add(posixpath.join(posixpath.dirname(path), manifest))
    kept = (p for p in wanted if p in scene.tracked and p not in scene.unmerged)
    return sorted(p for p in kept if not is_fixture(p) and not is_foreign(p))[:_MOST]


def _locks_of(scene: Scene, manifest: str) -> Iterator[str]:
    """The tracked locks that must hold what a manifest requires."""
    for name in MANIFESTS[posixpath.basename(manifest)]:
        folder = posixpath.dirname(manifest)
        while True:
            lock = posixpath.join(folder, name)
            if lock in scene.tracked:
                if lock not in scene.unmerged and not _is_outranked(scene, lock):
                    yield lock
                break
            if not folder or name not in _ABOVE:
                break
            folder = posixpath.dirname(folder)


def _is_outranked(scene: Scene, lock: str) -> bool:
    """Whether Cargo does not read a lock, because a workspace above has one: only a workspace's own lock counts."""
    folder, name = posixpath.split(lock)
    if name != "Cargo.lock" or "[workspace]" in (scene.text(posixpath.join(folder, "Cargo.toml")) or ""):
        return False
    while folder:
        folder = posixpath.dirname(folder)
        if posixpath.join(folder, "Cargo.lock") in scene.tracked:
            return True
    return False


class _Read:
    """The manifests and locks of one look, each read once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._tables: dict[str, dict[str, object] | None] = {}
        self._locks: dict[str, list[LockedPackage]] = {}

    def lacking(self, manifest: str, lock: str) -> Iterator[Lacking]:
        """What a lock provably lacks of a manifest; nothing if one of them cannot be read."""
        name = posixpath.basename(lock)
        if name == "go.sum":
            texts = self._scene.text(manifest), self._scene.text(lock)
            if texts[0] is not None and texts[1] is not None:
                yield from go_sum.lacking(texts[0], texts[1])
            return
        asked = self._table(manifest)
        if asked is None:
            return
        if name == "package-lock.json":
            folder = posixpath.relpath(posixpath.dirname(manifest) or ".", posixpath.dirname(lock) or ".")
            held = self._table(lock)
            if held is not None:
                yield from npm.lacking(asked, held, "" if folder == "." else folder)
            return
        packages = self._packages(lock)
        if not packages:
            return
        if name == "uv.lock":
            yield from python_locks.lacking_of_uv(asked, packages)
        elif name == "poetry.lock":
            yield from python_locks.lacking_of_poetry(asked, packages)
        else:
            root = posixpath.join(posixpath.dirname(lock), "Cargo.toml")
            yield from cargo.lacking(manifest, asked, root, self._table(root) or {}, packages)

    def _packages(self, lock: str) -> list[LockedPackage]:
        if lock not in self._locks:
            self._locks[lock] = packages_of(self._scene.text(lock) or "")
        return self._locks[lock]

    def _table(self, path: str) -> dict[str, object] | None:
        """The table that a file holds, None if it cannot be parsed."""
        if path not in self._tables:
            text = self._scene.text(path)
            parse = parse_json if path.endswith(".json") else parse_toml
            try:
                self._tables[path] = None if text is None else table(parse(text))
            except (ConfigTextError, BoundedOutError):
                self._tables[path] = None
        return self._tables[path]
