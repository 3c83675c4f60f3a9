"""Lists say what they leave out, and evidence names each position once."""

from __future__ import annotations

from kairos.detectors.wording import evidence, places
from kairos.domain.amounts import listed


def test_lists_say_what_they_leave_out():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert places([("a", 1)] * 22).endswith("and 2 more")


def test_evidence_begins_with_the_cause_and_names_each_position_once():
    assert evidence(9, [12, 3, 9, 3, 0]) == [9, 3, 12]
    assert evidence(0, [4]) == [4]
