"""Words about paths and places that are safe to show, and keys that name a finding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

_LONGEST = 160


def shown(path: str) -> str:
    """A path for a sentence: anything that does not print (control, bidi, zero-width, undecodable bytes) escaped,
    the middle of a very long one left out."""
    text = path
    if not text.isprintable():
        text = "".join(_escaped(c) for c in text)
    if len(text) > _LONGEST:
        half = _LONGEST // 2
        text = f"{text[:half]}…{text[-half:]}"
    return text


def _escaped(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def places(found: Sequence[tuple[str, int]], most: int = 20) -> str:
    """`path:line` one a line, the count of those left out stated."""
    lines = [f"  {shown(path)}:{line}" for path, line in found[:most]]
    if len(found) > most:
        lines.append(f"  and {len(found) - most} more")
    return "\n".join(lines)


def listed(items: Sequence[str], most: int = 3) -> str:
    """`a, b and 2 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else list(items))


def counted(number: int, noun: str) -> str:
    """`1 reference`, `2 references`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", " ")


def key_of(detector: str, parts: Iterable[object]) -> str:
    """The key of a finding: detector and a hash of what its evidence says."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "little") + data)
    return f"{detector}:{digest.hexdigest()[:24]}"


def evidence(cause: int, positions: Iterable[int], most: int = 20) -> list[int]:
    """The cause first, then the other positions ascending, each once."""
    rest = sorted({p for p in positions if p > 0 and p != cause})[:most]
    return ([cause] if cause > 0 else []) + rest
