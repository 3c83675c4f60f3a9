"""A red check and a model: looked at once, proven by the check itself, silent where there is nothing to mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

from kairos.agent.outputs import EXPLAIN
from kairos.daemon.folded import World
from kairos.daemon.modelling import Modelling, track_of
from kairos.domain.checks.reading import WHOLE
from kairos.domain.events import CheckJudged, CheckNamed, DetectorMuted
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.home import Home
from kairos.settings import Config, Model


@pytest.fixture
def modelling(
    others: Any, home: Home, world: World, server: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Modelling]:
    monkeypatch.setenv("SCRIPTED_KEY", "k-" + "1" * 20)
    monkeypatch.setattr("kairos.daemon.modelling.LULL_S", 0.0)
    model = Model(name="scripted", base_url=server.base_url, key_env="SCRIPTED_KEY")
    given = {"name": model.name, "base_url": model.base_url, "key_env": model.key_env}
    home.config_file.write_text("[model]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in given.items()))
    return lambda: Modelling(home, Config(model=model), open_log(home), world, Everything(), lambda: UTC)


@pytest.fixture
def red(others: Any, repo: Any) -> Callable[[], int]:
    """A commit broke the check `test`; returns the position of the verdict."""
    repo.write("value.txt", "good\n")
    repo.write("check.sh", "grep good value.txt || { echo value.txt is not good; exit 1; }\n")
    repo.commit("works")
    repo.write("value.txt", "bad\n")
    oid = repo.commit("break it")
    others.say(
        CheckNamed(
            repo=others.repo, name="test", kind="test", command=["sh", "check.sh"], seconds=60.0, memory_mb=512
        ),
        f"check-{others.repo}-test",
    )  # fmt: skip
    judged = CheckJudged(
        repo=others.repo, check="test", cases=[WHOLE], verdict="new", commit=oid, tree="t", culprit=oid, sure=1.0
    )
    return lambda: int(others.say(judged, f"check-{others.repo}-test", others.cause, "system"))


def patch(new: str) -> tuple[str, dict[str, Any]]:
    return "propose_patch", {
        "title": "value.txt is bad", "claim": "The commit broke it.",
        "files": [{"path": "value.txt", "old_text": "bad", "new_text": new}],
        "evidence": [{"path": "value.txt", "text": "bad"}],
    }  # fmt: skip


def test_a_patch_that_turns_the_red_check_green_is_proposed_with_its_proof(
    others: Any, modelling: Any, red: Any, running: Any, until: Any, server: Any
) -> None:
    server.calls(patch("good"))
    with running(one := modelling()):
        until(lambda: one.position > 0)
        at = red()
        [raised] = others.until("ProposalRaised")
        others.until("TurnEnded")
    assert (raised.engine, raised.detector, raised.key) == ("model", EXPLAIN, f"{EXPLAIN}:test:{WHOLE}")
    assert "Tried in a scratch tree: `test` red without the patch, green with it." in raised.claim
    assert raised.title.startswith("A model says: “") and at in raised.evidence
    sent = server.received[0].json["messages"]
    assert "value.txt is not good" in sent[1]["content"] and "-good\n+bad" in sent[1]["content"]
    assert "Mend the cause" in sent[0]["content"]
    [started] = others.told("TurnStarted")
    assert (started.boundary, started.detectors) == ("check", [f"{EXPLAIN}@1"])


def test_a_patch_that_leaves_the_check_red_is_not_proposed(
    others: Any, modelling: Any, red: Any, running: Any, until: Any, server: Any
) -> None:
    server.calls(patch("better"))
    with running(one := modelling()):
        until(lambda: one.position > 0)
        red()
        [ended] = others.until("TurnEnded")
    assert ended.outcome == "quiet" and "is still red" in ended.why
    assert others.told("ProposalRaised") == [] and len(others.told("ModelCalled")) == 1


def test_nothing_is_asked_about_a_check_that_is_green_by_now(
    others: Any, modelling: Any, red: Any, running: Any, until: Any, repo: Any, server: Any
) -> None:
    repo.write("value.txt", "good\n")
    repo.commit("mended")
    with running(one := modelling()):
        until(lambda: one.position > 0)
        red()
        [ended] = others.until("TurnEnded")
    assert ended.outcome == "quiet" and ended.why == "it is green by now: there is nothing to mend"
    assert server.received == [] and others.told("ModelCalled") == []


def test_doing_nothing_is_a_good_answer(
    others: Any, modelling: Any, red: Any, running: Any, until: Any, server: Any
) -> None:
    server.calls(("nothing", {}))
    with running(one := modelling()):
        until(lambda: one.position > 0)
        red()
        [ended] = others.until("TurnEnded")
    assert (ended.outcome, ended.why) == ("quiet", "") and others.told("ProposalRaised") == []


def test_a_verdict_is_explained_once_and_not_when_muted(
    others: Any, log: Log, modelling: Any, red: Any, running: Any, until: Any, server: Any
) -> None:
    others.say(DetectorMuted(detector=EXPLAIN, repo=""), origin="user")
    with running(one := modelling()):
        until(lambda: one.position > 0)
        at = red()
        [held] = others.until("AttentionHeld")
    assert (held.rule, held.detector) == ("mute@1", EXPLAIN)
    assert log.tracking(track_of(others.repo)) >= at and server.received == []
