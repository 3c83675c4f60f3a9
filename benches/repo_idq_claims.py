"""Whether what a card claims follows from the commit that it names: read from git anew, without a detector.

Each claim is taken apart by its words, and each fact in it is looked up in the tree of the commit or of its first
parent: that a path is there, or is gone, that a line holds a marker, that a file names another one, that it parses.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from unicodedata import normalize

import yaml

from kairos.backtest.result import RaisedThen
from kairos.repo.git import Git
from kairos.repo.past_tree import BlobReader

_MARKER = re.compile(rb"^\s*(<{7,}|>{7,}|={7,}|\|{7,}|%{7,}|\+{7,}|-{7,}|#{7,})")
_LINES = re.compile(r"lines? ((?:\d+(?:[–-]\d+)?(?:, | and )?)+)")
_MORE = re.compile(r" and (\d+) more$")


class Trees:
    """The trees of a clone. Close it. GitError if git cannot say what a commit holds: nothing is proven by that."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._blobs = BlobReader(git)
        self._modes: dict[str, dict[str, bytes]] = {}

    def paths(self, commit: str) -> frozenset[str]:
        """The paths of a commit."""
        return frozenset(self._listed(commit))

    def is_link(self, commit: str, path: str) -> bool:
        """Whether a commit has a symbolic link at a path."""
        return self._listed(commit).get(path) == b"120000"

    def _listed(self, commit: str) -> dict[str, bytes]:
        if commit not in self._modes:
            rows = self._git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]
            modes = {os.fsdecode(row.partition(b"\t")[2]): row.partition(b" ")[0] for row in rows}
            self._modes = dict([*self._modes.items()][-8:]) | {commit: modes}
        return self._modes[commit]

    def before(self, commit: str) -> frozenset[str]:
        """The paths of the first parent of a commit; none of a root commit."""
        _, *parents = self._git.text("rev-list", "--parents", "--max-count=1", commit).split()
        return self.paths(parents[0]) if parents else frozenset()

    def text(self, commit: str, path: str) -> bytes:
        """What a commit has at a path; empty if nothing, or more than a detector reads."""
        return self._blobs.read(f"{commit}:{path}") or b""

    def lines(self, commit: str, words: Iterable[str]) -> int:
        """How many lines of the files of a commit hold one of these whole words."""
        asked = [part for word in sorted(set(words)) for part in ("-e", word)]
        out = self._git.run("grep", "-cIFw", *asked, commit, "--", ok=(0, 1)) if asked else b""
        return sum(int(line.rpartition(b":")[2]) for line in out.splitlines())

    def close(self) -> None:
        self._blobs.close()


def unproven(card: RaisedThen, trees: Trees) -> list[str]:
    """The facts in a claim that the commit it was raised at does not show; empty: all of it follows."""
    return list(_FACTS[card.detector](card, trees))


def _names(text: str) -> list[str]:
    """The paths of an enumeration: `a, b and c`, `a, b and 4 more`."""
    return [p.strip() for p in re.split(r", | and ", _MORE.sub("", text.strip())) if p.strip()]


def _present(trees: Trees, commit: str, names: list[str]) -> Iterator[str]:
    yield from (f"{n} is not in the tree" for n in names if n not in trees.paths(commit))


def _stale(card: RaisedThen, trees: Trees) -> Iterator[str]:
    now, before = trees.paths(card.commit), trees.before(card.commit)
    link = re.match(r"(.+?) led to what was renamed or deleted", card.claim)
    if link:
        yield from _leads_nowhere(card, trees, _names(link.group(1)))
        return
    gone: list[str] = []
    for part in re.split(r", (?=\S+ is now )| and (?=\S+ is now )|; ", card.claim):
        if " is now " in part:
            old, new = part.split(" is now ", 1)
            gone.append(old)
            yield from _present(trees, card.commit, [_MORE.sub("", new).rstrip(".")])
    deleted = re.match(r"(.+?) (?:was|were) deleted, and (\d+) places? ", card.claim)
    gone += _names(deleted.group(1)) if deleted else []
    yield from ([] if gone else ["no old path is named"])
    for old in gone:
        yield from ([f"{old} is still there"] if old in now else [])
        yield from ([f"{old} was not there before"] if old not in before else [])
    more = _MORE.search(deleted.group(1) if deleted else card.claim.split("; ", 1)[0])
    if more and len(gone) + int(more.group(1)) > len(before - now):
        yield f"the commit takes {len(before - now)} files away"
    # What a claim leaves to a number is among what the commit took away.
    words = {word for old in (before - now if more else gone) for word in _words(old)}
    if deleted:
        lines = trees.lines(card.commit, words)
        yield from ([f"{lines} lines name it"] if lines < int(deleted.group(2)) else [])
        return
    named = re.search(r"still names? the old path: (.+?)\.?$", card.claim)
    yield from ([] if named else ["no reader is named"])
    for reader in _names(named.group(1)) if named else []:
        yield from _present(trees, card.commit, [reader])
        text = trees.text(card.commit, reader)
        if not any(re.search(rb"(?<!\w)%b(?!\w)" % re.escape(os.fsencode(word)), text) for word in words):
            yield f"{reader} names nothing that is gone"


def _words(path: str) -> list[str]:
    """What a reference to a file holds as a whole word: its name without the suffix, or the directory that it stands
    for. A package of Go is called by its directory alone."""
    file = PurePosixPath(path)
    stem = file.stem.removesuffix(".d")
    if stem in ("__init__", "index", "mod"):
        return [file.parent.name or file.name]
    return [stem, file.parent.name] if file.suffix == ".go" and file.parent.name else [stem]


