"""Which files change together, learned one commit at a time. Pure: commits in, confidences out.

The task and its measures follow ROSE (Zimmermann et al., ICSE 2004). Confidence is a conditional
probability in which small commits count more, blended from three views of the same evidence, each shrunk towards a
prior: commits weighted by age (half-life 180 days), by order (the file's own last changes), and all alike. A file
keeps its identity across renames; deleting a file deletes its evidence.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from math import log2
from posixpath import dirname

from kairos.memory.counts import Commit, Counts, Estimate, File, Pair
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
    """Counts, with indexes for fast queries."""

    def __init__(self, counts: Counts | None = None) -> None:
        self.counts = counts or Counts(files={}, pairs={})
        self.ids: dict[str, int] = {}
        self._near: dict[int, set[int]] = {}
        self._folders: dict[str, set[int]] = {}
        self._stems: dict[str, set[int]] = {}
        for ident, file in self.counts.files.items():
            self._index(ident, file.path)
        for key in self.counts.pairs:
            low, high = key >> 32, key & 0xFFFFFFFF
            self._near[low].add(high)
            self._near[high].add(low)

    @property
    def clock(self) -> int:
        """The newest commit time learned (s). Evidence ages relative to it, that is, only with new commits."""
        return self.counts.clock

    def paths(self) -> list[str]:
        """Every committed path that still exists, sorted."""
        return sorted(self.ids)

    def learn(self, commit: Commit) -> None:
        """Adds one commit. Must be called in the order of history."""
        for path, old in commit.renames.items():
            self._rename(old, path)
        for path in commit.removed:
            self._remove(path)
        idents = [self._ident(path) for path in dict.fromkeys(commit.paths)]
        if not idents or len(idents) + len(commit.removed) > LARGEST:
            return
        counts = self.counts
        at = max(0, commit.at_s)
        if counts.epoch < 0:
            counts.epoch = at
        counts.clock = max(counts.clock, at)
        weight = _power((at - counts.epoch) / HALF_LIFE_S)
        share = 1 / log2(1 + len(idents)) ** 0.5
        counts.total += weight
        counts.hot = counts.hot * _faded(counts.clock - counts.hot_at) + 1
        counts.hot_at = counts.clock
        for ident in idents:
            file = counts.files[ident]
            file.weight += weight * share
            file.ever += share
            file.order = file.order * (1 - _ORDER) + _ORDER * share
            file.count += 1
            file.hot = file.hot * _faded(counts.clock - file.hot_at) + 1
            file.hot_at = counts.clock
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
        a, b = self.ids.get(path), self.ids.get(other)
        if a is None or b is None or a == b or b not in self._near[a]:
            return None
        return self._estimate(a, b, self._scale())

    def couples(self, least: int) -> Iterator[tuple[str, Estimate]]:
        """(path, estimate) in both directions for each pair seen in at least `least` commits."""
        scale = self._scale()
        for key, pair in self.counts.pairs.items():
            if pair.count >= least:
                low, high = key >> 32, key & 0xFFFFFFFF
                yield self.counts.files[low].path, self._estimate(low, high, scale)
                yield self.counts.files[high].path, self._estimate(high, low, scale)

    def _beside(self, path: str, guess: bool) -> Iterator[Estimate]:
        a = self.ids.get(path)
        near = self._near[a] if a is not None else set()
        others = set(near)
        if guess:
            files, clock = self.counts.files, self.counts.clock
            others |= self._folders.get(dirname(path), set()) | self._stems.get(stem_of(path), set())
            others |= set(
                heapq.nlargest(_POPULAR, files, key=lambda i: (files[i].hot * _faded(clock - files[i].hot_at), -i))
            )
            others.discard(a or 0)
        scale = self._scale()
        for b in others:
            if a is not None and b in near:
                yield self._estimate(a, b, scale)
            else:
                yield self._guess(a, path, b, scale)

    def _estimate(self, a: int, b: int, scale: float) -> Estimate:
        one, two = self.counts.files[a], self.counts.files[b]
        pair = self.counts.pairs[_key(a, b)]
        by_age, by_order, by_all = _BLEND
        prior = self._prior(one.path, two, scale) * _PRIOR
        order, at = (pair.fwd, pair.fwd_at) if a < b else (pair.back, pair.back_at)
        order *= (1 - _ORDER) ** (one.count - at)
        aged = (pair.weight / scale + prior) / (one.weight / scale + _PRIOR)
        ordered = order / one.order * one.count / (one.count + _PRIOR)
        whole = pair.ever / (one.ever + _PRIOR)
        confidence = min(1.0, by_age * aged + by_order * ordered + by_all * whole)
        return Estimate(two.path, confidence, pair.count, list(pair.cites), pair.since, pair.last)

    def _guess(self, a: int | None, path: str, b: int, scale: float) -> Estimate:
        two = self.counts.files[b]
        weight = self.counts.files[a].weight / scale if a is not None else 0.0
        confidence = _BLEND[0] * self._prior(path, two, scale) * _PRIOR / (weight + _PRIOR)
        return Estimate(two.path, confidence, 0, list(two.cites))

    def _prior(self, path: str, other: File, scale: float) -> float:
        """The probability that the other file is in any commit; higher for the same folder or the same stem."""
        counts = self.counts
        hot = other.hot * _faded(counts.clock - other.hot_at) / max(counts.hot, 1.0)
        chance = 0.5 * hot + 0.3 * other.weight / max(counts.total, 1e-9)
        if dirname(path) == dirname(other.path):
            chance *= 1.5
        stem = stem_of(path)
        if stem and stem == stem_of(other.path):
            chance = max(chance, 0.02) * 3
        return min(0.9, chance)

    def _together(self, low: int, high: int, weight: float, share: float, at: int, position: int) -> None:
        key = (low << 32) | high
        pair = self.counts.pairs.get(key)
        if pair is None:
            pair = self.counts.pairs[key] = Pair(since=at, cites=[])
            self._near[low].add(high)
            self._near[high].add(low)
        pair.weight += weight
        pair.ever += share
        pair.count += 1
        pair.since = min(pair.since, at)
        pair.last = max(pair.last, at)
        first, second = self.counts.files[low].count, self.counts.files[high].count
        pair.fwd = pair.fwd * (1 - _ORDER) ** (first - pair.fwd_at) + _ORDER * share
        pair.back = pair.back * (1 - _ORDER) ** (second - pair.back_at) + _ORDER * share
        pair.fwd_at, pair.back_at = first, second
        _cite(pair.cites, position, CITES)

    def _scale(self) -> float:
        """The weight of a commit made at `clock`."""
        return _power((self.counts.clock - self.counts.epoch) / HALF_LIFE_S)

    def _ident(self, path: str) -> int:
        ident = self.ids.get(path)
        if ident is None:
            ident = self.counts.next
            self.counts.next += 1
            self.counts.files[ident] = File(path, cites=[])
            self._index(ident, path)
        return ident

    def _rename(self, old: str, new: str) -> None:
        ident = self.ids.get(old)
        if ident is None or old == new:
            return
        self._remove(new)
        self._unindex(ident, old)
        self.counts.files[ident].path = new
        self._index(ident, new)

    def _remove(self, path: str) -> None:
        ident = self.ids.get(path)
        if ident is None:
            return
        for other in self._near.pop(ident):
            self._near[other].discard(ident)
            del self.counts.pairs[_key(ident, other)]
        self._unindex(ident, path)
        del self.counts.files[ident]

    def _index(self, ident: int, path: str) -> None:
        self.ids[path] = ident
        self._near.setdefault(ident, set())
        self._folders.setdefault(dirname(path), set()).add(ident)
        if stem := stem_of(path):
            self._stems.setdefault(stem, set()).add(ident)

    def _unindex(self, ident: int, path: str) -> None:
        del self.ids[path]
        self._folders[dirname(path)].discard(ident)
        if stem := stem_of(path):
            self._stems[stem].discard(ident)


def _key(one: int, other: int) -> int:
    return (min(one, other) << 32) | max(one, other)


def _power(half_lives: float) -> float:
    """2 ** `half_lives`, clamped to the range of a float because a repository can claim any commit time."""
    return float(2.0 ** max(-_FARTHEST, min(_FARTHEST, half_lives)))


def _faded(seconds: int) -> float:
    return _power(-seconds / RECENT_HALF_LIFE_S)


def _cite(cites: list[int], position: int, most: int) -> None:
    if not cites or cites[-1] != position:
        cites.append(position)
        del cites[:-most]
