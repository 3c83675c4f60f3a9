"""A finding becomes a proposal once; every silence has a rule and is recorded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from kairos.domain import deciding
from kairos.domain.action import Action, CommandAction, NoteAction, PatchAction, edit
from kairos.domain.events import (
    AttentionHeld,
    Event,
    ProposalRaised,
    ProposalRevised,
    ProposalStale,
    ProposalSuperseded,
)
from kairos.domain.finding import Finding
from kairos.domain.policy import parse
from kairos.domain.proposal import Proposal, evolve, expire
from kairos.domain.raising import is_here, raise_findings, without_secret

HOUR = 3_600_000_000
NOW = 1_000 * HOUR
REPO = "repo-1"
KEY = "test-detector:abc"
CREDENTIAL = "AKIA" + "Q3EXAMPLE7ZLMN4T"


def patch(changes: Mapping[str, tuple[str, str]]) -> PatchAction:
    """The patch that takes each path from one text to another."""
    edits = [edit(path, (old.encode(), 0o644), (new.encode(), 0o644)) for path, (old, new) in changes.items()]
    return PatchAction(repo=REPO, edits=edits)


A_PATCH = patch({"a.txt": ("one\n", "two\n")})


def finding(action: Action = A_PATCH, **fields: Any) -> Finding:
    given = {"detector": "test-detector", "version": 1, "key": KEY, "title": "Change things",
             "claim": "Things should change.", "evidence": [1]}  # fmt: skip
    return Finding(action=action, **{**given, **fields})


def note(**fields: Any) -> Finding:
    return finding(NoteAction(repo=REPO, text="Look."), **fields)


def raising(findings: Sequence[Finding], known: Sequence[Proposal] = (), **options: Any) -> list[Any]:
    given: dict[str, Any] = {
        "taken": {p.id for p in known}, "listed": (), "repo": REPO, "turn": "turn-2", "boundary": "commit",
        "policy": parse({}, "p"), "now": NOW, "expire_us": HOUR,
    }  # fmt: skip
    return list(raise_findings(findings, known=known, **{**given, **options}))


def proposal(of: Finding | None = None) -> Proposal:
    """A finding as it is once raised."""
    (event,) = raising([of or finding()])
    return after(None, [event])


def after(p: Proposal | None, events: Sequence[Event], at: int = NOW) -> Proposal:
    for event in events:
        p = evolve(p, event, at)
    assert p is not None
    return p


def pending(of: Finding | None = None) -> Proposal:
    p = proposal(of)
    return after(p, deciding.verified(p, ok=True))


def approved() -> Proposal:
    p = pending()
    return after(p, deciding.approve(p, p.raised.digest, now=NOW, valid_us=HOUR))


def ran(p: Proposal, run: Any = "apply", outcome: str = "done") -> Proposal:
    p = after(p, deciding.start_run(p, run, execution=run, expect=[], before=[], store="s", now=NOW))
    return after(p, deciding.finish_run(p, outcome, signatures=[]))


def rejected(of: Finding | None = None, *, never: bool = False) -> Proposal:
    p = pending(of)
    return after(p, deciding.reject(p, "wrong", never=never))


def executing() -> Proposal:
    p = approved()
    return after(p, deciding.start_run(p, "apply", execution="x", expect=[], before=[], store="s", now=NOW))


def withdrawn() -> Proposal:
    p = proposal()
    return after(p, deciding.verified(p, ok=False, why="does not apply"))


def test_news_is_raised_with_its_digest_risk_and_expiry() -> None:
    (event,) = raising([finding()])
    assert isinstance(event, ProposalRaised)
    assert (event.risk, event.verdict, event.expires_at) == ("low", "ask", NOW + HOUR)
    assert (event.effects.files, event.effects.added, event.effects.removed) == (["a.txt"], 1, 1)
    assert (event.turn, event.boundary, event.key, event.evidence) == ("turn-2", "commit", KEY, [1])
    assert len(event.digest) == 64


def known_in(state: str) -> Proposal:
    """A proposal in a state in which its key is not raised again."""
    acknowledged = pending(note())
    deferred = pending()
    late = pending()
    made = {
        "raised": proposal(),
        "pending": pending(),
        "approved": approved(),
        "executing": executing(),
        "executed": ran(approved()),
        "redone": ran(ran(ran(approved()), "undo"), "redo"),
        "unknown": after(executing(), deciding.lose_run(executing(), ["a.txt"])),
        "deferred": after(deferred, deciding.defer(deferred, None, now=NOW)),
        "acknowledged": after(
            acknowledged, deciding.approve(acknowledged, acknowledged.raised.digest, now=NOW, valid_us=HOUR)
        ),
        "expired": after(late, expire(late, NOW + HOUR)),
        "withdrawn": withdrawn(),
    }[state]
    assert made.state == state
    return made


@pytest.mark.parametrize(
    "state",
    ["raised", "pending", "approved", "executing", "executed", "redone", "unknown", "deferred", "acknowledged",
     "expired", "withdrawn"],
)  # fmt: skip
def test_a_key_that_is_known_is_held_as_duplicate(state: str) -> None:
    known = known_in(state)
    (event,) = raising([finding(known.raised.action)], [known])
    assert isinstance(event, AttentionHeld)
    assert (event.rule, event.subject, event.detector) == ("duplicate@1", KEY, "test-detector")
    assert known.id in event.why


@pytest.mark.parametrize("state", ["stale", "superseded", "failed"])
def test_a_finding_whose_proposal_the_tree_closed_opens_it_again_under_its_id(state: str) -> None:
    known = {
        "stale": lambda: after(pending(), [ProposalStale(id=pending().id, paths=["a.txt"])]),
        "superseded": lambda: after(pending(), [ProposalSuperseded(id=pending().id, why="gone")]),
        "failed": lambda: ran(approved(), outcome="failed"),
    }[state]()
    assert known.state == state
    (event,) = raising([finding()], [known])
    assert isinstance(event, ProposalRevised)
    again = after(known, [event])
    assert (again.id, again.state) == (known.id, "pending")
    assert not event.worse


@pytest.mark.parametrize("state", ["stale", "superseded"])
def test_a_proposal_that_another_took_over_leaves_the_word_to_that_one(state: str) -> None:
    """Else one thing would be told under two ids."""
    one, both = finding(key="k:1", subjects=["k:1"]), finding(key="k:2", subjects=["k:1", "k:3"])
    over = pending(both)
    closed = ProposalStale(id=over.id, paths=["a.txt"]) if state == "stale" else ProposalSuperseded(id=over.id, why="x")
    over = after(over, [closed])
    (raised,) = raising([one], taken={over.id})
    taken = after(after(None, [raised]), [ProposalSuperseded(id=raised.id, why="covered", by=over.id)], NOW + 1)
    assert taken.taken_over == over.id
    (event,) = raising([both], [over, taken])
    assert isinstance(event, ProposalRevised) and event.id == over.id
    (event,) = raising([one], [taken])  # the other one is about something else by now
    assert event.id == taken.id and after(taken, [event]).taken_over == ""


def test_what_was_withdrawn_returns_only_as_another_action() -> None:
    fixed = finding(patch({"a.txt": ("one\n", "three\n")}))
    (event,) = raising([fixed], [withdrawn()])
    assert isinstance(event, ProposalRevised)
    assert after(withdrawn(), [event]).state == "raised"
    (event,) = raising([finding()], [withdrawn()])
    assert event.rule == "duplicate@1"


def test_a_rejected_key_never_returns_and_another_one_of_its_detector_does_at_once() -> None:
    """N36. What people think of a detector is learned; one rejection silences nothing else."""
    known = [rejected(note())]
    (held,) = raising([note()], known, now=NOW + 1000 * HOUR)
    assert held.rule == "rejected@1"
    (event,) = raising([note(key="test-detector:other")], known)
    assert isinstance(event, ProposalRaised)


def test_never_here_silences_the_place_and_not_the_detector() -> None:
    known = [rejected(finding(key="k:1"), never=True)]
    here = finding(patch({"a.txt": ("two\n", "three\n")}), key="k:2")
    there = finding(patch({"b.txt": ("one\n", "three\n")}), key="k:3")
    first, second = raising([here, there], known)
    assert first.rule == "never@1"
    assert isinstance(second, ProposalRaised)


def test_a_place_is_the_files_of_a_patch_or_the_title_of_a_note() -> None:
    both = proposal(finding(patch({"a.txt": ("1\n", "2\n"), "b.txt": ("1\n", "2\n")}))).raised
    assert is_here(finding(patch({"b.txt": ("2\n", "3\n")}), key="d:other"), both)
    assert not is_here(finding(patch({"b.txt": ("2\n", "3\n"), "c.txt": ("2\n", "3\n")}), key="d:other"), both)
    assert not is_here(finding(patch({"b.txt": ("2\n", "3\n")}), detector="another"), both)
    told = proposal(note(title="The same")).raised
    assert is_here(note(title="The same", key="d:other"), told)
    assert not is_here(note(title="Another", key="d:other"), told)
    assert is_here(note(title="Another words, the same key"), told)
    assert is_here(note(title="A part of it", key="d:wide", subjects=[KEY, "d:more"]), told)


def test_what_was_undone_counts_as_rejected() -> None:
    undone = ran(ran(approved()), "undo")
    assert undone.state == "undone"
    (held,) = raising([note()], [undone])
    assert held.rule == "rejected@1"


def test_what_was_listed_at_init_is_never_raised() -> None:
    (held,) = raising([note()], listed={KEY})
    assert held.rule == "baseline@1"


def test_a_hold_that_is_recorded_is_not_recorded_again() -> None:
    assert raising([note()], listed={KEY}, held={f"{KEY}|baseline@1": 0}) == []
    assert len(raising([note()], listed={KEY}, held={f"{KEY}|duplicate@1": 0})) == 1


def test_one_key_twice_in_one_turn_is_raised_once() -> None:
    assert len(raising([note(), note()])) == 1


def test_equal_findings_in_one_moment_get_different_ids() -> None:
    first, second = raising([note(key="k:1"), note(key="k:2")])
    (again,) = raising([note(key="k:1")])
    assert first.id == again.id
    assert first.id != second.id
    (other,) = raising([note(key="k:1")], taken={first.id})
    assert other.id not in (first.id, second.id)


def test_policy_denies_with_the_name_of_its_rule() -> None:
    policy = parse({"rule": [{"name": "hands-off", "effect": "deny", "paths": ["a.txt"]}]}, "p")
    (held,) = raising([finding()], policy=policy)
    assert held.rule == "policy:hands-off"
    outside = msgspec.structs.replace(A_PATCH.edits[0], path=".GIT./hooks/post-commit")
    (held,) = raising([finding(PatchAction(repo=REPO, edits=[outside]))])
    assert held.rule == "policy:built-in@1"


def test_a_patch_that_carries_a_secret_becomes_a_note_without_it() -> None:
    for new in ("aws = \n", f"aws = {CREDENTIAL}\nmore\n"):
        action = patch({"a.env": (f"aws = {CREDENTIAL}\n", new)})
        (event,) = raising([finding(action, claim=f"There is {CREDENTIAL} here.")])
        assert isinstance(event, ProposalRaised)
        if new == "aws = \n":
            assert isinstance(event.action, NoteAction)
            assert CREDENTIAL not in event.action.text
            assert "a.env" in event.action.text
    (event,) = raising([finding(patch({"b.txt": ("x\n", f"x\n{CREDENTIAL}\n")}))])
    assert isinstance(event.action, NoteAction)
    assert event.effects.files == []


def test_a_command_or_a_note_that_carries_a_secret_loses_it() -> None:
    for action in (
        CommandAction(repo=REPO, argv=["curl", "-H", CREDENTIAL]),
        NoteAction(repo=REPO, text=f"Look at {CREDENTIAL}."),
    ):
        safe = without_secret(action, "Claim.")
        assert isinstance(safe, NoteAction)
        assert CREDENTIAL not in safe.text
    assert without_secret(A_PATCH, "Claim.") is A_PATCH


def test_urgent_is_a_detectors_word_and_never_a_models() -> None:
    (by_rules,) = raising([note(urgent=True)])
    (by_model,) = raising([note(urgent=True, engine="model")])
    assert (by_rules.risk, by_model.risk) == ("urgent", "low")


def test_a_models_patch_of_code_is_never_a_trifle() -> None:
    code = patch({"a.py": ("one\n", "two\n")})
    assert [raising([finding(code, engine=engine)])[0].risk for engine in ("rules", "model")] == ["low", "medium"]


def test_a_finding_of_another_repository_is_a_defect() -> None:
    with pytest.raises(ValueError, match="repo-other"):
        raising([finding(NoteAction(repo="repo-other", text="x"))])
