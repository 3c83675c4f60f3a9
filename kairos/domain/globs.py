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
        elif pattern[i] == "[" and (end := pattern.find("]", i + 2)) > 0:
            body = pattern[i + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            negated = body[0] in "!^"
            out += "(?!/)[" + ("^" + body[1:] if negated else body) + "]"
            i = end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return re.compile(out, re.DOTALL)
