"""What was said of findings is found by key, and costs nothing where nobody asks."""

from __future__ import annotations

import msgspec

from kairos.domain.action import Effects, NoteAction
from kairos.domain.events import AttentionHeld, Event, FindingListed, ProposalRaised
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.findings import Findings, FindingsView
from kairos.eventlog.views.projection import keep_views

VIEW = FindingsView()


def held(key: str, rule: str) -> AttentionHeld:
    return AttentionHeld(repo="r", subject=key, why="", rule=rule)


def raised(key: str) -> ProposalRaised:
    return ProposalRaised(
        id="p", repo="r", digest="0", detector="d", detector_version=1, engine="rules", turn="t", key=key, title="",
        claim="", risk="low", action=NoteAction(repo="r", text=""), effects=Effects(), evidence=[], expires_at=0,
        policy_version="0",
    )  # fmt: skip


def told(log: Log, *events: Event) -> None:
    log.append([NewEvent("r", e) for e in events])


def test_what_was_listed_or_held_is_known_by_its_key(any_log: Log) -> None:
    told(
        any_log,
        FindingListed(repo="r", key="secret:1", detector="secret", title=""),
        held("secret:2", "duplicate@1"),
        held("review-change:a|b.py:1", "cool-down@1"),
        held("turn", "pause@1"),
        held("klmnopqrstuv", "boundary@1"),
    )
    fresh = VIEW.load(any_log, fresh=True)[0]
    keep_views(any_log, [VIEW])
    for findings in (fresh, VIEW.load(any_log)[0]):
        assert "secret:1" in findings.listed and "secret:2" not in findings.listed
        assert "secret:2|duplicate@1" in findings.held and "secret:2|rejected@1" not in findings.held
        assert "review-change:a|b.py:1|cool-down@1" in findings.held
        assert "turn|pause@1" not in findings.held and "klmnopqrstuv|boundary@1" not in findings.held
    assert any_log.view_size(VIEW.key) == 4


def test_a_finding_that_is_raised_is_held_no_more(any_log: Log) -> None:
    told(any_log, held("secret:1", "cool-down@1"), held("secret:1", "mute@1"), held("secret:11", "mute@1"))
    keep_views(any_log, [VIEW])
    findings, position = VIEW.load(any_log)
    told(any_log, raised("secret:1"))
    VIEW.advance(findings, any_log, position)
    assert "secret:1|mute@1" not in findings.held and "secret:11|mute@1" in findings.held
    keep_views(any_log, [VIEW])
    assert any_log.view_size(VIEW.key) == 2
    told(any_log, held("secret:1", "cool-down@1"))
    assert "secret:1|cool-down@1" in VIEW.load(any_log)[0].held


def test_a_save_writes_only_what_is_new(log: Log) -> None:
    told(log, *(held(f"secret:{n}", "duplicate@1") for n in range(2_000)))
    keep_views(log, [VIEW])
    findings, position = VIEW.load(log)
    told(log, held("secret:new", "duplicate@1"))
    position = VIEW.advance(findings, log, position)
    assert sum(isinstance(write, Put) for write in VIEW.saving(findings, position)) == 2
    assert msgspec.json.decode(VIEW.encode(findings)) == msgspec.json.decode(VIEW.encode(VIEW.load(log, fresh=True)[0]))


def test_nothing_is_known_without_a_log() -> None:
    assert "secret:1" not in Findings().listed and "secret:1|mute@1" not in Findings().held
