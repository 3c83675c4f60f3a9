"""Decisions without a terminal: approve and carry out, reject, defer, one after another."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from kairos.acting.decisions import approve
from kairos.clock import now_us
from kairos.desk import deciding
from kairos.desk.cards import card
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox
from kairos.desk.records.proposals import CardOut
from kairos.domain.events import RepoUnwatched
from kairos.domain.proposal import Proposal
from kairos.domain.revising import revision
from kairos.errors import KairosError, NotFound, Stale, TryAgain, UsageError


def the(desk: Desk, id_: str) -> Proposal:
    return inbox(desk).proposals[id_]


def test_an_approval_is_carried_out_here_where_no_daemon_runs(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    done = deciding.approve(desk, the(desk, raised.id), raised.digest)
    assert done.state == "executed"
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\nmore\n"
    assert desk.log.at(done.positions[0]).topic == "ProposalApproved"
    assert deciding.approve(desk, the(desk, raised.id), raised.digest).state == "executed", "repeating is harmless"


def test_approval_of_another_digest_is_stale_and_writes_nothing(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    for digest in ("", "0" * 64, raised.digest[:7], raised.digest[:63] + ("0" if raised.digest[63] != "0" else "1")):
        with pytest.raises(Stale):
            deciding.approve(desk, the(desk, raised.id), digest)
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"
    assert the(desk, raised.id).state == "pending"


def test_a_rejection_keeps_its_reason_and_whether_it_is_for_good(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    done = deciding.reject(desk, raised.id, "style", "not like this", never=True)
    (event,) = [desk.log.at(p).event for p in done.positions]
    assert (event.reason, event.text, event.never) == ("style", "not like this", True)  # type: ignore[attr-defined]


def test_a_deferral_is_until_a_moment_or_until_the_next_commit(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert deciding.moment("next-commit") is None
    assert deciding.defer(desk, raised.id, None).state == "deferred"
    assert the(desk, raised.id).deferred_until is None
    with pytest.raises(UsageError):
        deciding.moment("2001-01-01")


def test_deciding_one_after_another_ends_at_the_first_that_cannot_be_decided(desk: Desk, seeded: Any) -> None:
    first, second, third = (seeded.raise_(seeded.note(s), seed=s).id for s in "abc")
    deciding.reject(desk, second, "wrong", "")
    results, failure = deciding.each(desk, [first, second, third], lambda p: deciding.approve(desk, p, p.raised.digest))
    assert [r.id for r in results] == [first]
    assert isinstance(failure, KairosError)
    assert the(desk, third).state == "pending"


def test_no_decision_is_made_where_one_of_the_ids_is_unknown(desk: Desk, seeded: Any) -> None:
    first = seeded.raise_(seeded.note()).id
    with pytest.raises(NotFound):
        deciding.each(desk, [first, "zzzz"], lambda p: deciding.reject(desk, p.id, "wrong", ""))
    assert the(desk, first).state == "pending"


def test_an_end_that_did_not_come_in_time_is_said(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    approve(desk.log, desk.home, desk.config, raised.id, raised.digest)
    waiting = deciding.decided(desk, raised.id)
    deciding.await_end(desk, raised.id, 0.0)
    deciding.refuse_if_bad(desk, waiting)
    with pytest.raises(TryAgain):
        deciding.refuse_if_bad(desk, waiting, waited_s=0.0)


def test_a_rejection_for_good_says_what_it_keeps_away(desk: Desk, seeded: Any) -> None:
    patch = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    done = deciding.reject(desk, patch.id, "wrong", "no", never=True)
    assert done.never == f"{patch.detector} in {seeded.root.name}: changes to README.md and to no other file"
    note = seeded.raise_(seeded.note("b"), seed="b")
    assert deciding.reject(desk, note.id, "wrong", "no", never=True).never == (
        f"{note.detector} in {seeded.root.name}: “{note.title}”"
    )
    other = seeded.raise_(seeded.note("c"), seed="c")
    assert deciding.reject(desk, other.id, "wrong", "no").never is None


def test_an_approval_that_a_revision_made_void_says_what_changed(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    approve(desk.log, desk.home, desk.config, raised.id, raised.digest)
    before = the(desk, raised.id)
    made = structs.replace(raised, action=seeded.patch("README.md", b"# Demo\nother\n"), digest="f" * 64)
    found = revision(before, made, now_us())
    assert found is not None
    seeded.append(found, stream=before.stream)
    deciding.await_end(desk, raised.id, 30.0)  # at once: it waits for a decision again
    with pytest.raises(Stale, match=f"{raised.id} waits for you again: .*; nothing was written"):
        deciding.refuse_if_bad(desk, deciding.decided(desk, raised.id), waited_s=30.0)
    with pytest.raises(Stale, match=f"since then: {found.changed}"):
        deciding.approve(desk, the(desk, raised.id), raised.digest)
    card = card_of(desk, raised.id)
    assert (card.revisions[-1].was, card.voided) == (raised.digest, raised.digest)


def test_show_says_which_file_made_an_approval_stale(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    (seeded.root / "README.md").write_bytes(b"# Other\n")
    with pytest.raises(Stale, match=r"README\.md changed since it was made"):
        deciding.approve(desk, the(desk, raised.id), raised.digest)
    assert card_of(desk, raised.id).why == "README.md changed since it was made"
    with pytest.raises(Stale, match=r"is stale: .*: README\.md changed since it was made"):
        deciding.approve(desk, the(desk, raised.id), raised.digest)
    with pytest.raises(Stale, match=r"is stale: README\.md changed since it was made; nothing was written"):
        deciding.refuse_if_bad(desk, deciding.decided(desk, raised.id))


def card_of(desk: Desk, id_: str) -> CardOut:
    return card(desk, the(desk, id_))


def test_the_digest_as_a_card_shows_it_is_enough(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    assert deciding.approve(desk, the(desk, raised.id), raised.digest[:12].upper()).state == "executed"


def test_nothing_of_an_unwatched_repository_is_approved(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    done = seeded.raise_(seeded.note(), seed="b")
    deciding.approve(desk, the(desk, done.id), done.digest)
    seeded.append(RepoUnwatched(repo=seeded.id, root=str(seeded.root)), seeded.id)
    with pytest.raises(Stale, match="is not watched") as refused:
        deciding.approve(desk, the(desk, raised.id), raised.digest)
    assert f"kairos init {seeded.root}" in refused.value.hint
    assert the(desk, raised.id).state == "pending" and (seeded.root / "README.md").read_bytes() != b"# Demo\nmore\n"
    assert deciding.approve(desk, the(desk, done.id), done.digest).state == "acknowledged"  # repeated, harmless
