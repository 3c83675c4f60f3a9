"""The fold of memory events: open and closed claims, and how the proposals that rest on them were decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from kairos.domain.events import (
    DecisionRedone,
    DecisionUndone,
    DreamFinished,
    DreamRejected,
    DreamStarted,
    IndexPublished,
    Memory,
    MemoryAccepted,
    MemoryInvalidated,
    MemorySuperseded,
    ProposalAcknowledged,
    ProposalApproved,
    ProposalRaised,
    ProposalRejected,
)
from kairos.errors import NotFound
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection

_MOST_COUNTED = 500
"""How many of the last decisions can be uncounted."""


class Claim(msgspec.Struct, kw_only=True):
    """A memory with the positions at which it was recorded and retired (None: open). `uses` counts
    approved proposals that rest on it, `against` those rejected as wrong."""

    memory: Memory
    recorded: int
    retired: int | None = None
    why: str = ""
    by: str = ""
    valid_to: int | None = None
    uses: int = 0
    against: int = 0

    @property
    def is_open(self) -> bool:
        return self.retired is None

    def holds_at(self, at: int) -> bool:
        """Whether it was true in the world at a time (us), as far as is known now."""
        return self.memory.valid_from <= at and (self.valid_to is None or at < self.valid_to)


class Counted(msgspec.Struct, frozen=True):
    """How a decision was counted: for (`uses`) or `against` the memories that its proposal rests on, or not at all."""

    rested: list[str]
    side: str
    position: int


class Claims(msgspec.Struct):
    """Every memory ever accepted, by id. Closed ones stay readable: nothing is removed without an event.

    The last finished dream started at position `dreamed_from` and finished at `dreamed_at`, having learned
    up to `dreamed_upto`; `index` is the hash of its MEMORY.md. `lease_until` (us) is 0 when no dream is open.
    `proposals`: those not decided yet, with the memories they rest on; `counted`: the last ones that were."""

    by_id: dict[str, Claim] = {}
    successors: dict[str, str] = {}
    proposals: dict[str, list[str]] = {}
    counted: dict[str, Counted] = {}
    started_at: int = 0
    lease_until: int = 0
    lease_host: str = ""
    dreamed_from: int = 0
    dreamed_at: int = 0
    dreamed_upto: int = 0
    index: str = ""

    def open(self, repo: str | None = None, kind: str | None = None) -> Iterator[Claim]:
        """The open claims, oldest first."""
        for claim in self.by_id.values():
            if claim.is_open and repo in (None, claim.memory.repo) and kind in (None, claim.memory.kind):
                yield claim

    def find(self, prefix: str) -> Claim:
        """The claim with an id or unique prefix. NotFound if no claim or several match."""
        if prefix in self.by_id:
            return self.by_id[prefix]
        found = sorted(i for i in self.by_id if i.startswith(prefix)) if prefix else []
        if len(found) == 1:
            return self.by_id[found[0]]
        if not found:
            raise NotFound(f"no memory has the id `{prefix}`", "`kairos memory ls` lists them.")
        raise NotFound(f"`{prefix}` is ambiguous: {', '.join(found[:5])}", "Type more of the id.")

    def digest(self) -> str:
        """SHA-256 over the open memories: equal memories give equal digests, whatever their positions in the log."""
        held = sorted((c.memory for c in self.open()), key=lambda m: m.id)
        return hashlib.sha256(msgspec.json.encode(held)).hexdigest()


class MemoryView(Projection[Claims]):
    """The view of every memory that `dream` wrote, and of the decisions on proposals that rest on it."""

    name = "memory"
    version = 3
    state = Claims
    topics = frozenset(
        {"MemoryAccepted", "MemorySuperseded", "MemoryInvalidated", "DreamStarted", "DreamFinished",
         "DreamRejected", "IndexPublished",
         "ProposalRaised", "ProposalApproved", "ProposalAcknowledged", "ProposalRejected",
         "DecisionUndone", "DecisionRedone"}
    )  # fmt: skip

    def apply(self, state: Claims, recorded: Recorded) -> None:
        fold(state, recorded.event, recorded.position)


def fold(state: Claims, event: object, position: int) -> None:
    """Folds one event at a position into the claims."""
    match event:
        case MemoryAccepted():
            memory = event.memory
            state.by_id[memory.id] = Claim(memory=memory, recorded=position, valid_to=memory.valid_to)
            former = state.by_id.get(state.successors.pop(memory.id, ""))
            if former is not None:
                former.valid_to = memory.valid_from
                state.by_id[memory.id].uses, state.by_id[memory.id].against = former.uses, former.against
        case MemorySuperseded() if event.id in state.by_id:
            claim = state.by_id[event.id]
            claim.retired, claim.why, claim.by = position, event.why, event.by
            if event.by in state.by_id:
                claim.valid_to = state.by_id[event.by].memory.valid_from
            else:
                state.successors[event.by] = event.id
        case MemoryInvalidated() if event.id in state.by_id:
            claim = state.by_id[event.id]
            claim.retired, claim.why = position, event.why
        case DreamStarted():
            state.started_at, state.lease_until, state.lease_host = position, event.lease_until, event.host
        case DreamFinished():
            state.dreamed_from, state.dreamed_at, state.dreamed_upto = state.started_at, position, event.upto
            state.lease_until = 0
        case DreamRejected():
            state.lease_until = 0
        case IndexPublished():
            state.index = event.hash
        case ProposalRaised():
            cited = set(event.evidence)
            if rested := [c.memory.id for c in state.open(event.repo) if _rests_on(c, cited)]:
                state.proposals[event.id] = sorted(rested)  # a saved state does not preserve the order of memories
        case ProposalApproved() | ProposalAcknowledged():
            _decided(state, event.id, "uses", position)
        case ProposalRejected():
            _decided(state, event.id, "against" if event.reason == "wrong" else "", position)
        case DecisionUndone() if (
            event.what != "defer" and event.id in state.counted and event.id not in state.proposals
        ):
            counted = state.counted[event.id]
            state.proposals[event.id] = counted.rested
            _count(state, counted, -1)
        case DecisionRedone() if event.what != "defer" and event.id in state.counted:
            _decided(state, event.id, state.counted[event.id].side, position)
        case _:
            pass


def _decided(state: Claims, id_: str, side: str, position: int) -> None:
    """Counts a decision for or against the memories that its proposal rests on, once."""
    rested = state.proposals.pop(id_, None)
    if rested is None:
        return
    state.counted[id_] = counted = Counted(rested, side, position)
    _count(state, counted, 1)
    if len(state.counted) > _MOST_COUNTED:
        del state.counted[min(state.counted, key=lambda i: (state.counted[i].position, i))]


def _count(state: Claims, counted: Counted, by: int) -> None:
    for used in counted.rested:
        claim = state.by_id[used]
        claim.uses += by * (counted.side == "uses")
        claim.against += by * (counted.side == "against")


def _rests_on(claim: Claim, evidence: set[int]) -> bool:
    """Whether a proposal's evidence names the memory itself, or all the events it cites."""
    return claim.recorded in evidence or (len(claim.memory.cites) > 1 and evidence.issuperset(claim.memory.cites))
