"""What a finding rests on: when it holds, when it is elsewhere, and when it is gone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.basis import (
    EQUIVALENTS,
    MOST,
    Basis,
    BasisMissing,
    BasisTree,
    BlobBasis,
    CommitBasis,
    RefBasis,
    basis_of,
    joined,
    missing,
    oids_of,
    paths_of,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40


def tree(**fields: Any) -> BasisTree:
    made = {name: frozenset(value) if isinstance(value, list) else value for name, value in fields.items()}
    return BasisTree(**made)


RENAME = basis_of([[A]], present=["new.py"], absent=["old.py"])
THERE = {"in_head": [A], "in_refs": [A], "existing": ["new.py"], "tracked": ["new.py"]}


def test_a_basis_that_is_all_there_holds_and_an_unknown_one_too() -> None:
    assert missing(RENAME, tree(**THERE)) is None
    assert missing(None, tree()) is None
    assert missing(Basis(), tree()) is None


@pytest.mark.parametrize(
    ("there", "why", "gone"),
    [
        ({"in_head": []}, "not in the history", False),
        ({"in_head": [], "in_refs": []}, "in no branch any more", True),
        ({"existing": [], "tracked": ["new.py"]}, "new.py is not there", False),
        ({"existing": [], "tracked": []}, "new.py is not there", True),
        ({"existing": ["new.py", "old.py"]}, "old.py is there again", False),
        ({"existing": ["new.py", "old.py"], "tracked": ["new.py", "old.py"]}, "old.py is there again", True),
    ],
)
def test_what_is_missing_is_elsewhere_or_gone(there: dict[str, Any], why: str, gone: bool) -> None:
    found = missing(RENAME, tree(**{**THERE, **there}))
    assert found is not None
    assert why in found.why
    assert found.gone is gone


def test_a_path_without_a_commit_is_elsewhere_and_never_gone() -> None:
    assert missing(basis_of(present=["x"]), tree()) == BasisMissing("x is not there")


@pytest.mark.parametrize("at", [A, B, C])
def test_any_commit_that_carries_the_change_will_do(at: str) -> None:
    basis = basis_of([[A, B, C]])
    assert missing(basis, tree(in_head=[at], in_refs=[at])) is None


def test_a_secret_holds_while_any_ref_leads_to_it() -> None:
    basis = basis_of([[A]], reach="refs")
    assert missing(basis, tree(in_refs=[A])) is None
    found = missing(basis, tree())
    assert found is not None
    assert found.gone


def test_what_was_pushed_concerns_every_branch_and_what_was_not_is_elsewhere() -> None:
    basis = basis_of([[A]], reach="head_or_remote")
    assert missing(basis, tree(in_head=[A], in_refs=[A])) is None
    assert missing(basis, tree(in_refs=[A], in_remotes=[A])) is None
    found = missing(basis, tree(in_refs=[A], holders={A: ["refs/heads/work", "refs/tags/v1"]}))
    assert found == BasisMissing(
        f"commit {A[:12]} is in branch work and tag v1, and not in the history of what is checked out"
    )
    found = missing(basis, tree(in_refs=[A], holders={A: ["ORIG_HEAD"]}))
    assert found is not None
    assert "the way back from a reset" in found.why


@pytest.mark.parametrize("kind", ["commits", "present", "absent"])
def test_a_basis_says_what_it_leaves_out(kind: str) -> None:
    many = [f"{n:06}" for n in range(MOST + 7)]
    basis = basis_of([[m] for m in many]) if kind == "commits" else basis_of(**{kind: many})  # type: ignore[arg-type]
    assert len(getattr(basis, kind)) == MOST
    assert basis.cut == 7


def test_contents_and_refs_must_be_as_recorded() -> None:
    basis = Basis(blobs=[BlobBasis(path="x", sha="1", mode=0o644)], refs=[RefBasis(name="refs/heads/main", oid=A)])
    good: dict[str, Any] = {"blobs": {"x": ("1", 0o644)}, "refs": {"refs/heads/main": A}}
    assert missing(basis, BasisTree(**good)) is None
    for bad in ({"blobs": {}}, {"blobs": {"x": ("2", 0o644)}}, {"blobs": {"x": ("1", 0o755)}}, {"refs": {}}):
        found = missing(basis, BasisTree(**{**good, **bad}))
        assert found is not None
        assert not found.gone


def test_an_equivalent_commit_joins_the_group_and_another_shape_replaces_it() -> None:
    both = joined(RENAME, basis_of([[B]], present=["new.py"], absent=["old.py"]))
    assert both is not None
    assert both.commits == [CommitBasis(oids=[A, B])]
    assert joined(RENAME, basis_of([[B], [C]])) == basis_of([[B], [C]])
    assert joined(basis_of([[A]], reach="refs"), basis_of([[B]])) == basis_of([[B]])
    assert joined(None, RENAME) == RENAME
    assert joined(RENAME, None) is None


OIDS = st.text("0123456789abcdef", min_size=4, max_size=4)


@given(st.lists(st.lists(OIDS, min_size=1, max_size=30), max_size=80), st.lists(OIDS, max_size=100))
def test_a_basis_is_bounded_and_joining_never_loses_the_newest(groups: list[list[str]], paths: list[str]) -> None:
    basis = basis_of(groups, present=paths)
    assert len(basis.commits) <= MOST
    assert len(basis.present) <= MOST
    assert basis.cut == 0
    again = joined(basis, basis)
    assert again is not None
    for old, new in zip(groups, again.commits, strict=False):
        assert len(new.oids) <= EQUIVALENTS
        assert old[-1] in new.oids
    assert oids_of(again) == oids_of(basis)
    assert paths_of(basis) <= set(paths)
