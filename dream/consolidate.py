"""Turns candidate memories into memory events: keeps identity across renames, one open value per slot and no dead
references."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from dream.admission import admit, named
from dream.gather import Repo
from kairos.domain.events import Event, Memory, MemoryAccepted, MemoryInvalidated, MemorySuperseded
from kairos.domain.inert import code_span
from kairos.domain.memory import Key, living_paths, matters, moved, slot_of
from kairos.memory.claims import Claim, Claims


def consolidate(
    claims: Claims,
    found: Sequence[Memory],
    repos: Mapping[str, Repo],
    at: int,
    lost: Collection[str] = (),
    taken_back: Collection[str] = (),
) -> list[Event]:
    """The events that bring memory up to date, in an order that can be replayed. Pure: `claims` are not changed.

    `found` are memories without ids; if two share a slot, the later one is used. `at` (us) is the time of the newest
    signal. `lost` are ids of memories whose files were deleted, even if other files have their names now; `taken_back`
    those that rest on a decision that a person took back."""
    fresh: dict[Key, Memory] = {slot_of(m): m for m in found}
    changes: list[Event] = []
    taken: dict[Key, str] = {}
    closed: list[str] = []
    for claim in list(claims.open()):
        repo = repos.get(claim.memory.repo)
        if repo is None:
            continue
        now = moved(claim.memory, repo.renames())
        slot = slot_of(now)
        ending = _withdrawn(claim, taken_back) or _ending(claim, now, repo, lost) or _doubled(claim, taken.get(slot))
        if ending is not None:
            changes.append(ending)
            closed.append(claim.memory.id)
            continue
        news = fresh.pop(slot, None)
        if now.pinned or now.trust == "user":
            news = None
        if news is None and now != claim.memory:
            news = now
        if news is not None and matters(claim.memory, news):
            changes += _succeed(claims, claim.memory, news)
        taken[slot] = claim.memory.id
    changes += _cascade(claims, closed)
    alive = [m for slot, m in fresh.items() if slot not in taken and _may_live(m, repos)]
    changes += admit(claims, changes, alive, at)
    return changes


def _withdrawn(claim: Claim, taken_back: Collection[str]) -> MemoryInvalidated | None:
    """The event that invalidates what a person no longer says, pinned or not; None if it stands."""
    if claim.memory.id not in taken_back:
        return None
    return MemoryInvalidated(id=claim.memory.id, why="contradicted", detail="the decision was taken back")


def _ending(claim: Claim, now: Memory, repo: Repo, lost: Collection[str]) -> MemoryInvalidated | None:
    """The event that invalidates a memory that no longer holds; None if it holds."""
    dead = [path for path in living_paths(now) if not repo.lives(path)]
    if dead and not now.pinned:
        detail = f"{code_span(dead[0])} is not in HEAD"
        return MemoryInvalidated(id=claim.memory.id, why="dead_reference", detail=detail)
    if claim.memory.id in lost and not now.pinned:
        return MemoryInvalidated(id=claim.memory.id, why="dead_reference", detail="another file has the name now")
    if now.kind == "rename" and repo.alive is not None and now.subject in repo.alive:
        detail = f"{code_span(now.subject)} exists again"
        return MemoryInvalidated(id=claim.memory.id, why="contradicted", detail=detail)
    return None


def _doubled(claim: Claim, other: str | None) -> MemorySuperseded | None:
    """The event that closes a duplicate. A rename can leave two memories in one slot; the second is superseded."""
    return None if other is None else MemorySuperseded(id=claim.memory.id, by=other, why="merged")


def _succeed(claims: Claims, old: Memory, new: Memory) -> list[Event]:
    value_changed = (old.subject, old.value) != (new.subject, new.value)
    begun = max(new.seen, old.valid_from)
    kept = msgspec.structs.replace(new, valid_from=begun, pinned=old.pinned, depends_on=old.depends_on)
    kept = named(claims, kept)
    why = "another value" if value_changed else f"confidence {old.confidence:.2f} → {new.confidence:.2f}"
    return [MemorySuperseded(id=old.id, by=kept.id, why=why), MemoryAccepted(memory=kept)]


def _cascade(claims: Claims, closed: Sequence[str]) -> list[Event]:
    """Invalidates the memories that depend on closed ones, directly or indirectly."""
    gone, waiting = set(closed), list(closed)
    changes: list[Event] = []
    while waiting:
        base = waiting.pop()
        for claim in claims.open():
            if base in claim.memory.depends_on and claim.memory.id not in gone:
                gone.add(claim.memory.id)
                waiting.append(claim.memory.id)
                changes.append(MemoryInvalidated(id=claim.memory.id, why="cascade", detail=f"it rested on {base}"))
    return changes


def _may_live(memory: Memory, repos: Mapping[str, Repo]) -> bool:
    repo = repos.get(memory.repo)
    return repo is not None and all(repo.lives(path) for path in living_paths(memory))
