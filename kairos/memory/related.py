"""What changes when these files change, as memory has it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from kairos.memory.claims import Claim, Claims

LEAST = 0.2
"""Claims less sure than this are remembered but not spoken of."""


class Related(msgspec.Struct, frozen=True):
    """A file that changes too: how surely, shown by how many commits, and the events that recorded them."""

    path: str
    confidence: float
    support: int
    cites: list[int]
    memory: str = ""


class Relations:
    """What the claims of a repository say of which files change together, by file: for asking more than once."""

    def __init__(self, claims: Claims, repo: str) -> None:
        self._of: dict[str, list[Claim]] = {}
        for claim in claims.by_id.values():
            if claim.memory.repo == repo and claim.memory.predicate == "changes-with":
                self._of.setdefault(claim.memory.subject, []).append(claim)

    def related(self, paths: Sequence[str], *, limit: int = 10, at_us: int | None = None) -> list[Related]:
        """The claims about what changes with any of `paths`, surest first, never the paths themselves.

        `at_us`: what was true in the world then, as far as is known now; without it, what holds. For what was *known*
        at a position, fold the claims up to it (`MemoryView().load(log, upto=…)`)."""
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
