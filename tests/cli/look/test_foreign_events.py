"""What another application stored on the log: shown as what it is, never as it says, and in nobody's way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteDatastore

from kairos.eventlog.sqlite.stock import StockSqliteRecorder
from kairos.settings import Home

TOPIC = "accounts:Opened"
HOSTILE = "accounts:\x1b[31mOpened\u202e"


@pytest.fixture
def foreign(seeded: Any, home: Home) -> list[int]:
    """The positions of three events of another application, the last of a topic made to deceive a terminal."""
    recorder = StockSqliteRecorder(SQLiteDatastore(str(home.log)))
    positions = recorder.insert_events(
        [
            StoredEvent("account", 1, TOPIC, b'{"token":"ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"}'),
            StoredEvent("account", 2, TOPIC, b"\xff\x1b[2J"),
            StoredEvent("account", 3, HOSTILE, b"{}"),
        ]
    )
    recorder.close()
    return positions


def test_a_script_gets_what_is_known_of_it_and_not_the_content(kairos: Any, foreign: list[int]) -> None:
    said = kairos("log", "--json", "--after", foreign[0] - 1)
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(r["position"], r["type"], r["origin"], r["v"]) for r in rows] == [
        (foreign[0], TOPIC, "foreign", 0), (foreign[1], TOPIC, "foreign", 0), (foreign[2], HOSTILE, "foreign", 0),
    ]  # fmt: skip
    assert [r["data"] for r in rows] == [{"bytes": 54}, {"bytes": 5}, {"bytes": 2}]
    assert "ghp_" not in said.out


def test_a_person_sees_a_line_and_nothing_reaches_the_terminal(kairos: Any, foreign: list[int]) -> None:
    said = kairos("log", "--after", foreign[0] - 1)
    assert said.code == 0
    assert [line.split("  ")[-1].strip() for line in said.out.splitlines()] == [
        "54 bytes of another application", "5 bytes of another application", "2 bytes of another application",
    ]  # fmt: skip
    assert "\x1b" not in said.out and "\u202e" not in said.out and "\\x1b" in said.out


def test_its_types_can_be_asked_for(kairos: Any, foreign: list[int]) -> None:
    said = kairos("log", "--json", "--type", TOPIC)
    assert [json.loads(line)["position"] for line in said.out.splitlines()] == foreign[:2]


@pytest.mark.parametrize(
    "command",
    [["status"], ["inbox"], ["doctor"], ["why-not"], ["log", "verify"], ["compact"], ["replay"], ["dream"]],
    ids=" ".join,
)
def test_no_command_minds_it(kairos: Any, foreign: list[int], command: list[str]) -> None:
    before = kairos("log", "verify", "--json").data
    assert before["ok"] and before["head"] == foreign[-1]
    said = kairos(*command, "--json")
    if command == ["doctor"]:
        assert {check["name"]: check["state"] for check in said.data["checks"]}["log"] == "ok"
    else:
        assert said.code == 0, said.err
    assert kairos("log", "verify", "--json").data["ok"]


def test_why_says_what_it_is(kairos: Any, foreign: list[int]) -> None:
    said = kairos("why", str(foreign[2]))
    assert said.code == 0, said.err
    assert "2 bytes of another application" in said.out
    assert "\x1b" not in said.out


def test_it_can_be_forgotten(kairos: Any, foreign: list[int]) -> None:
    assert kairos("forget", "--position", str(foreign[0]), "-m", "mine", "--yes", "--json").code == 0
    assert kairos("log", "verify", "--json").data["ok"]
    rows = kairos("log", "--json", "--type", TOPIC).out.splitlines()
    assert [json.loads(line)["position"] for line in rows] == foreign[1:2]
