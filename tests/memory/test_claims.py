from __future__ import annotations

import pytest

from kairos.domain.action import Effects, NoteAction
from kairos.domain.events import (
    DecisionRedone,
    DecisionUndone,
    Memory,
    MemoryAccepted,
    MemoryInvalidated,
    MemorySuperseded,
    ProposalAcknowledged,
    ProposalRaised,
    ProposalRejected,
)
from kairos.errors import NotFound
from kairos.memory.claims import Claims, fold


def memory(ident: str, value: str, confidence: float = 0.8, since: int = 100, subject: str = "a.py") -> Memory:
    return Memory(
        id=ident, repo="repo-1", kind="co-change", subject=subject, predicate="changes-with", value=value,
        text="", cites=[3, 4], support=4, confidence=confidence, valid_from=since,
    )  # fmt: skip


def claims_of(*events: object) -> Claims:
    claims = Claims()
    for position, event in enumerate(events, 10):
        fold(claims, event, position)
    return claims


def raised(ident: str, evidence: list[int]) -> ProposalRaised:
    return ProposalRaised(
        id=ident, repo="repo-1", digest="d", detector="stale-reference", detector_version=1, engine="rules", turn="t",
        key="k", title="t", claim="c", risk="low", action=NoteAction(repo="repo-1", text="x"),
        effects=Effects(files=[], commands=[], network=False, reversible=True), evidence=evidence, expires_at=0,
        policy_version="p",
    )  # fmt: skip


def test_a_superseded_memory_ends_in_the_world_when_its_successor_begins() -> None:
    old, new = memory("k", "b.py"), memory("l", "b.py", 0.5, since=200)
    claims = claims_of(MemoryAccepted(memory=old), MemorySuperseded(id="k", by="l", why=""), MemoryAccepted(memory=new))
    assert (claims.by_id["k"].retired, claims.by_id["k"].valid_to) == (11, 200)
    assert [c.memory.id for c in claims.open()] == ["l"]
    assert claims.by_id["k"].holds_at(150) and not claims.by_id["k"].holds_at(200)


def test_a_closed_memory_stays_readable_and_is_not_open() -> None:
    claims = claims_of(MemoryAccepted(memory=memory("k", "b.py")), MemoryInvalidated(id="k", why="dead_reference"))
    assert claims.find("k").why == "dead_reference"
    assert list(claims.open()) == []


def test_what_a_person_does_with_a_proposal_counts_for_the_memory_it_rests_on() -> None:
    claims = claims_of(
        MemoryAccepted(memory=memory("k", "b.py")), MemoryAccepted(memory=memory("l", "c.py", subject="x.py")),
        raised("p", [1, 10]), ProposalAcknowledged(id="p", digest="d"), ProposalAcknowledged(id="p", digest="d"),
        raised("q", [1, 10]), ProposalRejected(id="q", reason="wrong"),
        raised("r", [1, 10]), ProposalRejected(id="r", reason="not_now"),
    )  # fmt: skip
    assert (claims.by_id["k"].uses, claims.by_id["k"].against) == (1, 1)
    assert (claims.by_id["l"].uses, claims.by_id["l"].against) == (0, 0)


def test_a_decision_that_is_taken_back_no_longer_counts_and_made_again_it_does() -> None:
    wrong = [MemoryAccepted(memory=memory("k", "b.py")), raised("q", [1, 10]), ProposalRejected(id="q", reason="wrong")]
    read = [*wrong[:2], ProposalAcknowledged(id="q", digest="d")]
    back = [DecisionUndone(id="q", what="reject", of=12), DecisionUndone(id="q", what="defer", of=11)]
    again = [DecisionRedone(id="q", what="defer", of=11), DecisionRedone(id="q", what="reject", of=12)]
    for events, counted in (
        (wrong, (0, 1)), ([*wrong, *back], (0, 0)), ([*wrong, *back, *again], (0, 1)),
        (read, (1, 0)), ([*read, *back], (0, 0)), ([*read, *back, *again], (1, 0)),
        ([*wrong, *back, ProposalAcknowledged(id="q", digest="d")], (1, 0)),
    ):  # fmt: skip
        claim = claims_of(*events).by_id["k"]
        assert (claim.uses, claim.against) == counted


def test_an_id_is_found_by_a_unique_prefix_only() -> None:
    claims = claims_of(MemoryAccepted(memory=memory("klm", "b.py")), MemoryAccepted(memory=memory("kln", "c.py")))
    assert claims.find("klm").memory.id == "klm"
    for wrong in ("kl", "z", ""):
        with pytest.raises(NotFound):
            claims.find(wrong)


def test_the_digest_is_of_what_is_remembered_not_of_where() -> None:
    one = claims_of(MemoryAccepted(memory=memory("k", "b.py")), MemoryAccepted(memory=memory("l", "c.py")))
    other = claims_of(MemoryAccepted(memory=memory("l", "c.py")), MemoryAccepted(memory=memory("k", "b.py")))
    assert one.digest() == other.digest() != claims_of().digest()
