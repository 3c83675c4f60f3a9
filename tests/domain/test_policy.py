"""Policy: the strictest wins, silence asks, examples are checked, and the built-in denies cannot be allowed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.acting.policy_file import load_policy
from kairos.domain.action import CommandAction, FileEdit, FileState, NoteAction, PatchAction, edit
from kairos.domain.globs import matches
from kairos.domain.policy import Policy, parse, unsafe_path
from kairos.errors import UsageError

ALLOW_ALL = {"mode": "auto", "rule": [{"name": "all", "effect": "allow"}]}


def patch(*paths: str) -> PatchAction:
    return PatchAction(repo="r", edits=[edit(p, (b"a\n", 0o644), (b"b\n", 0o644)) for p in paths])


def effect(policy: Policy, action: Any, risk: Any = "low", **fields: str) -> str:
    return policy.decide(action, risk=risk, **fields).effect


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../x", "a//b", "./a", "a/.", "", "a\0b", ".git/hooks/pre-commit", ".GIT/config",
     "sub/.git/config", "GIT~1/config", "git~2/x", ".git./config", ".git /config", ".git::$INDEX_ALLOCATION/x",
     ".g\u200cit/config", "a\\.git\\config", "\u202e.git/x", "x" * 256, ".kairos-abc.tmp", ".git"],
)  # fmt: skip
def test_no_rule_allows_a_path_that_leads_out_or_into_git(path: str) -> None:
    policy = parse(ALLOW_ALL, "p")
    assert unsafe_path(path)
    assert effect(policy, patch(path)) == "deny"


@pytest.mark.parametrize("path", ["a.txt", ".github/x", ".gitignore", "git/x", "gitx~1", "a b", ".gitattributes", "é"])
def test_ordinary_paths_are_not_denied(path: str) -> None:
    assert unsafe_path(path) == ""


def test_modes_other_than_regular_files_are_denied() -> None:
    link = FileEdit(path="a", before=None, after=FileState(sha="0" * 64, size=1, mode=0o120000), hunks=[])
    assert effect(parse(ALLOW_ALL, "p"), PatchAction(repo="r", edits=[link])) == "deny"


def test_a_path_twice_or_under_another_or_nothing_at_all_is_denied() -> None:
    policy = parse(ALLOW_ALL, "p")
    assert effect(policy, patch("a", "a")) == "deny"
    assert effect(policy, patch("a", "a/b")) == "deny"
    assert effect(policy, patch()) == "deny"
    assert effect(policy, CommandAction(repo="r", argv=[])) == "deny"


def test_silence_asks_and_the_strictest_rule_wins() -> None:
    assert effect(Policy(), patch("a")) == "ask"
    rules = [
        {"name": "yes", "effect": "allow", "paths": ["docs/**"]},
        {"name": "hm", "effect": "ask", "paths": ["docs/api.md"]},
        {"name": "no", "effect": "deny", "paths": ["docs/legal/**"]},
    ]
    policy = parse({"mode": "auto", "rule": rules}, "p")
    assert effect(policy, patch("docs/a.md")) == "allow"
    assert effect(policy, patch("docs/api.md")) == "ask"
    assert effect(policy, patch("docs/a.md", "docs/legal/x")) == "deny"
    assert policy.decide(patch("docs/legal/x"), risk="low").rule == "no"


def test_an_allow_rule_must_name_every_path_and_a_deny_rule_one() -> None:
    policy = parse({"mode": "auto", "rule": [{"name": "d", "effect": "allow", "paths": ["docs/**"]}]}, "p")
    assert effect(policy, patch("docs/a.md", "src/x.py")) == "ask"
    strict = parse({"rule": [{"name": "d", "effect": "deny", "paths": ["Secret/**"]}]}, "p")
    assert effect(strict, patch("a", "secret/x")) == "deny"


@pytest.mark.parametrize(
    ("risk", "expected"), [("low", "allow"), ("medium", "allow"), ("high", "ask"), ("urgent", "ask")]
)
def test_high_risk_always_asks(risk: str, expected: str) -> None:
    assert effect(parse(ALLOW_ALL, "p"), patch("a"), risk=risk) == expected


def test_modes_narrow_what_rules_allow() -> None:
    rule = [{"name": "all", "effect": "allow"}]
    assert effect(parse({"rule": rule}, "p"), patch("a")) == "ask"
    assert effect(parse({"mode": "observe", "rule": rule}, "p"), patch("a")) == "deny"
    assert effect(parse({"mode": "observe", "rule": rule}, "p"), NoteAction(repo="r", text="x")) == "ask"
    assert effect(parse(ALLOW_ALL, "p"), NoteAction(repo="r", text="x")) == "ask"


def test_conditions_on_detector_repository_command_and_risk() -> None:
    rules = [
        {"name": "a", "effect": "deny", "detectors": ["stale-*"]},
        {"name": "b", "effect": "deny", "repos": ["/home/me/work/**"]},
        {"name": "c", "effect": "deny", "kind": "command", "argv_prefix": ["rm", "-rf"]},
        {"name": "d", "effect": "deny", "kind": "note", "min_risk": "medium"},
    ]
    policy = parse({"rule": rules}, "p")
    assert effect(policy, patch("a"), detector="stale-reference") == "deny"
    assert effect(policy, patch("a"), detector="secret") == "ask"
    assert effect(policy, patch("a"), root="/home/me/work/api") == "deny"
    assert effect(policy, patch("a"), root="/home/me/play") == "ask"
    assert effect(policy, CommandAction(repo="r", argv=["rm", "-rf", "x"])) == "deny"
    assert effect(policy, CommandAction(repo="r", argv=["rm", "x"])) == "ask"
    assert effect(policy, NoteAction(repo="r", text=""), risk="urgent") == "deny"
    assert effect(policy, NoteAction(repo="r", text="")) == "ask"


@pytest.mark.parametrize(
    "data",
    [
        {"rules": []},
        {"mod": "auto"},
        {"mode": "everything"},
        {"rule": [{"name": "a", "effect": "allow", "path": ["x"]}]},
        {"rule": [{"name": "a", "effect": "permit"}]},
        {"rule": [{"effect": "allow"}]},
        {"rule": [{"name": "", "effect": "allow"}]},
        {"rule": [{"name": "a", "effect": "ask"}, {"name": "a", "effect": "deny"}]},
        {"rule": [{"name": "a", "effect": "allow", "paths": ["docs/**"],
                   "examples": [{"paths": ["src/x"], "expect": "match"}]}]},
        {"rule": [{"name": "a", "effect": "deny", "paths": ["docs/**"],
                   "examples": [{"paths": ["src/x", "docs/y"], "expect": "no-match"}]}]},
    ],
)  # fmt: skip
def test_a_file_with_a_mistake_is_refused_whole(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as told:
        parse(data, "policy.toml")
    assert told.value.code == 2
    assert "policy.toml" in told.value.message


def test_examples_that_hold_load() -> None:
    rule = {"name": "docs", "effect": "allow", "paths": ["docs/**", "*.md"], "max_risk": "medium", "examples": [
        {"paths": ["docs/a/b.txt", "x/y.md"], "expect": "match"},
        {"paths": ["docs/a", "src/x.py"], "expect": "no-match"},
        {"paths": ["docs/a"], "risk": "high", "expect": "no-match"},
        {"kind": "command", "argv": ["ls"], "expect": "no-match"},
    ]}  # fmt: skip
    assert len(parse({"rule": [rule]}, "p").rules) == 1


def test_the_version_changes_with_the_rules_and_with_nothing_else() -> None:
    one, two = parse(ALLOW_ALL, "a"), parse(ALLOW_ALL, "b")
    assert one.version == two.version != Policy().version
    assert msgspec.structs.replace(one, mode="suggest").version != one.version


def test_the_file_is_read_or_absent_or_refused(tmp_path: Any) -> None:
    path = tmp_path / "policy.toml"
    assert load_policy(path) == Policy()
    path.write_text('[[rule]]\nname = "a"\neffect = "deny"\n')
    assert load_policy(path).rules[0].name == "a"
    path.write_text("[[rule")
    with pytest.raises(UsageError):
        load_policy(path)
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError):
        load_policy(path)


def test_everything_wrong_with_a_policy_is_said_at_once(tmp_path: Any) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("""
        mood = "auto"
        [[rule]]
        name = "a"
        effect = "alow"
        [[rule]]
        name = "b"
        effect = "deny"
        paths = "src"
        [[rule]]
        name = "c"
        effect = "deny"
        paths = ["docs/**"]
        examples = [{ paths = ["docs/a"], expect = "no-match" }, { paths = ["x"], expect = "match" }]
        [[rule]]
        name = "c"
        effect = "ask"
        examples = [{ expect = "mtch" }]
        [[rule]]
        name = "c"
        effect = "ask"
    """)
    with pytest.raises(UsageError) as caught:
        load_policy(path)
    assert caught.value.message.splitlines() == [
        f"{path}: 7 errors",
        "  line 5: rule[0].effect is `alow`; it must be `allow` or `ask` or `deny`",
        "  line 9: rule[1].paths is `src`; it must be a list of which each is a text",
        "  line 18: rule[3].examples[0].expect is `mtch`; it must be `match` or `no-match`",
        "  line 2: there is no setting `mood`. Did you mean `mode`?",
        "  each rule needs a name of its own: `c`",
        "  rule `c`: example 1 should be a no-match and is not",
        "  rule `c`: example 2 should be a match and is not",
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [("*.md", "a/b.md", True), ("*.md", "a/b.mdx", False), ("docs/*", "docs/a/b", False), ("docs/**", "docs/a/b", True),
     ("**/x", "x", True), ("**/x", "a/b/x", True), ("a?c", "abc", True), ("a?c", "a/c", False), ("[ab].c", "b.c", True),
     ("[!ab].c", "b.c", False), ("src", "src/a", True), ("a.b", "axb", False), ("/docs/*", "docs/a", True)],
)  # fmt: skip
def test_patterns_mean_what_people_write(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_pattern_breaks_the_matcher(pattern: str, path: str) -> None:
    matches(pattern, path)


@given(st.lists(st.sampled_from(["a", ".git", "..", ".", "", "git~1", "B ", ".gIt."]), min_size=1, max_size=4))
def test_a_safe_path_has_only_safe_names(names: list[str]) -> None:
    bad = {".git", "..", ".", "", "git~1", ".gIt."}
    assert bool(unsafe_path("/".join(names))) == any(n in bad for n in names)
