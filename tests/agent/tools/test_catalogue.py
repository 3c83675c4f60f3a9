from __future__ import annotations

from kairos.agent.tools.catalogue import READERS, catalogue, offered


def test_every_tool_is_level_0_and_has_a_closed_schema() -> None:
    tools = catalogue()
    assert [t["name"] for t in tools] == [
        "read_file", "glob_search", "grep_search", "git_status", "git_log", "git_show", "git_diff", "git_blame",
        "recall", "propose_patch", "nothing",
    ]  # fmt: skip
    assert {t["level"] for t in tools} == {0}
    assert all(t["schema"]["additionalProperties"] is False and t["description"] for t in tools)
    assert "$ref" not in repr(tools) and all("\n" not in t["description"] for t in tools)


def test_the_last_call_is_offered_the_answers_only() -> None:
    assert [t["function"]["name"] for t in offered(True)] == ["propose_patch", "nothing"]
    assert len(offered(False)) == len(READERS) + 2
