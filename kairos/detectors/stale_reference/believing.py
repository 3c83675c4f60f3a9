"""Which of the renames that git reports are believed: git pairs any deleted file with a new one that looks alike."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kairos.detectors.scene import Scene, SeenCommit
from kairos.detectors.stale_reference.bindings import bindings_of
from kairos.repo.beneath import as_text

_ALIKE = 80
"""Percent of similarity from which a file under another name is the same file, names in Python modules aside."""
_SAME = 95
"""Percent from which a Python module is the same one whatever it defines."""
_TEMPLATES = frozenset(
    {".in", ".tmpl", ".tpl", ".template", ".j2", ".jinja", ".jinja2", ".erb", ".m4", ".mustache", ".tera"}
)


def believed(
    scene: Scene, moved: dict[str, str], makers: Sequence[SeenCommit]
) -> tuple[dict[str, str], dict[str, tuple[str, int]], frozenset[str]]:
    """The believed renames, the guesses that are not: old → (new, similarity in percent), and the old paths of files
    whose content was changed, too.

    A file that kept its name is believed. Under another name it must be alike, and a Python module must still define
    at least half of what it defined. All empty files look alike: such a pair is believed only if a file with content
    moved between the same directories, and is no guess worth telling either."""
    full = {old: new for old, new in moved.items() if not _is_empty(scene, new)}
    pairs = _pairs(scene, makers)
    scores = pairs.scores
    unlike = {o: n for o, n in full.items() if scores.get((o, n), 100) < _SAME}
    before = _former_texts(scene, [o for o in unlike if o.endswith(".py")], makers)
    guesses: dict[str, tuple[str, int]] = {}
    for old, new in unlike.items():
        score = scores[old, new]
        kept = _kept_names(before.get(old), scene.text(new)) if old.endswith(".py") else None
        same_name = posixpath.basename(old) == posixpath.basename(new)
        if kept is False or (kept is None and not same_name and score < _ALIKE):
            guesses[old] = (new, score)
    ways = {_way(o, n) for o, n in full.items() if o not in guesses and (o, n) not in pairs.alike}
    for old, new in full.items():
        if (old, new) in pairs.alike and _way(old, new) not in ways:
            guesses[old] = (new, 100)
    ways |= {_way(o, n) for o, n in full.items() if o not in guesses}
    sure = {
        old: new
        for old, new in moved.items()
        if old not in guesses and (_way(old, new) in ways or (posixpath.basename(old) != "__init__.py" and old in full))
    }
    return sure, guesses, frozenset(old for old, new in full.items() if scores.get((old, new), 100) < 100)


def _way(old: str, new: str) -> tuple[str, str]:
    """The directories between which a file moved, without the part that they end in alike."""
    was, now = old.split("/")[:-1], new.split("/")[:-1]
    while was and now and was[-1] == now[-1]:
        was.pop()
        now.pop()
    return "/".join(was), "/".join(now)


def generated(scene: Scene, moved: dict[str, str]) -> set[str]:
    """The old paths that are generated now: the file became their template, and git ignores the old path."""
    made = {
        old
        for old, new in moved.items()
        if posixpath.splitext(new)[1] in _TEMPLATES
        and posixpath.basename(new) in {posixpath.basename(old) + end for end in _TEMPLATES}
    }
    if not made:
        return set()
    return {path for path, rule in scene.facts.ignored(sorted(made)).items() if not rule.startswith("!")}


def made_by_a_build(scene: Scene, gone: set[str]) -> set[str]:
    """The deleted paths that git ignores by now: they are still there, but made, and rightly named."""
    if not gone:
        return set()
    return {path for path, rule in scene.facts.ignored(sorted(gone)).items() if not rule.startswith("!")}


def _is_empty(scene: Scene, path: str) -> bool:
    content = scene.read(path)
    return content is not None and not content.data.strip()


class _Pairs(NamedTuple):
    """What git says of renames: the similarity (percent) of each pair, and the pairs of files that are the same as
    another deleted or new one, so that which became which is arbitrary."""

    scores: dict[tuple[str, str], int]
    alike: set[tuple[str, str]]


def _pairs(scene: Scene, makers: Sequence[SeenCommit]) -> _Pairs:
    """The renames of the commits, chains over several of them joined."""
    scores: dict[tuple[str, str], int] = {}
    alike: set[tuple[str, str]] = set()
    for commit in makers:
        if not commit.parents or not any(f.status == "R" for f in commit.changes):
            continue
        out = scene.git.run(
            "diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", "--diff-filter=ADR", "--end-of-options",
            commit.parents[0], commit.oid,
        )  # fmt: skip
        changes = list(_raw(out))
        alike |= _arbitrary(changes)
        for change in changes:
            if change.old is None or change.new is None:
                continue
            earlier = [(pair, score) for pair, score in scores.items() if pair[1] == change.old]
            for (first, middle), least in earlier:
                del scores[first, middle]
                scores[first, change.new] = min(change.score, least)
            scores[change.old, change.new] = change.score
    return _Pairs(scores, alike)


class _Change(NamedTuple):
    """A deleted (`new` None), created (`old` None) or renamed file, with its blobs and its similarity (percent)."""

    old: str | None
    new: str | None
    blobs: tuple[str, str]
    score: int


def _raw(out: bytes) -> Iterator[_Change]:
    fields = iter(out.split(b"\0"))
    for head in fields:
        if not head.startswith(b":"):
            continue
        _, _, before, after, status = head.decode("ascii", "replace").split()
        first = os.fsdecode(next(fields))
        if status[0] == "R":
            score = int(status[1:]) if status[1:].isdigit() else 100
            yield _Change(first, os.fsdecode(next(fields)), (before, after), score)
        else:
            created = status[0] == "A"
            yield _Change(None if created else first, first if created else None, (before, after), 0)


def _arbitrary(changes: Sequence[_Change]) -> set[tuple[str, str]]:
    """The pairs of files with the same content as another deleted or created one, unless the name tells them apart."""
    olds: dict[str, list[str]] = {}
    news: dict[str, list[str]] = {}
    for change in changes:
        if change.old is not None:
            olds.setdefault(change.blobs[0], []).append(posixpath.basename(change.old))
        if change.new is not None:
            news.setdefault(change.blobs[1], []).append(posixpath.basename(change.new))
    found = set()
    for change in changes:
        if change.old is None or change.new is None or change.score < 100:
            continue
        was, now = olds[change.blobs[0]], news[change.blobs[1]]
        name = posixpath.basename(change.old)
        told = name == posixpath.basename(change.new) and was.count(name) == 1 and now.count(name) == 1
        if (len(was) > 1 or len(now) > 1) and not told:
            found.add((change.old, change.new))
    return found


def _former_texts(scene: Scene, paths: Sequence[str], makers: Sequence[SeenCommit]) -> dict[str, str]:
    """The texts of files before the commits, from the parent of the first commit that changed them."""
    names: dict[str, str] = {}
    for commit in makers:
        touched = {f.was or f.path for f in commit.changes}
        for path in paths:
            if path in touched and commit.parents and "\n" not in path:
                names.setdefault(path, f"{commit.parents[0]}:{path}")
    blobs = scene.facts.blobs(names.values())
    texts = {path: as_text(blobs[name]) for path, name in names.items() if name in blobs}
    return {path: text for path, text in texts.items() if text is not None}


def _kept_names(before: str | None, now: str | None) -> bool | None:
    """Whether at least half of the names that a module defined are still defined; None if it defined none or it cannot
    be known."""
    old, new = bindings_of(before or ""), bindings_of(now or "")
    if before is None or old is None or new is None:
        return None
    names = {n for n, (_, origin) in old.last.items() if origin is None and not n.startswith("__")}
    return None if not names else 2 * len(names & new.last.keys()) >= len(names)
