"""The tracked files that may refer to a moved or deleted file: one `git grep` for the names that could be written."""

from __future__ import annotations

import html
import posixpath
import re
from urllib.parse import quote

from kairos.detectors.scene import Scene
from kairos.detectors.stale_reference import directives, markdown_links, path_values, python_imports
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves

_NEEDLES = 60
_DOCUMENTS = (*markdown_links.SUFFIXES, *directives.SUFFIXES)
_CONFIGURATION = (
    *(f"*{s}" for s in path_values.SUFFIXES),
    *(f":(glob)**/{name}" for name in sorted(path_values.NAMES)),
    ":(glob)**/.*ignore", ":(glob)**/Dockerfile.*", ":(glob)**/Makefile.*", ":(glob)**/.env.*",
    ":(glob)**/requirements/*.in", *(f":(glob)**/{directory}/*" for directory in path_values.SCRIPTS),
)  # fmt: skip
_PATHSPECS = (*(f"*{s}" for s in (*python_imports.SUFFIXES, *_DOCUMENTS)), *_CONFIGURATION)
_NAMED = re.compile(rf"(?:{'|'.join(sorted(python_imports.NAMERS))})\s*\(\s*[\"'](\w+)")
_STRING = re.compile(r"[\"'](\w+(?:\.\w+)+)")
_IMPORTS = re.compile(
    r"(?<![\w.])(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^)]*+\)|(?:\\\n|[^\n#;])*+)|import[ \t]+([^\n#;]+))"
)
_EXPECTED = re.compile(r"pytest_plugins|py_modules|entry_points|packages[ \t]*=|[\"']-[mc][\"']")
_NAME = re.compile(r"\w+")


def candidates(scene: Scene, moves: Moves) -> list[str]:
    """Tracked files of a known kind that contain a name of a moved file, and moved files whose own links may break."""
    needles: set[str] = set()
    stems: set[str] = set()
    beside: set[str] = set()
    stale = list(moves.stale)
    many = len(stale) > _NEEDLES
    for old in stale:
        directory, base = posixpath.split(old)
        stem, suffix = posixpath.splitext(base)
        if base == "__init__.py" or (many and directory):
            needles.add(posixpath.basename(directory) or base)
        else:
            needles.update({stem} if suffix in python_imports.SUFFIXES else _spellings(base))
            if suffix in _DOCUMENTS or suffix in markdown_links.SPECIFIERS:
                stems.add(stem)
        if many or base == "__init__.py":
            beside.add(directory)
    needles |= {posixpath.basename(d) for d in moves.directories}
    found = set(scene.facts.naming(sorted(needles), _PATHSPECS))
    directories = {posixpath.dirname(old) for old in stale} - {""}
    if directories and not many:
        # A pattern may cover an old path without its name.
        found |= set(scene.facts.naming([f"{d}/" for d in directories], _CONFIGURATION, words=False))
    if stems:
        found |= set(scene.facts.naming(sorted(stems), [f"*{s}" for s in _DOCUMENTS]))
    own = (*python_imports.SUFFIXES, *_DOCUMENTS)
    found |= {p for p in moves.moved.values() if p.endswith(own) or path_values.is_configuration(p)}
    if beside:
        # Files in the same directory may name a file without the directory.
        found |= {p for p in scene.tracked if posixpath.dirname(p) in beside and is_known_kind(p)}
    return sorted(found)


def is_known_kind(path: str) -> bool:
    """Whether a file is of a kind that is searched."""
    return path.endswith((*python_imports.SUFFIXES, *_DOCUMENTS)) or path_values.is_configuration(path)


def _spellings(base: str) -> set[str]:
    """A file name as it may be written: plain, percent-encoded, with backslashes, as HTML, in a regular expression."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", base)
    some = re.sub(r"([()\[\]*_])", r"\\\1", base)
    pattern = base.replace(".", "\\.")
    forms = {base, quote(base, errors="surrogateescape"), html.escape(base), escaped, some, pattern}
    return forms | {pattern.replace("\\", "\\\\")}


def could_import(path: str, text: str, modules: Modules) -> bool:
    """Whether an import or a string may name a moved module: a cheap check before parsing."""
    if modules.moves.former(path) != path:
        return True
    ends = modules.ends
    plain: set[str] = set()
    for m in _IMPORTS.finditer(text):
        if m[1] is not None:
            if modules.concerns(path, m[1], _NAME.findall(m[2])):
                return True
        else:
            names = {words[0] for name in m[3].split(",") if (words := name.split())}
            plain |= names
            if any(
                modules.stale(path, name) or modules.ambiguous(path, name)
                for name in names
                if ends & {*name.split(".")}
            ):
                return True
    tops = {name.split(".")[0] for name in plain}
    if modules.chained(text, tops):
        return True
    if (modules.word if path.endswith("setup.py") else modules.in_string).search(text) is None:
        return False
    if _EXPECTED.search(text):
        return True
    if modules.quoted.search(text) is None:
        return False
    return any(m[1] in ends for m in _NAMED.finditer(text)) or any(
        modules.concerned(path, m[1]) for m in _STRING.finditer(text)
    )
