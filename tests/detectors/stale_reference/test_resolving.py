"""Ways between paths of the tree."""

from __future__ import annotations

from kairos.detectors.stale_reference.resolving import between, joined


def test_a_way_between_two_places():
    assert between("a/b.c", "") == "a/b.c"
    assert between("a/b.c", "a") == "b.c"
    assert between("a/b.c", "d/e") == "../../a/b.c"


def test_a_path_outside_of_the_tree_is_none():
    assert joined("a", "../b") == "b"
    assert joined("a", "..") == ""
    assert joined("a", "../..") is None
    assert joined("", "/etc") is None
