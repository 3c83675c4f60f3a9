"""conflict-marker: a merge conflict left in a tracked text file that git no longer lists as unmerged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kairos.detectors.boundaries import BURST, EVERY
from kairos.detectors.scene import Scene
from kairos.detectors.wording import counted, evidence, fingerprint_of, key_of, keys_of, listed
from kairos.domain.action import NoteAction
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.repo.search import files_with_lines

_PROSE = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt")


class MergeConflict(NamedTuple):
    """The 1-based lines of `<<<<<<<`, `=======` and `>>>>>>>`, and the two labels."""

    ours: int
    middle: int
    theirs: int
    labels: tuple[str, str]


class ConflictMarker:
    """Reports conflicts with all three markers in order at column 0, and only those that are new in the file."""

    name = "conflict-marker"
    version = 1
    boundaries = EVERY

    def look(self, scene: Scene) -> Iterator[Finding]:
        for path, position in _suspects(scene).items():
            text = scene.text(path)
            if text is None or "<<<<<<< " not in text:
                continue
            found = conflicts(text, fences=path.lower().endswith(_PROSE))
            if found and len(found) > _before(scene, path):
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
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [path, *(label for c in found for label in c.labels)])],
            fingerprint=fingerprint_of("\n".join(all_lines[c.ours - 1 : c.theirs]) for c in found),
            basis=basis_of([carried], present=[path]),
            title=f"Conflict markers left in {shown(path)}",
            claim=f"{shown(path)} still holds {counted(len(found), 'merge conflict')} ({where}), and git no longer "
            "counts the file as unmerged.",
            action=NoteAction(
                repo=scene.repo,
                text=f"{shown(path)}: conflict markers at {where}.\nKeep the side you want, remove the lines with "
                "<<<<<<<, ======= and >>>>>>>, and commit.",
            ),
            evidence=evidence(scene.cause, [position]),
            unchecked=["which side of the conflict is right"],
        )


def _suspects(scene: Scene) -> dict[str, int]:
    """The tracked, merged paths to read, with the position of the event that named them."""
    if scene.whole:
        found = dict.fromkeys(files_with_lines(scene.git, ["<<<<<<< ", ">>>>>>> "]), scene.cause)
    else:
        found = {c.path: c.position for c in scene.changes if c.kind != "deleted" and c.type == "file"}
        found |= {f.path: c.position for c in scene.commits for f in c.changes if f.status != "D"}
    return {p: found[p] for p in sorted(found) if p in scene.tracked and p not in scene.unmerged}


def _before(scene: Scene, path: str) -> int:
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
    if not base or (base == "HEAD" and scene.git.head() is None):
        return 0
    text = scene.text_in(base, former)
    return len(conflicts(text, fences=path.lower().endswith(_PROSE))) if text else 0


def conflicts(text: str, *, fences: bool = False) -> list[MergeConflict]:
    """Every complete conflict: `<<<<<<< x`, optionally `||||||| x`, `=======`, `>>>>>>> y` at column 0, in this order.

    A heading underlined with seven = is not a conflict. With `fences`, text inside ``` or ~~~ is skipped as an
    example."""
    found: list[MergeConflict] = []
    ours, middle, label, fence = 0, 0, "", ""
    for number, line in enumerate(_lines(text), 1):
        mark = line.lstrip(" ")[:3]
        if fences and mark in ("```", "~~~") and (not fence or mark == fence):
            fence = "" if fence else mark
            ours = middle = 0
        elif fence:
            continue
        elif line.startswith("<<<<<<< "):
            ours, middle, label = number, 0, line[8:].strip()
        elif line == "=======" and ours and not middle:
            middle = number
        elif line.startswith(">>>>>>> ") and middle:
            found.append(MergeConflict(ours, middle, number, (label, line[8:].strip())))
            ours = middle = 0
    return found


def _lines(text: str) -> Iterable[str]:
    return (line.removesuffix("\r") for line in text.split("\n"))
