"""A mute, a pause and a kill -9 of the daemon: what arose meanwhile is raised once, by whatever ends the silence."""

from __future__ import annotations

from typing import Any

import pytest

KEY = "AWS=AKIAQ3EGRT5HZX7WLM{}\n"


@pytest.mark.parametrize("end", [("unmute", "secret"), ("undo", "--all", "--yes")])
def test_what_a_mute_held_is_raised_once_though_the_daemon_was_killed(kairos: Any, repo: Any, end: Any) -> None:
    kairos.run("init", str(repo.root), "--yes")
    daemon = kairos.daemon()
    kairos.run("mute", "secret")
    repo.write("a.env", KEY.format("NP"))
    kairos.until("AttentionHeld", rule="mute@1")
    repo.commit("a key")
    kairos.until("AttentionHeld", 2, rule="mute@1")
    daemon.kill()
    kairos.run(*end)
    held = [h for h in kairos.run("why-not") if h["now"]]
    assert [h["rule"] for h in held] == ["mute@1"] and "when the daemon runs" in held[0]["remedy"]
    for _ in range(2):
        kairos.daemon().kill()
    daemon = kairos.daemon()
    (raised,) = kairos.until("ProposalRaised", detector="secret")
    kairos.until("ProposalDelivered", id=raised.event.id)
    assert [h for h in kairos.run("why-not") if h["now"]] == []
    assert daemon.stop() == 0
    assert len(kairos.events("ProposalRaised")) == 1
    chain = [s["type"] for s in kairos.run("why", raised.event.id)]
    assert chain.index("FilesChanged") < chain.index("AttentionHeld") < chain.index("ProposalRaised")


def test_what_a_pause_held_is_raised_when_it_ends_though_the_daemon_was_killed(kairos: Any, repo: Any) -> None:
    kairos.run("init", str(repo.root), "--yes")
    daemon = kairos.daemon()
    kairos.run("pause", "--repo", str(repo.root))
    repo.write("a.env", KEY.format("NQ"))
    kairos.wait(lambda: any(c.fs == "a.env" for r in kairos.events("FilesChanged") for c in r.event.changes))
    daemon.kill()
    daemon = kairos.daemon()
    assert kairos.events("ProposalRaised") == []
    assert [h["rule"] for h in kairos.run("why-not")] == ["pause@1"]
    kairos.run("resume", "--repo", str(repo.root))
    kairos.until("ProposalRaised", detector="secret")
    assert daemon.stop() == 0 and len(kairos.events("ProposalRaised")) == 1
