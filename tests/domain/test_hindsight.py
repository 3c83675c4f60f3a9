"""Labels by hindsight and intervals: pure, so properties hold for anything."""

from __future__ import annotations

from math import comb

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.hindsight import Awaiting, chance, earns_its_place, share_gone, wilson

PLACES = st.lists(st.sampled_from("abcdef"), max_size=6)


@given(st.integers(1, 2_000), st.data())
def test_an_interval_holds_its_share_and_narrows_with_more_evidence(number, data):
    right = data.draw(st.integers(0, number))
    found = wilson(right, number)
    more = wilson(right * 10, number * 10)
    assert found is not None and more is not None
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert more.high - more.low < found.high - found.low


def test_an_interval_is_that_of_wilson():
    found = wilson(8, 10)
    assert found is not None and (round(found.low, 4), round(found.high, 4)) == (0.4902, 0.9433)
    assert wilson(0, 0) is None


@given(st.integers(5, 60), st.floats(0.05, 0.95))
def test_an_interval_covers_the_truth_nearly_as_often_as_it_says(number, truth):
    covered = sum(
        comb(number, k) * truth**k * (1 - truth) ** (number - k)
        for k in range(number + 1)
        if (w := wilson(k, number)) is not None and w.low <= truth <= w.high
    )
    assert covered > 0.82


@given(PLACES, PLACES)
def test_the_share_that_is_gone_counts_each_place_once(before, now):
    share = share_gone(before, now)
    assert 0 <= share <= 1
    assert share_gone(before, None) == 1 and share_gone(before, before) == 0
    assert share_gone(before, [*now, *before]) == 0


@given(st.lists(st.tuples(st.booleans(), st.none() | PLACES), max_size=40), st.integers(1, 10))
def test_a_label_is_decided_once_and_only_by_descendants(story, horizon):
    one = Awaiting("c0", horizon, ["a", "b"])
    decided, last = None, "c0"
    for at, (descends, places) in enumerate(story, 1):
        followed = one.follow(f"c{at}", [last if descends else f"other{at}"])
        assert followed == (descends and decided is None)
        if followed:
            last = f"c{at}"
            one.looked(last, places if places is not None else None)
            one.pass_by()
        if one.label != "unknown" and decided is None:
            decided = one.label, one.by
        assert decided is None or (one.label, one.by) == decided
        assert one.seen <= horizon
    assert (one.label == "done") <= (one.gone >= 0.5)


def test_what_was_taken_back_counts_for_nothing_and_a_passed_horizon_against():
    back, old = Awaiting("a", 3, ["x"]), Awaiting("a", 1, ["x"])
    assert back.follow("b", ["a"]) and old.follow("b", ["a"])
    back.taken_back("b")
    old.looked("b", ["x"])
    old.pass_by()
    assert (back.label, old.label) == ("moot", "left")


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 50))
def test_a_chance_is_a_probability_and_grows_with_the_horizon(touched, commits, horizon):
    assert 0 <= chance(touched, commits, horizon) <= chance(touched, commits, horizon + 1) <= 1


def test_a_detector_earns_its_place_by_its_share_and_by_the_lower_end():
    assert (
        earns_its_place(wilson(40, 48)) and not earns_its_place(wilson(4, 5)) and not earns_its_place(wilson(79, 100))
    )
    assert not earns_its_place(None)