def _leads_nowhere(card: RaisedThen, trees: Trees, links: list[str]) -> Iterator[str]:
    now = trees.paths(card.commit)
    for name in links:
        yield from ([] if trees.is_link(card.commit, name) else [f"{name} is no link"])
        there = _joined(name, os.fsdecode(trees.text(card.commit, name)))
        if there in now or any(p.startswith(f"{there}/") for p in now):
            yield f"{name} leads to {there}"


def _joined(link: str, target: str) -> str:
    parts: list[str] = list(PurePosixPath(link).parent.parts)
    for part in PurePosixPath(target).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _numbers(claim: str) -> list[int]:
    match = _LINES.search(claim)
    return [int(n) for n in re.findall(r"\d+", match.group(1))] if match else []


def _path_before(claim: str, words: str) -> str:
    return claim.split(words, 1)[0]


def _conflict(card: RaisedThen, trees: Trees) -> Iterator[str]:
    path = _path_before(card.claim, " still holds ")
    yield from _present(trees, card.commit, [path])
    lines = trees.text(card.commit, path).split(b"\n")
    numbers = _numbers(card.claim)
    yield from ([] if numbers else ["no line is named"])
    yield from (f"line {n} holds no marker" for n in numbers if not (n <= len(lines) and _MARKER.match(lines[n - 1])))


def _secret(card: RaisedThen, trees: Trees) -> Iterator[str]:
    path = re.split(r" (?:held|holds) what looks like", card.claim)[0]
    yield from _present(trees, card.commit, [path])
    lines = trees.text(card.commit, path).split(b"\n")
    numbers = _numbers(card.claim)
    yield from ([] if numbers else ["no line is named"])
    if trees.text(card.commit, path) == trees.text(f"{card.commit}^", path):
        yield f"the commit does not change {path}"
    yield from (f"line {n} is no value" for n in numbers if n > len(lines) or not re.search(rb"\S{8,}", lines[n - 1]))
    named = re.search(r"in commit ([0-9a-f]{7,})", card.claim)
    yield from ([f"{named.group(1)} is another commit"] if named and not card.commit.startswith(named.group(1)) else [])


def _lock(card: RaisedThen, trees: Trees) -> Iterator[str]:
    lock, rest = card.claim.split(" lacks what ", 1)
    manifests, asked = re.split(r" asks? for: ", rest, maxsplit=1)
    readers = [m for m in _names(manifests) if m in trees.paths(card.commit)]
    yield from _present(trees, card.commit, [lock])
    yield from ([] if readers else [f"none of {manifests} is in the tree"])
    text = b"".join(trees.text(card.commit, m) for m in readers).lower().replace(b"_", b"-")
    names = [w for w in re.findall(r"[A-Za-z0-9@/._-]{2,}", asked) if w.lower().replace("_", "-").encode() in text]
    yield from ([] if names else ["the manifest names nothing of it"])


def _parses(path: str, data: bytes) -> bool:
    text = data.decode("utf-8-sig", "replace")
    try:
        if path.endswith((".toml", ".lock")):
            tomllib.loads(text)
        elif path.endswith((".yml", ".yaml")):
            list(yaml.parse(text))
        else:
            json.loads(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return False
    return True


def _unparsable(card: RaisedThen, trees: Trees) -> Iterator[str]:
    path = _path_before(card.claim, " parsed before commit ")
    yield from _present(trees, card.commit, [path])
    yield from ([] if card.commit[:12] in card.claim else ["another commit is named"])
    yield from ([f"{path} parses"] if _parses(path, trees.text(card.commit, path)) else [])
    before = trees.text(f"{card.commit}^", path)
    yield from ([f"{path} did not parse before"] if before and not _parses(path, before) else [])


def _artifact(card: RaisedThen, trees: Trees) -> Iterator[str]:
    """Seen before its commit: what it names is what the commit adds."""
    added = trees.paths(card.commit) - trees.before(card.commit)
    if " seem" not in card.claim:
        path = card.title.split(" is ", 1)[0]
        yield from ([] if path in added else [f"{path} is not added"])
        return
    examples = card.claim.split("generated: ", 1)[1].split(". ")[0].rstrip(".")
    for name in _names(examples):
        if not any(p == name or p.startswith(name.rstrip("/") + "/") for p in added):
            yield f"{name} is not added"


def _dangling(card: RaisedThen, trees: Trees) -> Iterator[str]:
    yield from _leads_nowhere(card, trees, _names(re.split(r" leads? to nothing", card.claim)[0]))


def _case(card: RaisedThen, trees: Trees) -> Iterator[str]:
    paths = trees.paths(card.commit)
    there = paths | {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    pairs = card.claim.split("only in case: ", 1)[1].split(". On macOS", 1)[0]
    names = _names(pairs)
    yield from ([f"{len(names)} names are no pairs"] if not names or len(names) % 2 else [])
    yield from (f"{name} is not in the tree" for name in names if name not in there)
    for one, other in zip(names[::2], names[1::2], strict=False):
        if one == other or normalize("NFD", one.casefold()) != normalize("NFD", other.casefold()):
            yield f"{one} and {other} differ in more than case"


_FACTS: dict[str, Callable[[RaisedThen, Trees], Iterator[str]]] = {
    "stale-reference": _stale, "conflict-marker": _conflict, "secret": _secret, "lock-file": _lock,
    "unparsable": _unparsable, "ignore-artifact": _artifact, "dangling-link": _dangling, "case-collision": _case,
}  # fmt: skip
