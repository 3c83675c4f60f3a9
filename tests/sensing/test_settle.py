"""Settling is pure: any order of hints and locks, any clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.sensing.settle import CAP_S, LOCKED_CAP_S, QUIET_S, Settle


def test_a_burst_closes_when_nothing_came_for_a_while() -> None:
    settle = Settle()
    settle.mark(1.0, {b"a"})
    assert settle.take(1.0 + QUIET_S / 2) is None
    settle.mark(1.01, {b"b"})
    assert settle.due_at() == 1.01 + QUIET_S
    burst = settle.take(1.01 + QUIET_S)
    assert burst is not None and burst.dirs == {b"a", b"b"} and not burst.everything and burst.started == 1.0
    assert not settle.pending and settle.due_at() is None


def test_hints_that_never_rest_close_at_the_cap() -> None:
    settle, now = Settle(), 0.0
    while settle.take(now) is None:
        settle.mark(now, {b"a"})
        now += QUIET_S / 3
        assert now < CAP_S + QUIET_S


def test_while_git_holds_its_lock_the_burst_stays_open() -> None:
    settle = Settle()
    settle.mark(0.0, {b"a"}, git=True)
    settle.lock(0.0, held=True)
    assert settle.take(5.0) is None and settle.due_at() == LOCKED_CAP_S
    settle.lock(6.0, held=False)
    assert settle.due_at() == 6.0 + QUIET_S
    assert settle.take(LOCKED_CAP_S) is not None


def test_a_burst_given_back_keeps_its_beginning() -> None:
    settle = Settle()
    settle.mark(1.0, {b"a"})
    burst = settle.take(2.0)
    assert burst is not None
    settle.back(burst, 2.0, 0.5)
    assert settle.due_at() == 2.5
    again = settle.take(2.5)
    assert again is not None and again.started == 1.0 and again.dirs == {b"a"}


STEP = st.tuples(
    st.floats(0.0, 0.1),
    st.one_of(
        st.tuples(st.just("mark"), st.sets(st.sampled_from([b"a", b"b", b"c"]))),
        st.tuples(st.just("lock"), st.booleans()),
        st.tuples(st.just("all"), st.none()),
    ),
)


@given(st.lists(STEP, max_size=60))
def test_no_hint_is_lost_and_none_waits_longer_than_its_cap(steps: list[tuple[float, tuple[str, object]]]) -> None:
    settle, now = Settle(), 0.0
    open_since: dict[bytes, float] = {}
    everything = False
    for pause, (what, value) in steps:
        now += pause
        burst = settle.take(now)
        if burst is not None:
            assert burst.dirs == set(open_since) and burst.everything == everything
            open_since, everything = {}, False
        due = settle.due_at()
        assert (due is None) == (not open_since and not everything)
        if what == "mark":
            settle.mark(now, value)  # type: ignore[arg-type]
            open_since.update({d: open_since.get(d, now) for d in value})  # type: ignore[attr-defined]
        elif what == "lock":
            settle.lock(now, held=bool(value))
        else:
            settle.mark(now, everything=True)
            everything = True
        due = settle.due_at()
        if open_since:
            assert due is not None and due <= min(open_since.values()) + LOCKED_CAP_S + 6.1
    settle.lock(now, held=False)
    due = settle.due_at()
    if due is not None:
        assert due <= now + CAP_S
        burst = settle.take(due)
        assert burst is not None and burst.dirs == set(open_since)


def test_a_thorough_hint_is_one_of_git_and_is_kept_until_it_is_taken() -> None:
    settle = Settle()
    settle.mark(0.0, thorough=True)
    settle.mark(0.0, {b"a"})
    burst = settle.take(1.0)
    assert burst is not None and burst.git and burst.thorough and not burst.everything
    settle.back(burst, 1.0, 0.0)
    again = settle.take(2.0)
    assert again is not None and again.thorough
    settle.mark(3.0, {b"a"})
    last = settle.take(4.0)
    assert last is not None and not last.thorough and not last.git
