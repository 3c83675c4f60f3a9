"""`status`: what the daemon says of itself, and what the log says without one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from cli.look.status import budget
from kairos._version import VERSION
from kairos.daemon.presence import RepoStatus, Status, claim, publish
from kairos.desk.records.repositories import TodayOut
from kairos.domain.events import ProposalParked


def test_a_daemon_of_another_version_is_noticed(kairos: Any, home: Any, repo: Any) -> None:
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        assert kairos("status").err == ""
        publish(home, Status(pid=os.getpid(), program="0.0.9", repos=[]))
        said = kairos("status", "--json")
        assert said.code == 0 and said.data["daemon"] == {"running": True, "pid": os.getpid()}
        assert "the daemon is version 0.0.9" in said.err
        assert "version" in [c["name"] for c in kairos("doctor", "--json").data["checks"] if c["state"] == "problem"]


def test_status_shows_what_the_daemon_says(kairos: Any, seeded: Any, home: Any) -> None:
    why = "2 directories are polled. Raise the limit."
    told = RepoStatus(path=str(seeded.root), state="degraded", directories=9, watched=7, polled=2, ignored=1, why=why)
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[told]))
        data = kairos("status", "--json").data
        counted = {"directories": 9, "watched": 7, "polled": 2, "ignored": 1, "why": why}
        mine = {"repo": seeded.id, "paused": False, "paused_until": None}
        assert data["repos"] == [{"path": str(seeded.root), "state": "degraded", **counted, "held_by": None, **mine}]
        assert data["log"]["head"] == data["log"]["events"] == 5
        assert data["log"]["bytes"] > 0
        assert "1 degraded" in kairos("status", "--short").out
        assert "2 polled" in kairos("status").out and f"→ {why}" in kairos("status").out
    assert kairos("status", "--json").data["repos"][0]["state"] == "stopped"


@pytest.mark.parametrize(
    ("told", "untold", "repos", "said"),
    [
        (3, 2, 1, "3 told, at most 4 a day"),
        (4, 2, 1, "4 told, at most 4 a day, 2 more in the inbox"),
        (6, 1, 2, "6 told, at most 4 a day of one repository, 12 of all, 1 more in the inbox"),
        # some were of a repository that is not watched any more
        (6, 0, 1, "6 told, at most 4 a day of one repository, 12 of all"),
    ],
)
def test_what_was_told_is_counted_against_the_limit_that_it_has(told: int, untold: int, repos: int, said: str) -> None:
    today = TodayOut(
        model_calls=0, spent_usd=0, turns=0, told=told, per_day=4, per_day_total=12, untold=untold
    )  # fmt: skip
    assert budget(today, repos) == said


def test_a_reason_breaks_between_words_on_a_narrow_terminal(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.note())
    why = "commit 77ab12000000 is in branch f, and not in the history of what is checked out"
    seeded.append(ProposalParked(id=raised.id, why=why), f"proposal-{raised.id}")
    screen = terminal("status", size=(40, 30))
    assert screen.end() == 0
    arrow = next(n for n, line in enumerate(screen.shown) if "→" in line)
    rows = screen.shown[arrow : arrow + 4]
    assert all(row.startswith("    ") for row in rows[1:]), rows
    assert set(" ".join(rows).split()) <= {"→", "1", "parked:", *why.split(), "(kairos", "inbox", "--parked)"}
