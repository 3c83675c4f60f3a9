"""The card of a red check lives with its commits: amended, rebased, left with their branch, and back with it."""

from __future__ import annotations

from kairos.domain.basis import oids_of
from kairos.domain.checks.state import check_stream
from kairos.domain.events import CheckRemoved, DetectorMuted
from tests.daemon.checked import TEXT, Checked


def test_an_amended_culprit_is_followed_without_a_run(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    old = checked.bad("a")
    checked.settle()
    ran = len(checked.runs())
    checked.repo.git("commit", "-q", "--amend", "-m", "other words")
    new = checked.repo.git("rev-parse", "HEAD")
    checked.settle()
    assert len(checked.runs()) == ran
    (card,) = checked.proposals()
    assert (card.state, new[:10] in card.raised.title) == ("raised", True)
    assert oids_of(card.raised.basis) == {old, new}, "it is the same change"
    checked.repo.commit("a commit on top, with the same tree")
    checked.repo.git("rebase", "-q", "HEAD~2", "--exec", "git commit -q --amend --no-edit --reset-author --allow-empty")
    checked.settle()
    assert (len(checked.runs()), checked.proposals()[0].state) == (ran, "raised")


def test_a_card_that_closed_on_another_branch_is_back_where_its_cases_are_red(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    first = checked.bad("a")
    checked.settle()
    checked.bad("")
    checked.settle()
    checked.repo.git("checkout", "-q", "-b", "work")
    second = checked.bad("ab")
    checked.settle()
    (card,) = checked.proposals()
    assert (card.state, oids_of(card.raised.basis)) == ("raised", {second}), f"not {first}, which was mended"
    ran = len(checked.runs())
    for _ in range(2):
        checked.repo.git("checkout", "-q", "main")
        checked.settle()
        assert checked.proposals()[0].state == "superseded"
        checked.repo.git("checkout", "-q", "work")
        checked.settle()
        assert checked.proposals()[0].state == "raised"
    assert len(checked.runs()) == ran


def test_a_muted_check_does_not_come_back_and_the_round_ends(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    checked.repo.git("checkout", "-q", "-b", "work")
    checked.bad("a")
    checked.settle()
    checked.repo.git("checkout", "-q", "main")
    checked.settle()
    checked.others.say(DetectorMuted(detector="check", repo=checked.others.repo), "controls", origin="user")
    checked.repo.git("checkout", "-q", "work")
    checked.settle()
    assert checked.proposals()[0].state == "superseded"


def test_the_card_of_the_last_check_closes_when_it_is_removed(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    checked.bad("a")
    checked.settle()
    checked.others.say(CheckRemoved(repo=checked.others.repo, name="t"), check_stream(checked.others.repo, "t"))
    checked.settle()
    (card,) = checked.proposals()
    assert (card.state, card.why) == ("superseded", "`t` is no check any more")
