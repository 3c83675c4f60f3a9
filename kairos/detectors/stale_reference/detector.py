"""stale-reference: a commit renamed or deleted a tracked file, and other tracked files still name it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote

from kairos.detectors.boundaries import EVERY
from kairos.detectors.maintained import is_generated, kept_by_hand
from kairos.detectors.patching import ordered, spliced
from kairos.detectors.scene import Scene, SeenCommit
from kairos.detectors.stale_reference import markdown_links, path_values, python_imports
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves, moves_of
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.wording import counted, evidence, fingerprint_of, key_of, keys_of, listed, places
from kairos.domain.action import FileEdit, NoteAction, PatchAction
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.repo.search import files_naming

_NEEDLES, _DOUBTS = 60, 8
MOST_MAKERS = 64
"""At most so many commits of renames are cited."""
_NAMED = re.compile(rf"(?:{'|'.join(sorted(python_imports.NAMERS))})\s*\(\s*[\"'](\w+)")
_STRING = re.compile(r"[\"'](\w+(?:\.\w+)+)")
_IMPORTS = re.compile(
    r"(?<![\w.])(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^)]*+\)|(?:\\\n|[^\n#;])*+)|import[ \t]+([^\n#;]+))"
)
_NAME = re.compile(r"\w+")
_PATHSPECS = (
    *(f"*{s}" for s in (*python_imports.SUFFIXES, *markdown_links.SUFFIXES, *path_values.SUFFIXES)),
    *(f":(glob)**/{name}" for name in sorted(path_values.NAMES)),
    ":(glob)**/.*ignore", ":(glob)**/Dockerfile.*", ":(glob)**/Makefile.*",
)  # fmt: skip


class StaleReference:
    """One patch for all renames of the trigger's commits, one note for all deletions."""

    name = "stale-reference"
    version = 1
    boundaries = EVERY - {"burst"}

    def look(self, scene: Scene) -> Iterator[Finding]:
        if not any(f.status in "RD" for c in scene.commits for f in c.changes):
            return
        moves, makers = moves_of(scene)
        if not moves:
            return
        modules = Modules(moves)
        found = {
            path: result
            for path in _candidates(scene, moves)
            if (result := _search(scene, path, moves, modules)) is not None
        }
        rewritten = {path: result for path, result in found.items() if result.spans}
        if rewritten:
            yield self._patch(scene, moves, makers, rewritten, found)
        dead = [(path, line + 1) for path, result in found.items() for line in sorted(result.dead)]
        if dead:
            yield self._note(scene, moves, makers, dead)

    def _patch(
        self, scene: Scene, moves: Moves, makers: list[SeenCommit], rewritten: dict[str, Found], found: dict[str, Found]
    ) -> Finding:
        edits: list[FileEdit] = []
        parts: list[str] = []
        for path, result in rewritten.items():
            content = scene.read(path)
            spans = ordered(result.spans)
            if content is None or spans is None:
                continue
            edits.append(spliced(path, content.data, content.mode, spans))
            text = content.data.decode("utf-8")
            parts += [f"{path}\0{text[s.start : s.end]}\0{s.new}" for s in spans]
        count = sum(r.count for r in rewritten.values())
        olds = sorted(moves.moved)
        what = f"renamed {shown(olds[0])}" if len(olds) == 1 else f"{len(olds)} renamed files"
        pairs = listed([f"{shown(old)} is now {shown(new)}" for old, new in sorted(moves.moved.items())])
        files = counted(len(rewritten), "file")
        key, subjects = keys_of(self.name, (["path", old] for old in olds))
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [*(f"{o}\0{n}" for o, n in sorted(moves.moved.items())), *parts])],
            fingerprint=fingerprint_of(parts),
            basis=basis_of([[c.oid] for c in makers], present=moves.moved.values(), absent=olds),
            title=f"Update {counted(count, 'reference')} to {what}",
            claim=f"{pairs}; {files} still {'names' if len(rewritten) == 1 else 'name'} the old path: "
            f"{listed([shown(p) for p in rewritten])}.",
            action=PatchAction(repo=scene.repo, edits=edits),
            evidence=evidence(scene.cause, [c.position for c in makers], most=MOST_MAKERS),
            unchecked=_unchecked(makers, found),
        )

    def _note(self, scene: Scene, moves: Moves, makers: list[SeenCommit], dead: list[tuple[str, int]]) -> Finding:
        gone = sorted(moves.gone)
        what = shown(gone[0]) if len(gone) == 1 else f"{len(gone)} deleted files"
        still = "still names" if len(dead) == 1 else "still name"
        key, subjects = keys_of(self.name, (["path", old] for old in gone))
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, ["deleted", *gone, *(path for path, _ in dead)])],
            fingerprint=fingerprint_of(path for path, _ in dead),
            basis=basis_of([[c.oid] for c in makers], absent=gone),
            title=f"{counted(len(dead), 'reference')} to {'deleted ' if len(gone) == 1 else ''}{what}",
            claim=f"{listed([shown(p) for p in gone])} {'was' if len(gone) == 1 else 'were'} deleted, and "
            f"{counted(len(dead), 'place')} {still} {'it' if len(gone) == 1 else 'them'}.",
            action=NoteAction(
                repo=scene.repo,
                text=f"Deleted: {listed([shown(p) for p in gone], 8)}\nStill named at:\n{places(dead)}",
            ),
            evidence=evidence(scene.cause, [c.position for c in makers], most=MOST_MAKERS),
            unchecked=["what should stand there instead"],
        )


