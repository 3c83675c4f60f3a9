"""Recall: BM25 search over memories. No model and no index on disk; takes fractions of a millisecond.

Okapi BM25 (Robertson and Zaragoza, 2009). Neighbours of a match in the same group get a part of its score, because
an answer is often next to the words of the query.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log

import msgspec

from kairos.clock import rfc3339
from kairos.memory.claims import Claim, Claims
from kairos.memory.words import terms

K1 = 0.9
B = 0.4
_SHARE = 0.5


class Record(msgspec.Struct, frozen=True):
    """A searchable record. `extra`: words that are searched but are not part of the text (a date, a name).
    `group`: consecutive records of one group are neighbours."""

    id: str
    text: str
    extra: str = ""
    group: str = ""


class RecordIndex:
    """An in-memory BM25 index of records."""

    def __init__(self, records: Sequence[Record], *, neighbours: int = 0) -> None:
        self._records = records
        self._neighbours = neighbours
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._lengths: list[int] = []
        for i, record in enumerate(records):
            found = Counter(terms(f"{record.text} {record.extra}"))
            self._lengths.append(sum(found.values()))
            for term, n in found.items():
                self._postings[term].append((i, n))
        self._mean = sum(self._lengths) / max(1, len(records)) or 1.0

    def search(self, query: str, limit: int) -> list[tuple[str, float]]:
        """(id, score) of the best records, best first; ties in the order of the records."""
        scores = self._spread(self._scores(query)) if self._neighbours else self._scores(query)
        best = heapq.nsmallest(limit, scores, key=lambda i: (-scores[i], i))
        return [(self._records[i].id, scores[i]) for i in best]

    def _scores(self, query: str) -> dict[int, float]:
        scores: dict[int, float] = defaultdict(float)
        for term in sorted(set(terms(query))):
            postings = self._postings.get(term, ())
            rarity = log(1 + (len(self._records) - len(postings) + 0.5) / (len(postings) + 0.5))
            for i, n in postings:
                scores[i] += rarity * n * (K1 + 1) / (n + K1 * (1 - B + B * self._lengths[i] / self._mean))
        return scores

    def _spread(self, base: dict[int, float]) -> dict[int, float]:
        scores = dict(base)
        for i, value in base.items():
            for offset in range(-self._neighbours, self._neighbours + 1):
                j = i + offset
                if offset and 0 <= j < len(self._records) and self._records[j].group == self._records[i].group:
                    scores[j] = scores.get(j, 0.0) + value * _SHARE ** abs(offset)
        return scores


def recall(claims: Claims, query: str, limit: int = 10, *, repo: str | None = None) -> list[tuple[Claim, float]]:
    """The open memories that match a query best, with their scores. Quarantined memories are excluded."""
    held = {c.memory.id: c for c in claims.open(repo) if not c.memory.quarantined}
    shelf = RecordIndex([_record(claim) for claim in held.values()])
    return [(held[ident], score) for ident, score in shelf.search(query, limit)]


def _record(claim: Claim) -> Record:
    m = claim.memory
    return Record(m.id, f"{m.subject} {m.value}", f"{m.kind} {m.predicate} {rfc3339(m.valid_from)[:10]}")
