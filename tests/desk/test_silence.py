"""Why it was silent, in words: grouped, the newest last, with what can be done."""

from __future__ import annotations

from typing import Any

from kairos.desk.explaining import why_not
from kairos.desk.silence import grouped
from kairos.domain.events import AttentionHeld, ProposalRejected
from kairos.eventlog.record import NewEvent


def held(seeded: Any, subject: str, rule: str, why: str, detector: str = "secret", until: int | None = None) -> None:
    event = AttentionHeld(repo=seeded.id, subject=subject, rule=rule, why=why, detector=detector, until=until)
    seeded.log.append([NewEvent(seeded.id, event, None, "system")])


def test_a_subject_stands_once_for_a_rule_and_the_newest_is_last(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note(), title="A key in dev.env")
    held(seeded, raised.id, "boundary@1", "you are in the middle of something")
    held(seeded, "secret:abc", "mute@1", "secret is muted: A key in x")
    held(seeded, raised.id, "boundary@1", "you are in the middle of something")
    held(seeded, "turn", "pause@1", "Kairos is paused")
    held(seeded, raised.id, "boundary@1", "you are in the middle of something")
    found = grouped(desk, why_not(desk, None, None))
    assert [(s.rule, s.times) for s in found] == [("mute@1", 1), ("pause@1", 1), ("boundary@1", 3)]
    last = found[-1]
    assert last.what == f"A key in dev.env ({raised.id[:4]})"
    assert last.remedy == f"told after your next commit, branch switch or return; now: kairos review {raised.id[:4]}"
    assert found[0].remedy == "kairos unmute secret lets it speak again"
    assert found[1].what == "a look at what changed"
    assert all(s.last.startswith(("today", "yesterday")) for s in found)


def test_what_was_decided_meanwhile_says_so(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    held(seeded, raised.id, "per-day@1", "4 of 4 were delivered today", until=2_000_000_000_000_000)
    seeded.append(ProposalRejected(id=raised.id, reason="wrong"), f"proposal-{raised.id}")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert one.remedy == "it is rejected meanwhile"
    assert one.until


def test_a_rule_of_the_policy_names_where_to_read_it(desk: Any, seeded: Any) -> None:
    held(seeded, "stale-reference:x", "policy:no-docs", "Update 3 references: this path is denied")
    (one,) = grouped(desk, why_not(desk, None, None))
    assert (one.what, one.why) == ("Update 3 references", "this path is denied")
    assert "kairos policy ls" in one.remedy
