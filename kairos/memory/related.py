"""Related files: which files change when given files change, according to memory."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from kairos.memory.claims import Claim, Claims

LEAST = 0.2
"""Minimum confidence: claims below it are remembered but not returned."""


class Related(msgspec.Struct, frozen=True):
    """A file that changes too. `support`: number of commits that show it; `cites`: the events that recorded them."""

    path: str
    confidence: float
    support: int
    cites: list[int]
    memory: str = ""


class Relations:
    """The co-change claims of a repository, indexed by file for repeated queries."""

    def __init__(self, claims: Claims, repo: str) -> None:
        self._of: dict[str, list[Claim]] = {}
        for claim in claims.by_id.values():
            if claim.memory.repo == repo and claim.memory.predicate == "changes-with":
                self._of.setdefault(claim.memory.subject, []).append(claim)

    def related(self, paths: Sequence[str], *, limit: int = 10, at_us: int | None = None) -> list[Related]:
        """The files that change with any of `paths`, highest confidence first, without `paths` themselves.

        `at_us`: use the claims that were true at that time, as far as is known now; default: the open claims. For what
        was *known* at a position, fold the claims up to it (`MemoryView().load(log, upto=…)`)."""
        asked, best = set(paths), dict[str, Related]()
        for claim in (claim for path in asked for claim in self._of.get(path, ())):
            memory = claim.memory
            holds = claim.is_open if at_us is None else claim.holds_at(at_us)
            if not holds or memory.quarantined or memory.value in asked or memory.confidence < LEAST:
                continue
            found = Related(memory.value, memory.confidence, int(memory.support), list(memory.cites), memory.id)
            known = best.get(found.path)
            if known is None or (found.confidence, found.memory) > (known.confidence, known.memory):
                best[found.path] = found
        return heapq.nsmallest(limit, best.values(), key=lambda r: (-r.confidence, r.path))
