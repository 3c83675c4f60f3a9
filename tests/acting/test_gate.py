"""The gate opens only for exactly what was approved on exactly the files it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.acting import gate
from kairos.acting.performing import open_tree
from kairos.clock import now_us
from kairos.domain.policy import Policy
from kairos.errors import Denied, Stale
from kairos.home import Home

HOUR = 3_600_000_000


def test_an_edit_between_approval_and_execution_is_refused_and_nothing_is_written(bench: Any, repo: Any) -> None:
    """N10."""
    repo.write("a.txt", "one\n")
    repo.write("b.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n", "b.txt": "two\n"}))
    repo.write("b.txt", "mine\n")
    left = bench.tree()
    with pytest.raises(Stale, match=r"b\.txt") as told:
        bench.execute(approved)
    assert told.value.code == 5
    assert bench.tree() == left
    now = bench.of(approved.id)
    assert (now.state, now.stale_paths) == ("stale", ["b.txt"])
    assert "ExecutionStarted" not in bench.topics(approved)


@pytest.mark.parametrize("how", ["mode", "deleted", "link", "directory"])
def test_whatever_else_the_base_became_is_refused(bench: Any, repo: Any, tmp_path: Path, how: str) -> None:
    target = repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    if how == "mode":
        target.chmod(0o755)
    else:
        target.unlink()
    if how == "link":
        (tmp_path / "elsewhere").write_text("one\n")
        target.symlink_to(tmp_path / "elsewhere")
    if how == "directory":
        target.mkdir()
    with pytest.raises(Stale):
        bench.execute(approved)
    assert bench.of(approved.id).state == "stale"


def test_a_file_that_exists_by_now_where_one_would_be_created_is_refused(bench: Any, repo: Any) -> None:
    approved = bench.approved(bench.patch({"new.txt": "ours\n"}))
    repo.write("new.txt", "mine\n")
    with pytest.raises(Stale):
        bench.execute(approved)
    assert (repo.root / "new.txt").read_text() == "mine\n"


def test_an_expired_approval_is_refused_and_the_proposal_waits_again(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale, match="expired"):
        bench.execute(approved, now=now_us() + HOUR)
    assert (repo.root / "a.txt").read_text() == "one\n"
    assert bench.of(approved.id).state == "pending"


def test_a_change_made_by_hand_supersedes(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    repo.write("a.txt", "two\n")
    with pytest.raises(Stale, match="there already"):
        bench.execute(approved)
    assert bench.of(approved.id).state == "superseded"


def test_a_rule_written_after_the_approval_still_denies(bench: Any, repo: Any, home: Home) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    home.policy_file.write_text('[[rule]]\nname = "hands-off"\neffect = "deny"\npaths = ["*.txt"]\n')
    with pytest.raises(Denied, match="hands-off"):
        bench.execute(approved)
    assert (repo.root / "a.txt").read_text() == "one\n"


def test_bytes_that_differ_from_the_approved_ones_do_not_pass(bench: Any, repo: Any, home: Home) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    other = bench.patch({"a.txt": "evil\n"})
    forged = msgspec.structs.replace(approved, raised=msgspec.structs.replace(approved.raised, action=other))
    with open_tree(bench.log, approved) as tree:
        judged = gate.check(home, forged, tree, Policy(), now_us())
    assert isinstance(judged, gate.GateRefusal)
    assert "digest" in judged.error.message


def test_a_repository_that_was_replaced_is_not_written_to(bench: Any, repo: Any, tmp_path: Path) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    repo.root.rename(tmp_path / "moved")
    repo.root.mkdir()
    repo.write("a.txt", "one\n")
    with pytest.raises(Denied, match="replaced"):
        bench.execute(approved)
    assert (repo.root / "a.txt").read_text() == "one\n"


def test_an_action_lands_only_in_its_own_worktree(bench: Any, repo: Any, tmp_path: Path) -> None:
    """N15."""
    repo.write("a.txt", "one\n")
    repo.commit()
    repo.git("worktree", "add", "-q", str(tmp_path / "other"))
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Denied, match="belongs to"):
        from kairos.acting.executor import execute

        execute(bench.log, bench.home, bench.config, approved, tmp_path / "other")
    bench.execute(approved)
    assert (tmp_path / "other/a.txt").read_text() == "one\n"
    assert (repo.root / "a.txt").read_text() == "two\n"


def test_kairos_own_home_inside_the_repository_is_no_target(bench: Any, repo: Any) -> None:
    inside = repo.root / "state"
    home = Home(config=inside, data=inside, run=inside / "run")
    pending = bench.raised(bench.patch({"state/policy.toml": "mode = 'auto'\n"}))
    assert "Kairos itself" in gate.denial(home, pending, Policy(), repo.root)


def test_a_rebase_that_began_after_the_approval_makes_it_wait_for_the_person_again(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    (repo.root / ".git" / "rebase-merge").mkdir()
    with pytest.raises(Stale, match="in the middle of a rebase"):
        bench.execute(approved)
    now = bench.of(approved.id)
    assert now.state == "pending" and "rebase" in now.why
    assert (repo.root / "a.txt").read_text() == "one\n"
