"""Path patterns as people write them: `*` and `?` within a name, `**` across directories, `[abc]` classes.

A pattern without `/` matches a file's or directory's name at any depth; one with `/` matches the whole path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(pattern: str, path: str, *, fold: bool = False) -> bool:
    """Whether a pattern matches a path. `fold`: ignore letter case, as some file systems do."""
    if fold:
        pattern, path = pattern.casefold(), path.casefold()
    rule = _compiled(pattern.lstrip("/"))
    if "/" in pattern:
        return rule.fullmatch(path.lstrip("/")) is not None
    return any(rule.fullmatch(name) for name in path.split("/"))


def matches_any(patterns: Iterable[str], path: str, *, fold: bool = False) -> bool:
    """Whether one of the patterns matches a path."""
    return any(matches(p, path, fold=fold) for p in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    out, i = "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out, i = out + "(?:[^/]+/)*", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif pattern[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif pattern[i] == "?":
            out, i = out + "[^/]", i + 1
        elif pattern[i] == "[" and (end := _class_end(pattern, i)) > 0:
            out, i = out + _class(pattern[i + 1 : end]), end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return re.compile(out, re.DOTALL)


def _class_end(pattern: str, start: int) -> int:
    """The place of the `]` that ends the class begun at `start`, -1 if none does; one that comes first is a
    member."""
    first = start + 2 if pattern[start + 1 : start + 2] in ("!", "^") else start + 1
    return pattern.find("]", first + 1)


def _class(body: str) -> str:
    """One character of a class such as `a-z` or `!0-9`, never a slash. A range that ends before it begins has no
    members, as in a shell."""
    negated = body[0] in "!^"
    members, i = body[negated:], 0
    out = ""
    while i < len(members):
        first, last = members[i], members[i + 2] if members[i + 1 : i + 2] == "-" and i + 2 < len(members) else ""
        if last:
            out += f"{re.escape(first)}-{re.escape(last)}" if first <= last else ""
        else:
            out += re.escape(first)
        i += 3 if last else 1
    if not out:
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{out}]"
