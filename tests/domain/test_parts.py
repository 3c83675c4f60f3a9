"""The parts of a proposal: which are here, which are away, and what a finding takes over from a card."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kairos.domain.basis import Basis, BasisTree, basis_of
from kairos.domain.events import CommitRecorded, ProposalRaised
from kairos.domain.events.proposals import AwayParts
from kairos.domain.events.repository import CommitChange
from kairos.domain.finding import Finding
from kairos.domain.names import Name
from kairos.domain.parts import covers, joined_to, marks_of, may_hold_in_part, moves_in, names_of, parts_of, whole_basis
from tests.domain.test_raising import note, pending


def about(*names: str, oids: Sequence[Sequence[str]], away: AwayParts | None = None) -> Finding:
    """A finding about renames `names` of these groups of commits."""
    key = f"d:{names[0]}" if len(names) == 1 else "d:all"
    return note(
        key=key, subjects=[f"d:{n}" for n in names], fingerprint=[f"in {n}" for n in names], away=away,
        basis=basis_of(oids, present=[f"new {n}" for n in names], absent=[f"old {n}" for n in names]),
    )  # fmt: skip


def raised(*names: str, oids: Sequence[Sequence[str]], away: AwayParts | None = None) -> ProposalRaised:
    return pending(about(*names, oids=oids, away=away)).raised


def here(*oids: str, elsewhere: Sequence[str] = (), existing: Sequence[str] = ()) -> BasisTree:
    """Commits in the history of HEAD, commits of a branch `work`, and the paths that exist."""
    return BasisTree(
        in_head=frozenset(oids), in_refs=frozenset([*oids, *elsewhere]), existing=frozenset(existing),
        holders={oid: ["refs/heads/work"] for oid in elsewhere},
    )  # fmt: skip


def commit(oid: str, *moves: tuple[str, str]) -> CommitRecorded:
    changes = [CommitChange(path=new, status="R100", was=Name(path=old)) for old, new in moves]
    changes.append(CommitChange(path="x", status="M"))
    return CommitRecorded(repo="r", oid=oid, parents=[], author="Ada", at_s=0, subject="s", changes=changes)


def test_a_finding_about_a_part_takes_the_rest_along_as_away() -> None:
    card = raised("a", "b", oids=[["A"], ["B"]])
    found = joined_to(about("a", oids=[["A"]]), [card], [], here("A", elsewhere=["B"], existing=["new a", "old b"]))
    assert found.away is not None
    assert (found.away.subjects, found.away.fingerprint) == (["d:b"], ["in b"])
    assert [g.oids for g in found.away.basis.commits] == [["B"]]
    assert [n.fs for n in found.away.basis.absent] == ["old b"]
    assert found.away.why == "commit B is in branch work, and not in the history of what is checked out"


def test_a_part_that_no_branch_leads_to_is_away_without_a_reason_to_wait_for() -> None:
    card = raised("a", "b", oids=[["A"], ["B"]])
    found = joined_to(about("a", oids=[["A"]]), [card], [], here("A", existing=["new a"]))
    assert found.away is not None
    assert found.away.why == ""


@pytest.mark.parametrize(
    ("found", "tree"),
    [
        (about("a", "b", oids=[["A"], ["B"]]), here("A", "B", existing=["new a", "new b"])),
        (about("a", oids=[["A"]]), here("A", "B", existing=["new a", "new b"])),
        (note(key="d:a", subjects=["d:a"], basis=basis_of()), here(elsewhere=["A", "B"])),
    ],
    ids=["all of it is here", "the rest is here and was not found", "it rests on no commit"],
)
def test_nothing_is_away_if(found: Finding, tree: BasisTree) -> None:
    assert joined_to(found, [raised("a", "b", oids=[["A"], ["B"]])], [], tree).away is None


def test_what_another_finding_of_the_same_look_says_is_not_away() -> None:
    card = raised("a", "b", oids=[["A"], ["B"]])
    found = joined_to(about("a", oids=[["A"]]), [card], [], here("A", existing=["new a"]), elsewhere=["d:b"])
    assert found.away is None


def test_commits_with_the_same_moves_are_the_same_change_in_any_order() -> None:
    card = raised("a", "b", oids=[["A"], ["B"]])
    commits = [commit("A", ("old a", "new a")), commit("B", ("old b", "new b")), commit("B2", ("old b", "new b")),
               commit("A2", ("old a", "new a")), commit("M")]  # fmt: skip
    tree = here("A2", "B2", "M", elsewhere=["A", "B"], existing=["new a", "new b"])
    found = joined_to(about("a", "b", oids=[["B2"], ["A2"], ["M"]]), [card], commits, tree)
    assert found.basis is not None
    assert [g.oids for g in found.basis.commits] == [["B", "B2"], ["A", "A2"], ["M"]]
    assert moves_in(commits[0]) == {("R", "old a", "new a")}
    assert found.away is None


def test_the_names_of_a_card_are_those_of_its_parts_with_what_is_away() -> None:
    away = AwayParts(subjects=["d:b"], basis=basis_of([["B"]], absent=["old b"]), fingerprint=["in b"])
    card = raised("a", oids=[["A"]], away=away)
    assert names_of(card) == parts_of(card) == {"d:a", "d:b"}
    assert marks_of(card) == {"in a", "in b"}
    whole = whole_basis(card)
    assert whole is not None
    assert [g.oids for g in whole.commits] == [["A"], ["B"]]
    assert {n.fs for n in whole.absent} == {"old a", "old b"}
    assert not covers(about("a", oids=[["A"]]), card)
    assert covers(about("a", "b", oids=[["A"], ["B"]]), card)


def test_a_card_may_hold_in_part_if_it_is_about_several_things_or_commits() -> None:
    one, two = about("a", oids=[["A"]]), about("a", "b", oids=[["A"]])
    chain = about("a", oids=[["A"], ["B"]])
    assert [may_hold_in_part(pending(f)) for f in (one, two, chain)] == [False, True, True]
    bare = pending(note(key="d:a", subjects=["d:a"], basis=None))
    assert not may_hold_in_part(bare)
    assert whole_basis(bare.raised) is None
    assert whole_basis(raised("a", oids=[["A"]])) == Basis(
        commits=basis_of([["A"]]).commits, present=[Name(path="new a")], absent=[Name(path="old a")]
    )