def _search(scene: Scene, path: str, moves: Moves, modules: Modules) -> Found | None:
    """The references in one file, None if there are none or the file should not be changed."""
    if path not in scene.tracked or path in scene.unmerged or not kept_by_hand(path):
        return None
    text = scene.text(path)
    if text is None or is_generated(text):
        return None
    suffix = posixpath.splitext(path)[1].lower()
    if suffix in python_imports.SUFFIXES:
        could = _could_import(path, text, modules)
        found = python_imports.find_imports(path, text, modules, scene.text) if could else Found()
    elif suffix in markdown_links.SUFFIXES:
        found = markdown_links.find_links(path, text, moves)
    else:
        found = path_values.find_values(path, text, moves, modules)
    if found.spans and ordered(found.spans) is None:
        found.doubts += [(line, "references overlap") for line in sorted(found.lines)]
        found.spans, found.count = [], 0
    return found if found.spans or found.dead or found.doubts else None


def _candidates(scene: Scene, moves: Moves) -> list[str]:
    """Tracked files of a known kind that contain a name of a moved file, and moved files whose own links may break."""
    needles: set[str] = set()
    beside: set[str] = set()
    stale = list(moves.stale)
    many = len(stale) > _NEEDLES
    for old in stale:
        directory, base = posixpath.split(old)
        stem, suffix = posixpath.splitext(base)
        if base == "__init__.py" or (many and directory):
            needles.add(posixpath.basename(directory) or base)
        else:
            needles.update({stem} if suffix == ".py" else {base, quote(base, errors="surrogateescape")})
        if many or base == "__init__.py":
            beside.add(directory)
    needles |= {posixpath.basename(d) for d in moves.directories}
    found = set(files_naming(scene.git, sorted(needles), _PATHSPECS))
    found |= {p for p in moves.moved.values() if p.endswith((*python_imports.SUFFIXES, *markdown_links.SUFFIXES))}
    if beside:
        # Files in the same directory may name a file without the directory.
        found |= {p for p in scene.tracked if posixpath.dirname(p) in beside and _of_known_kind(p)}
    return sorted(found)


def _of_known_kind(path: str) -> bool:
    return path.endswith((*python_imports.SUFFIXES, *markdown_links.SUFFIXES)) or path_values.is_configuration(path)


def _could_import(path: str, text: str, modules: Modules) -> bool:
    """Whether an import or a string may name a moved module: a cheap check before parsing."""
    if modules.moves.former(path) != path:
        return True
    ends = modules.ends
    plain: set[str] = set()
    for m in _IMPORTS.finditer(text):
        if m[1] is not None:
            if modules.concerns(path, m[1], _NAME.findall(m[2])):
                return True
        else:
            names = {words[0] for name in m[3].split(",") if (words := name.split())}
            plain |= names
            if any(
                modules.stale(path, name) or modules.ambiguous(path, name)
                for name in names
                if ends & {*name.split(".")}
            ):
                return True
    tops = {name.split(".")[0] for name in plain}
    if modules.chained(text, tops):
        return True
    if modules.quoted.search(text) is None:
        return False
    return any(m[1] in ends for m in _NAMED.finditer(text)) or any(
        modules.renamed(path, m[1], shortest=2) is not None for m in _STRING.finditer(text)
    )


def _unchecked(makers: list[SeenCommit], found: dict[str, Found]) -> list[str]:
    out = []
    doubts = [(path, line, why) for path, result in found.items() for line, why in result.doubts]
    out += [f"{shown(path)}:{line + 1} was left alone: {why}" for path, line, why in doubts[:_DOUBTS]]
    if len(doubts) > _DOUBTS:
        out.append(f"{len(doubts) - _DOUBTS} more places were left alone")
    if any(c.cut for c in makers):
        out.append("a very large commit was recorded in part: some of its renames are not considered")
    out.append("only Markdown links, Python imports and paths in configuration were looked at, not prose or other code")
    return out
