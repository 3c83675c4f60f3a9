"""An answer is made of one state of the log, whoever appends meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kairos.daemon.all_views import kept_views
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox, repositories
from kairos.eventlog.log import Log
from kairos.eventlog.sqlite.queries import SqliteDatabase
from kairos.eventlog.views.projection import keep_views
from kairos.home import Home


class States:
    """Counts the states of the log that are read: each transaction is one, and each query outside of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = self._depth = 0
        snapshot, every = SqliteDatabase.snapshot, SqliteDatabase.all

        @contextmanager
        def counted(database: SqliteDatabase) -> Iterator[None]:
            self.count += not self._depth
            self._depth += 1
            try:
                with snapshot(database):
                    yield
            finally:
                self._depth -= 1

        def queried(database: SqliteDatabase, *args: Any) -> Any:
            self.count += not self._depth
            return every(database, *args)

        monkeypatch.setattr(SqliteDatabase, "snapshot", counted)
        monkeypatch.setattr(SqliteDatabase, "all", queried)


@pytest.fixture
def filled(seeded: Any) -> Any:
    """A log with proposals of every kind, and kept views."""
    seeded.first = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    seeded.raise_(seeded.note(), seed="b")
    keep_views(seeded.log, kept_views())
    seeded.raise_(seeded.note("c"), seed="c", risk="high")
    return seeded


@pytest.mark.parametrize(
    "args",
    [
        [], ["status"], ["status", "--json"], ["status", "--short"], ["inbox"], ["inbox", "--all"], ["inbox", "--json"],
        ["inbox", "--repo", "ROOT"], ["show", "ID"], ["show", "ID", "--json"], ["why", "ID"], ["why", "COMMIT"],
        ["why", "3"], ["why-not"], ["why-not", "--since", "2h", "--repo", "ROOT"], ["memory", "ls", "--repo", "ROOT"],
        ["memory", "recall", "pay"], ["memory", "related", "README.md"], ["replay", "--at", "6"],
        ["replay", "--at", "2h"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_answer_is_read_from_one_state(
    kairos: Any, filled: Any, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    named = {"ID": filled.first.id, "COMMIT": filled.oid[:8], "ROOT": str(filled.root)}
    states = States(monkeypatch)
    said = kairos(*(named.get(a, a) for a in args))
    assert said.code == 0, said
    assert states.count == 1


def test_a_proposal_that_comes_in_between_is_in_the_next_answer(home: Home, filled: Any) -> None:
    desk = Desk()

    def build() -> tuple[set[str], set[str], int]:
        before = set(inbox(desk).proposals)
        filled.raise_(filled.note("d"), seed="d")
        keep_views(filled.log, kept_views())
        return before, {p.id for p in inbox(desk).pending()}, len(repositories(desk).by_id)

    before, after, _ = desk.at_one_moment(build)
    assert before == after and len(before) == 3
    assert len(inbox(desk).proposals) == 4
    desk.close()


def test_a_log_that_begins_in_between_is_in_the_next_answer(home: Home, repo: Any, kairos: Any) -> None:
    desk = Desk()

    def build() -> tuple[int, int]:
        before = len(repositories(desk).by_id)
        assert kairos("init", repo.root, "--yes").code == 0
        return before, len(repositories(desk).by_id)

    assert desk.at_one_moment(build) == (0, 0)
    assert len(repositories(desk).by_id) == 1
    desk.close()


@pytest.mark.slow
def test_looking_while_proposals_arrive_never_fails(kairos: Any, filled: Any, home: Home) -> None:
    stop = threading.Event()

    def arrive() -> None:
        log = Log(home.log)
        filled.log = log
        number = 0
        while not stop.is_set() and number < 400:
            number += 1
            filled.raise_(filled.note(str(number)), seed=f"n{number}")
            if number % 5 == 0:
                keep_views(log, kept_views())
        log.close()

    writer = threading.Thread(target=arrive)
    writer.start()
    try:
        seen = 0
        while writer.is_alive() and seen < 400:
            rows = kairos("inbox", "--json")
            assert rows.code == 0
            assert len(rows.data) >= seen
            seen = len(rows.data)
            text = kairos("inbox").out.splitlines()
            assert text[-1].split()[0] == str(len(text) - 3)  # the foot counts what is listed
            assert kairos("status", "--json").data["inbox"]["pending"] >= seen
    finally:
        stop.set()
        writer.join()
