"""A finding becomes a proposal once; every silence has a rule and is recorded once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.acting import decisions, undo
from kairos.acting.proposing import raise_findings
from kairos.clock import now_us
from kairos.domain.action import NoteAction, PatchAction
from kairos.domain.events import AttentionHeld, ProposalRaised, ProposalStale
from kairos.domain.policy import parse
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.inbox import InboxView

HOUR = 3_600_000_000
KEY = "test-detector:abc"


def raising(bench: Any, findings: list[Any], **options: Any) -> list[Any]:
    given: dict[str, Any] = {
        "inbox": InboxView().load(bench.log)[0], "listed": (), "repo": bench.repo, "turn": "turn-2",
        "boundary": "commit", "policy": parse({}, "p"), "now": now_us(), "expire_us": HOUR, "cause": bench.cause,
    }  # fmt: skip
    return [n.event for n in raise_findings(findings, **{**given, **options})]


def note(bench: Any, **fields: Any) -> Any:
    return bench.finding(NoteAction(repo=bench.repo, text="Look."), **{"key": KEY, **fields})


def test_news_is_raised_with_its_digest_risk_and_expiry(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    now = now_us()
    (event,) = raising(bench, [bench.finding(bench.patch({"a.txt": "two\n"}))], now=now)
    assert isinstance(event, ProposalRaised)
    assert (event.risk, event.verdict, event.expires_at) == ("low", "ask", now + HOUR)
    assert (event.effects.files, event.effects.added, event.effects.removed) == (["a.txt"], 1, 1)
    assert len(event.digest) == 64


@pytest.mark.parametrize("state", ["raised", "pending", "approved", "executed", "deferred"])
def test_a_key_that_is_known_is_held_as_duplicate(bench: Any, repo: Any, state: str) -> None:
    repo.write("a.txt", "one\n")
    p = bench.raised(bench.patch({"a.txt": "two\n"}), key=KEY)
    if state in ("approved", "executed"):
        decisions.approve(bench.log, bench.home, bench.config, p.id)
    if state == "executed":
        bench.execute(p)
    if state == "deferred":
        decisions.defer(bench.log, p.id, None)
    (event,) = raising(bench, [note(bench)])
    assert isinstance(event, AttentionHeld)
    assert (event.rule, event.subject, event.detector) == ("duplicate@1", KEY, "test-detector")


def test_a_rejected_key_never_returns_and_a_new_one_waits_for_the_cool_down(bench: Any) -> None:
    """N36."""
    p = bench.verified(NoteAction(repo=bench.repo, text="Look."), key=KEY)
    decisions.reject(bench.log, p.id, "wrong")
    (held,) = raising(bench, [note(bench)], cool_down_us=HOUR, now=now_us() + 1000 * HOUR)
    assert held.rule == "rejected@1"
    (held,) = raising(bench, [note(bench, key="test-detector:other")], cool_down_us=HOUR)
    assert held.rule == "cool-down@1"
    assert held.until is not None
    (event,) = raising(bench, [note(bench, key="test-detector:other")], cool_down_us=HOUR, now=held.until)
    assert isinstance(event, ProposalRaised)
    (event,) = raising(bench, [note(bench, key="test-detector:other", urgent=True)], cool_down_us=HOUR)
    assert isinstance(event, ProposalRaised)
    (event,) = raising(bench, [note(bench, key="b:1", detector="another")], cool_down_us=HOUR)
    assert isinstance(event, ProposalRaised)


def test_never_here_silences_the_place_and_not_the_detector(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    repo.write("b.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    decisions.reject(bench.log, p.id, "other", "generated", never=True)
    here, there = bench.finding(bench.patch({"a.txt": "three\n"})), bench.finding(bench.patch({"b.txt": "three\n"}))
    first, second = raising(bench, [here, there])
    assert first.rule == "never@1"
    assert isinstance(second, ProposalRaised)


def test_what_was_undone_counts_as_rejected(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    done = bench.execute(bench.approved(bench.patch({"a.txt": "two\n"}), key=KEY))
    undo.undo(bench.log, bench.home, done.id)
    (held,) = raising(bench, [note(bench)])
    assert held.rule == "rejected@1"


def test_a_stale_key_may_be_raised_again_under_another_id(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.raised(bench.patch({"a.txt": "two\n"}), key=KEY)
    bench.log.append([NewEvent(p.stream, ProposalStale(id=p.id, paths=["a.txt"]))])
    (event,) = raising(bench, [bench.finding(bench.patch({"a.txt": "two\n"}), key=KEY)], now=p.raised_at)
    assert isinstance(event, ProposalRaised)
    assert event.id != p.id


def test_what_was_listed_at_init_is_never_raised(bench: Any) -> None:
    (held,) = raising(bench, [note(bench)], listed={KEY})
    assert held.rule == "baseline@1"


def test_a_hold_that_is_recorded_is_not_recorded_again(bench: Any) -> None:
    assert raising(bench, [note(bench)], listed={KEY}, held={f"{KEY}|baseline@1": 0}) == []


def test_one_key_twice_in_one_turn_is_raised_once(bench: Any) -> None:
    assert len(raising(bench, [note(bench), note(bench)])) == 1


def test_equal_findings_in_one_moment_get_different_ids(bench: Any) -> None:
    now = now_us()
    first, second = raising(bench, [note(bench, key="k:1"), note(bench, key="k:2")], now=now)
    (again,) = raising(bench, [note(bench, key="k:1")], now=now)
    assert first.id == again.id
    assert first.id != second.id


def test_policy_denies_with_the_name_of_its_rule(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    policy = parse({"rule": [{"name": "hands-off", "effect": "deny", "paths": ["a.txt"]}]}, "p")
    (held,) = raising(bench, [bench.finding(bench.patch({"a.txt": "two\n"}))], policy=policy)
    assert held.rule == "policy:hands-off"
    evil = bench.patch({"a.txt": "two\n"})
    outside = msgspec.structs.replace(evil.edits[0], path=".GIT./hooks/post-commit")
    (held,) = raising(bench, [bench.finding(PatchAction(repo=bench.repo, edits=[outside]))])
    assert held.rule == "policy:built-in@1"


def test_a_patch_that_carries_a_secret_becomes_a_note_without_it(bench: Any, repo: Any) -> None:
    key = "AKIA" + "Q3EXAMPLE7ZLMN4T"
    repo.write("a.env", f"aws = {key}\n")
    for wanted in ("aws = \n", f"aws = {key}\nmore\n"):
        (event,) = raising(bench, [bench.finding(bench.patch({"a.env": wanted}), claim=f"There is {key} here.")])
        assert isinstance(event, ProposalRaised)
        if wanted == "aws = \n":
            assert isinstance(event.action, NoteAction)
            assert key not in event.action.text
            assert "a.env" in event.action.text
    repo.write("b.txt", "x\n")
    (event,) = raising(bench, [bench.finding(bench.patch({"b.txt": f"x\n{key}\n"}))])
    assert isinstance(event.action, NoteAction)
    assert event.effects.files == []


def test_urgent_is_a_detectors_word_and_never_a_models(bench: Any) -> None:
    (by_rules,) = raising(bench, [note(bench, urgent=True)])
    (by_model,) = raising(bench, [note(bench, urgent=True, engine="model")])
    assert (by_rules.risk, by_model.risk) == ("urgent", "low")


def test_a_finding_of_another_repository_is_a_defect(bench: Any) -> None:
    with pytest.raises(ValueError, match="repo-other"):
        raising(bench, [bench.finding(NoteAction(repo="repo-other", text="x"))])
