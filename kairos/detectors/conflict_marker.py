"""conflict-marker: a merge conflict left in a tracked text file that git no longer lists as unmerged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from kairos.detectors.boundaries import BURST, EVERY
from kairos.detectors.merge_conflicts import SIZE, MergeConflict, conflicts
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of, listed
from kairos.domain.action import NoteAction
from kairos.domain.amounts import count
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

_ATTRIBUTE = re.compile(r"conflict-marker-size=(\d{1,3})\b")
_PROSE = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt")


class ConflictMarker:
    """Reports conflicts with all three markers in order at column 0, and only those that are new in the file."""

    name = "conflict-marker"
    version = 1
    boundaries = EVERY

    def look(self, scene: Scene) -> Iterator[Finding]:
        suspects = _suspects(scene)
        sizes = _sizes(scene, list(suspects))
        for path, position in suspects.items():
            text = scene.text(path)
            size = sizes.get(path, SIZE)
            if text is None or "<" * min(size, SIZE) not in text:
                continue
            found = conflicts(text, fences=path.lower().endswith(_PROSE), size=size)
            if found and len(found) > _before(scene, path, size):
                yield self._finding(scene, path, position, found, text)

    def _finding(self, scene: Scene, path: str, position: int, found: list[MergeConflict], text: str) -> Finding:
        lines = [f"{c.ours}–{c.theirs}" for c in found]
        where = f"{'line' if len(lines) == 1 else 'lines'} {listed(lines, 8)}"
        nth = Counter[tuple[str, str]]()
        blocks = []
        for conflict in found:
            nth[conflict.labels] += 1
            blocks.append([path, *conflict.labels, nth[conflict.labels]])
        key, subjects = keys_of(self.name, blocks)
        all_lines = text.split("\n")
        carried = [c.oid for c in scene.commits if any(f.path == path and f.status != "D" for f in c.changes)]
        if scene.again:  # a reset may have kept the file and not the commit
            in_head = scene.objects.reachable(carried)[0]
            carried = [oid for oid in carried if oid in in_head]
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [path, *(label for c in found for label in c.labels)])],
            fingerprint=fingerprint_of("\n".join(all_lines[c.ours - 1 : c.theirs]) for c in found),
            basis=basis_of([carried], present=[path]),
            title=f"Conflict markers left in {shown(path)}",
            claim=f"{shown(path)} still holds {count(len(found), 'merge conflict')} ({where}), and git no longer "
            "counts the file as unmerged.",
            action=NoteAction(
                repo=scene.repo,
                text=f"{shown(path)}: conflict markers at {where}.\nKeep the side you want, remove the marker lines "
                f"({_markers(all_lines, found[0])}), and commit.",
            ),
            evidence=evidence(scene.cause, [position]),
            unchecked=["which side of the conflict is right"],
        )


def _suspects(scene: Scene) -> dict[str, int]:
    """The tracked, merged paths to read, with the position of the event that named them."""
    if scene.whole:
        least = min([SIZE, *_stated_sizes(scene)])
        found = dict.fromkeys(scene.facts.with_lines(["<" * least, ">" * least]), scene.cause)
    else:
        found = {c.path: c.position for c in scene.changes if c.kind != "deleted" and c.type == "file"}
        found |= {f.path: c.position for c in scene.commits for f in c.changes if f.status != "D"}
    return {p: found[p] for p in sorted(found) if p in scene.tracked and p not in scene.unmerged}


def _before(scene: Scene, path: str, size: int) -> int:
    """The number of conflicts in the earlier file: before the commits of the trigger, or in HEAD if there are none.

    0 for a scene of the whole tree, where every conflict is reported."""
    if scene.whole:
        return 0
    base, former = "HEAD", path
    if scene.boundary != BURST:
        for commit in reversed(scene.commits):
            for change in commit.changes:
                if change.path == former:
                    base = commit.parents[0] if commit.parents else ""
                    former = change.was or former
    if not base or (base == "HEAD" and not scene.facts.has_head()):
        return 0
    text = scene.text_in(base, former)
    return len(conflicts(text, fences=path.lower().endswith(_PROSE), size=size)) if text else 0


def _markers(lines: Sequence[str], conflict: MergeConflict) -> str:
    """The first, the dividing and the last marker of a conflict."""
    places = (conflict.ours, conflict.middle, conflict.theirs)
    runs = [lines[n - 1].split(None, 1)[0] for n in places]
    return f"{runs[0]}, {runs[1]} and {runs[2]}"


def _stated_sizes(scene: Scene) -> list[int]:
    """The marker sizes that the repository's attributes state."""
    texts = (scene.text(p) or "" for p in scene.tracked if p.rpartition("/")[2] == ".gitattributes")
    return [int(n) for text in texts for n in _ATTRIBUTE.findall(text) if int(n) > 1]


def _sizes(scene: Scene, paths: Sequence[str]) -> dict[str, int]:
    """The marker size of each path that the attributes state one for."""
    if not paths or not _stated_sizes(scene):
        return {}
    stated = scene.facts.attribute("conflict-marker-size", paths)
    return {path: int(v) for path, v in stated.items() if v.isascii() and v.isdigit() and 1 < int(v) < 200}
