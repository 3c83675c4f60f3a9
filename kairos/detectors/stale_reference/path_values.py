"""Finds paths and module names in configuration, CI files, build files and shell scripts."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

SUFFIXES = (
    ".yml", ".yaml", ".toml", ".json", ".jsonc", ".json5", ".ini", ".cfg", ".conf", ".properties", ".mk", ".cmake",
    ".gradle", ".sh", ".bash", ".bzl", ".bazel", ".dockerfile",
)  # fmt: skip
NAMES = frozenset({
    "Makefile", "makefile", "GNUmakefile", "Dockerfile", "Containerfile", "Justfile", "justfile", "Procfile",
    "Jenkinsfile", "CODEOWNERS", "MANIFEST.in", "CMakeLists.txt", "BUILD", "WORKSPACE", "Tiltfile", "Vagrantfile",
    ".dockerignore", ".gitattributes", ".editorconfig", ".coveragerc", ".flake8", ".pylintrc", ".babelrc", ".eslintrc",
    "meson.build",
})  # fmt: skip
_ROOTED = frozenset({"CODEOWNERS", ".dockerignore", ".gitattributes", ".gitignore"})
"""Files in which a leading slash means the root of the repository; in others it means the root of the file system."""
_ENTRY_POINTS = frozenset({"pyproject.toml", "setup.cfg"})
_TOKEN = re.compile(r"[\w.@+~/%-]+")
_GLUED = frozenset("$}{*?[]\\@:)")
_OPEN_ENDED = frozenset("${*?[@")
"""A token next to one of these characters is part of a pattern, a variable or a remote name, not a whole path."""
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def is_configuration(path: str) -> bool:
    """Whether a file contains paths as values."""
    name = posixpath.basename(path)
    if name.startswith(".") and name.endswith("ignore"):
        return True
    return name in NAMES or name.startswith(("Dockerfile.", "Makefile.")) or name.lower().endswith(SUFFIXES)


def find_values(path: str, text: str, moves: Moves, modules: Modules) -> Found:
    """The references in one configuration file: whole tokens only, relative to the root or to the file."""
    found, lines = Found(), Lines(text)
    for m in _TOKEN.finditer(text):
        token = m[0].rstrip(".")
        start, end = m.start(), m.start() + len(token)
        before, after = text[start - 1 : start], text[end : end + 1]
        below = token.endswith("/") and after == "*"  # `src/**`: all of a directory
        if not token or before in _GLUED or (after in _OPEN_ENDED and not below):
            continue
        quoted = before == after and before in ("'", '"')
        answer = _path(path, token, moves, quoted=quoted)
        if answer is None:
            answer = _module(path, token, text, start, end, modules)
        if answer is not None and answer != token:
            line = lines.number(start)
            if answer == "":
                found.dead.add(line)
            else:
                found.rewrite(line, Span(start, end, answer))
        elif answer is None and _may_mean(token, moves):
            found.doubts.append((lines.number(start), "ends like the old path but starts elsewhere"))
    _unusual(path, text, moves, lines, found)
    return found


def _path(path: str, token: str, moves: Moves, *, quoted: bool) -> str | None:
    """The new form of a path token, "" for a deleted file, None if it names no moved path."""
    here, former = posixpath.dirname(path), posixpath.dirname(moves.former(path))
    lead = "./" if token.startswith("./") else ""
    body = token[len(lead) :]
    slash = "/" if body.endswith("/") else ""
    body = body.removesuffix("/")
    if body.startswith("/"):
        if posixpath.basename(path) not in _ROOTED:
            return None
        lead, body = "/", body[1:]
    if "/" not in body and not slash and not quoted and not lead and "." not in body.strip("."):
        return None
    bases = ["", former] if former else [""]
    if posixpath.basename(path) in ("mkdocs.yml", "mkdocs.yaml"):
        bases.append(posixpath.join(former, "docs"))
    for base in bases:
        old = posixpath.normpath(posixpath.join(base, body))
        if old in moves.gone and not slash:
            return ""
        new = moves.moved.get(old) if not slash else None
        if new is None and ("/" in body or slash):
            new = moves.directories.get(old)
        if new is None:
            continue
        if base:
            spelled = posixpath.relpath(new, (here if base == former else base) or ".")
            return ("./" if lead and not spelled.startswith(".") else "") + spelled + slash
        return lead + new + slash
    return None


def _module(path: str, token: str, text: str, start: int, end: int, modules: Modules) -> str | None:
    """The new name of a Python module: after `-m`, as an entry point `module:name`, or dotted in Python's own files."""
    if not _MODULE.fullmatch(token):
        return None
    run = re.search(r"(?:^|\s)-m[ \t]+$", text[max(0, start - 12) : start]) is not None
    entry = re.match(r":[A-Za-z_]", text[end : end + 2]) is not None
    own = path.endswith((".ini", ".cfg", "pyproject.toml", ".coveragerc"))
    own = own or re.search(r"_MODULE[\"']?[ \t]*[=:][ \t]*[\"']?$", text[max(0, start - 60) : start]) is not None
    whole = run or (entry and ("." in token or posixpath.basename(path) in _ENTRY_POINTS))
    if not whole and not (own and "." in token):
        return None
    return modules.renamed(path, token, shortest=1 if whole else 2)


def _may_mean(token: str, moves: Moves) -> bool:
    """Whether a path with another root, as in `/app/src/pay.py` or `backend/src/pay.py`, may mean a moved file."""
    if token.count("/") < 2 or token.startswith("//"):
        return False
    parts = token.strip("/").split("/")
    return any(moves.is_stale("/".join(parts[i:])) for i in range(1, len(parts) - 1))


def _unusual(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """Finds old paths that are not a single token, for example with spaces: only as whole quoted values."""
    for old in moves.stale:
        if _TOKEN.fullmatch(old) or not old.isprintable():
            continue
        for m in re.finditer(rf"([\"'])(?:\./)?({re.escape(old)})\1", text):
            line = lines.number(m.start(2))
            if old in moves.gone:
                found.dead.add(line)
            else:
                found.rewrite(line, Span(m.start(2), m.end(2), moves.moved[old]))
