"""`kairos policy`: rules in and out of the person's own file, and what an action would get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.home import Home

Run = Callable[..., Any]
MINE = """# mine
mode = "auto"

[[rule]]
name = "hands off CI" # always
effect = "deny"
paths = [".github/**"]
"""


@pytest.fixture
def policy(home: Home) -> Home:
    home.policy_file.write_text(MINE)
    return home


def test_without_a_file_every_action_asks(kairos: Run, home: Home) -> None:
    assert kairos("policy", "ls", "--json").data["rules"] == []
    assert "every action asks" in kairos("policy", "ls").out
    assert kairos("policy", "test", "--path", "a.py", "--json").data["rule"] == "default"
    assert not home.policy_file.exists()


def test_a_rule_is_added_with_its_own_examples_and_comments_stay(kairos: Run, policy: Home) -> None:
    added = kairos("policy", "allow", "docs", "--path", "docs/**", "--detector", "stale-reference", "--json").data
    assert (added["rule"]["examples"], added["mode"]) == (2, "auto")
    assert policy.policy_file.read_text().startswith(MINE)
    listed = kairos("policy", "ls", "--json").data["rules"]
    assert [r["name"] for r in listed] == ["hands off CI", "docs"]
    assert (
        kairos("policy", "test", "--path", "docs/x.md", "--detector", "stale-reference", "--json").data["effect"]
        == "allow"
    )
    assert kairos("policy", "test", "--path", "docs/x.md", "--json").data["effect"] == "ask"
    kairos("policy", "revoke", "docs")
    assert policy.policy_file.read_text().rstrip() == MINE.rstrip()


@pytest.mark.parametrize(
    ("args", "effect", "rule"),
    [
        (["--path", ".github/workflows/ci.yml"], "deny", "hands off CI"),
        (["--path", ".git/hooks/pre-commit"], "deny", "built-in@1"),
        (["--path", "../x"], "deny", "built-in@1"),
        (["--path", "a.py"], "ask", "default"),
        (["--argv", "make test"], "ask", "default"),
    ],
)
def test_what_an_action_would_get_and_why(kairos: Run, policy: Home, args: list[str], effect: str, rule: str) -> None:
    found = kairos("policy", "test", *args, "--json").data
    assert (found["effect"], found["rule"]) == (effect, rule)
    assert effect in kairos("policy", "test", *args).out


def test_of_a_proposal_it_says_what_it_would_get_now(kairos: Run, policy: Home, seeded: Any) -> None:
    (seeded.root / "a.md").write_text("one\n")
    raised = seeded.raise_(seeded.patch("a.md", b"two\n"))
    assert kairos("policy", "test", raised.id, "--json").data["effect"] == "ask"
    kairos("policy", "allow", "notes", "--path", "*.md", "--repo", seeded.root)
    found = kairos("policy", "test", raised.id, "--json").data
    assert (found["effect"], found["rule"], found["matched"]) == ("allow", "notes", ["notes"])
    assert kairos("policy", "ls", "--repo", seeded.root, "--json").data["rules"][-1]["repos"] == [str(seeded.root)]


def test_in_another_mode_a_rule_is_said_to_ask_all_the_same(kairos: Run, home: Home) -> None:
    assert "asks all the same" in kairos("policy", "allow", "docs", "--path", "docs/*").out


@pytest.mark.parametrize(
    "args",
    [
        ["allow", "all"], ["allow", "x", "--detector", "secret"], ["allow", "hands off CI", "--path", "a"],
        ["allow", "x", "--path", "a[", "--example", "b"], ["allow", "x", "--path", "docs/**", "--example", "src/a"],
        ["allow", "x", "--path", "a", "--", "make"], ["test"], ["test", "--argv", "'"],
        ["test", "--path", "a", "--argv", "make"], ["allow", "x", "--path", "a", "--max-risk", "urgent"],
    ],
)  # fmt: skip
def test_what_proves_nothing_or_is_unclear_is_refused_and_the_file_stays(
    kairos: Run, policy: Home, args: list[str]
) -> None:
    said = kairos("policy", *args, "--json")
    assert (said.code, said.out) == (2, "")
    assert policy.policy_file.read_text() == MINE


def test_a_command_is_allowed_by_its_first_words(kairos: Run, policy: Home) -> None:
    kairos("policy", "allow", "tests", "--", "make", "test")
    assert kairos("policy", "test", "--argv", "make test -j2", "--json").data["rule"] == "tests"
    assert kairos("policy", "test", "--argv", "make install", "--json").data["rule"] == "default"


def test_an_unknown_rule_is_not_found(kairos: Run, policy: Home) -> None:
    assert kairos("policy", "revoke", "nothing").code == 4


@pytest.mark.parametrize("text", ["mode = 5\n", "[[rule]]\nname = 1\n", "a = = 1\n", "\0", "[" * 5_000, "x=9" * 9_000])
def test_a_broken_file_is_named_with_its_line_and_refused(kairos: Run, home: Home, text: str) -> None:
    home.policy_file.write_text(text)
    for args in (["ls"], ["test", "--path", "a"], ["allow", "x", "--path", "docs/*"], ["revoke", "x"]):
        said = kairos("policy", *args, "--json")
        assert said.code in (2, 4), args
        assert said.out == ""
    assert home.policy_file.read_text() == text


def test_a_rule_can_be_revoked_from_a_file_with_another_error(kairos: Run, policy: Home) -> None:
    policy.policy_file.write_text(MINE + '\n[[rule]]\nname = "bad"\neffect = "perhaps"\n')
    assert kairos("policy", "ls").code == 2
    assert kairos("policy", "revoke", "bad").code == 0
    assert kairos("policy", "ls").code == 0
