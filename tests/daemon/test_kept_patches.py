"""Lives of patches that no detector can make anew, a model's and those that a person edited."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import decisions
from kairos.acting.editing import revise_patch
from kairos.acting.executor import execute
from kairos.domain.action import PatchAction, edit
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.errors import Stale
from kairos.eventlog.record import NewEvent
from tests.daemon.kept import CONFIG, PAGE, Kept

LINES = [f"line {n}\n" for n in range(30)]
TEXT = "".join(LINES)


def written(at: int, text: str) -> str:
    return "".join([*LINES[:at], text, *LINES[at + 1 :]])


@pytest.fixture
def advised(kept: Kept) -> Kept:
    """A model proposed to change line 20 of a committed file."""
    kept.repo.write("notes.txt", TEXT)
    kept.commit()
    new = written(20, "line twenty\n")
    change = edit("notes.txt", (TEXT.encode(), 0o644), (new.encode(), 0o644))
    finding = Finding(
        detector="review-change", version=1, key="review-change:notes.txt:1", title="Spell it out", claim="It is so.",
        action=PatchAction(repo=kept.id, edits=[change]), evidence=[1], fingerprint=["1"], engine="model",
        basis=basis_of(present=["notes.txt"]),
    )  # fmt: skip
    with kept.world.reading() as views:
        repo = views.repos.by_id[kept.id]
    (raised,) = kept.looker.raised([finding], repo, "turn-m", "commit")
    kept.log.append([NewEvent(f"proposal-{raised.id}", raised)])  # type: ignore[union-attr]
    kept.after("commit")
    assert (kept.one().state, kept.told()) == ("pending", 1)
    return kept


def test_a_model_s_patch_is_merged_onto_a_file_that_changed_elsewhere(advised: Kept) -> None:
    first = advised.one()
    decisions.approve(advised.log, advised.home, CONFIG, first.id)
    advised.world.catch_up()
    advised.write("notes.txt", written(2, "mine\n"))
    p = advised.one()
    assert (p.id, p.state, advised.told()) == (first.id, "pending", 1)
    assert (p.raised.digest != first.raised.digest, p.voided) == (True, first.raised.digest)
    assert p.verified is not None and p.verified.digest == p.raised.digest, "it was tried anew"
    assert "merged onto them" in p.revisions[-1].changed
    with pytest.raises(Stale):
        decisions.approve(advised.log, advised.home, CONFIG, p.id, first.raised.digest)
    decisions.approve(advised.log, advised.home, CONFIG, p.id, p.raised.digest)
    assert execute(advised.log, advised.home, CONFIG, advised.by_id(p.id), advised.repo.root).state == "executed"
    both = [*LINES[:2], "mine\n", *LINES[3:20], "line twenty\n", *LINES[21:]]
    assert (advised.repo.root / "notes.txt").read_text() == "".join(both)


def test_a_model_s_patch_that_does_not_fit_is_stale_with_the_reason_and_returns_when_it_does(advised: Kept) -> None:
    first = advised.one()
    advised.write("notes.txt", written(20, "line of mine\n"))
    assert advised.one().state == "stale"
    assert advised.one().why == "notes.txt changed in its lines"
    advised.restart()
    assert advised.one().state == "stale"
    advised.write("notes.txt", TEXT)
    p = advised.one()
    assert (p.id, p.state, p.raised.digest, advised.told()) == (first.id, "pending", first.raised.digest, 1)
    advised.write("notes.txt", written(20, "line twenty\n"))
    assert (advised.one().state, advised.one().why) == ("superseded", "you made the same change by hand")
    advised.write("notes.txt", TEXT)
    assert (advised.one().state, advised.told()) == ("pending", 1)


def test_a_model_s_patch_lives_through_branches_and_deletion(advised: Kept) -> None:
    first = advised.one()
    advised.repo.git("checkout", "-q", "-b", "work")
    advised.repo.write("notes.txt", written(5, "on work\n"))
    advised.commit()
    assert advised.one().state == "pending"
    assert advised.one().raised.digest != first.raised.digest
    advised.git("checkout", "-q", "main", what="checkout")
    assert (advised.one().state, advised.one().raised.digest) == ("pending", first.raised.digest)
    advised.git("checkout", "-q", "HEAD~1", what="checkout")
    assert advised.one().state == "parked"
    advised.restart()
    advised.git("checkout", "-q", "work", what="checkout")
    assert (advised.one().state, advised.told()) == ("pending", 1)
    (advised.repo.root / "notes.txt").unlink()
    advised.sense()
    assert advised.one().state == "superseded"


def test_a_base_that_git_does_not_have_is_said(kept: Kept, advised: Kept) -> None:
    kept.repo.git("update-ref", "-d", "HEAD")
    kept.repo.git("rm", "-q", "-r", "--cached", ".")
    kept.repo.write("notes.txt", written(2, "mine\n"))
    kept.repo.git("add", "-A")
    kept.repo.git("commit", "-q", "-m", "anew")
    kept.sense("commit")
    assert kept.one().state == "stale"
    assert "git does not have the version" in kept.one().why


@pytest.fixture
def edited(kept: Kept) -> Kept:
    """A person changed the patch of a rename: it says more than the detector's."""
    kept.repo.write("a.md", f"{'above' * 3}\n\n\n\n\n\n{PAGE}")
    kept.commit()
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    content = (kept.repo.root / "a.md").read_bytes()

    def make(action: PatchAction, base: Any, read: Any) -> tuple[PatchAction, str]:
        wanted = content.replace(b"see [pay](src/pay.py)", b"see [billing](src/billing.py)")
        return PatchAction(repo=action.repo, edits=[edit("a.md", (content, 0o644), (wanted, 0o644))]), "you edited it"

    revise_patch(kept.log, kept.home, kept.one().id, kept.one().raised.digest, make)
    kept.after(None)
    assert kept.one().edited
    return kept


def test_a_person_s_own_patch_moves_with_the_file(edited: Kept) -> None:
    before = edited.one()
    edited.write("a.md", f"mine\n\n\n\n\n\n{PAGE}")
    p = edited.one()
    assert (p.state, bool(p.edited), p.raised.digest != before.raised.digest) == ("pending", True, True)
    assert "[billing](src/billing.py)" in str(p.raised.action)
    edited.write("other.txt", "more\n")
    edited.commit()
    assert edited.one().raised.digest == p.raised.digest
    edited.restart()
    assert edited.one().raised.digest == p.raised.digest


def test_a_person_s_own_patch_that_does_not_fit_is_made_anew_and_says_so(edited: Kept) -> None:
    edited.write("a.md", f"mine\n\n\n\n\n\nplease {PAGE}")
    p = edited.one()
    assert (p.state, p.edited) == ("pending", "")
    assert "your change of the patch does not fit any more" in p.revisions[-1].changed
    assert "[billing]" not in str(p.raised.action)
