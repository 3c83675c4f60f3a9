"""The same rules as live: raised once, told at boundaries, never again."""

from __future__ import annotations

from datetime import UTC

import msgspec

from kairos.backtest.person import Person
from kairos.backtest.walk import REPO
from kairos.domain.action import NoteAction
from kairos.domain.attention import Manners
from kairos.domain.finding import Finding

HOUR = 3_600_000_000


def finding(key="d:1", **changes):
    base = Finding(
        detector="d", version=1, key=key, title=key, claim="c", evidence=[1], fingerprint=["x"],
        action=NoteAction(repo=REPO, text=key),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def person(**changes):
    return Person(Manners(**({"quiet": None, "per_day": 2, "idle": 1} | changes)), UTC)


def test_a_finding_is_raised_once_and_told_once():
    one = person()
    assert len(one.raises([finding()], "commit", "t1", HOUR)) == 1
    one.hears("commit", "c", HOUR)
    assert one.raises([finding()], "commit", "t2", 2 * HOUR) == []
    one.hears("commit", "c", 2 * HOUR)
    assert one.days.total() == 1 and one.repeats == 0


def test_what_was_listed_is_not_raised_and_what_is_done_is_not_told():
    one = person(quiet=(0, 2))
    one.lists([finding("d:0")])
    (raised,) = one.raises([finding("d:0"), finding("d:1")], "commit", "t", HOUR)
    one.hears("commit", "c", HOUR)
    one.did_it(raised.id, HOUR)
    one.hears("commit", "c", 5 * HOUR)
    assert one.days.total() == 0


def test_the_cap_of_a_day_holds_and_what_waits_is_told_on_the_next():
    one = person()
    one.raises([finding(f"d:{n}") for n in range(5)], "commit", "t", HOUR)
    for day in range(4):
        one.hears("commit", "c", HOUR + day * 24 * HOUR)
    assert sorted(one.days.values(), reverse=True) == [2, 2, 1]
