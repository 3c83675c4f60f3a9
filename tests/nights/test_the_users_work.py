"""Hard nights about the user's work: N10, N11, N12, N14, N15, N16."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

import pytest


def test_n10_an_edit_between_approval_and_execution_is_never_overwritten(shop: Any, kairos: Any) -> None:
    daemon = kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    kairos.run("pause")
    kairos.run("approve", proposal.id, "--digest", proposal.digest)
    mine = shop.cart + "# mine\n"
    (shop.repo.root / "shop/cart.py").write_text(mine)
    kairos.run("resume")
    kairos.until("ProposalRevised", id=proposal.id)
    assert shop.cart == mine
    assert "ExecutionStarted" not in shop.topics()
    daemon.stop()
    assert '"stale"' in kairos.run("approve", proposal.id, "--digest", proposal.digest, code=5)
    assert shop.cart == mine


def test_n11_an_edit_after_execution_survives_undo(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    assert shop.approve(proposal)["state"] == "executed"
    (shop.repo.root / "shop/cart.py").write_text(shop.cart + "# mine\n")
    kairos.run("undo", proposal.id, "--yes")
    assert "from shop.pay import total" in shop.cart and shop.cart.endswith("# mine\n")


def test_n11_an_edit_of_the_same_line_makes_undo_refuse_and_write_nothing(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    shop.approve(proposal)
    mine = shop.cart.replace("from shop.billing import total", "from shop.billing import total, tax")
    (shop.repo.root / "shop/cart.py").write_text(mine)
    refused = kairos.run("undo", proposal.id, "--yes", code=5)
    assert "shop/cart.py" in refused
    assert shop.cart == mine


@pytest.mark.parametrize("delay_s", [0.0, 0.004, 0.008, 0.012, 0.02, 0.04])
def test_n12_killed_while_applying_twenty_files_the_patch_is_whole_or_absent(
    kairos: Any, repo: Any, delay_s: float
) -> None:
    repo.write("shop/__init__.py", "")
    repo.write("shop/pay.py", "total = sum\n")
    for i in range(20):
        repo.write(f"shop/user{i:02}.py", f"from shop.pay import total\n\nprint({i}, total([1]))\n")
    repo.commit("shop")
    kairos.run("init", str(repo.root), "--yes")
    daemon = kairos.daemon()
    repo.git("mv", "shop/pay.py", "shop/billing.py")
    repo.commit("rename")
    raised = kairos.until("ProposalRaised")[0].event
    kairos.until("ProposalVerified")
    kairos.run("approve", raised.id, "--digest", raised.digest)
    kairos.until("ExecutionStarted")
    kill = threading.Timer(delay_s, daemon.kill)
    kill.start()
    kill.join()
    kairos.daemon()
    kairos.until("ExecutionFinished")
    texts = [(repo.root / f"shop/user{i:02}.py").read_text() for i in range(20)]
    new = sum("shop.billing" in text for text in texts)
    assert new in (0, 20), f"{new} of 20 files are patched"
    assert not list(repo.root.rglob(".kairos-*"))
    assert kairos.run("log", "verify")["ok"]
    state = "executed" if new else "failed"
    assert kairos.run("show", raised.id)["state"] == state
    if new:
        kairos.run("undo", raised.id, "--yes")
        assert all("shop.pay" in (repo.root / f"shop/user{i:02}.py").read_text() for i in range(20))


def test_n14_a_formatter_that_rewrites_what_kairos_wrote_makes_no_loop(shop: Any, kairos: Any) -> None:
    hook = shop.repo.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nfor f in shop/*.py; do printf '# formatted\\n' >> \"$f\"; done\ngit add -u\n")
    kairos.daemon()
    shop.rename()
    hook.chmod(0o755)
    proposal = shop.proposal()
    shop.approve(proposal)
    commit = shop.repo.commit("what kairos wrote, formatted by the hook")
    turn = kairos.until("TurnEnded", count=2)
    assert commit and len(turn) >= 2
    kairos.until("CommitRecorded", oid=commit)
    assert [r.event.id for r in kairos.events("ProposalRaised")] == [proposal.id]
    assert len(kairos.events("ExecutionStarted")) == 1


def test_n15_an_action_lands_only_in_its_own_work_tree(shop: Any, kairos: Any, tmp_path: Any) -> None:
    other = tmp_path / "other"
    shop.repo.git("worktree", "add", "-q", str(other), "-b", "side")
    kairos.run("init", str(other), "--yes")
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    before = (other / "shop/cart.py").read_bytes()
    assert shop.approve(proposal)["state"] == "executed"
    assert "shop.billing" in shop.cart
    assert (other / "shop/cart.py").read_bytes() == before
    assert len(kairos.events("ProposalRaised")) == 1


def test_n16_of_two_reviewers_at_the_same_instant_one_wins_and_the_other_is_told(shop: Any, kairos: Any) -> None:
    kairos.daemon()
    shop.rename()
    proposal = shop.proposal()
    done: dict[str, subprocess.CompletedProcess[str]] = {}

    def say(name: str, *args: str) -> None:
        done[name] = kairos.call("--json", *args)

    both = [
        threading.Thread(target=say, args=("yes", "approve", proposal.id, "--digest", proposal.digest)),
        threading.Thread(target=say, args=("no", "reject", proposal.id, "-m", "wrong")),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    codes = sorted(d.returncode for d in done.values())
    assert codes == [0, 5], {n: (d.returncode, d.stderr) for n, d in done.items()}
    decided = [r.topic for r in kairos.events("ProposalApproved", "ProposalRejected")]
    assert len(decided) == 1
    loser = next(d for d in done.values() if d.returncode == 5)
    assert '"code": 5' in loser.stderr or '"code":5' in loser.stderr
