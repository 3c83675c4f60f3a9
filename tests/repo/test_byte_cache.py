"""A cache is bounded in bytes, whatever it holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.repo.byte_cache import EACH, ByteCache


def test_what_was_asked_for_longest_ago_goes_first():
    cache = ByteCache[str, bytes](len, limit=3 * EACH + 30)
    for name in "abc":
        assert cache.keep(name, b"0123456789") == b"0123456789"
    assert cache["a"] == b"0123456789"
    cache.keep("d", None)
    assert "b" not in cache and "a" in cache and cache["d"] is None


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.binary(max_size=500)), max_size=60))
def test_it_never_holds_more_than_its_limit_or_one_value(kept):
    cache = ByteCache[int, bytes](len, limit=1_500)
    for key, value in kept:
        cache.keep(key, value)
        assert key in cache and cache[key] == value
        there = [k for k in range(10) if k in cache]
        assert cache.held == sum(EACH + len(cache[k] or b"") for k in there)
        assert cache.held <= 1_500 or len(there) == 1
