"""`tools`: what a turn with a model may call."""

from __future__ import annotations

from typing import Any

from kairos.desk.tools import tools


def test_a_person_sees_each_tool_on_a_line_and_a_script_its_schema(kairos: Any) -> None:
    shown, found = kairos("tools").out, kairos("tools", "--json").data
    assert [t["name"] for t in found] == [t.name for t in tools()]
    assert all(t["schema"]["type"] == "object" for t in found)
    lines = shown.splitlines()
    assert lines[0].split() == ["NAME", "LEVEL"]
    assert [line.split()[0] for line in lines[1:]] == [t["name"] for t in found]
