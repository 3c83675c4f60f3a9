"""stale-reference: a commit renamed or deleted a tracked file, and other tracked files still name it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from kairos.detectors.boundaries import EVERY
from kairos.detectors.maintained import is_generated, is_ignore_list, kept_by_hand
from kairos.detectors.patching import Lines, ordered, spliced
from kairos.detectors.scene import Scene, SeenCommit
from kairos.detectors.stale_reference import directives, markdown_links, path_values, python_imports, source_files
from kairos.detectors.stale_reference.candidates import candidates, could_import, naming
from kairos.detectors.stale_reference.import_order import is_unsorted_by
from kairos.detectors.stale_reference.import_roots import NAMES, stated_roots
from kairos.detectors.stale_reference.java_types import UNIMPORTED
from kairos.detectors.stale_reference.layout import INIT, ConfiguredRoot
from kairos.detectors.stale_reference.long_lines import ShortLines
from kairos.detectors.stale_reference.mentions import mentions, unread
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import DETECTOR, Moves, key_parts, moves_of
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.stale_reference.symlinks import Dangling, dangling_links, described
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of, listed, places
from kairos.domain.action import FileEdit, NoteAction, PatchAction
from kairos.domain.amounts import count
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

_DOUBTS, _CONFIGURED, _PACKAGES = 200, 200, 20
_WORDS = re.compile(r"[\w-]+")
MOST_MAKERS = 64
"""At most so many commits of renames are cited."""
HORIZON = 300
"""Hindsight waits for so many commits: people mend a dead link when they come across it, and nobody brings the old path
back meanwhile (docs/detectors.md has the figures for 30, too)."""


class StaleReference:
    """One patch for all renames of the trigger's commits, one note for all deletions."""

    name = DETECTOR
    version = 1
    boundaries = EVERY - {"burst"}

    def look(self, scene: Scene) -> Iterator[Finding]:
        if not any(f.status in "RD" for c in scene.commits for f in c.changes):
            return
        moves, makers = moves_of(scene)
        if not moves:
            return
        modules = Modules(moves, _stated(scene, makers), scene.text, _changed_packages(scene, makers))
        named = naming(scene, moves)
        paths = candidates(scene, moves, named)
        projects = Projects(moves, scene.text, paths)
        found = {
            path: result for path in paths if (result := _search(scene, path, moves, modules, projects)) is not None
        }
        rewritten = {path: result for path, result in found.items() if result.spans}
        if rewritten:
            unchecked = _unchecked(moves, makers, found) + unread(mentions(scene, moves, found, named, projects))
            yield self._patch(scene, moves, makers, rewritten, unchecked)
        dead = [
            (path, line + 1) for path, result in found.items() for line in sorted(result.dead)
            if not is_ignore_list(path)
        ]  # fmt: skip
        if dead:
            # The patch says already what else names an old path.
            others = [] if rewritten else unread(mentions(scene, moves, found, named, projects))
            yield self._note(scene, moves, makers, dead, others)
        links = dangling_links(scene, moves)
        if links:
            yield self._links(scene, makers, links)

    def _patch(
        self, scene: Scene, moves: Moves, makers: list[SeenCommit], rewritten: dict[str, Found], unchecked: list[str]
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
        total = sum(r.count for r in rewritten.values())
        olds = sorted(moves.moved)
        what = f"renamed {shown(olds[0])}" if len(olds) == 1 else count(len({*moves.moved.values()}), "renamed file")
        pairs = listed([f"{shown(old)} is now {shown(new)}" for old, new in sorted(moves.moved.items())])
        files = count(len(rewritten), "file")
        key, subjects = keys_of(self.name, map(key_parts, olds))
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [*(f"{o}\0{n}" for o, n in sorted(moves.moved.items())), *parts])],
            fingerprint=fingerprint_of(parts),
            horizon=HORIZON,
            basis=basis_of(_alike(makers), present=moves.moved.values(), absent=olds),
            title=f"Update {count(total, 'reference')} to {what}",
            claim=f"{pairs}; {files} still {'names' if len(rewritten) == 1 else 'name'} the old path: "
            f"{listed([shown(p) for p in rewritten])}.",
            action=PatchAction(repo=scene.repo, edits=edits),
            evidence=evidence(scene.cause, [c.position for c in makers], most=MOST_MAKERS),
            unchecked=unchecked,
        )

    def _note(
        self, scene: Scene, moves: Moves, makers: list[SeenCommit], dead: list[tuple[str, int]], others: list[str]
    ) -> Finding:
        gone = sorted(moves.gone)
        key, subjects = keys_of(self.name, map(key_parts, gone))
        former = ["deleted", *gone, *(path for path, _ in dead)]
        basis = basis_of(_alike(makers), absent=gone)
        gone = _still_named(scene, gone, dead)
        what = shown(gone[0]) if len(gone) == 1 else f"{len(gone)} deleted files"
        still = "still names" if len(dead) == 1 else "still name"
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, former)],
            fingerprint=fingerprint_of(path for path, _ in dead),
            horizon=HORIZON,
            basis=basis,
            title=f"{count(len(dead), 'reference')} to {'deleted ' if len(gone) == 1 else ''}{what}",
            claim=f"{listed([shown(p) for p in gone])} {'was' if len(gone) == 1 else 'were'} deleted, and "
            f"{count(len(dead), 'place')} {still} {'it' if len(gone) == 1 else 'them'}.",
            action=NoteAction(
                repo=scene.repo,
                text=f"Deleted: {listed([shown(p) for p in gone], 8)}\n{_guessed(moves)}"
                f"Still named at:\n{places(dead)}",
            ),
            evidence=evidence(scene.cause, [c.position for c in makers], most=MOST_MAKERS),
            unchecked=["what should stand there instead", *others],
        )

    def _links(self, scene: Scene, makers: list[SeenCommit], links: list[Dangling]) -> Finding:
        """A note, because a patch cannot change a symbolic link."""
        names_of_links = [link.link for link in links]
        names = [shown(name) for name in names_of_links]
        key, subjects = keys_of(self.name, (["link", name] for name in names_of_links))
        many = len(links) > 1
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            fingerprint=fingerprint_of(f"{link.link}\0{link.target}" for link in links),
            horizon=HORIZON,
            basis=basis_of(_alike(makers), present=names_of_links),
            title=f"{count(len(links), 'symbolic link')} {'lead' if many else 'leads'} nowhere: {listed(names)}",
            claim=f"{listed(names)} led to what was renamed or deleted, and {'lead' if many else 'leads'} nowhere now.",
            action=NoteAction(repo=scene.repo, text=f"Run in the repository:\n{described(links)}"),
            evidence=evidence(scene.cause, [c.position for c in makers], most=MOST_MAKERS),
            unchecked=["links from outside of the repository"],
        )


