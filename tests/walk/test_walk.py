"""The whole walk on a real repository with a real daemon: from a rename to undo, and why."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres"])
def kairos(kairos: Any, request: pytest.FixtureRequest) -> Any:
    """With its log on either engine."""
    if request.param == "postgres":
        kairos.environment["KAIROS_LOG"] = request.getfixturevalue("postgres").url()
    return kairos


def renamed(kairos: Any, repo: Any) -> None:
    """A small Python project whose module `pay` is renamed to `billing` and committed while the daemon watches."""
    repo.write("shop/__init__.py", "")
    repo.write("shop/pay.py", "def total(items):\n    return sum(items)\n")
    repo.write(
        "shop/cart.py",
        "from shop.pay import total\n\n\ndef checkout(items):\n    return total(items)\n\n\nLIMIT = 10\n",
    )
    repo.write("test_shop.py", "from shop.cart import checkout\n\nassert checkout([1, 2]) == 3\n")
    repo.write("README.md", "# Shop\n\nSee [the payments](shop/pay.py).\n")
    repo.commit("shop")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.git("mv", "shop/pay.py", "shop/billing.py")
    repo.commit("rename pay to billing")


def test_from_a_rename_to_a_patch_and_back(kairos: Any, repo: Any) -> None:
    renamed(kairos, repo)
    commit = repo.git("rev-parse", "HEAD")
    kairos.until("ProposalVerified", seconds=10)
    listed = kairos.run("inbox")
    assert [(p["detector"], p["risk"], p["action"]["kind"]) for p in listed] == [("stale-reference", "low", "patch")]
    shown = kairos.run("show", listed[0]["id"][:4])
    assert "-from shop.pay import total\n+from shop.billing import total\n" in shown["patch"]
    assert "-See [the payments](shop/pay.py).\n+See [the payments](shop/billing.py).\n" in shown["patch"]

    chain = kairos.run("why", listed[0]["id"])
    assert chain[0]["type"] == "GitMoved"
    assert commit[:7] in " ".join(step["summary"] for step in chain)

    before = repo.git("status", "--porcelain")
    done = kairos.run("approve", listed[0]["id"], "--digest", listed[0]["digest"], "--wait", "20")
    assert done["state"] == "executed"
    assert subprocess.run([sys.executable, "test_shop.py"], cwd=repo.root, check=False).returncode == 0
    assert "shop.billing" in (repo.root / "shop/cart.py").read_text()

    cart = repo.root / "shop/cart.py"
    cart.write_text(cart.read_text().replace("LIMIT = 10", "LIMIT = 20"))
    assert kairos.run("undo", listed[0]["id"], "--yes")
    assert "from shop.pay import total" in cart.read_text()
    assert "LIMIT = 20" in cart.read_text()
    assert "shop/pay.py" in (repo.root / "README.md").read_text()
    assert before == "" and repo.git("status", "--porcelain").strip() == "M shop/cart.py"

    kairos.run("redo", listed[0]["id"], "--yes")
    assert "from shop.billing import total" in cart.read_text() and "LIMIT = 20" in cart.read_text()
    assert kairos.run("log", "verify")["ok"]
    assert kairos.run("replay", "--verify")["identical"]


def test_own_writes_start_no_turn_and_are_told_from_the_users(kairos: Any, repo: Any) -> None:
    renamed(kairos, repo)
    raised = kairos.until("ProposalRaised")[0].event
    kairos.until("ProposalVerified")
    kairos.run("approve", raised.id, "--digest", raised.digest, "--wait", "20")
    kairos.until("AttentionHeld", rule="self@1")
    own = [r for r in kairos.events("FilesChanged") if r.origin == "self"]
    assert {c.fs for r in own for c in r.event.changes} == {"README.md", "shop/cart.py"}
    assert len(kairos.events("ProposalRaised")) == 1
    repo.write("notes.txt", "mine\n")
    kairos.until("AttentionDue", boundary="burst")


def test_files_is_the_tree_folded_from_the_log(kairos: Any, repo: Any) -> None:
    repo.write(".gitignore", "*.tmp\n")
    repo.write("src/a.py", "a\n", mode=0o755)
    repo.write("x.tmp", "ignored")
    (repo.root / "link").symlink_to("src/a.py")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.write("src/b.py", "b\n")
    (repo.root / "src/a.py").unlink()
    kairos.until("FilesChanged", count=2)
    listed = {row["path"]: (row["kind"], row["size"], row["mode"]) for row in kairos.lines("files", str(repo.root))}
    assert set(listed) == {".gitignore", "README.md", "link", "src", "src/b.py"}
    assert listed["src"][:2] == ("dir", None)
    assert listed["src/b.py"][:2] == ("file", 2)
    assert listed["link"][0] == "symlink"


def test_a_proposal_is_parked_without_its_reason_and_closed_when_that_is_gone(kairos: Any, repo: Any) -> None:
    renamed(kairos, repo)
    raised = kairos.until("ProposalRaised")[0].event
    kairos.until("ProposalVerified")
    repo.git("reset", "--hard", "-q", "HEAD~1")
    kairos.until("ProposalParked", id=raised.id)
    assert kairos.run("inbox") == []
    repo.git("reset", "--hard", "-q", "ORIG_HEAD")
    kairos.until("ProposalUnparked", id=raised.id)
    assert [p["id"] for p in kairos.run("inbox")] == [raised.id]
    repo.git("mv", "shop/billing.py", "shop/pay.py")
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "nothing")
    kairos.until("ProposalSuperseded", id=raised.id)
    why_not = kairos.run("why-not")
    assert [h["rule"] for h in why_not if h["subject"] == raised.id] == ["parked@1", "closed@1"]
    assert kairos.run("inbox") == []


def test_a_staged_secret_is_an_urgent_note_that_never_shows_the_value(kairos: Any, repo: Any) -> None:
    key = "AKIA" + "Q3EGWUXHBNRL7ZTK"
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.write("config/dev.env", f"AWS_ACCESS_KEY_ID={key}\n")
    repo.git("add", "-A")
    kairos.until("ProposalVerified")
    listed = kairos.run("inbox")
    assert [(p["detector"], p["risk"], p["action"]["kind"]) for p in listed] == [("secret", "urgent", "note")]
    assert key not in str(kairos.run("show", listed[0]["id"])) + str(kairos.lines("log"))
    assert not [p for p in kairos.home.rglob("*") if p.is_file() and key.encode() in p.read_bytes()]
    repo.git("rm", "-q", "--cached", "config/dev.env")
    (repo.root / "config/dev.env").unlink()
    kairos.until("ProposalSuperseded", id=listed[0]["id"])
