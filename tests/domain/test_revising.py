"""A finding that is found again revises its proposal; what is told again, and what an earlier version recorded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.domain import deciding
from kairos.domain.action import NoteAction
from kairos.domain.basis import MOST, Basis, basis_of
from kairos.domain.events import (
    ProposalDelivered,
    ProposalRaised,
    ProposalRevised,
    ProposalSuperseded,
    ProposalUnparked,
)
from kairos.domain.events.proposals import AwayParts
from kairos.domain.finding import listed_at
from kairos.domain.proposal import Proposal, park
from kairos.domain.revising import MOVED, SOON
from tests.domain.test_raising import (
    A_PATCH,
    HOUR,
    KEY,
    NOW,
    after,
    approved,
    finding,
    note,
    patch,
    pending,
    raising,
    ran,
    rejected,
)  # fmt: skip

WIDER = patch({"a.txt": ("one\n", "two\n"), "b.txt": ("one\n", "two\n")})


def rested(*oids: str) -> Basis:
    return basis_of([oids], present=["new"], absent=["old"])


def test_a_finding_that_is_found_again_as_it_was_waits_for_its_decision() -> None:
    p = pending(finding(fingerprint=["x"], basis=rested("a")))
    (held,) = raising([finding(fingerprint=["x"], basis=rested("a"))], [p])
    assert held.rule == "duplicate@1"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": WIDER, "fingerprint": ["x", "y", "z"]}, "now also in b.txt; 3 places, there were 2"),
        ({"fingerprint": ["x"]}, "1 place, there were 2"),
        ({"basis": rested("b")}, "the same change is in commit b as well"),
        ({"claim": "Other words."}, "its words changed"),
        ({"at_least": "high"}, "its risk is high now, it was low"),
        ({"action": patch({"a.txt": ("0\none\n", "0\ntwo\n")})}, "its files changed elsewhere; the change is the same"),
    ],
)
def test_a_finding_in_another_form_revises_its_proposal_and_says_what_changed(fields: Any, words: str) -> None:
    p = pending(finding(fingerprint=["x", "y"], basis=rested("a")))
    again = finding(**{"action": A_PATCH, "fingerprint": ["x", "y"], "basis": rested("a"), **fields})
    (event,) = raising([again], [p])
    assert isinstance(event, ProposalRevised)
    assert event.changed == words
    assert after(p, [event]).id == p.id
    assert raising([again], [after(p, [event])])[0].rule == "duplicate@1"


ELSEWHERE = patch({"a.txt": ("0\none\n", "0\ntwo\n")})


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ({"action": ELSEWHERE}, True),
        ({"claim": "Other words."}, True),
        ({"basis": rested("b")}, True),
        ({"fingerprint": ["x", "z"]}, False),
        ({"fingerprint": ["x"]}, False),
        ({"action": patch({"a.txt": ("other\n", "two\n")})}, False),
        ({"basis": basis_of([["a"]], present=["newer"], absent=["old"])}, False),
        ({"at_least": "high"}, False),
    ],
)
def test_a_deferral_until_the_evidence_changes_ends_only_with_what_the_finding_rests_on(
    fields: Any, stays: bool
) -> None:
    p = pending(finding(fingerprint=["x", "y"], basis=rested("a")))
    again = finding(**{"action": A_PATCH, "fingerprint": ["x", "y"], "basis": rested("a"), **fields})
    waits = after(p, deciding.defer(p, None, now=NOW, on_evidence=True))
    for state in (waits, after(waits, park(waits, "elsewhere"))):
        *_, event = raising([again], [state])
        assert isinstance(event, ProposalRevised) and event.deferred is stays
        assert event.changed.startswith(MOVED) is not stays
        now = after(state, raising([again], [state]))
        assert (now.state == "deferred") is stays and now.deferred_on_evidence is stays


@pytest.mark.parametrize(
    ("told", "now", "worse"),
    [
        (["a"], {"fingerprint": ["a"], "claim": "other"}, False),
        (["a"], {"fingerprint": ["a", "b"]}, True),
        (["a", "b", "c"], {"fingerprint": ["a", "b", "c", "d"]}, False),
        (["a", "b"], {"fingerprint": ["a", "b", "c", "d"]}, True),
        (["a"], {"fingerprint": ["a"], "at_least": "high"}, True),
        (["a"], {"fingerprint": ["a"], "level": 1, "claim": "kept"}, False),
        (["a"], {"fingerprint": ["a"], "level": 2, "claim": "pushed"}, True),
        (["a", "b"], {"fingerprint": ["a"]}, False),
    ],
)
def test_only_what_became_much_worse_is_told_again(told: list[str], now: dict[str, Any], worse: bool) -> None:
    p = pending(note(fingerprint=told))
    p = after(p, [ProposalDelivered(id=p.id, boundary="commit")])
    (event,) = raising([note(**now)], [p], now=NOW + SOON)
    assert isinstance(event, ProposalRevised)
    assert event.worse is worse
    assert after(p, [event]).delivered is not worse


def test_what_grows_urgent_right_after_it_was_told_is_one_piece_of_news() -> None:
    p = pending(note(fingerprint=["a"]))
    p = after(p, [ProposalDelivered(id=p.id, boundary="commit")])
    staged = note(fingerprint=["a"], at_least="high", level=1)
    for seconds, worse in ((2, False), (599, False), (600, True)):
        (event,) = raising([staged], [p], now=NOW + seconds * 1_000_000)
        assert event.worse is worse
    (event,) = raising([note(fingerprint=["a"], at_least="high", level=2)], [p], now=NOW + 1)
    assert event.worse, "a pushed one is told at once"


def test_never_here_holds_whatever_its_places() -> None:
    p = pending(note(fingerprint=["a"]))
    p = after(p, deciding.reject(p, "wrong", never=True))
    (held,) = raising([note(fingerprint=["a", "b", "c"])], [p])
    assert held.rule == "never@1"


def test_a_change_on_a_basis_that_is_cut_is_a_note() -> None:
    wide = basis_of([["a"]], absent=[f"old/{n}" for n in range(MOST + 3)])
    (event,) = raising([finding(basis=wide)])
    assert isinstance(event.action, NoteAction)
    assert "rests on 3 more commits and paths" in event.action.text


def test_a_rejected_finding_returns_only_with_a_new_place() -> None:
    p = rejected(note(fingerprint=["a", "b"]))
    for places in (["a", "b"], ["a"], ["b"]):
        (held,) = raising([note(fingerprint=places, claim="in other words")], [p])
        assert held.rule == "rejected@1"
    (event,) = raising([note(fingerprint=["a", "c"])], [p])
    assert isinstance(event, ProposalRevised)
    assert after(p, [event]).state in ("raised", "pending")


def test_what_was_read_returns_when_it_is_worse() -> None:
    p = pending(note(fingerprint=["a"]))
    p = after(p, deciding.approve(p, p.raised.digest, now=NOW, valid_us=HOUR))
    assert raising([note(fingerprint=["a"], level=1)], [p])[0].rule == "duplicate@1"
    (event,) = raising([note(fingerprint=["a"], level=2)], [p])
    assert isinstance(event, ProposalRevised)


def test_what_was_read_while_it_was_staged_returns_when_it_is_in_a_commit() -> None:
    p = pending(note(fingerprint=["a"], level=1, basis=basis_of()))
    p = after(p, deciding.approve(p, p.raised.digest, now=NOW, valid_us=HOUR))
    assert raising([note(fingerprint=["a"], level=1, basis=basis_of())], [p])[0].rule == "duplicate@1"
    assert raising([note(fingerprint=["a"], level=0, basis=rested("c"))], [p])[0].rule == "duplicate@1"
    (event,) = raising([note(fingerprint=["a"], level=1, basis=rested("c"))], [p])
    assert isinstance(event, ProposalRevised) and "since you read it" in event.changed
    p = after(p, [event])
    p = after(p, deciding.approve(p, p.raised.digest, now=NOW, valid_us=HOUR))
    assert raising([note(fingerprint=["a"], level=1, basis=rested("c"))], [p])[0].rule == "duplicate@1"


def test_what_was_carried_out_returns_as_another_proposal_if_there_is_a_new_place() -> None:
    done = ran(msgspec.structs.replace(approved()))
    (held,) = raising([finding()], [done])
    assert held.rule == "duplicate@1"
    known = ran_with(["x"])
    (event,) = raising([finding(WIDER, fingerprint=["y"])], [known])
    assert isinstance(event, ProposalRaised)
    assert event.id != known.id


def ran_with(places: list[str]) -> Proposal:
    p = pending(finding(fingerprint=places))
    return ran(after(p, deciding.approve(p, p.raised.digest, now=NOW, valid_us=HOUR)))


def test_findings_that_share_a_part_are_one_and_a_wider_one_covers_several() -> None:
    one = pending(note(key="d:1", subjects=["d:1"]))
    two = pending(note(key="d:2", subjects=["d:2"]))
    wide = note(key="d:all", subjects=["d:1", "d:2"])
    revised, closed = raising([wide], [one, two])
    assert isinstance(revised, ProposalRevised)
    assert (revised.id, revised.key, revised.subjects) == (one.id, "d:all", ["d:1", "d:2"])
    assert isinstance(closed, ProposalSuperseded)
    assert (closed.id, closed.by) == (two.id, one.id)


def test_a_parked_proposal_returns_with_its_finding_and_with_a_part_of_it() -> None:
    p = pending(note(key="d:all", subjects=["d:1", "d:2"]))
    p = after(p, park(p, "elsewhere"))
    (back,) = raising([note(key="d:all", subjects=["d:1", "d:2"])], [p])
    assert isinstance(back, ProposalUnparked)
    assert back.expires_at == NOW + HOUR
    away = AwayParts(subjects=["d:2"], basis=rested("b"), why="commit b is in branch work")
    unparked, part = raising([note(key="d:1", subjects=["d:1"], basis=rested("a"), away=away)], [p])
    assert isinstance(unparked, ProposalUnparked)
    assert isinstance(part, ProposalRevised)
    assert (part.id, part.away, part.worse) == (p.id, away, False)
    assert "1 part of it is not here now: commit b is in branch work" in part.changed


def test_a_part_that_is_away_is_the_same_finding_when_it_is_back() -> None:
    away = AwayParts(subjects=["d:2"], basis=rested("b"), fingerprint=["q"])
    p = pending(note(key="d:1", subjects=["d:1"], fingerprint=["p"], basis=rested("a"), away=away))
    (back,) = raising([note(key="d:all", subjects=["d:1", "d:2"], fingerprint=["p", "q"], basis=rested("a"))], [p])
    assert isinstance(back, ProposalRevised)
    assert (back.id, back.away) == (p.id, None)
    assert "1 part of it is here again" in back.changed
    (alone,) = raising([note(key="d:2", subjects=["d:2"], fingerprint=["q"], basis=rested("b"))], [p])
    assert alone.id == p.id


def test_of_two_findings_that_share_a_card_the_one_with_more_of_it_speaks() -> None:
    p = pending(note(key="d:all", subjects=["d:1", "d:2", "d:3"]))
    less, more = note(key="d:1", subjects=["d:1"]), note(key="d:23", subjects=["d:2", "d:3"])
    raised, revised = raising([less, more], [p])
    assert (revised.id, isinstance(revised, ProposalRevised)) == (p.id, True)
    assert isinstance(raised, ProposalRaised), "what no card says is told"
    within, _ = raising([note(key="d:2", subjects=["d:2"]), more], [p])
    assert within.rule == "duplicate@1"


def test_keys_of_an_earlier_version_are_known() -> None:
    """What was listed or rejected before an upgrade stays so, and what waits keeps its proposal."""
    new = note(key="test-detector:subject", former_keys=[KEY], fingerprint=["a"], basis=rested("a"))
    (held,) = raising([new], listed={KEY})
    assert held.rule == "baseline@1"
    (held,) = raising([new], [rejected(note())])
    assert held.rule == "rejected@1"
    (event,) = raising([new], [pending(note())])
    assert isinstance(event, ProposalRevised)
    assert (event.key, event.worse) == ("test-detector:subject", False)


def test_what_was_listed_is_raised_when_its_state_is_worse_or_a_part_is_new() -> None:
    listed = {"d:1", listed_at("d:1", 1), "d:2"}
    assert raising([note(key="d:1", level=1)], listed=listed)[0].rule == "baseline@1"
    assert isinstance(raising([note(key="d:1", level=2)], listed=listed)[0], ProposalRaised)
    assert raising([note(key="d:all", subjects=["d:1", "d:2"])], listed=listed)[0].rule == "baseline@1"
    assert isinstance(raising([note(key="d:all", subjects=["d:1", "d:3"])], listed=listed)[0], ProposalRaised)