def _alike(makers: Sequence[SeenCommit]) -> list[list[str]]:
    """The commits by the moves that they made: any one of those that made the same ones will do, as on two branches."""
    groups: dict[frozenset[tuple[str, str, str]], list[str]] = {}
    for commit in makers:
        moves = frozenset((c.status, c.was or "", c.path) for c in commit.changes if c.status in "RD")
        groups.setdefault(moves, []).append(commit.oid)
    return list(groups.values())


def _search(scene: Scene, path: str, moves: Moves, modules: Modules, projects: Projects) -> Found | None:
    """The references in one file, None if there are none or the file should not be changed."""
    if path not in scene.tracked or path in scene.unmerged or not kept_by_hand(path):
        return None
    text = scene.text(path)
    if text is None or is_generated(text):
        return None
    suffix = posixpath.splitext(path)[1].lower()
    if not suffix and text.startswith("#!"):
        suffix = ".py" if "python" in text.partition("\n")[0] else suffix
    elif not suffix and path_values.is_script(path):
        return None
    short = ShortLines(text)
    try:
        if suffix in python_imports.SUFFIXES:
            found = python_imports.find_imports(path, text, modules) if could_import(path, text, modules) else Found()
        elif suffix in markdown_links.SUFFIXES:
            found = short.in_whole(markdown_links.find_links(path, short.text, moves, modules, projects), moves)
        elif suffix in directives.SUFFIXES:
            found = short.in_whole(directives.find_directives(path, short.text, moves, modules), moves)
        elif suffix in source_files.LANGUAGES:
            found = source_files.find_references(path, text, moves, projects)
        else:
            found = short.in_whole(path_values.find_values(path, short.text, moves, modules, projects), moves)
    except RecursionError:
        # Hostile nesting: the file stays as it is, and the card says so.
        found = Found(doubts=[(0, "it is nested too deeply")])
    found = found.without_idle(text)
    if suffix not in python_imports.SUFFIXES and suffix not in source_files.LANGUAGES:
        found.leave_repeated(text)
    if found.spans and ordered(found.spans) is None:
        found.withdraw("references overlap")
    lines = Lines(text)
    found.changed = frozenset(lines.number(span.start) for span in found.spans)
    found.unsorted = is_unsorted_by(path, text, sorted(found.spans))
    return found if found.spans or found.dead or found.doubts else None


