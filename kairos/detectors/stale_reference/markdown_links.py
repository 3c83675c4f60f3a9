"""Finds links and images in Markdown files that refer to a moved or deleted file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

SUFFIXES = (".md", ".markdown", ".mdx", ".mkd")
_INLINE = re.compile(r"(?<!\\)\]\([ \t]*(?:<(?P<angle>[^<>\n]+)>|(?P<bare>[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*))")
_DEFINITION = re.compile(r"(?m)^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*(?:<(?P<angle>[^<>\n]+)>|(?P<bare>[^\s<>]+))")
_HTML = re.compile(
    r"(?i)<(?:a|img|source|video)\b[^<>\n]{0,400}?\b(?:href|src)[ \t]*=[ \t]*(?P<q>[\"'])(?P<html>[^\"'<>\n]+)(?P=q)"
)
_FENCE = re.compile(r"(?m)^[ \t>]*(?P<mark>```+|~~~+)[^\n]*\n")
_CODE = re.compile(r"(?<![\\`])(`{1,3})(?!`)[^`\n]+\1(?!`)")
_SCHEME = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//|#|\?)")


def find_links(path: str, text: str, moves: Moves) -> Found:
    """The references in one Markdown file. Links in a file that was itself moved are corrected, too."""
    found = Found()
    former, lines = moves.former(path), Lines(text)
    masked = _without_code(text)
    for pattern in (_INLINE, _DEFINITION, _HTML):
        for m in pattern.finditer(masked):
            group = m.lastgroup or "bare"
            group = next(g for g in ("angle", "bare", "html") if m.groupdict().get(g) is not None)
            start, end = m.span(group)
            answer = _follow(text[start:end], path, former, moves)
            if answer is None:
                continue
            line = lines.number(start)
            if answer == "":
                found.dead.add(line)
            else:
                spelled = answer if group == "angle" else _encoded(answer)
                found.rewrite(line, Span(start, end, spelled + _tail(text[start:end])))
    return found


def _follow(link: str, path: str, former: str, moves: Moves) -> str | None:
    """The link's new path, "" if its file was deleted, None if the link is still right."""
    if _SCHEME.match(link):
        return None
    raw = link[: len(link) - len(_tail(link))]
    name = unquote(raw, errors="surrogateescape")
    slash = "/" if name.endswith("/") and len(name) > 1 else ""
    for base, style in _readings(name, former):
        old = posixpath.normpath(posixpath.join(base, name.lstrip("/")))
        known = moves.was(old) or old in moves.directories
        if not known and old not in moves.directories_before:
            continue
        new = moves.moved.get(old) or moves.directories.get(old)
        if new is None and old in moves.gone:
            return ""
        if new is None and (not known or former == path or style != "file"):
            return None
        target = new or old
        if style == "file":
            spelled = posixpath.relpath(target, posixpath.dirname(path) or ".")
            if name.startswith("./") and not spelled.startswith("."):
                spelled = "./" + spelled
        else:
            spelled = ("/" if style == "root" else "") + target
        spelled += slash
        return None if spelled == name else spelled
    return None


def _readings(name: str, former: str) -> Iterator[tuple[str, str]]:
    """The possible meanings of a destination: from the root (leading slash), from the file, from the root without
    slash."""
    if name.startswith("/"):
        yield "", "root"
        return
    yield posixpath.dirname(former), "file"
    if posixpath.dirname(former) and not name.startswith("."):
        yield "", "bare"


def _tail(link: str) -> str:
    """The query and anchor of a destination, unchanged."""
    cut = min((i for i in (link.find("#"), link.find("?")) if i >= 0), default=len(link))
    return link[cut:]


def _encoded(path: str) -> str:
    """Escapes the characters that would end or change a destination; letters of any script stay readable."""
    return "".join(c if c.isalnum() or c in "/._-~!$&'*+,;=:@" else quote(c, errors="surrogateescape") for c in path)


def _without_code(text: str) -> str:
    """The text with fenced blocks and code spans blanked out and all offsets unchanged."""
    parts, last, fence = [], 0, ""
    for m in _FENCE.finditer(text):
        mark = m["mark"]
        if not fence:
            fence = mark
            parts.append(_CODE.sub(_blank, text[last : m.start()]))
            last = m.start()
        elif mark.startswith(fence) and not m[0].strip(" \t>\r\n").strip(mark[0]):
            parts.append(_blanked(text[last : m.end()]))
            fence, last = "", m.end()
    rest = text[last:]
    parts.append(_blanked(rest) if fence else _CODE.sub(_blank, rest))
    return "".join(parts)


def _blank(m: re.Match[str]) -> str:
    return " " * len(m[0])


def _blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
