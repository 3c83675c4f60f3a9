"""A rule that is added proves itself, and one that would break the file is not written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.acting.policy_file import load_policy
from kairos.desk.desk import Desk
from kairos.desk.ruling import Case, allow, policy, revoke, verdict_on_case
from kairos.errors import UsageError

PATTERNS = st.text(st.sampled_from("ab/*?.[]{}!\\ é"), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=PATTERNS, name=st.text(st.sampled_from("ab \"'\n"), min_size=1, max_size=4))
def test_whatever_is_added_can_be_read_again_and_holds_for_its_examples(desk: Desk, pattern: str, name: str) -> None:
    desk.home.policy_file.unlink(missing_ok=True)
    try:
        added = allow(desk, name, Case(paths=[pattern]))
    except UsageError:
        assert not desk.home.policy_file.exists(), "refused whole"
        return
    assert added.rule is not None and added.rule.examples >= 1
    [rule] = load_policy(desk.home.policy_file).rules
    assert all(rule.matches(e.subject()) == (e.expect == "match") for e in rule.examples)
    revoke(desk, name)
    assert policy(desk, None).rules == []


def test_a_name_stands_once(desk: Desk) -> None:
    allow(desk, "docs", Case(paths=["docs/**"]))
    before = desk.home.policy_file.read_text()
    with pytest.raises(UsageError, match="a name of its own"):
        allow(desk, "docs", Case(paths=["src/**"]))
    assert desk.home.policy_file.read_text() == before


def test_a_broken_file_is_not_added_to(desk: Desk) -> None:
    desk.home.policy_file.write_text("mode = 5\n")
    with pytest.raises(UsageError):
        allow(desk, "docs", Case(paths=["docs/**"]))
    assert desk.home.policy_file.read_text() == "mode = 5\n"


def test_files_and_a_command_at_once_are_no_action(desk: Desk) -> None:
    with pytest.raises(UsageError):
        verdict_on_case(desk, Case(paths=["a"], argv=["make"]), None)


def test_rules_that_are_added_at_once_are_all_kept(desk: Desk) -> None:
    names = [f"rule {n}" for n in range(12)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: allow(desk, name, Case(paths=[f"{name}/**"])), names))
    assert sorted(rule.name for rule in policy(desk, None).rules) == sorted(names)
