"""The guard: an optional pre-commit hook that refuses a commit of what looks like a credential."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from kairos.acting import hooking
from kairos.desk.records.guard import GuardCheckOut, GuardOut
from kairos.errors import KairosError, TryAgain
from kairos.repo.git import Git, environment, open_repository

CHECK_S = 120.0
"""Timeout (s) of a check: the largest commit that is looked at takes a tenth of it."""


class GuardError(KairosError):
    """What is staged could not be checked."""

    name = "guard"


def install(repo: Path) -> GuardOut:
    """Installs the hook in the repository that holds `repo`. Conflict (5) if something is in its way."""
    git = open_repository(repo)
    was_active = hooking.state(git).active
    return _out(git, hooking.install(git), changed=not was_active)


def remove(repo: Path) -> GuardOut:
    """Takes the hook out and restores what was there."""
    git = open_repository(repo)
    removed = hooking.remove(git)
    return _out(git, hooking.state(git), changed=removed)


def state(repo: Path) -> GuardOut:
    """Whether the hook is installed, and whether git runs it."""
    git = open_repository(repo)
    return _out(git, hooking.state(git))


def check(repo: Path) -> GuardCheckOut:
    """Looks at what is staged, as the hook does. GuardError if it cannot."""
    git = open_repository(repo)
    try:
        done = subprocess.run(
            [hooking.PROGRAM, "--json"], cwd=git.root, env=environment(), capture_output=True, timeout=CHECK_S,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TryAgain(f"looking at what is staged took longer than {CHECK_S:.0f} s", "Try again.") from error
    except OSError as error:
        raise GuardError(f"{hooking.PROGRAM} cannot be started: {error.strerror}", "Install Kairos again.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise GuardError(f"nothing was checked: {said.removeprefix('kairos guard: ')}", "Run `git status` there.")
    return msgspec.convert({"repo": str(git.root), **msgspec.json.decode(done.stdout)}, GuardCheckOut)


def _out(git: Git, found: hooking.HookState, *, changed: bool = False) -> GuardOut:
    return GuardOut(
        repo=str(git.root), installed=found.installed, active=found.active, hook=str(found.hook),
        chained=None if found.chained is None else str(found.chained), trouble=found.trouble,
        changed=changed,
    )  # fmt: skip
