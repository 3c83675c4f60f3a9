"""Which directory a finding belongs to, and that every lesson has its weight."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.learning.lessons import BAD, DEPTH, GOOD, WEIGHTS, Lesson, YesNo, place_of

NAMES = st.sampled_from(["a", "b", "docs", "src"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


def test_every_lesson_has_a_weight_of_at_most_one_finding():
    assert set(WEIGHTS) == set(get_args(Lesson))
    assert all(yes >= 0 and no >= 0 and yes + no <= 1 for yes, no in WEIGHTS.values())
    assert GOOD.isdisjoint(BAD)


def test_a_place_is_the_directory_that_holds_all_paths():
    assert place_of(["docs/a.md", "docs/b.md"]) == "docs"
    assert place_of(["docs/api/x/a.md", "docs/api/x/b.md"]) == "docs/api"
    assert place_of(["docs/a.md", "src/b.py"]) == place_of(["README"]) == place_of([]) == ""
    assert place_of(["docs2/a.md", "docs/a.md"]) == "", "a common beginning of a name is no directory"


@given(st.sets(PATHS, min_size=1, max_size=6))
def test_a_place_holds_every_path_and_is_not_deep(paths):
    place = place_of(paths)
    assert len(place.split("/")) <= DEPTH
    assert not place or all(p.startswith(f"{place}/") for p in paths)


@given(st.floats(0, 9), st.floats(0, 9), st.floats(-9, 9), st.floats(-9, 9))
def test_a_tally_is_never_below_nothing(yes, no, more, fewer):
    found = YesNo(yes, no).plus(more, fewer)
    assert found.yes >= 0 and found.no >= 0
