"""conflict-marker: a merge conflict left in a tracked text file that git no longer lists as unmerged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from kairos.detectors.boundaries import BURST, EVERY
from kairos.detectors.generated_signs import is_input
from kairos.detectors.merge_conflicts import (
    SIZE,
    LoneMarker,
    MergeConflict,
    conflicts,
    fenced_conflicts,
    lone_markers,
)
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of
from kairos.domain.action import NoteAction
from kairos.domain.amounts import count, listed
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

_ATTRIBUTE = re.compile(r"conflict-marker-size=(\d{1,3})\b")
_PROSE = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt")


class ConflictMarker:
    """Reports conflicts with all three markers in order at column 0, and lone markers that a program labelled; only
    those that are new in the file."""

    name = "conflict-marker"
    version = 1
    boundaries = EVERY

    def look(self, scene: Scene) -> Iterator[Finding]:
        suspects = _suspects(scene)
        sizes = _sizes(scene, list(suspects))
        for path, position in suspects.items():
            text = scene.text(path)
            size = sizes.get(path, SIZE)
            if text is None or not any(mark * min(size, SIZE) in text for mark in "<>"):
                continue
            found, alone = _found(text, path, size)
            if not found and not alone:
                continue
            before = _before(scene, path, size)
            if len(found) > before[0]:
                yield self._finding(scene, path, position, found, text)
            elif len(alone) > before[1]:
                yield self._lone(scene, path, position, alone)

    def _finding(self, scene: Scene, path: str, position: int, found: list[MergeConflict], text: str) -> Finding:
        lines = [f"{c.ours}–{c.theirs}" for c in found]
        where = f"lines {listed(lines, 8)}"
        nth = Counter[tuple[str, str]]()
        blocks = []
        for conflict in found:
            nth[conflict.labels] += 1
            blocks.append([path, *conflict.labels, nth[conflict.labels]])
        key, subjects = keys_of(self.name, blocks)
        carried = _carried(scene, path)
        all_lines = text.split("\n")
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
            evidence=evidence(scene.cause, [position, *map(scene.position_of, carried)]),
            unchecked=["which side of the conflict is right"],
        )

    def _lone(self, scene: Scene, path: str, position: int, alone: list[LoneMarker]) -> Finding:
        nth = Counter[str]()
        marks = []
        for mark in alone:
            nth[mark.text] += 1
            marks.append([path, "lone", mark.text, nth[mark.text]])
        key, subjects = keys_of(self.name, marks)
        carried = _carried(scene, path)
        where = f"{'line' if len(alone) == 1 else 'lines'} {listed([str(m.line) for m in alone], 8)}"
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            fingerprint=fingerprint_of(m.text for m in alone),
            basis=basis_of([carried], present=[path]),
            title=f"A part of a merge conflict left in {shown(path)}",
            claim=f"{shown(path)} still holds {count(len(alone), 'line')} of a merge conflict ({where}) whose other "
            "markers are gone.",
            action=NoteAction(
                repo=scene.repo,
                text=f"{shown(path)}: left of a merge conflict at {where}:\n  {shown(alone[0].text)}\n"
                "Remove it, and see whether both sides are as they should be.",
            ),
            evidence=evidence(scene.cause, [position, *map(scene.position_of, carried)]),
            unchecked=["what else of the conflict was taken by mistake"],
        )


def _found(text: str, path: str, size: int) -> tuple[list[MergeConflict], list[LoneMarker]]:
    """The conflicts of a file that are no examples, and what is left of others."""
    if not path.lower().endswith(_PROSE):
        return conflicts(text, size=size), lone_markers(text, size=size)
    found = conflicts(text, fences=True, size=size) + fenced_conflicts(text, size=size)
    return sorted(found), []


def _carried(scene: Scene, path: str) -> list[str]:
    """The commits of the trigger that changed a path."""
    carried = [c.oid for c in scene.commits if any(f.path == path and f.status != "D" for f in c.changes)]
    if scene.again:  # a reset may have kept the file and not the commit
        in_head = scene.objects.reachable(carried)[0]
        carried = [oid for oid in carried if oid in in_head]
    return carried


def _suspects(scene: Scene) -> dict[str, int]:
    """The tracked, merged paths to read, with the position of the event that named them."""
    if scene.whole:
        least = min([SIZE, *_stated_sizes(scene)])
        whole = scene.facts.with_lines(["<" * least, ">" * least])
        alone = scene.facts.with_lines([f"{'<' * SIZE} "]) + scene.facts.with_lines([f"{'>' * SIZE} "])
        found = dict.fromkeys([*whole, *alone], scene.cause)
    else:
        found = {c.path: c.position for c in scene.changes if c.kind != "deleted" and c.type == "file"}
        found |= {f.path: c.position for c in scene.commits for f in c.changes if f.status != "D"}
    return {p: found[p] for p in sorted(found) if p in scene.tracked and p not in scene.unmerged and not is_input(p)}


def _before(scene: Scene, path: str, size: int) -> tuple[int, int]:
    """The number of conflicts and of lone markers in the earlier file: before the commits of the trigger, or in HEAD if
    there are none. 0 for a scene of the whole tree, where each is reported."""
    if scene.whole:
        return 0, 0
    base, former = "HEAD", path
    if scene.boundary != BURST:
        for commit in reversed(scene.commits):
            for change in commit.changes:
                if change.path == former:
                    base = commit.parents[0] if commit.parents else ""
                    former = change.was or former
    if not base or (base == "HEAD" and not scene.facts.has_head()):
        return 0, 0
    found, alone = _found(scene.text_in(base, former) or "", path, size)
    return len(found), len(alone)


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
