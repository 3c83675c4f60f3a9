"""Compaction and forgetting one at a time; what a killed run left goes when the next one writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pytest

from kairos.domain.events import Paused
from kairos.errors import TryAgain
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.leftovers import UNFINISHED, beginning, collect_orphans, finish_if_possible, only_one
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.home import Home

NEEDLES = [b"hidden/plan.txt"]


def test_one_at_a_time_and_it_is_let_go_after_an_error(log: Log) -> None:
    log.append([NewEvent("s", Paused())])
    with pytest.raises(ZeroDivisionError), only_one(log):
        with pytest.raises(TryAgain, match="another compaction"), only_one(log):
            pytest.fail("two at once")
        raise ZeroDivisionError
    with only_one(log):
        assert log.segments.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_means_try_again(log: Log) -> None:
    log.append([NewEvent("s", Paused())])
    log.segments.write_text("in the way")
    with pytest.raises(TryAgain, match="cannot be written"), only_one(log):
        pytest.fail("it was made")


def test_files_that_no_segment_is_in_go_and_the_others_stay(log: Log) -> None:
    log.append([NewEvent("s", Paused())])
    compact(log)
    named = {path.name for path in log.segments.iterdir()}
    assert len(named) == 2, "a segment and the lock"
    (log.segments / "left.parquet.tmp").write_bytes(b"x")
    (log.segments / "00.parquet").write_bytes(b"x")
    collect_orphans(log)
    assert {path.name for path in log.segments.iterdir()} == named


def cleaning(home: Home, done: list[bytes], *, busy: bool = False) -> Log:
    """A log that cleans its home of what is forgotten, unless something is at work there."""

    def clean(_: Log, needles: Sequence[bytes]) -> None:
        if busy:
            raise TryAgain("a dream is running", "")
        done.extend(needles)

    return Log(home.log, clean=clean)


def test_what_a_committed_forgetting_left_is_cleaned_by_whoever_may(log: Log, home: Home) -> None:
    done: list[bytes] = []
    with closing(cleaning(home, done, busy=True)) as busy:
        busy.append([NewEvent("s", Paused())], writes=beginning(busy, NEEDLES))
        assert not finish_if_possible(busy)
    assert len(log.view(UNFINISHED)) == 2
    assert not finish_if_possible(log), "it has nothing to clean a home with"
    assert list(log.view(UNFINISHED)) == [b"home"]
    with closing(cleaning(home, done)) as able:
        assert finish_if_possible(able) and finish_if_possible(able)
    assert (done, log.view(UNFINISHED)) == (NEEDLES, {})


def test_where_nobody_cleans_a_home_only_the_log_is_unfinished(log: Log) -> None:
    assert beginning(log, NEEDLES) == [Put(UNFINISHED, b"log", b"")]
