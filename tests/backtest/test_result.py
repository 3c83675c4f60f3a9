"""The sums of a detector."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.backtest.result import RaisedThen, sums_of

LABELS = st.lists(st.tuples(st.sampled_from(["done", "left", "moot", "unknown"]), st.floats(0, 1)))


@given(LABELS)
def test_every_proposal_counts_once_and_only_judged_ones_count_for_precision(made):
    raised = [
        RaisedThen(detector="d", commit="c", at_s=1, title="", claim="", boundary="commit", label=label, chance=chance)
        for label, chance in made
    ]
    sums = sums_of("d", raised)
    assert sums.raised == sums.done + sums.left + sums.moot + sums.unknown == len(made)
    assert (sums.precision is None) == (sums.done + sums.left == 0) and 0 <= sums.chance <= 1
    if sums.precision is not None:
        assert sums.precision.share == sums.done / (sums.done + sums.left)
