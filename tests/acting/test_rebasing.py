"""A patch that nobody can make anew, merged onto its files as they are, in a real repository."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting.rebasing import REBASED, UNCHANGED, rebase
from kairos.domain.action import PatchAction, apply_edit, edit
from kairos.domain.events import ProposalRevised
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal
from kairos.home import Home
from tests.domain.test_raising import REPO, finding, pending

LINES = [f"line {n}\n" for n in range(20)]


def with_line(at: int, text: str) -> str:
    return "".join([*LINES[:at], text, *LINES[at + 1 :]])


@pytest.fixture
def advised(repo: Any) -> Proposal:
    """A patch of line 10 of a committed file."""
    repo.write("a.txt", "".join(LINES))
    repo.commit()
    change = edit("a.txt", ("".join(LINES).encode(), 0o644), (with_line(10, "ten\n").encode(), 0o644))
    return pending(finding(action=PatchAction(repo=REPO, edits=[change]), engine="model"))


def onto(home: Home, repo: Any, p: Proposal) -> ProposalRevised | str:
    return rebase(home, Policy(), p, repo.root, "")


def test_it_is_merged_onto_other_lines_and_keeps_them(home: Home, repo: Any, advised: Proposal) -> None:
    repo.write("a.txt", with_line(1, "mine\n"))
    made = onto(home, repo, advised)
    assert isinstance(made, ProposalRevised)
    assert made.changed == REBASED
    assert isinstance(made.action, PatchAction)
    (change,) = made.action.edits
    after = apply_edit(change, (repo.root / "a.txt").read_bytes())
    assert after == "".join([LINES[0], "mine\n", *LINES[2:10], "ten\n", *LINES[11:]]).encode()


def test_files_that_are_as_they_were_give_the_same_patch(home: Home, repo: Any, advised: Proposal) -> None:
    made = onto(home, repo, advised)
    assert isinstance(made, ProposalRevised)
    assert (made.changed, made.action) == (UNCHANGED, advised.raised.action)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (with_line(10, "mine\n"), "changed in its lines"),
        (None, "deleted since"),
        ("\0", "changed in its lines"),
        (with_line(10, "ten\n"), "nothing is left"),
    ],
)
def test_what_does_not_fit_says_why(home: Home, repo: Any, advised: Proposal, now: str | None, why: str) -> None:
    (repo.root / "a.txt").unlink() if now is None else repo.write("a.txt", now)
    said = onto(home, repo, advised)
    assert isinstance(said, str)
    assert why in said


def test_a_link_in_its_place_is_refused(home: Home, repo: Any, advised: Proposal) -> None:
    (repo.root / "a.txt").unlink()
    (repo.root / "a.txt").symlink_to("README.md")
    assert isinstance(onto(home, repo, advised), str)
