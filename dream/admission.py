"""Admission under a limit: the strongest memories are accepted; the weakest are closed by an event, never silently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from kairos.domain.events import Event, Memory, MemoryAccepted, MemoryInvalidated, MemorySuperseded
from kairos.domain.memory import LIMITS, memory_id, score
from kairos.memory.claims import Claims
from kairos.memory.sentences import sentence

_OTHERS = 200
_STRONGER = 1.25
"""Minimum score ratio of a new memory to the one it replaces; without it the two could alternate every night."""


def admit(claims: Claims, changes: Sequence[Event], fresh: Sequence[Memory], at: int) -> list[Event]:
    """The events that admit `fresh` memories after `changes`: accepted while (repo, kind) is below its limit, then only
    in place of the weakest open one, which is closed as expired. A person's memories are never closed."""
    held = _held(claims, changes)
    out: list[Event] = []
    groups: dict[tuple[str, str], list[Memory]] = defaultdict(list)
    for memory in fresh:
        groups[(memory.repo, memory.kind)].append(memory)
    for group, memories in groups.items():
        limit = LIMITS.get(group[1], _OTHERS)
        worth = {i: score(m, at=at) for i, m in held.items() if (m.repo, m.kind) == group}
        firm = {i for i in worth if held[i].pinned or held[i].trust == "user"}
        for memory in sorted(memories, key=lambda m: (-score(m, at=at), m.subject, m.value)):
            if len(worth) >= limit:
                weakest = min((i for i in worth if i not in firm), key=lambda i: (worth[i], i), default=None)
                if weakest is None or score(memory, at=at) < worth[weakest] * _STRONGER:
                    break
                del worth[weakest]
                detail = f"{limit} memories of a kind are kept open; this was the weakest"
                out.append(MemoryInvalidated(id=weakest, why="expired", detail=detail))
            new = named(claims, memory)
            worth[new.id] = score(new, at=at)
            firm.add(new.id)
            out.append(MemoryAccepted(memory=new))
    return out


def _held(claims: Claims, changes: Sequence[Event]) -> dict[str, Memory]:
    """The memories that are open after the changes, by id."""
    held = {c.memory.id: c.memory for c in claims.open()}
    for change in changes:
        match change:
            case MemoryAccepted():
                held[change.memory.id] = change.memory
            case MemorySuperseded() | MemoryInvalidated():
                held.pop(change.id, None)
            case _:
                pass
    return held


def named(claims: Claims, memory: Memory) -> Memory:
    """The memory with an id that no earlier memory has, and its sentence."""
    generation = 0
    while (ident := memory_id(memory, generation)) in claims.by_id:
        generation += 1
    return msgspec.structs.replace(memory, id=ident, text=sentence(memory))
