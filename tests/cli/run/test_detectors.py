"""`detectors` and `detectors reset`."""

from __future__ import annotations

from typing import Any

from tests.desk.test_learning import reject


def test_the_table_shows_state_precision_and_the_last_five(kairos: Any, seeded: Any) -> None:
    reject(seeded, 5)
    said = kairos("detectors")
    row = next(line for line in said.out.splitlines() if line.split()[:1] == ["stale-reference"])
    assert "silenced" in row and "0 of 5" in row and "14% (0%–46%)" in row
    assert "0 of 5 findings were welcome, so at most 46% are (95 %), below the floor of 50%" in said.out
    assert "kairos detectors reset stale-reference" in said.out and said.out.count("(rejected)") == 5
    found = {d["detector"]: d for d in kairos("detectors", "--json").data}
    assert found["stale-reference"]["state"] == "silenced" and found["secret"]["state"] == "on"


def test_a_reset_is_said_and_ends_the_silence(kairos: Any, seeded: Any) -> None:
    reject(seeded, 5)
    assert "is silent" in kairos("status").out
    said = kairos("detectors", "reset", "stale-reference", "--repo", seeded.root, "--path", "docs")
    assert said.code == 0 and "starts anew below docs" in said.out and "5 lessons forgotten" in said.out
    assert "is silent" not in kairos("status").out
    assert kairos("detectors", "reset", "nonsense").code == 2
    assert kairos("detectors", "reset", "secret", "--path", "docs").code == 2


def test_a_hostile_directory_name_is_shown_inert(kairos: Any, seeded: Any) -> None:
    reject(seeded, 5, "do\x1b[31mcs/a.md")
    assert "\x1b[31m" not in kairos("detectors").out + kairos("status").out + kairos("why-not").out


def test_an_own_detector_is_declared_switched_and_removed(kairos: Any, seeded: Any) -> None:
    said = kairos("detectors", "add", "todo", "--seconds", "2", "--", "python3", "todo.py", "{question}")
    assert said.code == 0 and "in shadow: python3 todo.py '{question}'" in said.out and "kairos backtest" in said.out
    assert kairos("detectors", "add", "todo", "--json", "--", "true").data["command"] == ["true"]
    row = next(line for line in kairos("detectors").out.splitlines() if line.split()[:1] == ["todo"])
    assert "shadow" in row
    for verb, state in (("promote", "on"), ("shadow", "shadow"), ("off", "off")):
        assert kairos("detectors", verb, "todo", "--json").data["state"] == state
    assert kairos("detectors", "rm", "todo").code == 0
    assert kairos("detectors", "rm", "todo").code == 4
    assert kairos("detectors", "promote", "nonsense").code == 2
    assert kairos("detectors", "add", "secret", "--", "true").code == 2
    assert kairos("detectors", "add", "todo").code == 2
