"""Hard nights about itself and people: N19, N31, N36, N37, N40; and the promise that it never reacts to itself."""

from __future__ import annotations

import shutil
from typing import Any


def test_n19_its_own_files_inside_a_watched_tree_are_never_events(kairos: Any, repo: Any) -> None:
    kairos.home = repo.root / "state"
    kairos.environment["KAIROS_HOME"] = str(kairos.home)
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.write("mine.txt", "1\n")
    kairos.until("FilesChanged", count=2)
    kairos.run("dream")
    repo.write("mine.txt", "2 two\n")
    kairos.until("FilesChanged", count=3)
    paths = {c.fs for r in kairos.events("FilesChanged") for c in r.event.changes}
    assert not [p for p in paths if p.startswith("state")]
    assert "mine.txt" in paths


def test_n31_edits_while_the_daemon_was_down_are_reported_once(shop: Any, kairos: Any) -> None:
    daemon = kairos.daemon()
    assert daemon.stop() == 0
    shop.repo.write("while-away.txt", "x\n")
    (shop.repo.root / "shop/cart.py").chmod(0o755)
    shop.repo.commit("while away")
    for _ in range(2):
        daemon = kairos.daemon()
        kairos.until("TurnEnded")
        assert daemon.stop() == 0
    offline = [r for r in kairos.events("FilesChanged") if r.origin == "offline"]
    assert sorted((c.fs, c.kind) for r in offline for c in r.event.changes) == [
        ("shop/cart.py", "modified"),
        ("while-away.txt", "created"),
    ]
    moved = kairos.events("GitMoved")
    assert [(r.origin, r.event.what) for r in moved] == [("offline", "commit")]
    assert len(kairos.events("CommitRecorded")) == 1


def test_n36_a_rejected_proposal_returns_only_when_its_evidence_changed(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.run("reject", proposal.id, "-m", "not like this")
    shop.repo.write("unrelated.txt", "x\n")
    shop.repo.commit("something else")
    kairos.until("TurnEnded", count=2)
    assert len(kairos.events("ProposalRaised")) == 1
    shop.repo.git("mv", "shop/billing.py", "shop/money.py")
    shop.repo.commit("rename again")
    kairos.until("TurnEnded", count=3)
    keys = [r.event.key for r in kairos.events("ProposalRaised")]
    assert len(keys) == len(set(keys))


def test_n37_without_a_model_everything_else_works(shop: Any, kairos: Any) -> None:
    kairos.environment["http_proxy"] = "http://127.0.0.1:1"
    kairos.daemon()
    shop.rename()
    assert shop.approve(shop.proposal())["state"] == "executed"
    kairos.run("undo", "--yes")
    kairos.run("dream")
    assert kairos.run("log", "verify")["ok"]
    assert not kairos.events("ModelReserved", "ModelCalled")
    assert {r.event.engine for r in kairos.events("TurnStarted")} == {"rules"}


def test_n40_one_command_stops_every_action_and_survives_a_restart(shop: Any, kairos: Any) -> None:
    daemon = kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.run("pause")
    kairos.run("approve", proposal.id, "--digest", proposal.digest)
    daemon.kill()
    daemon = kairos.daemon()
    shop.repo.write("more.txt", "x\n")
    shop.repo.commit("while paused")
    kairos.until("CommitRecorded", count=2)
    assert daemon.stop() == 0
    assert "from shop.pay" in shop.cart
    assert len(kairos.events("TurnStarted")) == 1
    kairos.daemon()
    kairos.run("resume")
    kairos.until("ExecutionFinished")
    assert "from shop.billing" in shop.cart
    kairos.until("TurnStarted", count=2)


def test_a_repository_that_vanishes_and_comes_back_is_lost_once_and_found_once(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    away = shop.repo.root.with_name("away")
    shop.repo.root.rename(away)
    kairos.until("RootLost")
    assert kairos.run("status")["repos"][0]["state"] == "lost"
    (away / "new.txt").write_text("x\n")
    away.rename(shop.repo.root)
    kairos.until("RootFound")
    kairos.until("FilesChanged", count=2)
    shutil.rmtree(shop.repo.root)
    kairos.until("RootLost", count=2)
    assert len(kairos.events("RootFound")) == 1
