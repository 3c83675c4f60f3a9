"""One moment: whatever is appended, saved or compacted meanwhile, all that is read is of one state of the log."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kairos.domain.events import Paused, RepoTrusted
from kairos.errors import IntegrityError, NotFound
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.log import Log
from kairos.eventlog.moment import Moment, at_one_moment
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.projection import keep_views
from kairos.eventlog.views.repositories import RepositoriesView


def trust(log: Log, number: int) -> None:
    event = RepoTrusted(repo=f"repo-{number}", root=f"/r{number}", dev=1, ino=number, by="user")
    log.append([NewEvent(event.repo, event, None, "user")])


def meanwhile(work: Callable[[], None]) -> None:
    """Does it as another process would: on connections that this thread does not use."""
    with ThreadPoolExecutor(1) as other:
        other.submit(work).result()


def known(moment: Moment) -> list[str]:
    return sorted(moment.view(RepositoriesView()).by_id)


def test_what_is_appended_meanwhile_is_of_the_next_moment(any_log: Log) -> None:
    trust(any_log, 1)
    other = Log(any_log.path, url=any_log.url)

    def append_and_save() -> None:
        trust(other, 2)
        keep_views(other, log_views())
        other.close()

    def build(moment: Moment) -> tuple[int, int, list[str], list[str]]:
        before = any_log.head()
        meanwhile(append_and_save)
        return before, any_log.head(), known(moment), sorted(RepositoriesView().load(any_log)[0].by_id)

    assert at_one_moment(any_log, build) == (1, 1, ["repo-1"], ["repo-1"])
    assert at_one_moment(any_log, known) == ["repo-1", "repo-2"]


def test_a_view_is_loaded_once_a_moment(any_log: Log) -> None:
    trust(any_log, 1)
    assert at_one_moment(any_log, lambda m: m.view(RepositoriesView()) is m.view(RepositoriesView()))


def test_a_moment_within_another_is_the_same(any_log: Log) -> None:
    trust(any_log, 1)
    other = Log(any_log.path, url=any_log.url)

    def append() -> None:
        trust(other, 2)
        other.close()

    def build(moment: Moment) -> list[str]:
        assert any_log.head() == 1
        meanwhile(append)
        return at_one_moment(any_log, known)

    assert at_one_moment(any_log, build) == ["repo-1"]
    assert any_log.head() == 2


def test_an_error_ends_the_moment(any_log: Log) -> None:
    trust(any_log, 1)
    with pytest.raises(NotFound):
        at_one_moment(any_log, lambda moment: any_log.at(99))
    trust(any_log, 2)
    assert any_log.head() == 2
    assert len(list(any_log.read())) == 2


def test_without_a_log_every_view_is_empty() -> None:
    assert at_one_moment(None, known) == []


def test_a_segment_that_is_rewritten_meanwhile_is_read_anew(past: Any) -> None:
    past.busy(20)
    log: Log = past.log
    compact(log)
    compactor = Log(log.path)
    heads: list[int] = []

    def build(moment: Moment) -> int:
        heads.append(log.head())
        if len(heads) == 1:
            assert fold(compactor, past.ALL).segments
        return sum(1 for _ in log.read())

    assert at_one_moment(log, build) == len(list(log.read()))
    assert len(heads) == 2 and heads[1] > heads[0]
    compactor.close()


def test_a_segment_that_is_lost_for_good_is_still_damage(log: Log) -> None:
    for number in range(40):
        log.append([NewEvent("pause", Paused(until=number))])
    compact(log)
    for file in log.segments.glob("*.parquet"):
        file.unlink()
    with pytest.raises(IntegrityError):
        at_one_moment(log, lambda moment: list(log.read()))
