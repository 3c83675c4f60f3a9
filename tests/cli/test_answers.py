"""Every verb has a schema, and every answer has the shape that it promises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cli.main import root
from cli.verbs import VERBS
from kairos.desk.schemas import BARE, DATA


def test_every_verb_has_a_schema() -> None:
    aside = {"ls", "watch", "daemon", "review", "config", "memory", "policy", "unmute", "check", "turn", "watch-log"}
    verbs = {verb for verb in VERBS if verb not in aside}
    assert verbs <= set(DATA) | set(BARE)
    for group in ("config", "memory", "policy", "check", "turn", "watch-log"):
        command = root.get_command(None, group)  # type: ignore[arg-type]
        assert {f"{group}-{name}" for name in command.commands} <= set(DATA)  # type: ignore[union-attr]


def _check(said: Any, verb: str) -> None:
    assert said.code == 0, said.err
    answer = json.loads(said.out)
    assert answer["schema"] == f"kairos.{verb}/1"
    back = msgspec.to_builtins(msgspec.convert(answer["data"], DATA[verb], strict=True))
    assert _without_nulls(back) == _without_nulls(answer["data"])


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("status", []), ("inbox", []), ("why-not", []), ("log-verify", ["log", "verify"]),
        ("log-anchor", ["log", "anchor"]), ("replay", ["replay", "--verify"]), ("compact", ["compact", "--now"]),
        ("compact", ["compact", "--dry-run", "--fold-after", "1"]),
        ("pause", ["pause", "1h"]), ("resume", []), ("mute", ["mute", "secret"]), ("unmute", ["unmute", "secret"]),
        ("config-get", ["config", "get"]), ("config-set", ["config", "set", "attention.per_day", "5"]),
        ("config-path", ["config", "path"]), ("tools", []), ("completion", ["completion", "bash"]), ("doctor", []),
        ("memory-ls", ["memory", "ls"]), ("memory-recall", ["memory", "recall", "x"]),
        ("watch-log-ls", ["watch-log", "ls"]), ("watch-log-backtest", ["watch-log", "backtest", "/etc/os-release"]),
        ("memory-brief", ["memory", "brief", "README.md"]),
        ("service", ["service", "install", "--print"]), ("version", ["--version"]),
    ],
)  # fmt: skip
def test_answers_have_the_promised_shape(kairos: Any, seeded: Any, verb: str, args: list[str]) -> None:
    seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    _check(kairos(*(args or [verb]), "--json"), verb)


def test_answers_about_one_proposal_have_the_promised_shape(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    later, never = (seeded.raise_(seeded.note(s), seed=s).id for s in "bc")
    _check(kairos("show", raised.id, "--json"), "show")
    _check(kairos("approve", raised.id, "--yes", "--json"), "approve")
    _check(kairos("undo", "--yes", "--json"), "undo")
    _check(kairos("redo", "--yes", "--json"), "redo")
    _check(kairos("why", raised.id, "--json"), "why")
    _check(kairos("defer", later, "--until", "1h", "--json"), "defer")
    _check(kairos("reject", never, "-m", "no", "--json"), "reject")


def test_init_and_unwatch_and_files_have_the_promised_shape(kairos: Any, repo: Any) -> None:
    _check(kairos("init", repo.root, "--yes", "--json"), "init")
    lines = kairos("files", repo.root, "--json").out.splitlines()
    assert lines
    for line in [*lines, *kairos("log", "--json").out.splitlines()]:
        row = json.loads(line)
        kind = BARE["log" if "position" in row else "files"]
        assert _without_nulls(msgspec.to_builtins(msgspec.convert(row, kind))) == _without_nulls(row)
    _check(kairos("unwatch", repo.root, "--json"), "unwatch")


def test_errors_have_the_promised_shape(kairos: Any) -> None:
    said = json.loads(kairos("show", "zzzz", "--json").err)
    assert msgspec.to_builtins(msgspec.convert(said, BARE["error"])) == said
