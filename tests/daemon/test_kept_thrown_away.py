"""A patch that was carried out and that git took out of the tree: its card is open again, untold."""

from __future__ import annotations

import pytest

from kairos.acting import decisions, undo
from kairos.acting.executor import execute
from kairos.domain.keeping import THROWN_AWAY
from tests.daemon.kept import CONFIG, PAGE, Kept


@pytest.fixture
def done(kept: Kept) -> Kept:
    """The page named a file that was renamed, and was mended by the card; nothing of that is committed."""
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    approve(kept)
    return kept


def approve(kept: Kept) -> None:
    decisions.approve(kept.log, kept.home, CONFIG, kept.one().id)
    assert execute(kept.log, kept.home, CONFIG, kept.by_id(kept.one().id), kept.repo.root).state == "executed"
    kept.sense()
    assert kept.one().state == "executed"


@pytest.mark.parametrize(
    "args", [("reset", "-q", "--hard"), ("checkout", "-q", "-f", "HEAD"), ("checkout", "--", "."), ("stash", "-q")]
)
def test_what_git_threw_away_is_open_again_and_untold(done: Kept, args: tuple[str, ...]) -> None:
    first = done.one().id
    # Neither a reset to HEAD nor a checkout of files moves a ref: sensing tells of changed files alone.
    done.git(*args, what="stash" if args[0] == "stash" else "files")
    assert (done.one().id, done.one().state, done.told()) == (first, "pending", 1)
    assert done.one().raised.expires_at > done.one().raised_at
    assert any(getattr(r.event, "why", "") == THROWN_AWAY for r in done.log.read(topics={"ProposalReturned"}))
    approve(done)
    assert done.told() == 1


@pytest.mark.parametrize("args", [("reset", "-q", "--hard"), ("checkout", "-q", "-f", "HEAD"), ("stash", "-q")])
def test_what_git_threw_away_while_no_daemon_ran_is_open_again(done: Kept, args: tuple[str, ...]) -> None:
    first = done.one().id
    done.start()  # its looker compared nothing yet
    done.git(*args, what="stash" if args[0] == "stash" else "files")
    assert (done.one().id, done.one().state) == (first, "pending")


def test_what_is_stashed_and_popped_was_carried_out_and_can_be_undone(done: Kept) -> None:
    done.git("stash", "-q", what="stash")
    assert done.one().state == "pending"
    done.git("stash", "pop", "-q", what="stash")
    assert (done.one().state, done.told()) == ("redone", 1)
    undo.undo(done.log, done.home, done.one().id)
    done.world.catch_up()
    assert done.one().state == "undone"
    assert (done.repo.root / "a.md").read_text() == PAGE


def test_a_commit_that_a_reset_took_along_is_back_with_it(done: Kept) -> None:
    done.commit()
    done.git("reset", "-q", "--hard", "HEAD~1", what="reset")
    assert done.one().state == "pending"
    done.git("reset", "-q", "--hard", "ORIG_HEAD", what="reset")
    assert (done.one().state, done.told()) == ("redone", 1)


def test_a_person_who_reverts_it_by_hand_has_decided(done: Kept) -> None:
    done.write("a.md", PAGE)
    assert done.one().state == "executed"
    done.commit()
    done.restart()
    assert done.one().state == "executed"


def test_what_git_threw_away_with_its_reason_is_open_when_the_reason_is_back(done: Kept) -> None:
    done.git("reset", "-q", "--hard", "HEAD~1", what="reset")
    assert done.one().state == "executed"
    done.git("reset", "-q", "--hard", "ORIG_HEAD", what="reset")
    assert (done.one().state, done.told()) == ("pending", 1)


def test_an_approval_of_what_was_undone_is_not_taken_for_git(done: Kept) -> None:
    undo.undo(done.log, done.home, done.one().id)
    done.sense()
    done.git("reset", "-q", "--hard", what="reset")
    assert done.one().state == "undone"
