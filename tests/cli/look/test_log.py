"""`log` and its proof."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from typing import Any

import pytest

from kairos.desk.reading import position_before
from kairos.domain import events as ev


def _lines(said: Any) -> list[Any]:
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def test_the_log_is_one_bare_object_a_line(kairos: Any, seeded: Any) -> None:
    rows = _lines(kairos("log", "--json"))
    assert [r["position"] for r in rows] == [1, 2, 3, 4, 5]
    first = rows[0]
    assert list(first) == [
        "position", "type", "v", "at", "stream", "version", "caused_by", "correlation", "origin", "data",
    ]  # fmt: skip
    assert (first["type"], first["caused_by"], first["correlation"], first["origin"]) == (
        "RepoTrusted",
        None,
        1,
        "user",
    )
    assert first["data"]["root"] == str(seeded.root)
    assert first["at"].endswith("Z") and len(first["at"]) == 27
    assert rows[3]["caused_by"] == 3 and rows[3]["correlation"] == 3


def test_fields_with_their_default_are_there_for_scripts(kairos: Any, seeded: Any) -> None:
    change = ev.Change(path="a", kind="created")
    seeded.append(ev.FilesChanged(repo=seeded.id, burst="b", part=1, parts=1, changes=[change]), seeded.id)
    data = _lines(kairos("log", "--json", "--type", "FilesChanged"))[0]["data"]
    assert data["cause"] is None
    assert data["changes"] == [{"kind": "created", "path": "a"}]


def test_after_type_and_limit_choose(kairos: Any, seeded: Any) -> None:
    assert [r["position"] for r in _lines(kairos("log", "--json", "--after", "3"))] == [4, 5]
    assert [r["position"] for r in _lines(kairos("log", "--json", "--limit", "2"))] == [1, 2]
    both = _lines(kairos("log", "--json", "--type", "GitMoved", "--type", "RepoTrusted"))
    assert [r["type"] for r in both] == ["RepoTrusted", "GitMoved"]
    assert _lines(kairos("log", "--json", "--limit", "0")) == []


def test_an_event_type_that_does_not_exist_is_a_usage_error(kairos: Any, seeded: Any) -> None:
    said = kairos("log", "--type", "Nonsense")
    assert said.code == 2
    assert "FilesChanged" in said.err


def test_since_takes_durations_and_times(kairos: Any, seeded: Any) -> None:
    assert len(_lines(kairos("log", "--json", "--since", "1h"))) == 5
    assert _lines(kairos("log", "--json", "--since", "2999-01-01")) == []
    assert kairos("log", "--since", "whenever").code == 2


def test_the_position_before_a_time_is_found_by_bisection(seeded: Any, home: Any) -> None:
    from kairos.desk.desk import Desk

    desk = Desk()
    for recorded in list(seeded.log.read()):
        assert position_before(desk, recorded.at) < recorded.position
        assert position_before(desk, recorded.at + 1) >= recorded.position
    desk.close()


def test_follow_prints_what_comes_later_at_once(seeded: Any, kairos_command: list[str]) -> None:
    command = [*kairos_command, "log", "--follow", "--json", "--after", "5", "--limit", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        position = seeded.append(ev.Resumed())
        assert json.loads(child.stdout.readline())["position"] == position
        assert child.wait(20) == 0


def test_an_event_that_this_program_does_not_know_is_exit_9(kairos: Any, seeded: Any, home: Any) -> None:
    seeded.log.close()
    with sqlite3.connect(home.log) as db:
        db.execute("UPDATE events SET topic = 'FromTheFuture' WHERE position = 4")
    db.close()
    said = kairos("log", "--json")
    assert (said.code, said.error["name"]) == (9, "integrity")
    assert "FromTheFuture" in said.error["message"] and "upgrade" in said.error["hint"]
    assert len(said.out.splitlines()) >= 0


def test_a_corrupt_database_is_exit_9_and_says_what_to_do(kairos: Any, home: Any) -> None:
    home.log.parent.mkdir(parents=True, exist_ok=True)
    home.log.write_bytes(b"this is no database" * 500)
    for args in (["status"], ["inbox"], ["log"], ["log", "verify"], ["log", "anchor"]):
        said = kairos(*args, "--json")
        assert (said.code, said.error["name"]) == (9, "integrity")
        assert "backup" in said.error["hint"]
    assert home.log.read_bytes() == b"this is no database" * 500


def test_verify_answers_in_its_shape_even_where_no_row_can_be_read(kairos: Any, seeded: Any, home: Any) -> None:
    seeded.log.close()
    content = home.log.read_bytes()
    for leftover in home.log.parent.glob("log.db-*"):
        leftover.unlink()
    home.log.write_bytes(content[:4096] + b"\xaa" * (len(content) - 4096))
    said = kairos("log", "verify", "--json")
    assert (said.code, said.error["name"], said.data["ok"]) == (9, "integrity", False)
    assert "malformed" in said.data["problems"][0]["what"]
    assert "backup" in said.error["hint"]


def test_a_changed_event_is_named_and_exits_9(kairos: Any, seeded: Any, home: Any) -> None:
    assert kairos("log", "verify").code == 0
    seeded.log.close()
    with sqlite3.connect(home.log) as db:
        db.execute("UPDATE events SET state = replace(state, 'commit', 'commIt') WHERE position = 4")
    db.close()
    said = kairos("log", "verify", "--json")
    assert said.code == 9
    assert said.data["ok"] is False
    assert 4 in [p.get("position") for p in said.data["problems"]]
    assert "position 4" in kairos("log", "verify").out


def test_an_anchor_that_was_noted_must_still_be_there(kairos: Any, seeded: Any) -> None:
    anchor = kairos("log", "anchor").out.strip()
    seeded.append(ev.Resumed())
    assert kairos("log", "verify", "--anchor", anchor).code == 0
    position, _, link = anchor.partition(":")
    wrong = f"{position}:{link[::-1]}"
    assert kairos("log", "verify", "--anchor", wrong).code == 9
    assert kairos("log", "verify", "--anchor", f"99:{link}").code == 9
    for bad in ("", "5", "x:y", f"{position}:abc"):
        assert kairos("log", "verify", "--anchor", bad).code == 2


def test_an_export_into_a_directory_that_is_not_there_is_a_usage_error(kairos: Any, seeded: Any, tmp_path: Any) -> None:
    said = kairos("log", "export", str(tmp_path / "none" / "log.jsonl"), "--json")
    assert (said.code, said.error["name"]) == (2, "usage")


def test_n_gives_the_last_events_newest_last(kairos: Any, seeded: Any) -> None:
    every = kairos("log", "--json").out.splitlines()
    assert kairos("log", "-n", "2", "--json").out.splitlines() == every[-2:]
    assert kairos("log", "-n", "0", "--json").out == ""
    assert kairos("log", "-n", "99", "--json").out.splitlines() == every
    turns = [line for line in every if '"type":"TurnStarted"' in line]
    assert kairos("log", "-n", "1", "--type", "TurnStarted", "--json").out.splitlines() == turns[-1:]
    for flags in (("--limit", "1"), ("--follow",)):
        assert kairos("log", "-n", "1", *flags).code == 2


def test_on_a_terminal_the_log_pages_and_fits(seeded: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "head -n 1")
    screen = terminal("log", size=(40, 10))
    screen.shows("1  20")
    assert screen.end() == 0
    assert "TurnStarted" not in "\n".join(screen.shown)
    monkeypatch.setenv("PAGER", "")
    for size in ((40, 30), (60, 30), (80, 30), (200, 50)):
        screen = terminal("log", size=size)
        screen.shows("TurnStarted")
        assert screen.end() == 0
        assert all(len(line) <= size[0] for line in screen.shown)
        wrapped = [line for line in screen.shown if line and not line.startswith(" ")]
        assert wrapped == []


def test_the_last_none_of_the_log_is_refused(kairos: Any, seeded: Any) -> None:
    said = kairos("log", "-n", "0")
    assert said.code == 2 and "0 is not in the range" in said.err
