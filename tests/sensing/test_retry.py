"""The pace at which a broken repository is looked at again."""

from __future__ import annotations

from kairos.sensing.retry import FIRST_S, MOST_S, Retry


def test_each_failure_waits_twice_as_long_up_to_a_bound() -> None:
    retry, now, waits = Retry(), 100.0, []
    for _ in range(7):
        retry.failed(now, ((1,),))
        assert retry.due is not None
        waits.append(retry.due - now)
        assert not retry.take(retry.due - 0.01)
        now = retry.due
        assert retry.take(now) and retry.due is None
    assert waits == [FIRST_S, 2, 4, 8, MOST_S, MOST_S, MOST_S]


def test_a_repository_that_changed_is_looked_at_now_and_starts_anew() -> None:
    retry = Retry()
    for now in (0.0, 10.0, 20.0):
        retry.failed(now, ((1,),))
    retry.hurry(21.0, ((1,),))
    assert not retry.take(21.0)
    retry.hurry(21.0, ((2,),))
    assert retry.take(21.0)
    retry.failed(21.0, ((2,),))
    assert retry.due == 21.0 + FIRST_S


def test_one_that_could_be_read_is_not_looked_at_again() -> None:
    retry = Retry()
    retry.failed(0.0, ())
    retry.over()
    retry.hurry(1.0, ((1,),))
    assert retry.due is None and not retry.take(1e9)
