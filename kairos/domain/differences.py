"""The difference of two texts, line by line, in time that grows linearly with their length, not quadratically.

Equal beginnings and ends are removed first. The rest is compared by Myers' greedy algorithm (Algorithmica, 1986), which
finds the fewest changed lines; if the texts differ too much for that, they are cut at the lines that occur exactly once
in both (patience diff), and pieces that still differ too much are reported as replaced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_STEPS_A_LINE, _STEPS = 4, 16_384
"""The limit of comparisons for one piece, for each line and as a minimum; all pieces together may use `_IN_ALL` times
the limit of the whole."""
_IN_ALL = 4
_CUTS = 4
"""The maximum number of times a piece is cut again."""


class ChangedLines(NamedTuple):
    """Lines start..end of the old text became lines new_start..new_end of the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


class _Piece(NamedTuple):
    start: int
    end: int
    new_start: int
    new_end: int
    cuts: int


def differences(old: Sequence[str], new: Sequence[str]) -> list[ChangedLines]:
    """The differences, in order; between two differences there is at least one equal line."""
    numbers: dict[str, int] = {}
    a, b = ([numbers.setdefault(line, len(numbers)) for line in lines] for lines in (old, new))
    found: list[ChangedLines] = []
    waiting = [_Piece(0, len(a), 0, len(b), 0)]
    left = _IN_ALL * _granted(a, b)
    while waiting:
        piece = _trimmed(a, b, waiting.pop())
        if piece.start == piece.end or piece.new_start == piece.new_end:
            whole = ChangedLines(*piece[:4])
            found += [whole] if whole.start < whole.end or whole.new_start < whole.new_end else []
            continue
        inner, new_inner = a[piece.start : piece.end], b[piece.new_start : piece.new_end]
        least, taken = _fewest(inner, new_inner, min(left, _granted(inner, new_inner)))
        left -= taken
        if least is not None:
            x, y = piece.start, piece.new_start
            found += [ChangedLines(x + d.start, x + d.end, y + d.new_start, y + d.new_end) for d in least]
        else:
            pieces = list(_cut(a, b, piece)) if piece.cuts < _CUTS else []
            waiting += reversed(pieces)
            found += [] if pieces else [ChangedLines(*piece[:4])]
    return found


def _trimmed(a: list[int], b: list[int], piece: _Piece) -> _Piece:
    """A piece without its equal beginning and end."""
    start, end, new_start, new_end, cuts = piece
    while start < end and new_start < new_end and a[start] == b[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and a[end - 1] == b[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return _Piece(start, end, new_start, new_end, cuts)


def _granted(a: list[int], b: list[int]) -> int:
    return _STEPS + _STEPS_A_LINE * (len(a) + len(b))


def _fewest(a: list[int], b: list[int], granted: int) -> tuple[list[ChangedLines] | None, int]:
    """(the differences with the fewest lines, or None if finding them takes more than `granted` steps; the steps
    used)."""
    taken = 0
    reached = {1: 0}
    rounds: list[dict[int, int]] = []
    for edits in range(len(a) + len(b) + 1):
        if taken > granted:
            break
        before, reached = reached, {}
        rounds.append(before)
        for k in range(-edits, edits + 1, 2):
            x = before[k + 1] if _adds(before, k, edits) else before[k - 1] + 1
            y = x - k
            taken += 1
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y, taken = x + 1, y + 1, taken + 1
            reached[k] = x
            if x >= len(a) and y >= len(b):
                return _walked_back(rounds, len(a), len(b)), taken
    return None, taken


def _adds(before: dict[int, int], k: int, edits: int) -> bool:
    """Whether the farthest point on diagonal k is reached by adding a line rather than by removing one."""
    return k == -edits or (k != edits and before[k - 1] < before[k + 1])


def _walked_back(rounds: list[dict[int, int]], x: int, y: int) -> list[ChangedLines]:
    """The changes found by walking the rounds back from the end; adjacent steps are joined."""
    found: list[ChangedLines] = []
    for edits in range(len(rounds) - 1, 0, -1):
        before, k = rounds[edits], x - y
        adds = _adds(before, k, edits)
        end = before[k + 1] if adds else before[k - 1] + 1
        step = ChangedLines(end if adds else end - 1, end, end - k - 1 if adds else end - k, end - k)
        if found and (found[-1].start, found[-1].new_start) == (step.end, step.new_end):
            last = found.pop()
            step = ChangedLines(step.start, last.end, step.new_start, last.new_end)
        found.append(step)
        x, y = step.start, step.new_start
    return found[::-1]


def _cut(a: list[int], b: list[int], piece: _Piece) -> Iterator[_Piece]:
    """The pieces between the lines that occur once in both texts; of these lines the longest sequence in the same order
    is used."""
    once = _once(a, piece.start, piece.end)
    new_once = _once(b, piece.new_start, piece.new_end)
    pairs = [(at, new_once[line]) for line, at in once.items() if line in new_once]
    start, new_start = piece.start, piece.new_start
    anchors = _longest_rising(pairs)
    for at, new_at in anchors:
        yield _Piece(start, at, new_start, new_at, piece.cuts + 1)
        start, new_start = at + 1, new_at + 1
    if anchors:
        yield _Piece(start, piece.end, new_start, piece.new_end, piece.cuts + 1)


def _once(lines: list[int], start: int, end: int) -> dict[int, int]:
    """Line → its index, for the lines that occur exactly once from `start` to `end`; in order."""
    counted = Counter(lines[start:end])
    return {lines[i]: i for i in range(start, end) if counted[lines[i]] == 1}


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence in which the second numbers rise too, of pairs whose first numbers rise (patience
    sorting)."""
    tops: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for i, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        before.append(chosen[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [second]
        chosen[pile : pile + 1] = [i]
    found = []
    at = chosen[-1] if chosen else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def diff_lines(
    old: Sequence[str], new: Sequence[str], found: Sequence[ChangedLines], headers: tuple[str, str], context: int = 3
) -> Iterator[str]:
    """The lines of a unified diff that shows these differences of two texts, each with `context` lines around it. A
    last line without a line end is followed by git's marker for that."""
    if found:
        yield f"--- {headers[0]}\n+++ {headers[1]}\n"
    for group in _grouped(found, context):
        start, new_start = (max(0, at - context) for at in (group[0].start, group[0].new_start))
        end, new_end = min(len(old), group[-1].end + context), min(len(new), group[-1].new_end + context)
        yield f"@@ -{_range(start, end)} +{_range(new_start, new_end)} @@\n"
        for difference in group:
            yield from (_ended(" ", line) for line in old[start : difference.start])
            yield from (_ended("-", line) for line in old[difference.start : difference.end])
            yield from (_ended("+", line) for line in new[difference.new_start : difference.new_end])
            start = difference.end
        yield from (_ended(" ", line) for line in old[start:end])


def _grouped(found: Sequence[ChangedLines], context: int) -> Iterator[list[ChangedLines]]:
    """Differences grouped so that those with adjoining or overlapping context are in one group."""
    group: list[ChangedLines] = []
    for difference in found:
        if group and difference.start - group[-1].end > 2 * context:
            yield group
            group = []
        group.append(difference)
    if group:
        yield group


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + (length > 0)},{length}"


def _ended(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
