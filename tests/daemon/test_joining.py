"""A card over several commits: of what one of them leaves the tree the rest stays, and it returns untold."""

from __future__ import annotations

import pytest

from kairos.acting import decisions
from kairos.acting.executor import execute
from kairos.domain.proposal import LASTING, Proposal
from kairos.errors import Stale
from tests.daemon.kept import CONFIG, PAGE, Kept

FEE = "see [fee](src/fee.py)\n"


def with_fee(kept: Kept) -> None:
    kept.repo.write("src/fee.py", "def fee():\n    return 2\n")
    kept.repo.write("b.md", FEE)
    kept.commit()


@pytest.fixture
def both(kept: Kept) -> Kept:
    """Two files were renamed by two commits on a branch, and sensed at once: one card. `a.md` names one, `b.md` the
    other."""
    with_fee(kept)
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.repo.git("commit", "-q", "-m", "rename pay")
    kept.repo.git("branch", "older")
    kept.repo.git("mv", "src/fee.py", "src/charge.py")
    kept.commit()
    assert (kept.one().state, files(kept.one())) == ("pending", ["a.md", "b.md"])
    assert kept.told() == 1
    return kept


def files(p: Proposal) -> list[str]:
    return sorted(p.raised.effects.files)


def lasting(kept: Kept) -> list[tuple[str, list[str]]]:
    return sorted((p.state, files(p)) for p in kept.all() if p.state in LASTING)


def switch(kept: Kept, branch: str) -> None:
    kept.git("checkout", "-q", branch, what="checkout")


def test_the_older_commit_keeps_its_part_and_the_newer_one_brings_the_rest_back(both: Kept) -> None:
    first = both.one()
    switch(both, "older")
    assert (both.one().state, files(both.one())) == ("pending", ["a.md"])
    assert "not here now: commit" in both.one().revisions[-1].changed
    assert "branch work" in both.one().revisions[-1].changed
    switch(both, "work")
    assert (both.one().state, files(both.one()), both.told()) == ("pending", ["a.md", "b.md"], 1)
    assert both.one().id == first.id
    assert both.one().raised.digest == first.raised.digest
    assert "here again" in both.one().revisions[-1].changed
    assert both.one().raised.away is None


def test_a_branch_with_neither_parks_the_card_and_each_branch_brings_its_part(both: Kept) -> None:
    switch(both, "main")
    assert both.one().state == "parked"
    switch(both, "older")
    assert lasting(both) == [("pending", ["a.md"])]
    switch(both, "main")
    assert both.one().state == "parked"
    both.restart()
    assert both.one().state == "parked"
    switch(both, "work")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert both.told() == 1


@pytest.mark.parametrize("first", ["pay", "fee"])
def test_a_part_that_is_picked_onto_another_branch_is_the_same_card(both: Kept, first: str) -> None:
    switch(both, "main")
    both.git("cherry-pick", "work~1" if first == "pay" else "work")
    assert lasting(both) == [("pending", ["a.md" if first == "pay" else "b.md"])]
    switch(both, "work")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    switch(both, "main")
    assert lasting(both) == [("pending", ["a.md" if first == "pay" else "b.md"])]
    both.git("cherry-pick", "work" if first == "pay" else "work~1")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert len(both.all()) == both.told() == 1


def test_an_amend_of_one_commit_does_not_lose_the_other(both: Kept) -> None:
    both.repo.write("other.txt", "1\n")
    both.commit("amend")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    switch(both, "older")
    assert lasting(both) == [("pending", ["a.md"])]
    switch(both, "work")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert len(both.all()) == both.told() == 1


def test_a_rebase_onto_another_branch_is_the_same_card_on_both(both: Kept) -> None:
    both.repo.git("branch", "kept")
    switch(both, "main")
    both.repo.write("other.txt", "1\n")
    both.commit()
    both.git("rebase", "-q", "main", "work", what="rebase")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    switch(both, "older")
    assert lasting(both) == [("pending", ["a.md"])]
    switch(both, "kept")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    switch(both, "work")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert len(both.all()) == both.told() == 1


def test_a_reset_takes_one_part_and_the_way_back_brings_it(both: Kept) -> None:
    both.git("reset", "-q", "--hard", "HEAD~1", what="reset")
    assert lasting(both) == [("pending", ["a.md"])]
    assert "the way back from a reset" in both.one().revisions[-1].changed
    both.git("reset", "-q", "--hard", "ORIG_HEAD", what="reset")
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert both.told() == 1


def test_what_is_fixed_by_hand_waits_for_the_part_that_is_elsewhere(both: Kept) -> None:
    switch(both, "older")
    both.write("a.md", PAGE.replace("pay.py", "billing.py"))
    assert both.one().state == "parked"
    assert "branch work" in both.one().parked
    both.commit()
    switch(both, "work")
    assert lasting(both) == [("pending", ["a.md", "b.md"])], "that branch has not the fix"
    both.git("merge", "-q", "-m", "merge", "older")
    assert lasting(both) == [("pending", ["b.md"])]
    both.write("b.md", FEE.replace("fee.py", "charge.py"))
    assert (both.one().state, both.told()) == ("superseded", 1)


