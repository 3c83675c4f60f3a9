"""The scripts of the guard: a pre-commit hook, and the hooks that stand in for a folder of hooks elsewhere.

Each script is POSIX sh. The guard looks first; then the hook that was there runs as before: by its own name, with its
own arguments, and with its own exit status.
"""

from __future__ import annotations

import shlex
from pathlib import Path

MARK = b"# kairos guard, version 1:"
"""In every script of the guard, and in no other."""
KEPT = "kairos-kept"
"""The folder, beside the hook, of the hook that was there before."""

NAMES = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update",
    "proc-receive", "post-receive", "post-update", "push-to-checkout", "pre-auto-gc", "post-rewrite",
    "sendemail-validate", "p4-changelist", "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit",
)  # fmt: skip
"""Every hook that git runs (githooks(5)), without those of `OFTEN`."""
OFTEN = ("fsmonitor-watchman", "post-index-change", "reference-transaction")
"""Hooks that git runs for every ref or index it writes: they are passed on only where they exist."""
GUARDED = ("pre-commit", "pre-merge-commit")


def beside(guard: Path) -> bytes:
    """The hook in a folder that belongs to the repository; what was there before lies in the folder `kairos-kept`."""
    return _script(guard, '"${0%/*}/' + KEPT + '/${0##*/}"')


def standing_in(name: str, folder: str, guard: Path) -> bytes:
    """The hook that stands in for the one of this name in `folder`, a value of core.hooksPath: relative to where git
    runs hooks."""
    hook = shlex.quote(f"{folder}/{name}")
    return _script(guard, hook) if name in GUARDED else _head() + _then(hook)


def _head() -> bytes:
    return b"#!/bin/sh\n" + MARK + b" `kairos guard remove` takes it out and restores what was there.\n"


def _script(guard: Path, hook: str) -> bytes:
    check = f"""guard={shlex.quote(str(guard))}
if [ ! -x "$guard" ]; then
  echo "kairos guard: $guard is gone, so nothing was checked and the commit is refused." >&2
  echo "Take the hook out: kairos guard remove. Commit without it: git commit --no-verify" >&2
  exit 1
fi
"$guard" || exit 1
"""
    return _head() + check.encode("utf-8", "surrogateescape") + _then(hook)


def _then(hook: str) -> bytes:
    text = f"""hook={hook}
if [ -x "$hook" ] && [ ! -d "$hook" ]; then exec "$hook" "$@"; fi
exit 0
"""
    return text.encode("utf-8", "surrogateescape")
