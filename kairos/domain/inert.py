"""Makes names and text from outside safe to show, and lists every form in which a name may have been shown.

`escape` escapes characters that are invisible, reorder text or break lines. `shown` formats a name for a sentence,
`code_span` for Markdown. `spellings` returns all of these forms, also those of earlier versions, so that forgetting a
name finds each of them. A new way to show a name must be added there.
"""

from __future__ import annotations

import unicodedata
from shlex import quote

LONGEST = 160
"""The maximum length of a name in a sentence (characters); a longer one has its middle left out."""
BRIEF = 70
"""The same for a line that holds two or more names."""
_CUTS = ((80, 80), (79, 80), (59, 60), (34, 35))
"""How many characters of the head and of the tail are kept, in this and in earlier versions."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0\u2800")
"""Printable according to Unicode, but invisible: fillers and joiners that hide text or fake equality."""
_SIGNS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_seen(char: str, before: str = " ") -> bool:
    """Whether a person sees a character as it is, behind `before`: a variation selector may only follow a symbol."""
    if "\ufe00" <= char <= "\ufe0f":
        return unicodedata.category(before) in ("So", "Sm")
    return char.isprintable() and char not in _INVISIBLE and not "\U000e0100" <= char <= "\U000e01ef"


def escape(text: str, *, lines: bool = False) -> str:
    """The text with control characters, ANSI, bidi overrides, zero-width, invisible and undecodable characters escaped.
    `lines` keeps line ends and tabs, for text of several lines."""
    if text.isascii() and text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    pairs = zip(f" {text}", text, strict=False)
    return "".join(c if c in kept or is_seen(c, before) else _written(c) for before, c in pairs)


def shorten(text: str, limit: int = LONGEST) -> str:
    """The text with its middle left out if it has more than `limit` characters, `LONGEST` or `BRIEF`. Secrets must be
    redacted before, because part of a secret would not be recognised."""
    if len(text) <= limit or len(text := _without_secrets(text)) <= limit:
        return text
    head = limit // 2 - 1
    return f"{text[:head]}…{text[head + 1 - limit :]}"


def shown(name: str, limit: int = LONGEST) -> str:
    """A name for a sentence, escaped and on one line."""
    return shorten(escape(name), limit)


def code_span(text: str, limit: int = LONGEST) -> str:
    """The text as a Markdown code span, so that it is never interpreted as markup."""
    return f"`{shorten(_without_ticks(escape(text)), limit)}`"


def as_text(name: str) -> str:
    """A name as it can be stored: bytes that are not UTF-8 as \\xNN. For reading, not for opening."""
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair: never in a path, but possible in other text
        raw = name.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "backslashreplace")


def quoted(name: str) -> str:
    """The name as git writes it in a patch: on one line, in quotes with C escapes where needed.

    Bytes that are not UTF-8 and control characters become three octal digits."""
    signs = {'"': '\\"', "\\": "\\\\", **_SIGNS}
    out = "".join(signs.get(c) or (c if c.isprintable() else _octal(c)) for c in name)
    return name if out == name else f'"{out}"'


def spellings(name: str) -> set[str]:
    """Every form in which a name may occur in text: as it is, in a patch, a command or Python's quotes; each of these
    as stored, as escaped by `escape` (now and in earlier versions), and in a code span; each of these also shortened
    and with secrets redacted."""
    whole = {name, repr(name)[1:-1], quote(name)[1:-1] if quote(name) != name else name}
    whole.add(quoted(name)[1:-1] if quoted(name) != name else name)
    found = whole | {way(s) for s in whole for way in (as_text, escape)}
    found |= {s for w in whole for s in _of_earlier_versions(w)}
    found |= {_without_ticks(s) for s in found}
    found |= set(map(_without_secrets, found))
    found |= {f"{s[:head]}…{s[-tail:]}" for s in found for head, tail in _CUTS if len(s) > head + tail}
    return {s for s in found | set(map(_without_secrets, found)) if s}


def _of_earlier_versions(name: str) -> set[str]:
    """The text as earlier versions escaped it: backslashes were doubled if any character was escaped, undecodable bytes
    became \\udcNN, invisible but printable characters were not escaped, and some were escaped as \\x whatever their
    code point."""
    if name.isascii() and name.isprintable():
        return set()
    found = {"".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)}
    for backslash in ("\\", "\\\\"):
        for kept in (str.isprintable, is_seen, _was_kept):
            for byte in (_written, _as_number):
                found.add("".join(backslash if c == "\\" else c if kept(c) else byte(c) for c in name))
    return found


def _was_kept(char: str) -> bool:
    return is_seen(char) or "\ufe00" <= char <= "\ufe0f"


def _written(char: str) -> str:
    code = ord(char)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else _as_number(char)


def _as_number(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return _SIGNS.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _octal(char: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def _without_secrets(text: str) -> str:
    from kairos.domain.secrets import redact  # imported here because its patterns are slow to compile

    return redact(text)


def _without_ticks(text: str) -> str:
    """The text without a backtick, which would end a code span."""
    return text.replace("`", "\\x60")
