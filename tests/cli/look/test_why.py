"""`why` and `why-not`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cli.layout import width
from kairos.domain import events as ev


def test_why_walks_from_the_root_to_the_proposal(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    said = kairos("why", raised.id, "--json")
    assert [s["type"] for s in said.data] == [
        "GitMoved", "AttentionDue", "TurnStarted", "ProposalRaised", "ProposalVerified",
    ]  # fmt: skip
    assert said.data[0]["position"] == seeded.cause
    assert "rename pay" in said.data[0]["summary"]


@pytest.mark.parametrize("what", ["5", "77ab12", "0 005"])
def test_why_takes_a_position_or_a_commit(kairos: Any, seeded: Any, what: str) -> None:
    assert kairos("why", what, "--json").data[0]["type"] == "GitMoved"


def test_why_of_something_unknown_is_not_found(kairos: Any, seeded: Any) -> None:
    for what in ("zzzz", "999999", "abcdef0123"):
        assert kairos("why", what).code == 4


def test_why_not_lists_what_was_held_and_by_which_rule(kairos: Any, seeded: Any) -> None:
    held = ev.AttentionHeld(repo=seeded.id, subject="qzvt", why="quiet hours", rule="quiet-hours@1", until=1)
    seeded.append(held, seeded.id)
    rows = kairos("why-not", "--json").data
    assert [(r["subject"], r["rule"], r["until"]) for r in rows] == [
        ("qzvt", "quiet-hours@1", "1970-01-01T00:00:00.000001Z")
    ]
    assert "quiet hours" in kairos("why-not").out
    assert kairos("why-not", "--json", "--since", "2999-01-01").data == []


def test_why_not_of_a_commit_says_what_was_looked_at(kairos: Any, seeded: Any, repo: Any) -> None:
    oid = repo.git("rev-parse", "HEAD").strip()
    commit = ev.CommitRecorded(
        repo=seeded.id, oid=oid, parents=[], author="a", at_s=1, subject="start",
        changes=[ev.CommitChange(status="A", path="README.md")],
    )  # fmt: skip
    seeded.append(commit, seeded.id)
    said = kairos("why-not", oid[:10])
    assert said.code == 0
    assert f"looked at just now, with the files as they are; what was said then: kairos why {oid[:8]}" in said.out
    assert "secret: finds nothing now" in said.out and "no detector looks at" in said.out
    assert kairos("why-not", oid[:10], "--json").data["commit"] == oid
    assert kairos("why-not", oid[:10], "--since", "1d").code == 2
    assert kairos("why-not", "0123456789").code == 4
    assert kairos("why-not", "HEAD", "--json").data["commit"] == oid


def test_why_not_of_a_proposal_answers_for_it(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note(), title="A key in x")
    said = kairos("why-not", raised.id[:4])
    assert said.code == 0 and said.out.startswith(f"{raised.id} A key in x: pending, you were not told of it")
    assert "Now" in said.out
    seeded.append(ev.ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
    assert "Nothing holds it, and nothing did." in kairos("why-not", raised.id).out


def test_why_not_says_what_is_now_before_what_was(kairos: Any, seeded: Any) -> None:
    kairos("mute", "secret")
    seeded.append(ev.AttentionHeld(repo=seeded.id, subject="turn", why="own", rule="self@1"), seeded.id)
    out = kairos("why-not").out
    assert "daemon is not running" in out.split("\n")[0]
    assert out.index("Now") < out.index("a mute of secret") < out.index("Before") < out.index("Kairos's own writes")


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (200, 50)])
def test_why_not_fits_the_terminal(kairos: Any, seeded: Any, terminal: Any, size: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PAGER", "")
    raised = seeded.raise_(seeded.note(), title="日本語 " * 12 + "x" * 60)
    held = ev.AttentionHeld(repo=seeded.id, subject=raised.id, why="quiet hours", rule="quiet-hours@1", until=1)
    seeded.append(held, seeded.id)
    for verb in ("why-not", "inbox", "status"):
        screen = terminal(verb, size=size)
        assert screen.end() == 0
        text = screen.raw.decode()
        lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in text.replace("\r", "").split("\n")]
        assert all(width(line) <= size[0] for line in lines), lines


def test_a_silence_names_the_rejection_that_ends_it(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    seeded.append(ev.ProposalRejected(id=raised.id, reason="wrong", never=True), f"proposal-{raised.id}")
    for key in ("rejected@1", "never@1"):
        held = ev.AttentionHeld(
            repo=seeded.id, subject=raised.key, rule=key, why=f"A title: {key}", detector=raised.detector
        )
        seeded.append(held, seeded.id)
        assert f"kairos undo {raised.id[:4]} takes" in kairos("why-not").out
