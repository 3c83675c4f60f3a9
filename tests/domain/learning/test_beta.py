"""The Beta distribution against closed forms and against sums of the binomial."""

from __future__ import annotations

from math import comb, isclose

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.learning.beta import TAIL, below, credible

COUNTS = st.integers(1, 300)
SHARES = st.floats(0.001, 0.999)


@given(COUNTS, COUNTS, SHARES)
def test_what_lies_below_is_the_tail_of_the_binomial(a, b, x):
    n = a + b - 1
    tail = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert isclose(below(a, b, x), tail, rel_tol=1e-8, abs_tol=1e-10)


@given(st.floats(0.05, 50), SHARES)
def test_what_lies_below_is_a_power_where_one_side_is_one(a, x):
    assert isclose(below(a, 1, x), x**a, rel_tol=1e-9)
    assert isclose(below(1, a, x), 1 - (1 - x) ** a, rel_tol=1e-9, abs_tol=1e-12)


@given(st.floats(0.01, 500), st.floats(0.01, 500))
def test_the_interval_holds_what_it_says_and_its_ends_are_in_order(a, b):
    found = credible(a, b)
    assert 0 <= found.low <= found.high <= 1
    if found.low > 0.02 and found.high < 0.98:
        inside = below(a, b, found.high) - below(a, b, found.low)
        assert isclose(inside, 1 - 2 * TAIL, abs_tol=1e-6)


@given(st.floats(0.01, 500), st.floats(0.01, 500), SHARES)
def test_both_sides_sum_to_one(a, b, x):
    assert isclose(below(a, b, x) + below(b, a, 1 - x), 1, abs_tol=1e-9)


def test_nothing_is_below_nothing_and_all_is_below_one():
    assert below(2, 3, 0) == below(2, 3, -1) == 0
    assert below(2, 3, 1) == below(2, 3, 2) == 1
