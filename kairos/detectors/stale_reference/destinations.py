"""Follows a written path to the file it meant before a move, and spells where that file is now in the same style."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote

from kairos.detectors.stale_reference.moves import Moves

SCHEME = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//|#|\?)")
Style = Literal["relative", "above", "root"]


class PathReading(NamedTuple):
    """One meaning of a written path: below `before` in the tree before the moves, below `here` in the tree now.

    `style`: relative to the file, relative to a directory above it, or from the root with a leading slash."""

    before: str
    here: str
    style: Style


class Followed(NamedTuple):
    """Where a written path leads now: `new` is its new form, "" if the file was deleted, None if it should stay. `why`
    says what makes that uncertain, "" if nothing does."""

    new: str | None
    why: str = ""
    target: str = ""


STAYS = Followed(None)


def follow(name: str, readings: Sequence[PathReading], moves: Moves, suffixes: Sequence[str] = ("",)) -> Followed:
    """Follows a decoded path without query and anchor. `suffixes` may be left out by its writer.

    A path that leads to the right file from where it stands now stays, also if both were moved together."""
    body = name.lstrip("/") if readings and readings[0].style == "root" else name
    if not body.strip("./"):
        return STAYS
    slash = "/" if body.endswith("/") else ""
    meant = next(_before(body, readings, moves, suffixes), None)
    if meant is None:
        return STAYS
    reading, old, suffix = meant
    now = {posixpath.normpath(posixpath.join(r.here, body)) + end for r in readings for end in suffixes}
    if old in moves.gone:
        return STAYS if any(path in moves.now for path in now) else Followed("")
    target = moves.moved.get(old) or moves.directories.get(old) or old
    if target not in moves.now and target not in moves.directories_now:
        return Followed(None, "its directory was divided")
    if target in now or (reading.style != "relative" and target == old):
        return STAYS
    if target == old and not moves.was(old) and any(moves.shared(old, path) for path in now):
        return STAYS  # A part of the directory moved together with its reader.
    ending = next((end for end in suffixes if end and target.endswith(end)), "") if suffix else ""
    if suffix and not ending:
        return Followed(None, f"the file is no longer {suffix}")
    shown = target.removesuffix(ending)
    if (
        posixpath.dirname(target) == posixpath.dirname(old)
        and reading.before == reading.here
        and "/" in body.rstrip("/")
    ):
        # Only the name changed: the way to its directory stays as it was written.
        kept = name[: len(name.rstrip("/")) - len(posixpath.basename(body.rstrip("/")))] + posixpath.basename(shown)
        return Followed(kept + slash, "", target)
    if reading.style == "relative":
        spelled = posixpath.relpath(shown, reading.here or ".")
        if body.startswith("./") and not is_dotted(spelled):
            spelled = "./" + spelled
    else:
        base = reading.here
        if base and not shown.startswith(base + "/"):
            return Followed(None, f"it is no longer below {base}")
        spelled = ("/" if reading.style == "root" else "") + (shown[len(base) + 1 :] if base else shown)
    spelled += slash
    return STAYS if spelled == name else Followed(spelled, "", target)


def _before(
    body: str, readings: Sequence[PathReading], moves: Moves, suffixes: Sequence[str]
) -> Iterator[tuple[PathReading, str, str]]:
    for suffix in suffixes:
        for reading in readings:
            old = posixpath.normpath(posixpath.join(reading.before, body)) + suffix
            if moves.was(old) or (not suffix and old in moves.directories_before and old not in ("", ".")):
                yield reading, old, suffix


def document_readings(name: str, path: str, moves: Moves) -> list[PathReading]:
    """The meanings of a destination in a document: from the root with a leading slash; otherwise from the file and,
    unless it starts with a dot, from the root."""
    if name.startswith("/"):
        return [PathReading("", "", "root")]
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    found = [PathReading(before, here, "relative")]
    if (before or here) and not is_dotted(name):
        found.append(PathReading("", "", "above"))
    return found


def is_dotted(path: str) -> bool:
    """Whether a path starts at the current directory or above it (a hidden file does not)."""
    return path.startswith(("./", "../")) or path in (".", "..")


def divided(link: str) -> tuple[str, str]:
    """A destination as (path, query and anchor)."""
    cut = min((i for i in (link.find("#"), link.find("?")) if i >= 0), default=len(link))
    return link[:cut], link[cut:]


def unquoted(path: str) -> str:
    return unquote(path, errors="surrogateescape")


def encoded(path: str, raw: str, kind: str = "bare", quoted_by: str = "") -> str:
    """`path` written as `raw` was: what was escaped, an entity or percent-encoded stays so; what could end or change
    the destination is always encoded. `kind`: a destination that is `bare` or in `angle` brackets, or an HTML
    `attribute` in quotes `quoted_by` ("" if in none)."""
    escaped = set(re.findall(r"\\([!-/:-@\[-`{-~])", raw)) - set("()") if kind != "attribute" else set()
    percent = "%" in raw
    parens = "(" in raw and "\\(" not in raw and _balanced(path)
    plain = "/._-~!$'*+,;=:@"
    if parens or kind != "bare":
        plain += "()"
    if not percent and (kind == "angle" or (quoted_by and " " in raw)):
        plain += " []{}^|"
    if kind == "attribute":
        plain = plain.replace(quoted_by, "") if quoted_by else plain.replace("=", "").replace("'", "")
    out = []
    for at, c in enumerate(path):
        if c in escaped and c in "!-./_~*+,;=:@'$&":
            out.append("\\" + c)
        elif c == "&":
            out.append("&amp;" if "&amp;" in raw else "%26" if re.match(r"&#?\w+;", path[at:]) else c)
        elif c == ":" and "/" not in path[:at]:
            out.append("%3A")
        elif c in plain or (c.isalnum() and (c.isascii() or not (percent and raw.isascii()))):
            out.append(c)
        else:
            out.append(quote(c, safe="", errors="surrogateescape"))
    return "".join(out)


def _balanced(text: str) -> bool:
    depth = 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if depth < 0:
            return False
    return depth == 0
