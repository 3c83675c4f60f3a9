"""A decision is taken back once, and what became of the proposal meanwhile is said in the same append."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import decisions, taking_back
from kairos.acting.editing import revise_patch
from kairos.clock import now_us
from kairos.domain import controls
from kairos.domain.basis import basis_of
from kairos.domain.events import DetectorMuted, ProposalDelivered
from kairos.errors import Stale
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.controls import ControlsView

HOUR = 3_600_000_000


def rejected(bench: Any, repo: Any, **fields: Any) -> Any:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}), **fields)
    return decisions.reject(bench.log, p.id, "wrong").proposal


def test_a_rejection_taken_back_waits_again_under_the_same_id(bench: Any, repo: Any) -> None:
    p = rejected(bench, repo)
    back = taking_back.take_back(bench.log, p.id, p.version)
    assert (back.proposal.id, back.proposal.state) == (p.id, "pending")
    event = bench.log.at(back.position).event
    assert (event.what, bench.log.at(event.of).topic) == ("reject", "ProposalRejected")
    assert bench.execute(decisions.approve(bench.log, bench.home, bench.config, p.id).proposal).state == "executed"


def test_whoever_comes_second_is_refused(bench: Any, repo: Any) -> None:
    p = rejected(bench, repo)
    taking_back.take_back(bench.log, p.id, p.version)
    for again in (p.version, p.version + 1):
        with pytest.raises(Stale, match="nothing was taken back"):
            taking_back.take_back(bench.log, p.id, again)


def test_two_at_the_same_moment_cannot_both_win(bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    p = rejected(bench, repo)
    other = Log(bench.home.log)
    append = Log.append

    def late(self: Log, *args: Any, **kwargs: Any) -> list[int]:
        monkeypatch.setattr(Log, "append", append)
        taking_back.take_back(other, p.id, p.version)
        return append(self, *args, **kwargs)

    monkeypatch.setattr(Log, "append", late)
    with pytest.raises(Stale, match="same moment"):
        taking_back.take_back(bench.log, p.id, p.version)
    other.close()
    assert bench.topics(p).count("DecisionUndone") == 1


@pytest.mark.parametrize(
    ("by_hand", "state"), [("three\n", "stale"), ("two\n", "superseded"), (None, "stale"), ("one\n", "pending")]
)
def test_what_moved_while_the_decision_stood_closes_it_with_the_reason(
    bench: Any, repo: Any, by_hand: str | None, state: str
) -> None:
    p = rejected(bench, repo)
    if by_hand is None:
        (repo.root / "a.txt").unlink()
    else:
        repo.write("a.txt", by_hand)
    back = taking_back.take_back(bench.log, p.id, p.version).proposal
    assert back.state == state == bench.of(p.id).state
    if state != "pending":
        assert back.stale_paths == ["a.txt"] or "by hand" in back.why


@pytest.mark.parametrize("decide", ["reject", "defer"])
def test_what_rests_on_a_commit_that_is_elsewhere_is_parked_and_one_that_is_gone_closed(
    bench: Any, repo: Any, decide: str
) -> None:
    repo.write("a.txt", "one\n")
    repo.commit("begin")
    here = repo.git("rev-parse", "--abbrev-ref", "HEAD")
    repo.git("checkout", "-q", "-b", "side")
    basis = basis_of([[repo.commit("rename")]])
    known = [bench.verified(bench.patch({"a.txt": f"{n}\n"}), basis=basis) for n in range(2)]
    for n, p in enumerate(known):
        made = (
            decisions.reject(bench.log, p.id, "wrong") if decide == "reject" else decisions.defer(bench.log, p.id, None)
        )
        repo.git("checkout", "-q", here)
        if n:
            repo.git("branch", "-q", "-D", "side")
        back = taking_back.take_back(bench.log, p.id, made.proposal.version).proposal
        assert back.state == ("superseded" if n else "parked") and "commit" in (back.why if n else back.parked)
        assert not n or "in no branch any more" in back.why
        if not n:
            repo.git("checkout", "-q", "side")


def test_what_expired_meanwhile_is_expired(bench: Any, repo: Any) -> None:
    p = rejected(bench, repo)
    assert taking_back.take_back(bench.log, p.id, p.version, now=p.raised.expires_at).proposal.state == "expired"


def test_a_deferral_that_would_be_over_by_now_returns_at_once(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    now = now_us()
    decisions.defer(bench.log, p.id, now + HOUR)
    p = decisions.reject(bench.log, p.id, "wrong").proposal
    back = taking_back.take_back(bench.log, p.id, p.version, now=now + 2 * HOUR).proposal
    assert (back.state, back.deferred_until) == ("pending", None)


def test_it_works_where_the_repository_is_gone(bench: Any, repo: Any, tmp_path: Any) -> None:
    p = rejected(bench, repo)
    repo.root.rename(tmp_path / "elsewhere")
    assert taking_back.take_back(bench.log, p.id, p.version).proposal.state == "pending"


def test_an_approval_taken_back_is_never_carried_out(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.approved(bench.patch({"a.txt": "two\n"}))
    taking_back.take_back(bench.log, p.id, p.version)
    with pytest.raises(Stale):
        bench.execute(p)
    assert (repo.root / "a.txt").read_text() == "one\n"
    back = bench.of(p.id)
    again = taking_back.make_again(bench.log, p.id, back.stack.undone[-1].version).proposal
    assert bench.execute(again).state == "executed"


def test_a_delivery_between_is_no_new_decision_and_what_was_decided_is_not_delivered(bench: Any, repo: Any) -> None:
    p = rejected(bench, repo)
    bench.log.append([NewEvent(p.stream, ProposalDelivered(id=p.id, boundary="commit"))])
    back = taking_back.take_back(bench.log, p.id, p.version).proposal
    assert back.delivered and back.state == "pending"


def test_a_change_of_the_patch_is_taken_back_and_made_again(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))

    def edited(p: Any, text: str) -> Any:
        new = bench.patch({"a.txt": text})
        return revise_patch(bench.log, bench.home, p.id, p.raised.digest, lambda *_: (new, "edited")).proposal

    one = edited(p, "three\n")
    two = edited(one, "four\n")
    walked = [two]
    for wanted in (one, p):
        walked.append(taking_back.take_back(bench.log, p.id, walked[-1].stack.done[-1].version).proposal)
        assert (walked[-1].raised.action, walked[-1].raised.digest) == (wanted.raised.action, wanted.raised.digest)
        assert walked[-1].edited == wanted.edited
    for wanted in (one, two):
        walked.append(taking_back.make_again(bench.log, p.id, walked[-1].stack.undone[-1].version).proposal)
        assert (walked[-1].raised.digest, walked[-1].edited) == (wanted.raised.digest, wanted.edited)
    done = decisions.approve(bench.log, bench.home, bench.config, p.id, two.raised.digest).proposal
    assert bench.execute(done).state == "executed"
    assert (repo.root / "a.txt").read_text() == "four\n"
    assert bench.of(p.id) == walked[-1] or bench.of(p.id).state == "executed"


def test_a_mute_is_taken_back_once(bench: Any) -> None:
    bench.log.append([NewEvent("control", DetectorMuted(detector="secret"), None, "user")])
    entry = next(iter(controls.in_effect(ControlsView().load(bench.log)[0], None, 0)), None)
    assert entry is not None
    position = taking_back.take_back_control(bench.log, entry)
    assert [r.topic for r in bench.log.read(position - 1)] == ["DecisionUndone", "DetectorUnmuted"]
    with pytest.raises(Stale, match="another decision"):
        taking_back.take_back_control(bench.log, entry)
    undone = next(iter(controls.taken_back(ControlsView().load(bench.log)[0], None, 0)), None)
    assert undone is not None
    taking_back.make_control_again(bench.log, undone)
    assert ControlsView().load(bench.log)[0].muted == ["secret|"]
