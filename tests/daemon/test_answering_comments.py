"""A comment on a proposal: a model makes the patch anew, once, and it is decided like any other."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

from kairos.acting.decisions import approve, comment
from kairos.acting.verifier import verify
from kairos.daemon.folded import World
from kairos.daemon.modelling import Modelling, track_of
from kairos.domain.events import TurnStarted
from kairos.domain.finding import READ_UNTRUSTED
from kairos.domain.proposal import Proposal
from kairos.errors import Stale
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Track
from kairos.home import Home
from kairos.settings import Config, Model

BEFORE, FOUND, ANSWER = "one\ntwo\nthree\n", "one\nTWO\nthree\n", "one\ndeux\nthree\n"
SECRET = "AKIA" + "Q" * 16


@pytest.fixture
def make(others: Any, home: Home, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Modelling]:
    monkeypatch.setenv("SCRIPTED_KEY", "k-" + "1" * 20)

    def begin(model: Model) -> Modelling:
        keys = {"name": model.name, "base_url": model.base_url, "key_env": model.key_env}
        home.config_file.write_text("[model]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items()))
        return Modelling(home, Config(model=model), open_log(home), world, Everything(), lambda: UTC)

    return begin


@pytest.fixture
def waiting(others: Any, log: Log, home: Home, repo: Any) -> Proposal:
    """A verified patch of a tracked file, and of a file that it creates."""
    repo.write("a.md", BEFORE)
    repo.commit("one")
    found = others.patch("a.md", FOUND)
    new = others.patch("new.md", "new\n")
    p = others.raised(type(found)(repo=found.repo, edits=[*found.edits, *new.edits]))
    return verify(log, home, Config(), p, repo.root)


def model_of(server: Any) -> Model:
    return Model(name="scripted", base_url=server.base_url, key_env="SCRIPTED_KEY")


def patched(new: str, path: str = "a.md") -> tuple[str, dict[str, Any]]:
    return (
        "propose_patch",
        {"title": "Say it in French", "claim": "You want deux.",
         "files": [{"path": path, "old_text": "two\n", "new_text": new}], "evidence": []},
    )  # fmt: skip


@pytest.fixture
def said(
    others: Any, log: Log, make: Any, running: Any, until: Any, server: Any, waiting: Proposal
) -> Callable[..., Any]:
    """A person comments while the component runs; gives the answer that is recorded."""

    def say(text: str = "in French, please", model: Model | None = None, meanwhile: Any = None) -> Any:
        modelling = make(model or model_of(server))
        with running(modelling):
            until(lambda: modelling.position > 0)
            comment(log, waiting.id, text, "a.md")
            if meanwhile is not None:
                meanwhile()
            return others.until("CommentAnswered")[-1]

    return say


def test_a_model_revises_the_patch_under_the_same_id(
    others: Any, log: Log, home: Home, repo: Any, said: Any, server: Any, waiting: Proposal
) -> None:
    server.calls(patched("deux\n"))
    assert said().outcome == "revised"
    p = others.of(waiting.id)
    (revised,) = others.told("ProposalRevised")
    assert p.raised.digest == revised.digest != waiting.raised.digest
    assert (p.state, p.verified, revised.by, revised.verdict) == ("raised", None, "model", "ask")
    assert p.raised.title == "A model's version of: Change things"
    assert p.raised.claim.startswith("A model says: “Say it in French. You want deux.” You said: “in French, please”.")
    assert p.raised.claim.endswith("What was found: Things should change.")
    assert [why.startswith("a model changed this patch") for why in p.raised.unchecked[-2:]] == [True, False]
    assert p.raised.unchecked[-1] == READ_UNTRUSTED
    assert [e.fs for e in p.raised.action.edits] == ["a.md", "new.md"], "what it creates stays"  # type: ignore[union-attr]
    assert p.raised.cost_microusd > 0 or revised.spent_microusd == 0
    assert p.stack.done == [], "it is no decision of the person, so `undo` does not take it back"
    assert (p.comments[0].answer, p.comments[0].why) == ("revised", "")
    [ended] = others.told("TurnEnded")
    assert (ended.engine, ended.outcome, ended.proposals) == ("model", "proposed", [p.id])
    with pytest.raises(Stale, match="since then: a model changed the patch, because you said"):
        approve(log, home, Config(), p.id, waiting.raised.digest)
    approve(log, home, Config(), p.id, p.raised.digest)
    assert others.of(p.id).approved.digest == p.raised.digest
    sent = "".join(r.body.decode() for r in server.received)
    assert "The person says of a.md: in French, please" in sent and "-two" in sent and "+TWO" in sent


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("nothing", {}), "the model would change nothing"),
        (patched(f"key = {SECRET}\n"), "its patch would carry a credential"),
        (patched("TWO\n"), "the model gave the same patch again"),
    ],
)
def test_what_cannot_be_taken_leaves_the_patch_and_says_why(
    others: Any, log: Log, said: Any, server: Any, waiting: Proposal, call: Any, why: str
) -> None:
    server.calls(call)
    answer = said()
    assert (answer.outcome, answer.why) == ("unchanged", why)
    assert others.of(waiting.id).raised == waiting.raised and others.told("ProposalRevised") == []
    assert [e.outcome for e in others.until("TurnEnded")] == ["quiet"]
    stored = b"".join(f.read_bytes() for f in log.path.parent.rglob("*") if f.is_file())
    assert SECRET.encode() not in stored


def test_policy_forbids_a_model_what_it_forbids_anybody(
    others: Any, said: Any, server: Any, home: Home, waiting: Proposal
) -> None:
    home.policy_file.write_text('[[rule]]\nname = "hands-off"\neffect = "deny"\npaths = ["a.md"]\n')
    server.calls(patched("deux\n"))
    answer = said()
    assert answer.outcome == "unchanged" and "stays as it was" in answer.why
    assert others.of(waiting.id).raised == waiting.raised


def test_a_decision_that_comes_first_stands(
    others: Any, log: Log, home: Home, said: Any, server: Any, waiting: Proposal
) -> None:
    go_on = threading.Event()
    step = server.calls(patched("deux\n"), before=go_on)

    def decide() -> None:
        assert step.reached.wait(60)
        approve(log, home, Config(), waiting.id, waiting.raised.digest)
        go_on.set()

    answer = said(meanwhile=decide)
    assert answer.outcome == "unchanged" and "was approved already" in answer.why
    p = others.of(waiting.id)
    assert p.approved is not None and p.approved.digest == waiting.raised.digest == p.raised.digest


def test_without_a_key_no_model_is_asked_and_the_card_says_why(others: Any, said: Any, waiting: Proposal) -> None:
    answer = said(model=Model(name="scripted", key_env="NOBODY_HAS_THIS_KEY"))
    assert answer.outcome == "not_asked" and "NOBODY_HAS_THIS_KEY" in answer.why
    assert others.of(waiting.id).comments[0].why == answer.why


def test_a_turn_that_a_crash_cut_is_not_rerun(others: Any, log: Log, make: Any, server: Any, waiting: Proposal) -> None:
    at = comment(log, waiting.id, "in French").position
    turn = f"turn-model-{others.repo[5:]}-{at}"
    log.append([], writes=[Track(track_of(others.repo), at - 1)])
    started = TurnStarted(turn=turn, repo=others.repo, engine="model", boundary="comment", detectors=[])
    others.say(started, turn, at, "system")
    modelling = make(model_of(server))
    modelling.position = modelling.catch_up()
    assert modelling._take(), "the comment comes again"
    modelling.close()
    assert [(e.turn, e.outcome) for e in others.told("TurnEnded")] == [(turn, "interrupted")]
    assert [e.outcome for e in others.told("CommentAnswered")] == ["not_asked"] and server.received == []


def test_a_comment_is_answered_once(others: Any, log: Log, said: Any, server: Any, make: Any) -> None:
    server.calls(patched("deux\n"))
    said()
    others.until("TurnEnded")
    log.append([], writes=[Track(track_of(others.repo), 1)])  # as if the position was lost
    modelling = make(model_of(server))
    modelling.position = modelling.catch_up()
    modelling._take()
    modelling.close()
    assert len(others.told("CommentAnswered")) == 1 and len(server.received) == 1