def test_a_part_that_is_carried_out_does_not_take_the_other_along(both: Kept) -> None:
    switch(both, "older")
    first = both.one()
    decisions.approve(both.log, both.home, CONFIG, first.id)
    assert execute(both.log, both.home, CONFIG, both.by_id(first.id), both.repo.root).state == "executed"
    both.sense()
    both.commit()
    switch(both, "work")
    both.git("merge", "-q", "-m", "merge", "older")
    assert lasting(both) == [("pending", ["b.md"])]
    both.restart()
    assert lasting(both) == [("pending", ["b.md"])]


def test_an_approval_is_of_the_whole_and_void_when_a_part_leaves(both: Kept) -> None:
    whole = both.one().raised.digest
    decisions.approve(both.log, both.home, CONFIG, both.one().id)
    both.world.catch_up()
    switch(both, "older")
    assert (both.one().state, both.one().voided) == ("pending", whole)
    with pytest.raises(Stale):
        decisions.approve(both.log, both.home, CONFIG, both.one().id, digest=whole)


def test_a_deferral_until_its_evidence_changes_survives_the_branch(both: Kept) -> None:
    decisions.defer(both.log, both.one().id, None, on_evidence=True)
    both.world.catch_up()
    for branch in ("older", "main", "work"):
        switch(both, branch)
        assert both.one().state in ("deferred", "parked"), branch
    assert both.one().state == "deferred"


def test_a_file_that_is_renamed_twice_is_at_each_commit_what_it_is_there(kept: Kept) -> None:
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.repo.git("commit", "-q", "-m", "rename")
    kept.repo.git("branch", "older")
    kept.repo.git("mv", "src/billing.py", "src/money.py")
    kept.commit()
    for branch, name in (("older", "billing"), ("work", "money"), ("older", "billing"), ("work", "money")):
        if branch == "older" or kept.repo.git("branch", "--show-current").strip() != branch:
            switch(kept, branch)
        assert kept.one().state == "pending", branch
        assert f"src/pay.py is now src/{name}.py" in kept.one().raised.claim
    assert kept.told() == 1


def test_two_cards_about_two_names_of_one_file_stay_two_and_share_no_change(kept: Kept) -> None:
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    first = kept.one()
    kept.repo.write("c.md", "see [it](src/billing.py)\n")
    kept.repo.git("add", "c.md")
    kept.commit()
    kept.repo.git("mv", "src/billing.py", "src/invoice.py")
    kept.commit()
    assert lasting(kept) == [("pending", ["a.md"]), ("pending", ["c.md"])]
    again = next(p for p in kept.all() if p.id == first.id)
    assert files(again) == ["a.md"] and "src/invoice.py" in again.raised.claim


def test_a_card_that_another_took_over_does_not_speak_for_it(kept: Kept) -> None:
    with_fee(kept)
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    kept.repo.git("mv", "src/fee.py", "src/charge.py")
    kept.commit()
    assert lasting(kept) == [("pending", ["a.md"]), ("pending", ["b.md"])]
    kept.repo.git("reset", "-q", "--soft", "HEAD~2")
    kept.commit()
    assert lasting(kept) == [("pending", ["a.md", "b.md"])]
    for text in (f"{FEE}more\n", f"{FEE}more and more\n"):
        kept.repo.write("b.md", text)
        kept.commit()
        assert lasting(kept) == [("pending", ["a.md", "b.md"])]


def test_a_path_that_is_there_again_for_a_while_leaves_the_other_part(both: Kept) -> None:
    both.write("src/fee.py", "again\n")
    assert lasting(both) == [("pending", ["a.md"])]
    (both.repo.root / "src/fee.py").unlink()
    both.sense()
    assert lasting(both) == [("pending", ["a.md", "b.md"])]
    assert both.told() == 1


def test_two_credentials_of_two_commits_are_each_where_their_commit_is(kept: Kept) -> None:
    one, two = "AKIA" + "QWERTYUIOPASDFGH", "AKIA" + "ZXCVBNMLKJHGFDSA"
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.write("keys.env", f"ONE={one}\n")
    kept.repo.git("add", "-A")
    kept.repo.git("commit", "-q", "-m", "one")
    kept.repo.git("branch", "older")
    kept.repo.write("keys.env", f"ONE={one}\nTWO={two}\n")
    kept.commit()
    assert "2 credentials" in kept.one().raised.title
    whole = set(kept.one().raised.subjects)
    switch(kept, "older")
    assert kept.one().state == "pending"
    assert set(kept.one().raised.subjects) < whole
    switch(kept, "main")
    assert kept.one().state == "parked"
    switch(kept, "work")
    assert (kept.one().state, set(kept.one().raised.subjects), kept.told()) == ("pending", whole, 1)


def test_two_conflicts_of_two_commits_are_each_where_their_commit_is(kept: Kept) -> None:
    block = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n"
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.write("other.txt", block)
    kept.repo.git("commit", "-q", "-am", "one")
    kept.repo.git("branch", "older")
    kept.repo.write("other.txt", block + "between\n" + block.replace("topic", "another"))
    kept.commit()
    whole = set(kept.one().raised.subjects)
    assert len(whole) == 2
    switch(kept, "older")
    assert (kept.one().state, len(kept.one().raised.subjects)) == ("pending", 1)
    switch(kept, "work")
    assert (kept.one().state, set(kept.one().raised.subjects), kept.told()) == ("pending", whole, 1)
