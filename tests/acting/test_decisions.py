"""A decision is recorded once; of two reviewers at the same moment one wins and the other is told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from kairos.acting import decisions
from kairos.clock import now_us
from kairos.domain.action import NoteAction
from kairos.errors import KairosError, NotFound, Stale, UsageError
from kairos.eventlog.log import Log

DAY = 86_400_000_000


def test_two_reviewers_at_the_same_instant_and_one_wins(bench: Any, repo: Any) -> None:
    """N16."""
    for round_ in range(8):
        repo.write("a.txt", f"{round_}\n")
        pending = bench.verified(bench.patch({"a.txt": f"next {round_}\n"}))
        gate = threading.Barrier(2)
        outcomes: dict[str, str] = {}

        def decide(what: str, p: Any = pending, gate: Any = gate, outcomes: dict[str, str] = outcomes) -> None:
            log = Log(bench.home.log)
            try:
                log.head()
                gate.wait(10)
                if what == "approve":
                    decisions.approve(log, bench.home, bench.config, p.id, p.raised.digest)
                else:
                    decisions.reject(log, p.id, "wrong")
                outcomes[what] = "won"
            except KairosError as error:
                assert error.code == 5
                outcomes[what] = error.message
            finally:
                log.close()

        threads = [threading.Thread(target=decide, args=(w,)) for w in ("approve", "reject")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        now = bench.of(pending.id)
        assert sorted(outcomes) == ["approve", "reject"]
        assert list(outcomes.values()).count("won") == 1
        assert outcomes["approve" if now.state == "approved" else "reject"] == "won"
        loser = outcomes["reject" if now.state == "approved" else "approve"]
        assert now.state in loser


def test_repeating_a_yes_is_no_error_and_appends_nothing(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    head = bench.log.head()
    again = decisions.approve(bench.log, bench.home, bench.config, approved.id[:6], approved.raised.digest)
    assert again.position == head == bench.log.head()
    bench.execute(approved)
    head = bench.log.head()
    decisions.approve(bench.log, bench.home, bench.config, approved.id)
    assert bench.log.head() == head


def test_another_digest_is_refused(bench: Any, repo: Any) -> None:
    """N17."""
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale, match="digest"):
        decisions.approve(bench.log, bench.home, bench.config, pending.id, "0" * 64)
    assert bench.of(pending.id).state == "pending"


def test_an_expired_proposal_is_closed_when_somebody_comes_too_late(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale, match="expired"):
        decisions.approve(bench.log, bench.home, bench.config, pending.id, now=now_us() + 15 * DAY)
    assert bench.of(pending.id).state == "expired"


def test_an_approved_note_is_acknowledged(bench: Any) -> None:
    pending = bench.verified(NoteAction(repo=bench.repo, text="Look here."))
    done = decisions.approve(bench.log, bench.home, bench.config, pending.id)
    assert done.proposal.state == "acknowledged"
    head = bench.log.head()
    assert decisions.approve(bench.log, bench.home, bench.config, pending.id).proposal.state == "acknowledged"
    assert bench.log.head() == head


def test_what_nobody_verified_yet_is_verified_by_the_one_who_approves(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    raised = bench.raised(bench.patch({"a.txt": "two\n"}))
    assert decisions.approve(bench.log, bench.home, bench.config, raised.id).proposal.state == "approved"
    assert bench.topics(raised)[:3] == ["ProposalRaised", "ProposalVerified", "ProposalApproved"]


def test_deferring_needs_a_time_to_come_and_can_be_decided_early(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(UsageError):
        decisions.defer(bench.log, pending.id, now_us() - 1)
    assert decisions.defer(bench.log, pending.id, now_us() + DAY).proposal.state == "deferred"
    assert decisions.approve(bench.log, bench.home, bench.config, pending.id).proposal.state == "approved"


def test_an_unknown_id_is_not_found(bench: Any) -> None:
    with pytest.raises(NotFound):
        decisions.reject(bench.log, "zzzz", "wrong")