def _stated(scene: Scene, makers: list[SeenCommit]) -> tuple[frozenset[ConfiguredRoot], frozenset[ConfiguredRoot]]:
    """The import roots that configuration states, before the commits and now."""
    paths = sorted((p for p in scene.tracked if posixpath.basename(p) in NAMES), key=lambda p: (p.count("/"), p))
    texts = {p: text for p in paths[:_CONFIGURED] if (text := scene.text(p)) is not None}
    now = stated_roots(texts)
    changed = [(c, f) for c in makers for f in c.changes if posixpath.basename(f.was or f.path) in NAMES and c.parents]
    former = {
        f.was or f.path: text
        for c, f in reversed(changed[:_CONFIGURED])
        if (text := scene.text_in(c.parents[0], f.was or f.path)) is not None
    }
    return stated_roots(former) | now, now


def _changed_packages(scene: Scene, makers: list[SeenCommit]) -> dict[str, str]:
    """The texts that the packages (`__init__.py`) which the commits changed had before, by their former paths."""
    found: dict[str, str] = {}
    for commit in makers:
        for change in commit.changes:
            path = change.was or change.path
            if len(found) >= _PACKAGES or path in found or change.status not in "MR" or not commit.parents:
                continue
            if posixpath.basename(path) == INIT and (text := scene.text_in(commit.parents[0], path)):
                found[path] = text
    return found


def _still_named(scene: Scene, gone: list[str], dead: list[tuple[str, int]]) -> list[str]:
    """Those of the deleted files that the places name: by the name of the file, else by what an import calls it. All of
    them, if it is not to be seen of each place which one it names."""
    named = set[str]()
    for path, line in dead:
        text = (scene.text(path) or "").split("\n")[line - 1]
        words = {*_WORDS.findall(text)}
        by_name = {old for old in gone if re.search(rf"(?<![\w-]){re.escape(posixpath.basename(old))}(?![\w-])", text)}
        found = by_name or {old for old in gone if not words.isdisjoint(_called(old))}
        if not found:
            return gone
        named |= found
    return sorted(named)


def _called(path: str) -> set[str]:
    """The words by which a file may be called without its suffix."""
    directory, base = posixpath.split(path)
    stem = base.partition(".")[0]
    by_directory = path.endswith(".go") or stem in ("__init__", "index", "mod", "README")
    return {posixpath.basename(directory) if by_directory else stem} - {""}


def _unchecked(moves: Moves, makers: list[SeenCommit], found: dict[str, Found]) -> list[str]:
    out = []
    doubts = [
        (path, line, "is changed only in part" if line in result.changed else "was left alone", why)
        for path, result in found.items()
        for line, why in sorted(result.doubts)
    ]
    missing = sum(why.endswith(UNIMPORTED) for *_, why in doubts)
    if missing:
        out.append(f"the patch alone does not compile: it adds no import, and {count(missing, 'import')} "
                   f"{'is' if missing == 1 else 'are'} missing")  # fmt: skip
    out += [f"{shown(path)}:{line + 1} {what}: {shown(why)}" for path, line, what, why in doubts[:_DOUBTS]]
    if len(doubts) > _DOUBTS:
        more = len(doubts) - _DOUBTS
        out.append(f"{count(more, 'more place')} {'was' if more == 1 else 'were'} left alone")
    unsorted = [shown(path) for path, result in found.items() if result.unsorted]
    if unsorted:
        out.append(f"the order of imports in {listed(unsorted, 8)}")
    for old, (new, score) in sorted(moves.guesses.items())[:3]:
        out.append(
            f"git takes {shown(new)} for the renamed {shown(old)} ({score} % alike); it is not treated as renamed"
        )
    if any(c.cut for c in makers):
        out.append("a very large commit was recorded in part: some of its renames are not considered")
    return out


def _guessed(moves: Moves) -> str:
    """What git takes the deleted files to be now, if it guesses."""
    return "".join(
        f"git takes {shown(new)} for the renamed {shown(old)} ({score} % alike), which may be wrong.\n"
        for old, (new, score) in sorted(moves.guesses.items())[:8]
    )
