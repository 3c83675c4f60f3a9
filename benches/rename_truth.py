"""Which tokens of a human's change are references that a rename made necessary."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_TOKEN = re.compile(r"[\w./@~:+-]*\w[\w./@~:+-]*|\.+")
_KINDS = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".jsx": "javascript", ".mjs": "javascript",
    ".cjs": "javascript", ".ts": "typescript", ".tsx": "typescript", ".mts": "typescript", ".cts": "typescript",
    ".go": "go", ".rs": "rust", ".c": "c", ".h": "c", ".cc": "c", ".cpp": "c", ".hpp": "c", ".cxx": "c", ".hh": "c",
    ".md": "markdown", ".mdx": "markdown", ".markdown": "markdown", ".rst": "rest", ".html": "html", ".htm": "html",
    ".css": "css", ".scss": "css", ".less": "css", ".java": "java",
}  # fmt: skip
_ALIKE, _LONGEST, _MOST = 0.6, 400, 150


class Hunk(NamedTuple):
    """Lines from the 0-based `start` that became other lines."""

    start: int
    old: list[str]
    new: list[str]


class Fix(NamedTuple):
    """A reference that people fixed: the token `old` in line `line` became `new`."""

    kind: str
    line: int
    before: str
    after: str
    old: str
    new: str


def tokens(line: str) -> list[str]:
    """The words, paths and dotted names of a line."""
    return [m[0].rstrip(".:,") or m[0] for m in _TOKEN.finditer(line)]


def kind_of(path: str, line: str) -> str:
    """The language of a file, and for code whether the line is an import."""
    language = _KINDS.get(posixpath.splitext(path)[1].lower(), "configuration")
    body = line.strip()
    match language:
        case "python":
            sort = "import" if re.match(r"(?:from|import)\b|>>> (?:from|import)", body) else "other"
        case "javascript" | "typescript":
            m = re.search(r"(?:from|import|require)\s*\(?\s*[\"']([^\"']+)|^export.*[\"']([^\"']+)", body)
            sort = "other" if m is None else "relative" if (m[1] or m[2] or "").startswith(".") else "bare"
        case "go":
            sort = "import" if re.fullmatch(r"(?:import )?[\w.]*\s*\"[^\"]+\"", body) else "other"
        case "rust":
            sort = "mod use" if re.match(r"(?:pub(?:\([^)]*\))? )?(?:mod|use)\b|#\[path", body) else "other"
        case "c":
            sort = "include" if re.match(r"#\s*include", body) else "other"
        case _:
            return language
    return f"{language} {sort}"


def fixes(path: str, hunks: list[Hunk], moved: Mapping[str, str]) -> Iterator[Fix]:
    """The references that people fixed in a file that is now at `path`."""
    words = [_words(old, new) for old, new in moved.items()]
    own = path in set(moved.values())
    gone = {word for was, _ in words for word in was}
    free = [line for hunk in hunks for line in hunk.new if len(line) <= _LONGEST][:_MOST]
    for hunk in hunks:
        for at, before in enumerate(hunk.old):
            if len(before) > _LONGEST or (not own and gone.isdisjoint(re.split(r"\W+", before))):
                continue
            paired = hunk.new[at : at + 1] if len(hunk.old) == len(hunk.new) else []
            for after in [*paired, *(hunk.new if len(hunk.new) < 9 else ()), *_close(before, free)]:
                kind = kind_of(path, before)
                changes = [(o, n) for o, n in _changed(before, after) if _is_fix(o, n, words, own=own)]
                if not kind.endswith((" import", " relative", " bare", " mod use", " include")):
                    # Elsewhere only a path or a module is a reference; a renamed variable or a like word is none.
                    changes = [(o, n) for o, n in changes if _names(o, moved)]
                if changes:
                    for old, new in changes:
                        yield Fix(kind, hunk.start + at, before, after, old, new)
                    break


def _close(before: str, free: list[str]) -> Iterator[str]:
    """The lines that are like another one, asked for only where no neighbour explains it."""
    yield from difflib.get_close_matches(before, free, 3, _ALIKE)


def _changed(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The tokens that were replaced one by one."""
    was, now = tokens(before), tokens(after)
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            yield from zip(was[i1:i2], now[j1:j2], strict=True)


def _names(token: str, moved: Mapping[str, str]) -> bool:
    """Whether a token outside of an import is a moved path, the end of one, a directory above it, or its module."""
    plain = re.sub(r"^(?:\.{0,2}/)+", "", token).rstrip("/")
    if "/" not in plain and "." not in plain:
        return False
    for old in moved:
        stem = posixpath.splitext(old)[0]
        if f"/{old}".endswith(f"/{plain}") or f"/{stem}".endswith(f"/{plain}") or f"/{old}".startswith(f"/{plain}/"):
            return True
        if old.endswith(".py") and "." in plain and f".{plain}".find("." + posixpath.basename(stem)) >= 0:
            return True
    return False


def _parts(token: str) -> set[str]:
    return {part for part in re.split(r"[/.:]+", token) if part}


def _words(old: str, new: str) -> tuple[set[str], set[str]]:
    """The parts of a path that are gone, and those that are new."""
    was, now = _parts(old), _parts(new)
    return was - now, now - was


def _is_fix(old: str, new: str, words: list[tuple[set[str], set[str]]], *, own: bool) -> bool:
    was, now = _parts(old), _parts(new)
    lost, won = was - now, now - was
    if not lost and not won:
        # Only the way there changed: `./x` and `../x`.
        return old != new and "." in (old[0], new[0]) and bool(was)
    for gone, fresh in words:
        if (lost or won) and lost <= gone and won <= fresh:
            return True
    return own and "." in (old[0], new[0]) and bool(was & now) and posixpath.basename(old) == posixpath.basename(new)
