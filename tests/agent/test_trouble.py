"""What a server asks for when it refuses: every form of the header, and those that nobody can mean."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from kairos.agent.trouble import WAIT_AT_MOST_S, Trouble, retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), (" 0.5 ", 0.5), ("3600", 3600.0), ("-3", 0.0), ("inf", WAIT_AT_MOST_S), ("1e300", WAIT_AT_MOST_S),
        ("nan", None), ("soon", None), ("", None), ("Mon, 99 Foo 2026", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", WAIT_AT_MOST_S), ("9" * 400, WAIT_AT_MOST_S),
    ],
)  # fmt: skip
def test_a_pause_is_a_number_or_a_date_and_at_most_a_day(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_a_date_in_the_future_is_so_many_seconds_away() -> None:
    soon = retry_after({"retry-after": formatdate(time.time() + 3_600, usegmt=True)})
    assert soon is not None and 3_500 < soon <= 3_600


def test_milliseconds_come_first() -> None:
    assert retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    assert retry_after({"retry-after-ms": "soon", "retry-after": "7"}) == 7.0
    assert retry_after({}) is None


def test_what_broke_off_after_a_part_of_the_answer_is_neither_free_nor_tried_again() -> None:
    broken = Trouble("cut", "w", again=True, free=True).after_tokens()
    assert (broken.kind, broken.again, broken.free) == ("cut", False, False)
