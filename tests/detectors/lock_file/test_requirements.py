"""Requirements are read as far as they are certain, and never wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.lock_file.requirements import allows, plain_name, required_name, version_of

NUMBER = st.integers(0, 12)
VERSION = st.tuples(NUMBER, NUMBER, NUMBER)


def text(parts):
    return ".".join(map(str, parts))


@pytest.mark.parametrize(
    ("requirement", "version", "answer"),
    [
        ("1.2.3", "1.9.0", True), ("1.2.3", "1.2.2", False), ("1", "2.0.0", False), ("0.2", "0.3.0", False),
        ("0.0.3", "0.0.4", False), ("0", "0.9.1", True), ("^0.0", "0.0.9", True), ("^0.0", "0.1.0", False),
        ("~1.2", "1.2.9", True), ("~1.2", "1.3.0", False), ("~1", "1.9.0", True), ("=1.2", "1.2.9", True),
        ("=1.2.3", "1.2.4", False), (">=1, <2", "1.5.0", True), (">=1, <2", "2.0.0", False), (">1", "1.9.0", False),
        (">1", "2.0.0", True), ("<=1", "1.9.0", True), ("*", "1.0.0", None), ("1.*", "1.0.0", None),
        ("1.0.0-rc.1", "1.0.0", None), ("1", "1.0.0-rc.1", None), ("", "1.0.0", None), ("1.2", "1.0.0.4", None),
    ],
)  # fmt: skip
def test_a_requirement_is_read_as_its_tool_reads_it(requirement, version, answer):
    assert allows(requirement, version) is answer


@given(VERSION, VERSION)
def test_a_caret_allows_only_what_is_not_older_and_keeps_the_first_number_that_counts(low, found):
    if allows(text(low), text(found)):
        assert found >= low
        first = next((n for n in range(3) if low[n]), 2)
        assert found[: first + 1] == low[: first + 1]
    else:
        assert found != low


@given(VERSION, VERSION, st.sampled_from([">=", ">", "<", "<=", "="]))
def test_comparisons_of_whole_versions_are_those_of_numbers(low, found, operator):
    wanted = {">=": found >= low, ">": found > low, "<": found < low, "<=": found <= low, "=": found == low}
    assert allows(operator + text(low), text(found)) is wanted[operator]


@given(st.text(max_size=40), st.text(max_size=20))
def test_hostile_text_is_never_certain_by_accident(requirement, version):
    assert allows(requirement, version) in (True, False, None)
    assert version_of(version) is None or version.strip().removeprefix("v")[0].isdigit()
    assert required_name(requirement) is None or plain_name(requirement)


def test_names_are_normalised():
    assert plain_name("My_App.core") == "my-app-core" and required_name(" Flask[async] >=2 ; x") == "flask"
