"""One rule goes in or out of a policy; nothing else in the file changes."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.acting.policy_edit import with_rule, without_rule
from kairos.domain.policy import Example, Rule, parse
from kairos.errors import NotFound, UsageError

MINE = """# my rules
mode = "auto"   # I trust it

# never CI
[[rule]]
name = "hands off CI"
effect = "deny"
paths = [ ".github/**" ]  # all of it
"""


def rule(name: str = "docs", paths: list[str] | None = None) -> Rule:
    return Rule(
        name=name, effect="allow", kind="patch", paths=paths or ["docs/**"],
        examples=[Example(expect="match", paths=["docs/a.md"]), Example(expect="no-match", paths=["src/a"])],
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", MINE, 'mode = "suggest"\n', "# only words\n", "rule = []\n"])
def test_a_rule_goes_in_and_out_and_the_rest_stays(text: str) -> None:
    if text == "rule = []\n":
        with pytest.raises(UsageError):
            with_rule(text, rule(), "policy.toml")
        return
    added = with_rule(text, rule(), "policy.toml")
    assert added.startswith(text.rstrip("\n"))
    policy = parse(tomllib.loads(added), "policy.toml")
    assert policy.rules[-1] == rule()
    gone = without_rule(added, "docs", "policy.toml")
    assert tomllib.loads(gone) == tomllib.loads(text)
    assert [line for line in text.splitlines() if "#" in line] == [x for x in gone.splitlines() if "#" in x]


@pytest.mark.parametrize("text", ["", MINE])
def test_a_rule_that_is_not_there_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        without_rule(text, "docs", "policy.toml")


@pytest.mark.parametrize("text", ["rule = 5\n", "[rule]\nname = 1\n", 'rule = [{name = "a", effect = "deny"}]\n'])
def test_a_layout_that_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        with_rule(text, rule(), "policy.toml")
    with pytest.raises((UsageError, NotFound)):
        without_rule(text, "a", "policy.toml")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_any_name_and_pattern_survives_the_file(names: list[str]) -> None:
    text = MINE
    for name in names:
        text = with_rule(text, Rule(name=name, effect="allow", paths=[name]), "policy.toml")
    assert [r["name"] for r in tomllib.loads(text)["rule"]] == ["hands off CI", *names]
    for name in names:
        text = without_rule(text, name, "policy.toml")
    assert tomllib.loads(text) == tomllib.loads(MINE)
