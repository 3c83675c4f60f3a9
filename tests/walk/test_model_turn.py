"""A turn with a model, from a commit to undo: the real daemon, the real worker, real HTTP to a scripted server."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FIX = {
    "title": "main.py still calls area.area",
    "claim": "The commit renamed area to surface, main.py was left behind.",
    "files": [{"path": "main.py", "old_text": "area.area(2, 3)", "new_text": "area.surface(2, 3)"}],
    "evidence": [{"path": "area.py", "text": "def surface(w, h):"}],
}


@pytest.fixture
def configured(kairos: Any, repo: Any, server: Any) -> Any:
    """A watched repository and a model; `rename` makes the commit that the model is asked about."""
    repo.write("area.py", "def area(w, h):\n    return w * h\n")
    repo.write("main.py", "import area\n\nprint(area.area(2, 3))\n")
    repo.commit("add area")
    for key, value in (
        ("model.name", "scripted"), ("model.base_url", server.base_url), ("model.key_env", "SCRIPTED_KEY"),
    ):  # fmt: skip
        kairos.run("config", "set", key, f'"{value}"')
    kairos.environment["SCRIPTED_KEY"] = "k-" + "1" * 20
    kairos.environment["UNRELATED_SECRET"] = "canary-of-another-program"
    kairos.run("init", str(repo.root), "--yes")

    def rename() -> None:
        repo.write("area.py", "def surface(w, h):\n    return w * h\n")
        repo.commit("rename area to surface")

    return rename


def test_a_commit_becomes_one_verified_patch_that_can_be_undone(
    kairos: Any, repo: Any, server: Any, configured: Any
) -> None:
    server.calls(("read_file", {"path": "main.py"}))
    server.calls(("propose_patch", FIX))
    kairos.daemon()
    configured()
    raised = kairos.until("ProposalRaised", seconds=90)[0].event
    kairos.until("ProposalVerified", id=raised.id)
    assert (raised.engine, raised.detector) == ("model", "review-change")
    shown = kairos.run("show", raised.id)
    assert "-print(area.area(2, 3))\n+print(area.surface(2, 3))\n" in shown["patch"]
    assert kairos.run("approve", raised.id, "--digest", raised.digest, "--wait", "20")["state"] == "executed"
    assert "area.surface" in (repo.root / "main.py").read_text()
    kairos.run("undo", raised.id, "--yes")
    assert "area.area" in (repo.root / "main.py").read_text()
    chain = [step["type"] for step in kairos.run("why", raised.id)]
    assert chain[0] == "GitMoved" and "TurnStarted" in chain and "ProposalRaised" in chain
    assert kairos.run("status")["today"]["model_calls"] == 2
    ended = [r.event for r in kairos.events("TurnEnded") if r.event.engine == "model"]
    assert [e.outcome for e in ended] == ["proposed"]
    assert "canary-of-another-program" not in str(server.received)


def test_a_daemon_killed_during_a_model_turn_ends_it_and_never_asks_again(
    kairos: Any, server: Any, configured: Any
) -> None:
    server.hangs()
    daemon = kairos.daemon()
    configured()
    begun = time.monotonic()
    while not server.received and time.monotonic() - begun < 90:
        time.sleep(0.02)
    daemon.kill()
    kairos.daemon()
    ended = kairos.until("TurnEnded", engine="model", outcome="interrupted")
    assert len(ended) == 1
    assert len([r for r in kairos.events("TurnStarted") if r.event.engine == "model"]) == 1
    assert len(server.received) == 1
    assert kairos.run("log", "verify")["ok"]
