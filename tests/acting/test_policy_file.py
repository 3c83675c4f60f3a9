"""A person's rules are taken whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.acting.policy_file import load_policy
from kairos.domain.policy import Policy
from kairos.errors import Denied, UsageError
from kairos.home import Home

RULE = '[[rule]]\nname = "hands-off"\neffect = "deny"\npaths = ["a.txt"]\n'


def test_without_a_file_everything_asks(home: Home) -> None:
    assert load_policy(home.policy_file) == Policy()


def test_the_rules_of_the_file_are_read(home: Home) -> None:
    home.policy_file.write_text(RULE)
    assert [rule.name for rule in load_policy(home.policy_file).rules] == ["hands-off"]


@pytest.mark.parametrize(
    "raw",
    [b"[[rule]", b"\xff\xfe", b"a = " + b"9" * 5_000, b"a = " + b"[" * 100_000, RULE.encode() + b"a ="],
    ids=["no TOML", "no UTF-8", "a number of thousands of digits", "too deep", "cut off"],
)
def test_a_file_that_cannot_be_read_as_toml_gives_no_rule_at_all(home: Home, raw: bytes) -> None:
    home.policy_file.write_bytes(raw)
    with pytest.raises(UsageError, match=r"policy\.toml is not valid TOML") as caught:
        load_policy(home.policy_file)
    assert "Correct the file" in caught.value.hint


def test_a_rule_that_means_nothing_refuses_the_file(home: Home) -> None:
    home.policy_file.write_text(RULE + '[[rule]]\nname = "x"\neffect = "perhaps"\n')
    with pytest.raises(UsageError, match=r"policy\.toml"):
        load_policy(home.policy_file)


def test_a_file_that_is_a_directory_is_no_policy(home: Home) -> None:
    home.policy_file.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load_policy(home.policy_file)


def test_rules_that_others_can_write_are_refused(home: Home) -> None:
    home.policy_file.write_text(RULE)
    home.policy_file.chmod(0o666)
    with pytest.raises(Denied):
        load_policy(home.policy_file)


def test_the_file_is_named_in_errors(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "mine.toml").write_text("?")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_policy(tmp_path / "mine.toml")
