"""Which files change together, learned one commit at a time. Pure: commits in, confidences out.

The task and its measures follow ROSE (Zimmermann et al., ICSE 2004). Confidence is a conditional
probability in which small commits count more, blended from three views of the same evidence, each shrunk towards a
prior: commits weighted by age (half-life 180 days), by order (the file's own last changes), and all alike. A file
keeps its identity across renames; deleting a file deletes its evidence.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from math import log2
from posixpath import dirname

from kairos.memory.counts import Commit, Estimate, File, Pair
from kairos.memory.evidence import Evidence
from kairos.memory.naming import stem_of

HALF_LIFE_S = 180 * 86_400
RECENT_HALF_LIFE_S = 20 * 86_400
LARGEST = 30
"""Maximum number of files in a commit: larger ones (reformatting, imports, licences) say nothing about pairs."""
CITES = 8
_PRIOR = 0.7
_ORDER = 0.12
_BLEND = (0.3, 0.4, 0.3)
_POPULAR = 20
_FARTHEST = 900.0


class Learner:
    """Learns from commits and answers from the evidence of one repository."""

    def __init__(self, evidence: Evidence | None = None) -> None:
        self.evidence = evidence if evidence is not None else Evidence()
        self._names: _Names | None = None
        """Built when a guess is asked for; reads every file."""

    @property
    def clock(self) -> int:
        """The newest commit time learned (s). Evidence ages relative to it, that is, only with new commits."""
        return self.evidence.totals.clock

    def knows(self, path: str) -> bool:
        """Whether a commit brought this path and it still exists."""
        return self.evidence.ident(path) is not None

    def paths(self) -> list[str]:
        """Every committed path that still exists, sorted."""
        return sorted(file.path for _, file in self.evidence.files())

    def learn(self, commit: Commit) -> None:
        """Adds one commit. Must be called in the order of history."""
        for path, old in commit.renames.items():
            self._rename(old, path)
        for path in commit.removed:
            self._remove(path)
        idents = [self._ident(path) for path in dict.fromkeys(commit.paths)]
        if not idents or len(idents) + len(commit.removed) > LARGEST:
            return
        totals = self.evidence.totals
        at = max(0, commit.at_s)
        if totals.epoch < 0:
            totals.epoch = at
        totals.clock = max(totals.clock, at)
        weight = _power((at - totals.epoch) / HALF_LIFE_S)
        share = 1 / log2(1 + len(idents)) ** 0.5
        totals.total += weight
        totals.hot = totals.hot * _faded(totals.clock - totals.hot_at) + 1
        totals.hot_at = totals.clock
        for ident in idents:
            file = self.evidence.edit(ident).file
            file.weight += weight * share
            file.ever += share
            file.order = file.order * (1 - _ORDER) + _ORDER * share
            file.count += 1
            file.hot = file.hot * _faded(totals.clock - file.hot_at) + 1
            file.hot_at = totals.clock
            _cite(file.cites, commit.position, 4)
        for i, one in enumerate(idents):
            for other in idents[i + 1 :]:
                self._together(min(one, other), max(one, other), weight * share, share, at, commit.position)

    def related(self, paths: Sequence[str], limit: int = 10, *, guess: bool = True) -> list[Estimate]:
        """The files that change when any of `paths` changes, highest confidence first, without `paths` themselves.
        `guess` False excludes files that no commit changed together with them."""
        best: dict[str, Estimate] = {}
        asked = set(paths)
        for path in dict.fromkeys(paths):
            for found in self._beside(path, guess):
                known = best.get(found.path)
                if found.path not in asked and (known is None or found.confidence > known.confidence):
                    best[found.path] = found
        return heapq.nsmallest(limit, best.values(), key=lambda e: (-e.confidence, e.path))

    def estimate(self, path: str, other: str) -> Estimate | None:
        """The estimate that `other` changes with `path`; None if no commit changed both."""
        a, b = self.evidence.ident(path), self.evidence.ident(other)
        if a is None or b is None or a == b:
            return None
        pair = self.evidence.pair(a, b)
        files = self.evidence.file(a), self.evidence.file(b)
        return None if pair is None else self._estimate((a, files[0]), (b, files[1]), pair, self._scale())

    def couples(self, least: int) -> Iterator[tuple[str, Estimate]]:
        """(path, estimate) in both directions for each pair seen in at least `least` commits. Keeps every file in
        memory, but never all pairs."""
        scale = self._scale()
        files = dict(self.evidence.files())
        for low, node in self.evidence.nodes():
            for high, pair in node.pairs.items():
                if pair.count >= least and high in files:
                    one, two = (low, files[low]), (high, files[high])
                    yield one[1].path, self._estimate(one, two, pair, scale)
                    yield two[1].path, self._estimate(two, one, pair, scale)

    def _beside(self, path: str, guess: bool) -> Iterator[Estimate]:
        a = self.evidence.ident(path)
        scale = self._scale()
        near = dict(self.evidence.beside(a)) if a is not None else {}
        one = self.evidence.file(a) if a is not None else None
        for b, (two, pair) in near.items():
            assert a is not None and one is not None
            yield self._estimate((a, one), (b, two), pair, scale)
        if guess:
            for b in self._likely(path) - near.keys() - {a or 0}:
                yield self._guess(one, path, self.evidence.file(b), scale)

    def _likely(self, path: str) -> set[int]:
        """The files of the same folder or stem, and those that change most."""
        if self._names is None:
            self._names = _Names(self.evidence.files())
        clock = self.evidence.totals.clock
        hot = {ident: file.hot * _faded(clock - file.hot_at) for ident, file in self.evidence.files()}
        return self._names.like(path) | set(heapq.nlargest(_POPULAR, hot, key=lambda i: (hot[i], -i)))

    def _estimate(self, a: tuple[int, File], b: tuple[int, File], pair: Pair, scale: float) -> Estimate:
        one, two = a[1], b[1]
        by_age, by_order, by_all = _BLEND
        prior = self._prior(one.path, two, scale) * _PRIOR
        order, at = (pair.fwd, pair.fwd_at) if a[0] < b[0] else (pair.back, pair.back_at)
        order *= (1 - _ORDER) ** (one.count - at)
        aged = (pair.weight / scale + prior) / (one.weight / scale + _PRIOR)
        ordered = order / one.order * one.count / (one.count + _PRIOR)
        whole = pair.ever / (one.ever + _PRIOR)
        confidence = min(1.0, by_age * aged + by_order * ordered + by_all * whole)
        return Estimate(two.path, confidence, pair.count, list(pair.cites), pair.since, pair.last)

    def _guess(self, one: File | None, path: str, two: File, scale: float) -> Estimate:
        weight = one.weight / scale if one is not None else 0.0
        confidence = _BLEND[0] * self._prior(path, two, scale) * _PRIOR / (weight + _PRIOR)
        return Estimate(two.path, confidence, 0, list(two.cites))

    def _prior(self, path: str, other: File, scale: float) -> float:
        """The probability that the other file is in any commit; higher for the same folder or the same stem."""
        totals = self.evidence.totals
        hot = other.hot * _faded(totals.clock - other.hot_at) / max(totals.hot, 1.0)
        chance = 0.5 * hot + 0.3 * other.weight / max(totals.total, 1e-9)
        if dirname(path) == dirname(other.path):
            chance *= 1.5
        stem = stem_of(path)
        if stem and stem == stem_of(other.path):
            chance = max(chance, 0.02) * 3
        return min(0.9, chance)

    def _together(self, low: int, high: int, weight: float, share: float, at: int, position: int) -> None:
        one, two = self.evidence.edit(low), self.evidence.edit(high)
        pair = one.pairs.get(high)
        if pair is None:
            pair = one.pairs[high] = Pair(since=at, cites=[])
            two.lower[low] = None
        pair.weight += weight
        pair.ever += share
        pair.count += 1
        pair.since = min(pair.since, at)
        pair.last = max(pair.last, at)
        first, second = one.file.count, two.file.count
        pair.fwd = pair.fwd * (1 - _ORDER) ** (first - pair.fwd_at) + _ORDER * share
        pair.back = pair.back * (1 - _ORDER) ** (second - pair.back_at) + _ORDER * share
        pair.fwd_at, pair.back_at = first, second
        _cite(pair.cites, position, CITES)

    def _scale(self) -> float:
        """The weight of a commit made at `clock`."""
        return _power((self.clock - self.evidence.totals.epoch) / HALF_LIFE_S)

    def _ident(self, path: str) -> int:
        ident = self.evidence.ident(path)
        if ident is None:
            ident = self.evidence.add(path)
            if self._names is not None:
                self._names.add(ident, path)
        return ident

    def _rename(self, old: str, new: str) -> None:
        ident = self.evidence.ident(old)
        if ident is None or old == new:
            return
        self._remove(new)
        self.evidence.rename(ident, new)
        if self._names is not None:
            self._names.discard(ident, old)
            self._names.add(ident, new)

    def _remove(self, path: str) -> None:
        ident = self.evidence.ident(path)
        if ident is None:
            return
        self.evidence.remove(ident)
        if self._names is not None:
            self._names.discard(ident, path)


class _Names:
    """Files by their folder and by their stem, for guesses."""

    def __init__(self, files: Iterable[tuple[int, File]]) -> None:
        self._folders: dict[str, set[int]] = {}
        self._stems: dict[str, set[int]] = {}
        for ident, file in files:
            self.add(ident, file.path)

    def like(self, path: str) -> set[int]:
        """The files of the same folder or the same stem."""
        return self._folders.get(dirname(path), set()) | self._stems.get(stem_of(path), set())

    def add(self, ident: int, path: str) -> None:
        self._folders.setdefault(dirname(path), set()).add(ident)
        if stem := stem_of(path):
            self._stems.setdefault(stem, set()).add(ident)

    def discard(self, ident: int, path: str) -> None:
        self._folders[dirname(path)].discard(ident)
        if stem := stem_of(path):
            self._stems[stem].discard(ident)


def _power(half_lives: float) -> float:
    """2 ** `half_lives`, clamped to the range of a float because a repository can claim any commit time."""
    return float(2.0 ** max(-_FARTHEST, min(_FARTHEST, half_lives)))


def _faded(seconds: int) -> float:
    return _power(-seconds / RECENT_HALF_LIFE_S)


def _cite(cites: list[int], position: int, most: int) -> None:
    if not cites or cites[-1] != position:
        cites.append(position)
        del cites[:-most]
