"""Parsing of typed text: whole numbers, paths and commands to keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kairos.errors import UsageError

_MOST_DIGITS = 18
_NAME = re.compile(r"\A[a-z0-9][a-z0-9._-]{0,39}\Z")


def whole(text: str) -> int | None:
    """A whole number of plain digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def typed(text: str) -> Path:
    """A path as typed, `~` filled in. UsageError if `~user` names no user."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text} is not a path: {error}", "Give another path.") from error


def place(text: str) -> Path:
    """The absolute path of a typed one, links resolved; it need not exist. UsageError for a loop of links, or for text
    that cannot be a path."""
    try:
        return typed(text).resolve()
    except (RuntimeError, OSError, ValueError) as error:  # ValueError: NUL, or text that no file name has
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{text} is not a path: {reason}", "Give another path.") from error


def refuse_name(name: str, what: str) -> None:
    """UsageError for what cannot be the name of `what`, or looks like a credential."""
    from kairos.domain.secrets import redact  # it loads the native library

    if _NAME.match(name) is None or redact(name) != name:
        raise UsageError(f"`{name}` is no name for {what}", "Small letters, digits, `.`, `_` and `-`, at most 40.")


def refuse_unkept(command: Sequence[str], folders: Sequence[str], example: str) -> None:
    """UsageError for a command that cannot be run later as it was typed: none, one that no program can be called with,
    or one of which a credential would be cut from the log. `folders`: what it may read; `example`: how it is given."""
    from kairos.domain.secrets import redact_all  # it loads the native library

    if not command or not command[0]:
        raise UsageError("there is no command", f"Give it after `--`: {example}")
    words = [*command, *folders]
    if any("\0" in word for word in words):
        raise UsageError("an argument holds a NUL byte", "No command can be called with one.")
    if redact_all(words) != words:
        raise UsageError(
            "the command carries a credential-like value", "Keep it in a file that the command reads (--read)."
        )
