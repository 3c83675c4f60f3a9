"""Parsing of typed text: whole numbers and paths."""

from __future__ import annotations

from pathlib import Path

from kairos.errors import UsageError

_MOST_DIGITS = 18


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
