"""Tells the former addresses of redirects, which stay when a file is renamed, from what these lead to."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.patching import Lines

_FILES = re.compile(r"(?i)redir|rediraffe|moved|rewrites")
_SECTION = re.compile(r"(?i)redirect|rediraffe|rewrites")
_FROM = re.compile(r"(?i)[\"'\s{,-](?:from|source|old|src|origin)[\"']?[ \t]*[=:][ \t]*[\"']?/?$")
_KEY = re.compile(r"[\"']?[ \t]*(?::|=>|->|=|[ \t][\"']?[/\w])")
_ABOVE = 400
"""So many lines above are asked for the section in which a line stands."""


def is_address(path: str, lines: Lines, number: int, start: int, end: int) -> bool:
    """Whether the path at start..end of a configuration file is the former address of a redirect: the key of an entry
    in a section or a file of redirects, or its `from`."""
    line = lines.slice(number, number)
    begin = lines.starts[number]
    before, after = line[: start - begin], line[end - begin :].rstrip("\n")
    first = before.strip(" \t\"'-{,/") == ""
    if not ((first and _KEY.match(after)) or _FROM.search(" " + before)):
        return False
    return _FILES.search(posixpath.basename(path)) is not None or _in_section(lines, number)


def _in_section(lines: Lines, number: int) -> bool:
    """Whether a line that is indented less, above a line, or the head of its table names redirects."""
    depth = _indent(lines.slice(number, number))
    for above in range(number - 1, max(-1, number - _ABOVE), -1):
        line = lines.slice(above, above)
        if not line.strip():
            continue
        head = line.startswith("[")
        if head or _indent(line) < depth:
            depth = min(depth, _indent(line))
            if _SECTION.search(line):
                return True
            if head or depth == 0:
                return False
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
