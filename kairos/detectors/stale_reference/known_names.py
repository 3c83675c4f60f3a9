"""Tells names that others know, which stay when a file is renamed, from what they lead to: addresses, exports."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.patching import Lines

_FILES = re.compile(r"(?i)redir|rediraffe|moved|rewrites")
_SECTION = re.compile(r"(?i)redirect|rediraffe|rewrites")
_EXPORTS = re.compile(r"[\"']exports[\"']")
_FIRST = re.compile(r"(?:^|[{,\[]|- )[ \t]*[\"']?(?:\./|/)?$")
_FROM = re.compile(r"(?i)[\"'\s{,-](?:from|source|old|src|origin)[\"']?[ \t]*[=:][ \t]*[\"']?/?$")
_KEY = re.compile(r"[\"']?[ \t]*(?::|=>|->|=|[ \t][\"']?[/\w])")
_ABOVE = 400
"""So many lines above are asked for the section in which a line stands."""


def is_known(path: str, lines: Lines, number: int, start: int, end: int) -> bool:
    """Whether the path at start..end of a configuration file is a name that others know: the key of an entry in a
    section or a file of redirects, or its `from`; a key of the `exports` of a package.json."""
    line = lines.slice(number, number)
    begin = lines.starts[number]
    before, after = line[: start - begin], line[end - begin :].rstrip("\n")
    is_key = _FIRST.search(before) is not None and _KEY.match(after) is not None
    if not (is_key or _FROM.search(" " + before)):
        return False
    name = posixpath.basename(path)
    section = _EXPORTS if name == "package.json" else _SECTION
    return _FILES.search(name) is not None or section.search(before) is not None or _in(section, lines, number)


def _in(section: re.Pattern[str], lines: Lines, number: int) -> bool:
    """Whether a line that is indented less, above a line, or the head of its table names the section."""
    depth = _indent(lines.slice(number, number))
    for above in range(number - 1, max(-1, number - _ABOVE), -1):
        line = lines.slice(above, above)
        if not line.strip():
            continue
        head = line.startswith("[")
        if head or _indent(line) < depth:
            depth = min(depth, _indent(line))
            if section.search(line):
                return True
            if head or depth == 0:
                return False
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
