"""Which payloads name a path or a repository: in a field of its own, or in any text, in every spelling there is."""

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
"""Where a path may begin: at no inner part of another one, behind a prefix of a diff, or in an absolute path."""
_ABSOLUTE = rf"(?<!{_INNER})/[^\s'\"<>|]*+"
_AFTER = r"(?![\w/\\-]|\.\w)"
_BEGIN_IN_FILE = rf"(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{{4}})|{_BEGIN}"
_AFTER_IN_FILE = r"(?![\w/-]|\\(?![\"nrtbfu])|\.\w)"
"""In a file a text may be JSON: what escapes the characters around a name is no part of another one."""

Touches = Callable[[Row], bool]


def texts(payload: bytes | None) -> Iterator[tuple[str, str]]:
    """(field, text) of every text in a stored payload; of one that is no JSON, which another application stored, the
    whole."""
    try:
        yield from _strings(msgspec.json.decode(payload or b"null"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield "", (payload or b"").decode("utf-8", "surrogateescape")


def paths(row: Row) -> Iterator[str]:
    """Every path that a payload names in a field made for it."""
    for field, text in texts(row.payload):
        if field == "path_b64":
            yield os.fsdecode(base64.b64decode(text))
        elif field in _FIELDS:
            yield text


class Names(Generic[AnyStr]):
    """Finds any of some names in a text, whole: `a.py` not in `data.py`, nor `src/a` in `src/a/b`.

    Time is linear in the text: each place that may be a name is judged by a few characters around it, and absolute
    paths are walked once beside."""

    def __init__(
        self, names: Collection[AnyStr], pattern: Callable[[str], AnyStr], begin: str = _BEGIN, after: str = _AFTER
    ) -> None:
        self._names: re.Pattern[AnyStr] = re.compile(_any_of(names, pattern) + pattern(after))
        self._begin: re.Pattern[AnyStr] = re.compile(pattern(begin))
        self._absolute: re.Pattern[AnyStr] = re.compile(pattern(_ABSOLUTE))

    def search(self, text: AnyStr) -> bool:
        """Whether the text holds one of the names."""
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
    """A pattern of these names, with what is common to the names in a folder written once: the many names of a
    folder then cost little where it is not named."""
    folders: defaultdict[AnyStr, list[AnyStr]] = defaultdict(list)
    for name in sorted(names):
        folder, slash, rest = name.rpartition(pattern("/"))
        folders[folder + slash].append(rest)
    either = pattern("|").join
    inside = [re.escape(f) + pattern("(?:") + either(map(re.escape, r)) + pattern(")") for f, r in folders.items()]
    return pattern("(?:") + either(inside) + pattern(")")


def naming(names: Collection[str]) -> Names[str]:
    """What finds one of these names in a text, in any spelling."""
    return Names({s for n in names for s in spellings(n)}, str)


def mentions(names: Collection[str]) -> Touches:
    """Whether a payload names one of these."""
    encoded = {_b64(n) for n in names}
    named = naming(names)

    def touches(row: Row) -> bool:
        return any(text in encoded if field == "path_b64" else named.search(text) for field, text in texts(row.payload))

    return touches


def needles(names: Iterable[str]) -> list[bytes]:
    """The byte strings that betray one of these names in a file."""
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
    """What finds one of these byte strings in a file, whole as in a text."""
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
