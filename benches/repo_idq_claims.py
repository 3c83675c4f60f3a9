"""Whether what a card claims follows from the commit that it names: read from git anew, without a detector.

Each claim is taken apart by its words, and each fact in it is looked up in the tree of the commit or of its first
parent: that a path is there, or is gone, that a line holds a marker, that a file names another one, that it parses.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import yaml

from kairos.backtest.result import RaisedThen

_MARKER = re.compile(rb"^\s*(<{7,}|>{7,}|={7,}|\|{7,}|%{7,}|\+{7,}|-{7,}|#{7,})")
_LINES = re.compile(r"lines? ((?:\d+(?:[–-]\d+)?(?:, | and )?)+)")
_LISTED = re.compile(r"(.+?)(?: and (\d+) more)?$")


class Trees:
    """The trees of a clone, read by one process."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process = subprocess.Popen(
            ["git", "-C", root, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._paths: dict[str, frozenset[str]] = {}

    def paths(self, commit: str) -> frozenset[str]:
        """The paths of a commit; none of one that is not there."""
        if commit not in self._paths:
            done = subprocess.run(
                ["git", "-C", self._root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit],
                capture_output=True, check=False,
            )  # fmt: skip
            found = done.stdout.decode("utf-8", "surrogateescape").split("\0")
            self._paths = dict([*self._paths.items()][-8:]) | {commit: frozenset(found) - {""}}
        return self._paths[commit]

    def text(self, commit: str, path: str) -> bytes:
        """What a commit has at a path; empty if nothing."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{commit}:{path}\n".encode("utf-8", "surrogateescape"))
        self._process.stdin.flush()
        head = self._process.stdout.readline().split()
        return self._process.stdout.read(int(head[2]) + 1)[:-1] if len(head) == 3 and head[2].isdigit() else b""

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def unproven(card: RaisedThen, trees: Trees) -> list[str]:
    """The facts in a claim that the commit it was raised at does not show; empty: all of it follows."""
    return list(_FACTS[card.detector](card, trees))


def _names(text: str) -> list[str]:
    """The paths of an enumeration: `a, b and c`, `a, b and 4 more`."""
    match = _LISTED.match(text.strip())
    inner = match.group(1) if match else text
    return [p.strip() for p in re.split(r", | and ", inner) if p.strip()]


def _present(trees: Trees, commit: str, names: list[str]) -> Iterator[str]:
    yield from (f"{n} is not in the tree" for n in names if n not in trees.paths(commit))


def _stale(card: RaisedThen, trees: Trees) -> Iterator[str]:
    now, before = trees.paths(card.commit), trees.paths(f"{card.commit}^")
    gone: list[str] = []
    for part in re.split(r", (?=\S+ is now )| and (?=\S+ is now )|; ", card.claim):
        if " is now " in part:
            old, new = part.split(" is now ", 1)
            new = re.sub(r" and \d+ more$", "", new).rstrip(".")
            gone.append(old)
            yield from _present(trees, card.commit, [new])
    match = re.match(r"(.+?) (?:was|were) deleted, and ", card.claim)
    gone += _names(match.group(1)) if match else []
    link = re.match(r"(.+?) led to what was renamed or deleted", card.claim)
    if link:
        for name in _names(link.group(1)):
            yield from _present(trees, card.commit, [name])
            target = trees.text(card.commit, name).decode("utf-8", "replace")
            there = _joined(name, target)
            if there in now or any(p.startswith(f"{there}/") for p in now):
                yield f"{name} leads to {there}"
        return
    if not gone:
        yield "no old path is named"
    for old in gone:
        yield from ([f"{old} is still there"] if old in now else [])
        yield from ([f"{old} was not there before"] if old not in before else [])
    named = re.search(r"still names? the old path: (.+?)\.?$", card.claim)
    for reader in _names(named.group(1).rstrip(".")) if named else []:
        yield from _present(trees, card.commit, [reader])
        text = trees.text(card.commit, reader)
        words = {
            w.encode()
            for old in [*gone, *before - now]
            for w in (PurePosixPath(old).stem, PurePosixPath(old).parent.name)
            if w
        }
        if not any(word in text for word in words):
            yield f"{reader} names nothing that is gone"


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
    added = trees.paths(card.commit) - trees.paths(f"{card.commit}^")
    if " seem" not in card.claim:
        path = card.title.split(" is ", 1)[0]
        yield from ([] if path in added else [f"{path} is not added"])
        return
    examples = card.claim.split("generated: ", 1)[1].split(". ")[0].rstrip(".")
    for name in _names(examples):
        if not any(p == name or p.startswith(name.rstrip("/") + "/") for p in added):
            yield f"{name} is not added"


def _dangling(card: RaisedThen, trees: Trees) -> Iterator[str]:
    now = trees.paths(card.commit)
    for name in _names(re.split(r" leads? to nothing", card.claim)[0]):
        yield from _present(trees, card.commit, [name])
        there = _joined(name, trees.text(card.commit, name).decode("utf-8", "replace"))
        if there in now or any(p.startswith(f"{there}/") for p in now):
            yield f"{name} leads to {there}"


def _case(card: RaisedThen, trees: Trees) -> Iterator[str]:
    folded: dict[str, int] = {}
    for path in trees.paths(card.commit):
        for part in (path, *(str(p) for p in PurePosixPath(path).parents)):
            folded.setdefault(part, 0)
    twice = len({p.lower() for p in folded}) < len(folded)
    yield from ([] if twice else ["no two paths differ only in case"])


_FACTS: dict[str, Callable[[RaisedThen, Trees], Iterator[str]]] = {
    "stale-reference": _stale, "conflict-marker": _conflict, "secret": _secret, "lock-file": _lock,
    "unparsable": _unparsable, "ignore-artifact": _artifact, "dangling-link": _dangling, "case-collision": _case,
}  # fmt: skip
