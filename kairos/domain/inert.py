"""Names and text from outside as people see them, and every way in which a name may have been shown.

`escape` writes out what hides, moves or breaks lines. `shown` is how a name stands in a sentence, `code_span` how it
stands in Markdown. `spellings` is their inverse: forgetting a name looks for all of them, in texts of earlier versions
too. Whoever adds a way to show a name adds it there.
"""

from __future__ import annotations

import unicodedata
from shlex import quote

LONGEST = 160
"""A name in a sentence has at most so many characters: from the middle of a longer one some are left out."""
BRIEF = 70
"""The same where a line holds two names and more."""
_CUTS = ((80, 80), (79, 80), (59, 60), (34, 35))
"""How many characters of the head and of the tail are left, here and in earlier versions."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0\u2800")
"""Printable for Unicode, invisible for people: fillers and joiners that hide text or fake equality."""
_SIGNS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_seen(char: str, before: str = " ") -> bool:
    """Whether a person sees a character as it is, behind `before`: a variation selector may only follow a symbol."""
    if "\ufe00" <= char <= "\ufe0f":
        return unicodedata.category(before) in ("So", "Sm")
    return char.isprintable() and char not in _INVISIBLE and not "\U000e0100" <= char <= "\U000e01ef"


def escape(text: str, *, lines: bool = False) -> str:
    """The text with control characters, ANSI, bidi overrides, zero-width, invisible and undecodable characters written
    out. `lines` keeps line ends and tabs, for text that is meant to be many lines."""
    if text.isascii() and text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    pairs = zip(f" {text}", text, strict=False)
    return "".join(c if c in kept or is_seen(c, before) else _written(c) for before, c in pairs)


def shorten(text: str, limit: int = LONGEST) -> str:
    """The text with its middle left out where it has more than `limit` characters, `LONGEST` or `BRIEF`. A secret is
    cut before: nobody would know a part of it."""
    if len(text) <= limit or len(text := _without_secrets(text)) <= limit:
        return text
    head = limit // 2 - 1
    return f"{text[:head]}…{text[head + 1 - limit :]}"


def shown(name: str, limit: int = LONGEST) -> str:
    """A name for a sentence, on one line, whatever it holds."""
    return shorten(escape(name), limit)


def code_span(text: str, limit: int = LONGEST) -> str:
    """The text as a Markdown code span: data, whatever it says."""
    return f"`{shorten(_without_ticks(escape(text)), limit)}`"


def as_text(name: str) -> str:
    """A name as it can be stored: bytes that are not UTF-8 as \\xNN. For reading, not for opening."""
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair: no path, but text from elsewhere may hold one
        raw = name.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "backslashreplace")


def quoted(name: str) -> str:
    """The name as git writes it in a patch: on one line, in quotes with C escapes where it would not be by itself.

    Bytes that are not UTF-8 and control characters become three octal digits."""
    signs = {'"': '\\"', "\\": "\\\\", **_SIGNS}
    out = "".join(signs.get(c) or (c if c.isprintable() else _octal(c)) for c in name)
    return name if out == name else f'"{out}"'


def spellings(name: str) -> set[str]:
    """Every way in which a name may stand in text: as it is, in a patch, a command or Python's quotes; each of these as
    it is stored, as `escape` writes it (now and in earlier versions), in a code span; each of these shortened, and
    without a secret that it carries."""
    whole = {name, repr(name)[1:-1], quote(name)[1:-1] if quote(name) != name else name}
    whole.add(quoted(name)[1:-1] if quoted(name) != name else name)
    found = whole | {way(s) for s in whole for way in (as_text, escape)}
    found |= {s for w in whole for s in _of_earlier_versions(w)}
    found |= {_without_ticks(s) for s in found}
    found |= set(map(_without_secrets, found))
    found |= {f"{s[:head]}…{s[-tail:]}" for s in found for head, tail in _CUTS if len(s) > head + tail}
    return {s for s in found | set(map(_without_secrets, found)) if s}


def _of_earlier_versions(name: str) -> set[str]:
    """Backslashes were doubled where something was written out, undecodable bytes were written as \\udcNN, invisible
    but printable characters were not written out, and some were written out as \\x whatever their number."""
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
    from kairos.domain.secrets import redact  # its patterns take longer to compile than a reader has

    return redact(text)


def _without_ticks(text: str) -> str:
    """The text without a backtick, which would end a code span."""
    return text.replace("`", "\\x60")
