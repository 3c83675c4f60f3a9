"""Why it was silent, in words: grouped, the newest last, with what can be done."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.desk.detecting import switch
from kairos.desk.explaining import why_not
from kairos.desk.silence import grouped
from kairos.domain.events import (
    AttentionHeld,
    ProposalAcknowledged,
    ProposalDelivered,
    ProposalExpired,
    ProposalRejected,
    TurnStarted,
)
from kairos.domain.proposal import proposal_id
from kairos.eventlog.record import NewEvent
from kairos.home import Home


def held(seeded: Any, subject: str, rule: str, why: str, detector: str = "secret", until: int | None = None) -> None:
    event = AttentionHeld(repo=seeded.id, subject=subject, rule=rule, why=why, detector=detector, until=until)
    seeded.log.append([NewEvent(seeded.id, event, None, "system")])


@pytest.fixture(autouse=True)
def at_any_hour(home: Home) -> None:
    """The present reason does not depend on the time of the test."""
    home.config_file.write_text('[attention]\nquiet_hours = ""\n')


def test_what_is_now_stands_first_and_once_and_what_was_is_grouped(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note(), title="A key in dev.env")
    for n in range(3):
        held(seeded, raised.id, "boundary@1", "you are in the middle of something")
        held(seeded, "turn", "self@1", "this is Kairos's own write")
        held(seeded, f"secret:{n}", "rejected@1", f"A key in {n}: you rejected it")
    now, own, *others = sorted(grouped(desk, why_not(desk, None, None)), key=lambda s: (not s.now, s.rule != "self@1"))
    assert (now.now, now.rule, now.what) == (True, "boundary@1", f"A key in dev.env ({raised.id[:4]})")
    assert now.why.startswith("it is in the inbox") and now.remedy == f"now: kairos review {raised.id[:4]}"
    assert (own.what, own.times) == ("Kairos's own writes", 3)
    assert [(s.what, s.now) for s in others] == [(f"A key in {n}", False) for n in range(3)]
    assert all(s.last.startswith(("today", "yesterday")) for s in (now, own, *others))


def test_what_a_detector_in_shadow_found_says_how_it_would_be_told(desk: Any, seeded: Any) -> None:
    held(seeded, "secret:1", "shadow@1", "A key in 1: secret is in shadow")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert one.remedy == "over: nothing of the kind is held now", "it is on"
    switch(desk, "secret", "shadow")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert one.remedy == "it is in shadow: kairos detectors promote secret"


def test_what_was_told_meanwhile_is_history(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    held(seeded, raised.id, "boundary@1", "you are in the middle of something")
    seeded.append(ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert not one.now and one.remedy.startswith("over: you were told since")


def test_what_was_decided_meanwhile_says_so(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    held(seeded, raised.id, "per-day@1", "4 of 4 were delivered today", until=2_000_000_000_000_000)
    seeded.append(ProposalRejected(id=raised.id, reason="wrong"), f"proposal-{raised.id}")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert one.remedy == "over: it is rejected now"
    assert one.until


def test_a_rule_of_the_policy_names_where_to_read_it(desk: Any, seeded: Any) -> None:
    held(seeded, "stale-reference:x", "policy:no-docs", "Update 3 references: this path is denied")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert (one.what, one.why) == ("Update 3 references", "this path is denied")
    assert "kairos policy ls" in one.remedy


@pytest.mark.parametrize("why", ["A key in x: secret is muted", "secret is muted: A key in x"])
def test_what_a_mute_held_and_was_raised_since_says_so(desk: Any, seeded: Any, why: str) -> None:
    held(seeded, "secret:abc", "mute@1", why)
    (now,) = grouped(desk, why_not(desk, None, None))
    assert (now.now, now.what, now.why) == (True, "A key in x", "secret is muted")
    at = why_not(desk, None, None)[0].position
    looked = TurnStarted(
        turn="t", repo=seeded.id, engine="rules", boundary="again", detectors=["secret"], again=[at]
    )  # fmt: skip
    seeded.append(looked, "t")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert (one.now, one.what, one.remedy) == (False, "A key in x", "over: nothing of the kind is held now")


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        (lambda raised: None, "it waits already: kairos review {}"),
        (lambda raised: ProposalAcknowledged(id=raised.id, digest=raised.digest), "kairos undo {} makes it wait again"),
        (lambda raised: ProposalExpired(id=raised.id), "it is expired: kairos show {}"),
    ],
)
def test_a_finding_with_a_card_is_sent_to_what_the_card_is_now(desk: Any, seeded: Any, decide: Any, words: str) -> None:
    raised = msgspec.structs.replace(seeded.raise_(seeded.note()), id=proposal_id("b"), key="secret:k", subjects=[])
    seeded.append(raised, f"proposal-{raised.id}")
    if (event := decide(raised)) is not None:
        seeded.append(event, f"proposal-{raised.id}")
    held(seeded, raised.key, "duplicate@1", "A key: it has a card")
    found = [s for s in grouped(desk, why_not(desk, None, None)) if s.rule == "duplicate@1"]
    assert [s.remedy for s in found] == [words.format(raised.id[:4])]
