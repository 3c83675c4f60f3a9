"""Looks while git is at work: it changes the files first, while it holds the lock of the index, and HEAD last."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon import keeping
from kairos.domain.events import CommitChange, DetectorMuted, DetectorUnmuted, Name
from tests.daemon.kept import PAGE, Kept
from tests.daemon.muting import SECRET, Muting, two_pages


@pytest.fixture
def moved(kept: Kept) -> Kept:
    """The page names a file that was renamed on a branch."""
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.rename()
    kept.sense("commit")
    assert kept.one().state == "pending"
    return kept


def test_a_rename_whose_turn_looked_amid_a_checkout_is_found_afterwards(kept: Kept) -> None:
    kept.rename()
    lock, page = kept.repo.root / ".git/index.lock", kept.repo.root / "a.md"
    text = page.read_text()
    page.unlink()
    lock.touch()
    kept.sense("commit")
    assert kept.all() == [] and kept.elsewhere()
    page.write_text(text)
    lock.unlink()
    kept.repo.write("other.txt", "1\n")
    kept.repo.git("commit", "-qam", "aside")
    kept.sense("commit")
    assert kept.one().state == "pending"


def test_a_patient_turn_waits_for_git_to_end(kept: Kept) -> None:
    kept.rename()
    lock = kept.repo.root / ".git/index.lock"
    lock.touch()
    trigger = list(kept.log.read(0))[-1:]
    assert not kept.looker.turn(kept.id, trigger, "commit", trigger[0].position, trigger[0].position, patient=True)
    assert list(kept.log.read(topics={"TurnStarted"})) == []
    lock.unlink()
    assert kept.looker.turn(kept.id, trigger, "commit", trigger[0].position, trigger[0].position, patient=True)


def test_nothing_is_closed_amid_a_checkout(moved: Kept) -> None:
    """The page is gone because git is on its way to another branch, and HEAD says nothing of it yet."""
    first = moved.one()
    lock, page = moved.repo.root / ".git/index.lock", moved.repo.root / "a.md"
    lock.touch()
    page.unlink()
    moved.sense()
    assert moved.one() == first
    assert not moved.looker.recheck(moved.id, None, (), "burst")
    assert moved.one() == first
    page.write_text(PAGE)
    lock.unlink()
    assert moved.looker.recheck(moved.id, None, (), "burst")
    assert moved.one() == first
    page.unlink()
    lock.touch()
    moved.looker.start_over()
    assert moved.looker.recheck(moved.id, None, (), "burst", patient=False), "a lock that stays is nobody's work"
    assert moved.one().state == "superseded"


def test_what_was_seen_before_git_changed_the_tree_closes_nothing(moved: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    first = moved.one()
    root, look = moved.repo.root, keeping.find

    def find(*args: Any, **options: Any) -> Any:
        found = look(*args, **options)
        monkeypatch.setattr(keeping, "find", look)
        moved.repo.git("checkout", "-q", "main")
        return [], found[1]

    monkeypatch.setattr(keeping, "find", find)
    (root / "other.txt").write_text("1\n")
    moved.looker.start_over()
    assert not moved.looker.recheck(moved.id, None, (), "burst")
    assert moved.one() == first
    moved.sense("checkout")
    assert moved.one().state == "parked"


def test_of_what_was_held_together_a_part_is_raised_where_its_commit_is(muting: Muting, repo: Any) -> None:
    two_pages(repo)
    muting.say(DetectorMuted(detector="stale-reference"))
    repo.git("branch", "older")
    for name in ("a", "b"):
        old, new = f"src/{name}.py", f"src/new_{name}.py"
        repo.git("mv", old, new)
        muting.commit(repo, [CommitChange(path=new, status="R100", was=Name(path=old))])
        repo.git("branch", "-f", "older") if name == "a" else None
    muting.settle()
    (held,) = (r.event for r in muting.log.read(topics={"AttentionHeld"}))
    assert len(held.subjects) == 2
    repo.git("checkout", "-q", "older")
    muting.say(DetectorUnmuted(detector="stale-reference"))
    muting.settle()
    (card,) = muting.pending()
    assert card.raised.effects.files == ["a.md"]


def test_a_look_while_git_is_at_work_is_made_again_by_the_next_turn(muting: Muting) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    lock = muting.root / ".git/index.lock"
    lock.touch()
    muting.say(DetectorUnmuted(detector=SECRET))
    muting.settle()
    assert muting.named() == set()
    lock.unlink()
    muting.changed("other.txt", "modified")
    muting.settle()
    assert muting.named() == {path}


def test_what_was_held_together_and_a_part_of_it_alone_is_one_card(muting: Muting, repo: Any) -> None:
    two_pages(repo)
    muting.say(DetectorMuted(detector="stale-reference"))
    change = {n: CommitChange(path=f"src/new_{n}.py", status="R100", was=Name(path=f"src/{n}.py")) for n in ("a", "b")}
    for name in ("a", "b"):
        repo.git("mv", f"src/{name}.py", f"src/new_{name}.py")
        muting.commit(repo, [change[name]])
    muting.settle()
    repo.git("reset", "-q", "--soft", "HEAD~1")
    muting.commit(repo, [change["b"]])
    muting.settle()
    assert [len(r.event.subjects) for r in muting.log.read(topics={"AttentionHeld"})] == [2, 0]
    muting.say(DetectorUnmuted(detector="stale-reference"))
    muting.settle()
    (card,) = muting.pending()
    assert card.raised.effects.files == ["a.md", "b.md"]
