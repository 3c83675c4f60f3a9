"""Text from repositories, made harmless before it stands in a memory, a Markdown file or a model's context."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0\u2800")


def inert(text: str) -> str:
    """The text with everything escaped that could hide, move or break lines: control, format (bidi, zero-width),
    separators, private and unpaired characters, and the backtick, which would end a code span."""
    if text.isascii() and text.isprintable() and "`" not in text:
        return text
    return "".join(_escaped(c) if _is_unsafe(c) else c for c in text)


def quoted(text: str, limit: int = 120) -> str:
    """The text as a Markdown code span of at most `limit` characters: data, whatever it says."""
    safe = inert(text)
    if len(safe) > limit:
        safe = f"{safe[: limit // 2 - 1]}…{safe[-(limit - limit // 2) :]}"
    return f"`{safe}`"


def _is_unsafe(char: str) -> bool:
    if char == "`" or char in _FILLERS or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF:
        return True
    return unicodedata.category(char) in _HIDDEN or (char.isspace() and char != " ")


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
