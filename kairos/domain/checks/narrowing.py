"""Which pieces of a commit make a case red: delta debugging (Zeller's ddmin) over its hunks. Pure.

    parent + no piece: green      parent + all pieces = the commit: red

It looks for a smallest set of pieces with which the case is red: it tries halves, then quarters, … and what is left
without each of them. A set with which the case is green, or that cannot be tried (it does not compile), is not red.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec

MOST_TRIALS = 16
MOST_PIECES = 256
Pieces: TypeAlias = frozenset[int]


class GuiltyPieces(msgspec.Struct, frozen=True):
    """The answer. `whole`: the search came to its end, so that no piece of the set can be left out."""

    pieces: tuple[int, ...]
    whole: bool


def next_trial(n: int, tried: Mapping[Pieces, bool], most: int = MOST_TRIALS) -> Pieces | GuiltyPieces:
    """The pieces to try next, of n, or the answer. `tried`: the sets that were tried, and whether the case was red with
    them; after `most` of them it answers with the smallest that was red."""
    search = _ddmin(n)
    try:
        wanted = next(search)
        while wanted in tried:
            wanted = search.send(tried[wanted])
    except StopIteration as stop:
        return GuiltyPieces(tuple(sorted(stop.value)), True)
    if len(tried) < most:
        return wanted
    smallest = min((pieces for pieces, red in tried.items() if red), key=len, default=range(n))
    return GuiltyPieces(tuple(sorted(smallest)), False)


def _ddmin(n: int) -> Generator[Pieces, bool, Sequence[int]]:
    """Yields the sets to try and is sent whether the case is red with them; returns the smallest set."""
    left, parts = list(range(n)), 2
    while len(left) > 1:
        chunks = _parted(left, parts)
        rests = [[piece for piece in left if piece not in chunk] for chunk in chunks] if parts > 2 else []
        for smaller in (*chunks, *rests):
            if (yield frozenset(smaller)):
                parts = 2 if len(smaller) <= len(left) // 2 else max(parts - 1, 2)
                left = smaller
                break
        else:
            if parts >= len(left):
                return left
            parts = min(2 * parts, len(left))
    return left


def _parted(pieces: Sequence[int], parts: int) -> list[list[int]]:
    """The pieces in so many parts of about one length."""
    bounds = [len(pieces) * i // parts for i in range(parts + 1)]
    return [list(pieces[a:b]) for a, b in pairwise(bounds) if a < b]
