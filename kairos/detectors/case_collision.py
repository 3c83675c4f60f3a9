"""case-collision: a commit added a path that differs from a tracked one only in case or in the form of its accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from kairos.detectors.boundaries import COMMIT, IDLE_RETURN, LATER, WHOLE
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, keys_of
from kairos.domain.action import NoteAction
from kairos.domain.amounts import count, listed
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

_MOST = 50
_LONGEST = 4_096
"""The characters of the longest path that a system takes."""


class CaseCollision:
    """On macOS and Windows such files are one: a checkout there shows one of them as changed for ever. A repository
    that holds other pairs already does not care, and nothing is said of it."""

    name = "case-collision"
    version = 1
    boundaries = frozenset({COMMIT, LATER, IDLE_RETURN}) | WHOLE

    def look(self, scene: Scene) -> Iterator[Finding]:
        added = {f.path for c in scene.commits for f in c.changes if f.status in "ARC"} & scene.tracked
        if not added and not scene.whole:
            return
        pairs = collisions(scene.tracked)
        above = {name for path in added for name in _names(path)} if pairs and not scene.whole else frozenset()
        news = {a: b for a, b in pairs.items() if scene.whole or a in above or b in above}
        if news and (scene.whole or len(news) == len(pairs)):
            yield self._finding(scene, dict(list(news.items())[:_MOST]))

    def _finding(self, scene: Scene, pairs: dict[str, str]) -> Finding:
        words = [f"{shown(a)} and {shown(b)}" for a, b in pairs.items()]
        key, subjects = keys_of(self.name, ([a, b] for a, b in pairs.items()))
        named = {name for pair in pairs.items() for name in pair}
        carried = [
            c for c in scene.commits
            if any(not named.isdisjoint(_names(f.path)) for f in c.changes if f.status in "ARC")
        ]  # fmt: skip
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            fingerprint=fingerprint_of(f"{a}\0{b}" for a, b in pairs.items()),
            basis=basis_of([[c.oid for c in carried]], present=named),
            title=f"{listed(words, 1)} differ only in case",
            claim=f"{count(len(pairs), 'pair')} of paths differ{'s' if len(pairs) == 1 else ''} only in case: "
            f"{listed(words)}. On macOS and Windows they are one file.",
            action=NoteAction(repo=scene.repo, text="Rename or remove one of each:\n  " + "\n  ".join(words)),
            evidence=evidence(scene.cause, [c.position for c in carried]),
            unchecked=["whether anybody checks this out on such a system"],
        )


def collisions(paths: Iterable[str]) -> dict[str, str]:
    """Pairs of files or directories that differ only in case or in Unicode normalisation, the outermost ones."""
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in sorted(paths):
        for name in _names(path):
            known = names.setdefault(folded(name), name)
            if known != name:
                found.setdefault(*sorted((known, name)))
                break
    return found


def folded(name: str) -> str:
    """The form in which a file system that ignores case compares a name."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _names(path: str) -> Iterator[str]:
    """The directories above a path, the outermost first, and itself; none of one that no system can check out."""
    if len(path) > _LONGEST:
        return
    at = path.find("/", 1)
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path
