"""The risk of an action, computed by code from its bytes and never by a model. It depends on what the action touches,
not on its intent: even a one-word fix in a CI file runs with the secrets of CI.
"""

from __future__ import annotations

from posixpath import basename
from typing import NamedTuple

from kairos.domain.action import Action, CommandAction, FileEdit, NoteAction
from kairos.domain.amounts import count
from kairos.domain.events.proposals import Risk
from kairos.domain.globs import matches_any

RANK: dict[Risk, int] = {"low": 0, "medium": 1, "high": 2, "urgent": 3}
MANY_FILES = 20
MANY_LINES = 500

_HIGH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CI", (
        ".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".gitlab/ci/**", ".circleci/**",
        ".travis.yml", "azure-pipelines.yml", "Jenkinsfile", "bitbucket-pipelines.yml", ".drone.yml",
        ".woodpecker/**", ".woodpecker.yml", ".buildkite/**", ".teamcity/**", "appveyor.yml", ".ci/**",
        ".forgejo/workflows/**", ".gitea/workflows/**",
    )),
    ("hooks", (
        ".githooks/**", ".husky/**", ".hooks/**", "hooks/pre-*", "hooks/post-*", "hooks/commit-msg",
        ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", "lefthook.yml", ".lefthook.yml", ".lintstagedrc*",
    )),
    ("git configuration", (".gitattributes", ".gitmodules", ".gitconfig")),
    ("secrets", (
        ".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "id_rsa*",
        "id_ed25519*", "id_ecdsa*", ".npmrc", ".pypirc", ".netrc", ".htpasswd", "credentials", "credentials.*",
        "secrets.*", "secrets/**", "**/secrets/**", ".aws/**", ".ssh/**", "**/.ssh/**", ".docker/config.json",
        "*.tfstate", "kubeconfig",
    )),
    ("agent instructions", (
        "AGENTS.md", "AGENTS.override.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", "QWEN.md", ".cursorrules",
        ".cursor", ".claude", ".codex", ".gemini", ".windsurfrules", ".windsurf", ".clinerules", ".roo",
        ".roorules", ".aider*", ".continue", ".github/copilot-instructions.md",
        ".github/instructions/**", ".mcp.json", "mcp.json", "SKILL.md", "llms.txt", ".kairos.toml",
    )),
    ("code that an editor or shell runs", (
        ".vscode/tasks.json", ".vscode/launch.json", ".vscode/settings.json", ".idea/**", ".envrc", ".direnv/**",
        ".devcontainer/**", ".bashrc", ".zshrc", ".profile", ".bash_profile", "*.pth", "sitecustomize.py",
        "usercustomize.py",
    )),
)  # fmt: skip
_MEDIUM: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lock file", (
        "*.lock", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum", "requirements*.txt",
        "*.lockfile", "Package.resolved", "gradle.lockfile", "bun.lockb", "packages.lock.json",
    )),
    ("build script", (
        "Makefile", "GNUmakefile", "*.mk", "CMakeLists.txt", "*.cmake", "setup.py", "setup.cfg", "pyproject.toml",
        "build.rs", "Cargo.toml", "package.json", "Dockerfile*", "*.dockerfile", "docker-compose*.yml",
        "compose*.yaml", "compose*.yml", "conftest.py", "noxfile.py", "tox.ini", "tasks.py", "justfile", "Justfile",
        "Taskfile.yml", "build.gradle*", "settings.gradle*", "pom.xml", "Rakefile", "Gemfile", "*.gemspec",
        "configure", "configure.ac", "meson.build", "BUILD", "BUILD.bazel", "WORKSPACE", "MODULE.bazel", "*.bzl",
        "go.mod", "*.nix", "webpack.config.*", "vite.config.*", "gulpfile.*", "Gruntfile.*", "Vagrantfile",
        "*.tf", "*.sh", "*.bash", "*.ps1", "*.bat",
    )),
)  # fmt: skip


_PROSE = ("*.md", "*.rst", "*.adoc", "*.txt")
"""Files that no program runs."""


class Assessment(NamedTuple):
    """The risk and the plain reasons for it, worst first."""

    risk: Risk
    reasons: list[str]


def assess(action: Action, *, urgent: bool = False, network: bool = False, by_model: bool = False) -> Assessment:
    """The risk of an action. `urgent` is set by a detector (a secret about to be published, Kairos broken), never by a
    model; it only marks what a person must see at once. `by_model`: a model wrote the patch, which is at least medium
    unless it changes prose alone."""
    found: list[tuple[Risk, str]] = []
    if urgent:
        found.append(("urgent", "cannot wait"))
    if network:
        found.append(("high", "reaches the network"))
    if isinstance(action, CommandAction):
        found.append(("high", "runs a command"))
    elif not isinstance(action, NoteAction):
        for change in action.edits:
            found += _edit(change)
        lines = sum(len(h.old) + len(h.new) for e in action.edits for h in e.hunks)
        if len(action.edits) > MANY_FILES or lines > MANY_LINES:
            found.append(("medium", f"touches {count(len(action.edits), 'file')} and {count(lines, 'line')}"))
        if by_model and not all(matches_any(_PROSE, e.fs, fold=True) for e in action.edits):
            found.append(("medium", "a model wrote this change of code"))
    found.sort(key=lambda f: -RANK[f[0]])
    return Assessment(found[0][0] if found else "low", list(dict.fromkeys(why for _, why in found)))


def worse(a: Risk, b: Risk) -> Risk:
    """The higher of two risks."""
    return a if RANK[a] >= RANK[b] else b


def _edit(change: FileEdit) -> list[tuple[Risk, str]]:
    path = change.fs
    found: list[tuple[Risk, str]] = []
    for risk, groups in (("high", _HIGH), ("medium", _MEDIUM)):
        for kind, patterns in groups:
            if matches_any(patterns, path, fold=True):
                found.append((risk, f"{kind}: {basename(path)}"))  # type: ignore[arg-type]
    was = change.before.mode if change.before else 0o644
    becomes = change.after.mode if change.after else was
    if becomes & 0o100 and not was & 0o100:
        found.append(("high", f"makes {basename(path)} executable"))
    elif becomes & 0o100 and change.hunks:
        found.append(("medium", f"changes the executable {basename(path)}"))
    elif was & 0o100 and not becomes & 0o100:
        found.append(("medium", f"makes {basename(path)} not executable"))
    if change.after is None:
        found.append(("medium", f"deletes {basename(path)}"))
    return found
