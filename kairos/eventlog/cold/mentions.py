"""Finds payloads that name a path or a repository, in a dedicated field or in any text, in every known spelling."""

from __future__ import annotations

import base64
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, AnyStr, Generic

import msgspec

from kairos.domain.inert import as_text, spellings
from kairos.eventlog.record import Row

_FIELDS = frozenset({"path", "fs", "paths", "files"})
_INNER = r"[\w./\\-]"
_BEGIN = rf"(?<!{_INNER})|(?<=(?<!{_INNER})[ab]/)|(?<=(?<!{_INNER})\./)|(?P<absolute>(?<=/))"
"""Where a path may begin: not inside another one, except after `a/` or `b/` (diffs), `./`, or in an absolute path."""
_ABSOLUTE = rf"(?<!{_INNER})/[^\s'\"<>|]*+"
_AFTER = r"(?![\w/\\-]|\.\w)"
_BEGIN_IN_FILE = rf"(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{{4}})|{_BEGIN}"
_AFTER_IN_FILE = r"(?![\w/-]|\\(?![\"nrtbfu])|\.\w)"
"""Text in a file may be JSON, so an escape sequence next to a name does not count as part of a longer name."""

Touches = Callable[[Row], bool]


def texts(payload: bytes | None) -> Iterator[tuple[str, str]]:
    """Yields (field, text) for every string in a stored payload. A payload that is not JSON, as another application may
    store, is yielded whole with an empty field."""
    try:
        yield from _strings(msgspec.json.decode(payload or b"null"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield "", (payload or b"").decode("utf-8", "surrogateescape")


def paths(row: Row) -> Iterator[str]:
    """Every path that a payload names in a path field."""
    for field, text in texts(row.payload):
        if field == "path_b64":
            yield os.fsdecode(base64.b64decode(text))
        elif field in _FIELDS:
            yield text


class Names(Generic[AnyStr]):
    """Finds whole names in a text: `a.py` does not match in `data.py`, nor `src/a` in `src/a/b`.

    Takes time linear in the text: each candidate is judged by a few characters around it, and absolute paths are
    scanned once alongside."""

    def __init__(
        self, names: Collection[AnyStr], pattern: Callable[[str], AnyStr], begin: str = _BEGIN, after: str = _AFTER
    ) -> None:
        self._names: re.Pattern[AnyStr] = re.compile(_any_of(names, pattern) + pattern(after))
        self._begin: re.Pattern[AnyStr] = re.compile(pattern(begin))
        self._absolute: re.Pattern[AnyStr] = re.compile(pattern(_ABSOLUTE))

    def search(self, text: AnyStr) -> bool:
        """Whether the text contains one of the names."""
        walked = self._absolute.finditer(text)
        at, start, stop = 0, -1, -1
        while match := self._names.search(text, at):
            place = match.start()
            at = place + 1
            begin = self._begin.match(text, place)
            if begin and not begin.lastgroup:
                return True
            while stop < place and (absolute := next(walked, None)):
                start, stop = absolute.span()
            if begin and start < place <= stop:
                return True
        return False


def _any_of(names: Collection[AnyStr], pattern: Callable[[str], AnyStr]) -> AnyStr:
    """A pattern that matches any of these names. Names are grouped by folder, so that the many names of a folder cost
    little where the text does not contain the folder."""
    folders: defaultdict[AnyStr, list[AnyStr]] = defaultdict(list)
    for name in sorted(names):
        folder, slash, rest = name.rpartition(pattern("/"))
        folders[folder + slash].append(rest)
    either = pattern("|").join
    inside = [re.escape(f) + pattern("(?:") + either(map(re.escape, r)) + pattern(")") for f, r in folders.items()]
    return pattern("(?:") + either(inside) + pattern(")")


def naming(names: Collection[str]) -> Names[str]:
    """A matcher for these names in a text, in any spelling."""
    return Names({s for n in names for s in spellings(n)}, str)


def mentions(names: Collection[str]) -> Touches:
    """Returns a predicate: whether the payload of a row names one of these."""
    encoded = {_b64(n) for n in names}
    named = naming(names)

    def touches(row: Row) -> bool:
        return any(text in encoded if field == "path_b64" else named.search(text) for field, text in texts(row.payload))

    return touches


def needles(names: Iterable[str]) -> list[bytes]:
    """The byte strings that one of these names may appear as in a file."""
    found: set[bytes] = set()
    for name in names:
        raw = os.fsencode(name)
        spelled = spellings(name)
        found |= {raw, *(s.encode("utf-8", "surrogateescape") for s in spelled)}
        found |= {msgspec.json.encode(as_text(s))[1:-1] for s in spelled}
        if raw != as_text(name).encode():
            found.add(base64.b64encode(raw))
    return sorted(found)


def betraying(needles: Collection[bytes]) -> Names[bytes]:
    """A matcher for these byte strings in a file; like `naming`, it matches whole names only."""
    return Names(needles, str.encode, _BEGIN_IN_FILE, _AFTER_IN_FILE)


def _strings(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, field)


def _b64(name: str) -> str:
    return base64.b64encode(os.fsencode(name)).decode("ascii")
