"""The final check before memory is published: invariants that every dream must satisfy, whatever the extractors did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dream.gather import Repo
from dream.index import MAX_BYTES, MAX_LINES, NAME
from kairos.domain.amounts import count
from kairos.domain.events import Event, MemoryAccepted, MemorySuperseded
from kairos.domain.memory import CITES, TEXT_CHARS, living_paths, slot_of
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.memory.claims import Claims


def problems(
    log: Log, after: Claims, changes: Sequence[Event], files: Mapping[str, bytes], repos: Mapping[str, Repo], upto: int
) -> list[str]:
    """The problems of the planned memory, as messages; empty if it may be published."""
    out: list[str] = []
    for ident in _uncited(log, changes, upto):
        out.append(f"{ident} cites events that do not exist")
    for change in changes:
        if isinstance(change, MemoryAccepted):
            memory = change.memory
            if len(memory.text) > TEXT_CHARS or "\n" in memory.text:
                out.append(f"the text of {memory.id} is not one short line")
            repo = repos.get(memory.repo)
            if repo is not None and not memory.pinned and not all(repo.lives(p) for p in living_paths(memory)):
                out.append(f"{memory.id} speaks of a file that is gone")
            if memory.kind == "preference" and memory.trust != "user":
                out.append(f"{memory.id} is a preference that no person stated")
        if isinstance(change, MemorySuperseded) and change.by not in after.by_id:
            out.append(f"{change.id} gives way to {change.by}, which does not exist")
    slots = Counter(slot_of(c.memory) for c in after.open())
    out += [f"two open values for {slot[2]} {slot[3]}" for slot, n in slots.items() if n > 1]
    index = files[NAME]
    lines = index.count(b"\n")
    if len(index) > MAX_BYTES or lines > MAX_LINES:
        out.append(f"the index has {count(len(index), 'byte')} and {count(lines, 'line')}")
    return out


def _uncited(log: Log, changes: Sequence[Event], upto: int) -> list[str]:
    accepted = [c.memory for c in changes if isinstance(c, MemoryAccepted)]
    known: dict[int, bool] = {}
    for position in sorted({p for m in accepted for p in m.cites}):
        try:
            known[position] = 0 < position <= upto and log.at_row(position).payload is not None
        except NotFound:
            known[position] = False
    return [m.id for m in accepted if not 1 <= len(m.cites) <= CITES or not all(known[p] for p in m.cites)]
