"""Recognises the conflict markers of git (merge, diff3, zdiff3), jj (diff, snapshot, git), Mercurial and Fossil."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SIZE = 7
"""The length of markers unless the attribute `conflict-marker-size` says otherwise. jj and nested merges make longer
ones."""
_MARKER = re.compile(r"(?P<run>(?P<kind>[<>|=%+\\-])(?P=kind)*)(?:[ \t]+(?P<label>.*))?")
_LONGEST = 200
_FOSSIL = re.compile(r"MERGED IN CONTENT FOLLOWS\b")
"""What Fossil writes behind the dividing marker; a heading of seven = may have any text."""


_EDITS = frozenset({("SEARCH", "REPLACE"), ("ORIGINAL", "UPDATED")})
"""The labels of edits in which a program asks for a change to a file."""


class MergeConflict(NamedTuple):
    """The 1-based lines of `<<<<<<<`, of the line that divides it, and of `>>>>>>>`, and the two labels."""

    ours: int
    middle: int
    theirs: int
    labels: tuple[str, str]


class _Open:
    """A conflict that has begun: its first line, its label, and the markers within it as (kind, line)."""

    def __init__(self, line: int, label: str) -> None:
        self.line = line
        self.label = label
        self.inner: list[tuple[str, int]] = []

    def middle(self) -> int:
        """The line that divides the sides; 0 if what stands within is no conflict of git or jj."""
        kinds = "".join(kind for kind, _ in self.inner)
        if re.fullmatch(r"\|?=", kinds):
            return self.inner[-1][1]
        # jj: a diff (its second line may begin with a row of backslashes) and snapshots of sides and bases.
        sections = [line for kind, line in self.inner if kind in "%+-"]
        shape = re.fullmatch(r"(?:%\\?|[+-])+", kinds) is not None and "+" in kinds
        return sections[1] if shape and len(sections) > 1 else 0


def conflicts(text: str, *, fences: bool = False, size: int = SIZE) -> list[MergeConflict]:
    """Every complete conflict whose markers stand at column 0, are equally long, and of length `size` or at least SIZE.

    A heading underlined with seven = is not a conflict. With `fences`, text inside ``` or ~~~ is skipped as an
    example. Of nested conflicts the outer one is reported."""
    found: list[MergeConflict] = []
    fence = ""
    begun: dict[int, _Open] = {}
    for number, line in enumerate(_lines(text), 1):
        mark = line.lstrip(" ")[:3]
        if fences and mark in ("```", "~~~") and (not fence or mark == fence):
            fence = "" if fence else mark
            begun.clear()
            continue
        if fence or line[:1] not in "<>|=%+\\-" or len(line) < min(size, SIZE):
            continue
        marker = _MARKER.fullmatch(line[: _LONGEST * 5])
        if marker is None:
            continue
        length, kind, label = len(marker["run"]), marker["kind"], marker["label"]
        if (length < SIZE and length != size) or length > _LONGEST:
            continue
        if kind == "<" and label:
            begun[length] = _Open(number, label.strip())
        elif length in begun and kind == ">" and label:
            first = begun.pop(length)
            middle = first.middle()
            if middle and (first.label.strip(), label.strip()) not in _EDITS:
                while found and found[-1].ours > first.line:
                    found.pop()
                found.append(MergeConflict(first.line, middle, number, (first.label, label.strip())))
                begun = {n: o for n, o in begun.items() if o.line < first.line}
        elif length in begun and kind not in "<>" and (kind != "=" or label is None or _FOSSIL.match(label)):
            begun[length].inner.append((kind, number))
    return found


_MADE = re.compile(
    r"HEAD(?::.*)?|Updated upstream|Stashed changes|(?=[0-9a-f]*\d)[0-9a-f]{7,40}(?:[ .:(].*)?|\.(?:mine|r\d+)"
    r"|TREE|MERGE-SOURCE"
    r"|(?:local|other|working copy|merge rev|destination|source|graft(?:ed)?|histedit|shelve)(?:: [0-9a-f]{12}\b.*)?"
    r"|[Cc]onflict \d+ of \d+(?: ends)?|Side #\d+ \(Conflict \d+ of \d+(?: ends)?\)"
    r"|(?:BEGIN|END) MERGE CONFLICT\b.*"
)
"""Labels that git, Subversion, Mercurial, Bazaar, jj and Fossil write by themselves; those of branches may be
anything."""


class LoneMarker(NamedTuple):
    """A line (1-based) that begins or ends a conflict of which the rest is gone, and its text."""

    line: int
    text: str


def is_made(label: str) -> bool:
    """Whether a program writes this label by itself."""
    return _MADE.fullmatch(label.strip()) is not None


def fenced_conflicts(text: str, *, size: int = SIZE) -> list[MergeConflict]:
    """The conflicts inside of fenced blocks that are no examples: both of their labels were written by a program."""
    outside = {c.ours for c in conflicts(text, fences=True, size=size)}
    return [c for c in conflicts(text, size=size) if c.ours not in outside and all(map(is_made, c.labels))]


def lone_markers(text: str, *, size: int = SIZE) -> list[LoneMarker]:
    """The lines that can only be `<<<<<<<` or `>>>>>>>` of a conflict, by a label that a program writes, and belong to
    no complete one."""
    if "<" * size not in text and ">" * size not in text:
        return []
    whole = {n for c in conflicts(text, size=size) for n in range(c.ours, c.theirs + 1)}
    found = []
    for number, line in enumerate(_lines(text), 1):
        if line[:size] not in ("<" * size, ">" * size) or line[size : size + 1] != " " or len(line) > _LONGEST:
            continue
        if number not in whole and is_made(line[size + 1 :]):
            found.append(LoneMarker(number, line))
    return found


def _lines(text: str) -> Iterable[str]:
    return (line.removesuffix("\r") for line in text.split("\n"))
