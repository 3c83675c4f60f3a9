"""Retention at night: the rule of a person is asked each night; by day and by hand everything reads as before."""

from __future__ import annotations

from typing import Any


def test_a_night_folds_what_the_rule_says_and_the_tree_stays(shop: Any, kairos: Any, tick: Any) -> None:
    daemon = kairos.daemon()
    for n in range(12):
        shop.repo.write("shop/pay.py", f"# {n}\n")
        shop.repo.write("shop/cart.py", f"# {n}\n")
        kairos.until("FilesChanged", count=2 + n)
    shop.repo.commit("busy")
    kairos.until("AttentionDue", boundary="commit")  # what was not judged yet does not fold
    kairos.run("compact", "--now")
    kairos.clock("2026-06-04T05:00:00")
    tick(daemon)
    kairos.until("OccurrenceEnded", job="compact")
    assert kairos.events("SegmentFolded") == []
    files = kairos.call("files", str(shop.repo.root), "--json").stdout
    kairos.run("config", "set", "retention.fold_after_days", "2")
    kairos.clock("2026-06-05T05:00:00")
    tick(daemon)
    ended = kairos.until("OccurrenceEnded", count=2, job="compact")[-1].event
    assert "observations folded" in ended.why
    (folded,) = kairos.events("SegmentFolded")
    assert folded.event.events > 0
    assert kairos.call("files", str(shop.repo.root), "--json").stdout == files
    assert kairos.run("log", "verify")["ok"]
    assert kairos.run("replay", "--verify")["identical"]
    there = len(kairos.events("FilesChanged"))
    shop.repo.write("shop/pay.py", "# after\n")
    kairos.until("FilesChanged", count=there + 1)
    assert daemon.stop() == 0
