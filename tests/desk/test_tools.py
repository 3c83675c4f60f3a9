"""The tools of a turn, as a record."""

from __future__ import annotations

import msgspec

from kairos.desk.tools import tools

SCRATCH = {"write_file", "edit_file", "apply_patch", "bash", "run_checks", "job"}
"""What changes the scratch tree of a turn, or runs on it."""


def test_every_tool_says_what_it_is_for_and_what_it_takes() -> None:
    found = tools()
    assert {"propose_patch", "nothing"} <= {tool.name for tool in found}
    for tool in found:
        assert tool.description and tool.level == (1 if tool.name in SCRATCH else 0)
        assert tool.schema["type"] == "object" and set(tool.schema.get("required", [])) <= set(
            tool.schema["properties"]
        )
        assert msgspec.json.decode(msgspec.json.encode(tool))["name"] == tool.name
