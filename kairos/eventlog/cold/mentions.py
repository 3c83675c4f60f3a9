"""Which payloads name a path or a repository: in a field of its own, or in any text, in every spelling there is."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import msgspec

from kairos.domain.names import as_text, quoted
from kairos.eventlog.record import Row

_FIELDS = frozenset({"path", "fs", "paths", "files"})
_INNER = r"[\w./\\-]"
_BEFORE = rf"(?<!{_INNER})(?:[ab]/|\./|/(?:[^\s'\"<>|]*/)?)?"
"""What may stand before a path in a text and still mean it: the prefixes of a diff, or where the tree lies."""
_AFTER = r"(?![\w/\\-]|\.\w)"
_LONG, _HEAD, _TAIL = 120, 59, 60

Touches = Callable[[Row], bool]


def texts(payload: bytes | None) -> Iterator[tuple[str, str]]:
    """(field, text) of every text in a stored payload."""
    yield from _strings(msgspec.json.decode(payload or b"null"))


def paths(row: Row) -> Iterator[str]:
    """Every path that a payload names in a field made for it."""
    for field, text in texts(row.payload):
        if field == "path_b64":
            yield os.fsdecode(base64.b64decode(text))
        elif field in _FIELDS:
            yield text


def naming(names: Collection[str]) -> re.Pattern[str]:
    """What finds one of these names in a text, whole: `a.py` not in `data.py`, nor `src/a` in `src/a/b`."""
    ordered = sorted({s for n in names for s in spellings(n)}, key=len, reverse=True)
    return re.compile(rf"{_BEFORE}(?:{'|'.join(map(re.escape, ordered))}){_AFTER}")


def mentions(names: Collection[str]) -> Touches:
    """Whether a payload names one of these."""
    encoded = {_b64(n) for n in names}
    pattern = naming(names)

    def touches(row: Row) -> bool:
        return any(
            text in encoded if field == "path_b64" else pattern.search(text) is not None
            for field, text in texts(row.payload)
        )

    return touches


def spellings(name: str) -> set[str]:
    """How a name may stand in text: as it is, its odd bytes as \\xNN, quoted as git does, made inert, shortened."""
    found = {name, as_text(name), quoted(name).strip('"'), "".join(map(_inert, name))}
    found |= {f"{s[:_HEAD]}…{s[-_TAIL:]}" for s in found if len(s) > _LONG}
    return {s for s in found if s}


def needles(names: Iterable[str]) -> list[bytes]:
    """The byte strings that betray one of these names in a file."""
    found: set[bytes] = set()
    for name in names:
        raw = os.fsencode(name)
        found |= {raw, *(s.encode("utf-8", "surrogateescape") for s in spellings(name))}
        found.add(msgspec.json.encode(as_text(name))[1:-1])
        if raw != as_text(name).encode():
            found.add(base64.b64encode(raw))
    return sorted(found)


def betraying(needles: Collection[bytes]) -> re.Pattern[bytes]:
    """What finds one of these byte strings in a file, whole as in a text."""
    ordered = sorted(needles, key=len, reverse=True)
    return re.compile(_BEFORE.encode() + b"(?:" + b"|".join(map(re.escape, ordered)) + b")" + _AFTER.encode())


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


def _inert(char: str) -> str:
    """One character as it stands in a memory: what hides or breaks lines is written out."""
    if char == "`" or not char.isprintable():
        code = ord(char)
        plain = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char, f"\\x{code:02x}")
        return plain if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return char
