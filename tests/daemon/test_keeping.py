"""Lives of findings over real git: the turns and the keeping of a daemon, in this process, over what sensing would
tell.

The random lives at the end run KAIROS_REAL_LIVES lives (default 4; they are marked slow).
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable

import msgspec
import pytest

from kairos.acting import decisions, undo
from kairos.acting.executor import execute
from kairos.clock import now_us
from kairos.domain.proposal import LASTING
from kairos.errors import KairosError, Stale
from kairos.settings import Check
from tests.daemon.kept import CONFIG, PAGE, Kept

LIVES = int(os.environ.get("KAIROS_REAL_LIVES", "4"))


@pytest.fixture
def moved(kept: Kept) -> Kept:
    """The page names a file that was renamed on a branch."""
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    assert kept.one().state == "pending"
    assert kept.told() == 1
    return kept


def test_another_branch_parks_and_coming_back_returns_it_untold(moved: Kept) -> None:
    first = moved.one()
    moved.git("checkout", "-q", "main", what="checkout")
    assert moved.one().state == "parked"
    assert "not in the history" in moved.one().parked
    with pytest.raises(Stale, match="not in the history"):
        decisions.approve(moved.log, moved.home, CONFIG, first.id)
    moved.git("checkout", "-q", "work", what="checkout")
    assert (moved.one().state, moved.one().id) == ("pending", first.id)
    moved.git("checkout", "-q", "main", what="checkout")
    moved.restart()
    assert moved.one().state == "parked"
    moved.git("merge", "-q", "--ff-only", "work", what="merge")
    assert (moved.one().state, moved.told()) == ("pending", 1)
    assert moved.one().revised == 0  # it only followed its branch
    moved.write("b.md", PAGE)
    moved.commit()
    assert moved.one().revised == 1


def test_a_deferral_survives_being_parked(moved: Kept) -> None:
    decisions.defer(moved.log, moved.one().id, None)
    moved.world.catch_up()
    moved.git("checkout", "-q", "main", what="checkout")
    moved.git("checkout", "-q", "work", what="checkout")
    assert moved.one().state == "deferred"


@pytest.mark.parametrize("way", ["amend", "rebase", "cherry-pick", "squash"])
def test_the_same_rename_in_another_commit_is_the_same_finding(moved: Kept, way: str) -> None:
    if way == "amend":
        moved.repo.write("other.txt", "1\n")
        moved.commit("amend")
    else:
        moved.repo.git("checkout", "-q", "main")
        moved.repo.write("more.txt", "m\n")
        moved.commit("checkout")
        assert moved.one().state == "parked"
        if way == "rebase":
            moved.git("rebase", "-q", "main", "work", what="rebase")
        elif way == "cherry-pick":
            moved.git("cherry-pick", "work", what="cherry-pick")
        else:
            moved.repo.git("merge", "-q", "--squash", "work")
            moved.commit()
    assert (moved.one().state, moved.told()) == ("pending", 1)
    assert len(list(moved.log.read(topics={"ProposalRaised"}))) == 1


def test_a_commit_that_was_amended_away_closes_with_that_reason(moved: Kept) -> None:
    moved.repo.git("mv", "src/billing.py", "src/pay.py")
    moved.commit("amend")
    assert moved.one().state == "superseded"
    assert "in no branch any more" in moved.one().why or "there again" in moved.one().why


def test_a_reset_parks_and_the_way_back_returns_it(moved: Kept) -> None:
    moved.git("reset", "-q", "--hard", "HEAD~1", what="reset")
    assert moved.one().state == "parked"
    moved.git("reset", "-q", "--hard", "ORIG_HEAD", what="reset")
    assert (moved.one().state, moved.told()) == ("pending", 1)


def test_a_hand_fix_closes_and_its_reversal_opens_the_same_proposal(moved: Kept) -> None:
    first = moved.one().id
    moved.write("a.md", PAGE.replace("pay.py", "billing.py"))
    assert (moved.one().state, moved.one().why) == ("superseded", "you made the same change by hand")
    moved.write("a.md", PAGE)
    assert (moved.one().state, moved.one().id, moved.told()) == ("pending", first, 1)


def test_saves_revise_one_proposal_and_a_second_place_widens_it(moved: Kept) -> None:
    for n in range(5):
        moved.write("a.md", f"{'line' * n}\n\n{PAGE}")
        assert moved.one().state == "pending"
    assert moved.told() == 1
    moved.write("b.md", PAGE)
    moved.commit()
    assert "2 places, there was 1" in moved.one().revisions[-1].changed
    decisions.approve(moved.log, moved.home, CONFIG, moved.one().id)
    moved.world.catch_up()
    done = execute(moved.log, moved.home, CONFIG, moved.one(), moved.repo.root)
    assert done.state == "executed"
    assert "billing" in (moved.repo.root / "b.md").read_text()


def test_what_is_deferred_until_its_evidence_changes_does_not_return_at_a_save(moved: Kept) -> None:
    decisions.defer(moved.log, moved.one().id, None, on_evidence=True)
    moved.world.catch_up()
    moved.write("other.txt", "1\n")
    moved.write("a.md", f"a line before\n\n{PAGE}")
    moved.commit()
    moved.git("checkout", "-q", "-b", "side", "HEAD~2", what="checkout")
    assert moved.one().state == "parked"
    moved.git("checkout", "-q", "work", what="checkout")
    moved.restart()
    assert moved.one().state == "deferred"
    moved.write("b.md", PAGE)
    moved.commit()
    assert moved.one().state == "pending"
    assert moved.one().revisions[-1].changed.startswith("you deferred it until what it rests on changes")


def test_a_save_voids_an_approval_that_was_not_carried_out(moved: Kept) -> None:
    decisions.approve(moved.log, moved.home, CONFIG, moved.one().id)
    moved.world.catch_up()
    old = moved.one().raised.digest
    moved.write("a.md", f"above\n{PAGE}")
    assert (moved.one().state, moved.one().voided) == ("pending", old)


def test_a_file_that_is_renamed_once_more_moves_the_finding_along(moved: Kept) -> None:
    first = moved.one().id
    moved.repo.git("mv", "src/billing.py", "src/money.py")
    moved.commit()
    assert (moved.one().state, moved.one().id, moved.told()) == ("pending", first, 1)
    action = moved.one().raised.action
    assert "money.py" in str(action)


def test_a_conflict_that_is_stashed_is_parked_and_one_that_is_resolved_is_closed(kept: Kept) -> None:
    text = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n"
    kept.write("other.txt", text)
    assert kept.one().state == "pending"
    kept.git("stash", "-q", what="stash")
    assert kept.one().state == "parked"
    kept.git("stash", "pop", "-q", what="stash")
    assert kept.one().state == "pending"
    kept.write("other.txt", "b\n")
    assert (kept.one().state, kept.one().why) == ("superseded", "the conflict markers are gone")


def test_a_rejected_rename_returns_with_a_reference_that_is_committed_later(moved: Kept) -> None:
    first = moved.one().id
    decisions.reject(moved.log, first, "wrong")
    for n in range(3):
        moved.write("other.txt", f"{n}\n")
        moved.commit()
    moved.restart()
    assert (moved.one().state, moved.told()) == ("rejected", 1)
    moved.write("b.md", PAGE)
    assert moved.one().state == "rejected", "not amid an edit"
    moved.commit()
    assert (moved.one().id, moved.one().state, moved.told()) == (first, "pending", 2)
    assert "since you rejected it" in moved.one().revisions[-1].changed
    decisions.reject(moved.log, first, "wrong")
    moved.write("other.txt", "more\n")
    moved.commit()
    assert (moved.one().state, moved.told()) == ("rejected", 2)


def test_a_fixed_rename_returns_with_a_reference_that_is_committed_later(moved: Kept) -> None:
    first = moved.one().id
    moved.write("a.md", PAGE.replace("pay.py", "billing.py"))
    moved.commit()
    assert moved.one().state == "superseded"
    moved.write("b.md", PAGE)
    moved.commit()
    assert (moved.one().id, moved.one().state) == (first, "pending")


def parked(kept: Kept) -> None:
    kept.git("checkout", "-q", "main", what="checkout")


def deferred(kept: Kept) -> None:
    decisions.defer(kept.log, kept.one().id, None)


def deferred_to_a_time(kept: Kept) -> None:
    decisions.defer(kept.log, kept.one().id, now_us() + 3_600_000_000)


def parked_while_deferred(kept: Kept) -> None:
    deferred(kept)
    parked(kept)


def revised(kept: Kept) -> None:
    kept.write("a.md", f"above\n{PAGE}")


def approved(kept: Kept) -> None:
    decisions.approve(kept.log, kept.home, CONFIG, kept.one().id)


def rejected(kept: Kept) -> None:
    decisions.reject(kept.log, kept.one().id, "wrong")


def fixed(kept: Kept) -> None:
    kept.write("a.md", PAGE.replace("pay.py", "billing.py"))


def failing_its_check(kept: Kept) -> None:
    command = ["/bin/sh", "-c", "! grep -q billing a.md"]
    kept.config = msgspec.structs.replace(CONFIG, check={str(kept.repo.root): Check(command=command, seconds=30)})
    kept.write("a.md", f"above\n{PAGE}")


STATES: dict[str, Callable[[Kept], None]] = {
    "parked": parked, "deferred": deferred, "deferred to a time": deferred_to_a_time,
    "parked while deferred": parked_while_deferred, "revised": revised, "approved": approved, "rejected": rejected,
    "fixed by hand": fixed, "failing its check": failing_its_check,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_restart_in_any_state_changes_nothing_and_tells_nothing(moved: Kept, state: str) -> None:
    STATES[state](moved)
    moved.world.catch_up()
    before, told, head = moved.one(), moved.told(), moved.log.head()
    for _ in range(2):
        moved.restart()
        assert moved.one() == before
    assert (moved.told(), moved.log.head()) == (told, head)
    if state == "failing its check":
        assert before.state == "withdrawn" or "check was not run" in before.why


@pytest.mark.parametrize("state", STATES)
def test_a_day_of_commits_without_a_daemon_loses_nothing_and_tells_nothing_twice(moved: Kept, state: str) -> None:
    STATES[state](moved)
    moved.world.catch_up()
    first, told = moved.one(), moved.told()
    moved.repo.git("stash", "-q", "-u") if moved.repo.git("status", "--porcelain").strip() else None
    moved.repo.git("checkout", "-q", "work")
    for n in range(5):
        moved.repo.write("other.txt", f"day {n}\n")
        moved.repo.git("commit", "-q", "-am", f"day {n}")
    moved.repo.write("b.md", PAGE)
    moved.repo.git("add", "b.md")
    moved.repo.git("commit", "-q", "-m", "a second reference")
    moved.repo.git("commit", "-q", "--amend", "-m", "in other words")
    moved.start()
    moved.looker.start_over()
    moved.sense("commit")
    moved.restart()
    p = moved.one()
    assert p.id == first.id
    if first.state == "deferred" and first.deferred_until:
        assert p.state == "deferred"
    elif p.state == "withdrawn":
        assert state == "failing its check", "it still fails with the patch"
    else:
        assert p.state in ("pending", "deferred"), p.why
    action = str(p.raised.action)
    assert "a.md" in action and ("b.md" in action or p.state == "withdrawn")
    assert moved.told() <= told + 1, "twice the places may be told once more"
    version = p.version
    moved.restart()
    assert moved.one().version == version


OPS = ("save", "save", "name", "fix", "unfix", "commit", "amend", "checkout", "checkout", "merge", "cherry-pick",
       "stash", "pop", "reset", "back", "approve", "defer", "undo", "restart", "rename")  # fmt: skip


def live(kept: Kept, pick: random.Random) -> None:
    """One random step of a person."""
    repo, what = kept.repo, pick.choice(OPS)
    page = repo.root / pick.choice(["a.md", "b.md"])
    text = page.read_text() if page.exists() else ""
    clean = not repo.git("status", "--porcelain").strip()
    known = [p for p in kept.all() if p.state in LASTING or p.state == "executed"]
    try:
        if what == "save":
            kept.write(page.name, f"{pick.random()}\n{text}")
        elif what == "name":
            kept.write(page.name, text + PAGE)
        elif what == "fix":
            kept.write(page.name, text.replace("pay.py", "billing.py"))
        elif what == "unfix":
            kept.write(page.name, text.replace("billing.py", "pay.py"))
        elif what in ("commit", "amend"):
            kept.commit(what)
        elif what == "rename" and (repo.root / "src/pay.py").exists():
            repo.git("mv", "src/pay.py", "src/billing.py")
            kept.commit()
        elif what == "checkout" and clean:
            kept.git("checkout", "-q", pick.choice(["main", "work"]), what="checkout")
        elif what == "merge" and clean:
            kept.git("merge", "-q", "--ff-only", pick.choice(["main", "work"]), what="merge")
        elif what == "cherry-pick" and clean:
            kept.git("cherry-pick", pick.choice(["main", "work"]), what="cherry-pick")
        elif what == "stash" and not clean:
            kept.git("stash", "-q", "-u", what="stash")
        elif what == "pop" and clean and repo.git("stash", "list").strip():
            kept.git("stash", "pop", "-q", what="stash")
        elif what == "reset" and clean:
            kept.git("reset", "-q", "--hard", "HEAD~1", what="reset")
        elif what == "back" and clean:
            kept.git("reset", "-q", "--hard", "ORIG_HEAD", what="reset")
        elif what == "approve" and known:
            p = pick.choice(known)
            decisions.approve(kept.log, kept.home, CONFIG, p.id)
            assert (repo.root / "src/billing.py").exists() and not (repo.root / "src/pay.py").exists()
            execute(kept.log, kept.home, CONFIG, kept.by_id(p.id), repo.root)
            kept.sense()
        elif what == "defer" and known:
            decisions.defer(kept.log, pick.choice(known).id, None)
        elif what == "undo" and known:
            undo.undo(kept.log, kept.home, pick.choice(known).id)
            kept.sense()
        elif what == "restart":
            kept.restart()
    except (KairosError, subprocess.CalledProcessError):
        pass  # refused: by Kairos, or by git
    abort(kept)


def abort(kept: Kept) -> None:
    """A cherry-pick that conflicts is given up, as a person would."""
    if (kept.repo.root / ".git/CHERRY_PICK_HEAD").exists():
        kept.repo.git("cherry-pick", "--abort")
    kept.world.catch_up()
    kept.sense("reset")


def judge(kept: Kept) -> None:
    """What holds after every step."""
    raised = [r.event for r in kept.log.read(topics={"ProposalRaised"})]
    told = [r.event.id for r in kept.log.read(topics={"ProposalDelivered"})]  # type: ignore[attr-defined]
    revised = [r.event for r in kept.log.read(topics={"ProposalRevised"})]
    worse = [e.id for e in revised if e.worse]  # type: ignore[attr-defined]
    for p in kept.all():
        assert told.count(p.id) <= 1 + worse.count(p.id), f"{p.id} was told {told.count(p.id)} times"
    lasting = [p for p in kept.all() if p.state in LASTING]
    assert len(lasting) <= 1, [(p.id, p.state) for p in lasting]
    assert len(raised) <= 1 + len(list(kept.log.read(topics={"ExecutionFinished"}))), "a finding got a second proposal"
    root = kept.repo.root
    pages = [root / n for n in ("a.md", "b.md") if (root / n).exists()]
    tracked = kept.repo.git("ls-files").splitlines()
    stale = [p.name for p in pages if "src/pay.py" in p.read_text() and p.name in tracked]
    there = (root / "src/billing.py").exists() and not (root / "src/pay.py").exists() and "src/billing.py" in tracked
    answered = [p for p in kept.all() if p.state in ("executed", "undone", "redone", "rejected", "acknowledged")]
    if stale and there and not answered:
        assert lasting and lasting[0].state != "parked", (
            f"lost: {stale} {[(p.state, p.why, p.parked) for p in kept.all()]}"
        )
    if not stale or not there:
        assert all(p.state in ("parked", "deferred") or p.state not in LASTING for p in kept.all() if p in lasting), (
            stale, there, [(p.state, p.parked) for p in lasting]
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(LIVES))
def test_a_random_life_over_real_git(kept: Kept, seed: int) -> None:
    pick = random.Random(seed)
    kept.repo.git("branch", "work")
    for _ in range(25):
        live(kept, pick)
        judge(kept)
