from __future__ import annotations

import pytest

from kairos.agent.outputs import EXPLAIN, REVIEW
from kairos.agent.tools.catalogue import READERS, SCRATCH, allowed, catalogue, offered


def test_every_tool_has_its_level_and_a_closed_schema() -> None:
    tools = catalogue()
    assert [t["name"] for t in tools] == [
        "read_file", "glob_search", "grep_search", "git_status", "git_log", "git_show", "git_diff", "git_blame",
        "recall", "write_file", "edit_file", "apply_patch", "bash", "run_checks", "job", "propose_patch", "nothing",
    ]  # fmt: skip
    assert {t["name"] for t in tools if t["level"] == 1} == set(SCRATCH)
    assert {t["level"] for t in tools} == {0, 1}
    assert all(t["schema"]["additionalProperties"] is False and t["description"] for t in tools)
    assert "$ref" not in repr(tools) and all("\n" not in t["description"] for t in tools)


def test_the_last_call_is_offered_the_answers_only() -> None:
    assert [t["function"]["name"] for t in offered(READERS, True)] == ["propose_patch", "nothing"]
    assert len(offered(READERS, False)) == len(READERS) + 2


@pytest.mark.parametrize("kind", [REVIEW, EXPLAIN])
def test_turns_that_may_propose_a_change_of_their_own_may_work_on_a_scratch_tree(kind: str) -> None:
    assert set(allowed(kind, 1)) == {*READERS, *SCRATCH}
    assert set(allowed(kind, 0)) == set(READERS), "where a policy only observes"


def test_every_other_kind_of_turn_only_reads() -> None:
    assert set(allowed("", 1)) == set(allowed("brief", 1)) == set(READERS)
