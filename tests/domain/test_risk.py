"""Risk is computed from what an action touches."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.action import CommandAction, NoteAction, PatchAction, edit
from kairos.domain.risk import assess, worse


def changed(path: str, before: Any = (b"a\n", 0o644), after: Any = (b"b\n", 0o644)) -> PatchAction:
    return PatchAction(repo="r", edits=[edit(path, before, after)])


@pytest.mark.parametrize(
    "path",
    [".github/workflows/ci.yml", ".gitlab-ci.yml", "Jenkinsfile", ".husky/pre-commit", ".pre-commit-config.yaml",
     ".env", "config/dev.env", ".env.local", "keys/server.pem", "home/id_rsa", ".npmrc", "AGENTS.md",
     "packages/api/CLAUDE.md", ".cursorrules", ".cursor/rules/x.mdc", "sub/.claude/settings.json",
     ".github/copilot-instructions.md", ".gitattributes", ".vscode/tasks.json", ".envrc", "agents.md"],
)  # fmt: skip
def test_what_runs_or_instructs_or_unlocks_is_high(path: str) -> None:
    assert assess(changed(path)).risk == "high"


@pytest.mark.parametrize(
    "path",
    ["Cargo.lock", "package-lock.json", "requirements.txt", "Makefile", "setup.py", "pyproject.toml", "Dockerfile",
     "sub/package.json", "tests/conftest.py", "scripts/run.sh"],
)  # fmt: skip
def test_lock_files_and_build_scripts_are_medium(path: str) -> None:
    assert assess(changed(path)).risk == "medium"


@pytest.mark.parametrize("path", ["README.md", "src/a.py", ".gitignore", "docs/environment.md", "keynote.txt"])
def test_ordinary_text_is_low(path: str) -> None:
    assessed = assess(changed(path))
    assert (assessed.risk, assessed.reasons) == ("low", [])


def test_executable_bits_and_deletions_count() -> None:
    assert assess(changed("a", after=(b"a\n", 0o755))).risk == "high"
    assert assess(changed("a", before=None, after=(b"a\n", 0o755))).risk == "high"
    assert assess(changed("a", before=(b"a\n", 0o755), after=(b"b\n", 0o755))).risk == "medium"
    assert assess(changed("a", after=None)).risk == "medium"


def test_commands_and_network_are_high_and_notes_low() -> None:
    assert assess(CommandAction(repo="r", argv=["ls"])).risk == "high"
    assert assess(NoteAction(repo="r", text="x")).risk == "low"
    assert assess(NoteAction(repo="r", text="x"), network=True).risk == "high"
    assert assess(NoteAction(repo="r", text="x"), urgent=True).risk == "urgent"


def test_size_counts() -> None:
    many = PatchAction(repo="r", edits=[edit(f"f{n}", (b"a\n", 0o644), (b"b\n", 0o644)) for n in range(21)])
    assert assess(many).risk == "medium"
    assert assess(changed("a", after=(b"x\n" * 600, 0o644))).risk == "medium"


def test_reasons_name_the_worst_first() -> None:
    two = PatchAction(repo="r", edits=[*changed("Makefile").edits, *changed("AGENTS.md").edits])
    assert assess(two).reasons == ["agent instructions: AGENTS.md", "build script: Makefile"]
    assert worse("low", "high") == "high"


@pytest.mark.parametrize(
    ("paths", "risk"),
    [
        (["src/a.py"], "medium"), (["Makefile"], "medium"), (["no-suffix"], "medium"), (["README.md", "a.c"], "medium"),
        (["README.md"], "low"), (["docs/a.rst", "b.TXT"], "low"), ([".github/workflows/ci.yml"], "high"),
        (["AGENTS.md"], "high"),
    ],
)  # fmt: skip
def test_what_a_model_wrote_into_code_is_at_least_medium(paths: list[str], risk: str) -> None:
    made = PatchAction(repo="r", edits=[e for path in paths for e in changed(path).edits])
    assert assess(made, by_model=True).risk == risk
    assert assess(NoteAction(repo="r", text="x"), by_model=True).risk == "low"
