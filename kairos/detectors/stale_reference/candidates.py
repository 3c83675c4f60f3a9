"""The tracked files that may refer to a moved or deleted file: `git grep` for the names that could be written."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from kairos.detectors.scene import Scene
from kairos.detectors.stale_reference import directives, markdown_links, path_values, python_imports, source_files
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.repo.search import only_in

_NEEDLES = 60
_DOCUMENTS = (*markdown_links.SUFFIXES, *directives.SUFFIXES)
_CONFIGURATION = (
    *(f"*{s}" for s in path_values.SUFFIXES),
    *(f":(glob)**/{name}" for name in sorted(path_values.NAMES)),
    ":(glob)**/.*ignore", ":(glob)**/Dockerfile.*", ":(glob)**/Makefile.*", ":(glob)**/.env.*",
    ":(glob)**/requirements/*.in", *(f":(glob)**/{directory}/*" for directory in path_values.SCRIPTS),
)  # fmt: skip
_SOURCES = tuple(f"*{s}" for s in source_files.SUFFIXES)
_PLACES = frozenset({"index", "mod", "lib", "main"})
"""Files that are named by their directory."""
_INDEX_NAMED = ("/index", *(f"{end}{quote}" for end in ("..", "../", "'.", '".', "'./", '"./') for quote in "'\""))
"""What a specifier of an index file ends with, if its directory is not named."""
_IN_PROGRAMS = (".rs", ".java", ".mjs", ".cjs", ".mts", ".cts")
"""Suffixes that the programs in documents leave out."""
_MANY_SOURCES = 5_000
_NAMED = re.compile(rf"(?:{'|'.join(sorted(python_imports.NAMERS))})\s*\(\s*[\"'](\w+)")
_STRING = re.compile(r"[\"'](\w+(?:\.\w+)+)")
_IMPORTS = re.compile(
    r"(?<![\w.])(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^()]*+\)|(?:\\\n|[^\n#;])*+)|import[ \t]+([^\n#;]+))"
)
_EXPECTED = re.compile(r"pytest_plugins|py_modules|entry_points|packages[ \t]*=|[\"']-[mc][\"']")
_NAME = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W_]+")
_TELLING = 4
_PLAIN = re.compile(r"[\w.-]+")
_WORD = re.compile(r"[\w-]+(?:\.\w+)*")


class _Written(NamedTuple):
    """How other files may name what moved. `needles`: whole words; `stems`: as documents leave a suffix out;
    `beside`: directories whose files may name a file without its directory; `many`: so many moved that directories
    stand for them."""

    needles: set[str]
    stems: set[str]
    beside: set[str]
    many: bool


def _written(moves: Moves) -> _Written:
    stale = list(moves.stale)
    out = _Written(set(), set(), set(), len(stale) > _NEEDLES)
    for old in stale:
        directory, base = posixpath.split(old)
        stem, suffix = posixpath.splitext(base)
        if base == "__init__.py" or (out.many and directory):
            out.needles.add(posixpath.basename(directory) or base)
        else:
            out.needles.update({stem} if suffix in python_imports.SUFFIXES else _spellings(base))
            if suffix in _DOCUMENTS or suffix in markdown_links.SPECIFIERS or suffix in _IN_PROGRAMS:
                out.stems.add(posixpath.basename(directory) or stem if stem in _PLACES else stem)
            if base == "README.md":
                out.stems.add("index.html")  # as mdBook calls it
        if out.many or base == "__init__.py":
            out.beside.add(directory)
    out.needles.update(posixpath.basename(d) for d in (*moves.directories, *moves.go_packages_left))
    return out


def naming(scene: Scene, moves: Moves) -> list[str]:
    """The tracked text files of any kind that contain the name of a moved or deleted file as a whole word. Whatever
    names its whole path is among them."""
    return scene.facts.naming(sorted(_written(moves).needles))


def candidates(scene: Scene, moves: Moves, named: Sequence[str]) -> list[str]:
    """Tracked files of a known kind that contain a name of a moved file, and moved files whose own links may break.
    `named`: the answer of `naming`."""
    written = _written(moves)
    found = {path for path in named if is_known_kind(path)}
    directories = {posixpath.dirname(old) for old in moves.stale} - {""}
    own: tuple[str, ...] = (*python_imports.SUFFIXES, *_DOCUMENTS)
    read = (p for p in scene.tracked if not p.endswith(own) and path_values.is_configuration(p))
    kept = list(read) if directories and not written.many else []
    if kept:
        # A pattern may cover an old path without its name.
        where = only_in(kept) or _CONFIGURATION
        found |= set(scene.facts.naming([f"{d}/" for d in directories], where, words=False))
    if written.stems:
        found |= set(scene.facts.naming(sorted(written.stems), [f"*{s}" for s in _DOCUMENTS]))
    found |= _sources(scene, moves)
    own = (*own, *source_files.SUFFIXES)
    found |= {p for p in moves.moved.values() if p.endswith(own) or path_values.is_configuration(p)}
    if written.beside:
        # Files in the same directory may name a file without the directory.
        found |= {p for p in scene.tracked if posixpath.dirname(p) in written.beside and is_known_kind(p)}
    return sorted(found)


def _sources(scene: Scene, moves: Moves) -> set[str]:
    """The source files that may name a moved file: by its name, with or without suffix, or by its directory; an index
    file also by the way up to it."""
    needles: set[str] = set()
    found: set[str] = set()
    for old in moves.stale:
        directory, base = posixpath.split(old)
        stem = base.partition(".")[0] or base
        if stem == "index" and old.endswith(source_files.SCRIPTS):
            found |= _below_index(scene, directory)
        needles |= {base} if base.isidentifier() else {base, quote(base, errors="surrogateescape"), html.escape(base)}
        if posixpath.splitext(base)[1] in source_files.LANGUAGES or not posixpath.splitext(base)[1]:
            needles |= {posixpath.basename(directory)} if stem in _PLACES or base.endswith(".go") else {stem}
    needles |= {posixpath.basename(d) for d in moves.directories}
    needles -= {""}
    if len(needles) <= _NEEDLES:
        return found | set(scene.facts.naming(sorted(needles), _SOURCES))
    for path in sorted(p for p in scene.tracked if p.endswith(source_files.SUFFIXES))[:_MANY_SOURCES]:
        text = scene.text(path)
        if text is not None and not needles.isdisjoint(_WORD.findall(text)):
            found.add(path)
    return found


def _below_index(scene: Scene, directory: str) -> set[str]:
    """The scripts in and below a directory that may name its index file without the directory."""
    start = f"{directory}/" if directory else ""
    inside = [p for p in scene.tracked if p.startswith(start) and p.endswith(source_files.SCRIPTS)]
    where = only_in(inside) or [f"*{s}" for s in source_files.SCRIPTS]
    return set(scene.facts.naming(_INDEX_NAMED, where, words=False)) & set(inside) if inside else set()


def is_known_kind(path: str) -> bool:
    """Whether a file is of a kind that is searched."""
    own = (*python_imports.SUFFIXES, *_DOCUMENTS, *source_files.SUFFIXES)
    return path.endswith(own) or path_values.is_configuration(path)


def _spellings(base: str) -> set[str]:
    """A file name as it may be written: plain, percent-encoded, with backslashes, as HTML, in a regular expression,
    glued to an option (`-rbase.txt`), or by its longest word if it is an unusual one and that word is no short one,
    which would be in every file."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", base)
    some = re.sub(r"([()\[\]*_])", r"\\\1", base)
    pattern = base.replace(".", "\\.")
    forms = {base, quote(base, errors="surrogateescape"), html.escape(base), escaped, some, pattern}
    if base.endswith(path_values.REQUIRED):
        forms |= {f"{option}{base}" for option in "rc"}
    if not _PLAIN.fullmatch(base):
        # It may be written in several of these ways at once.
        stem = posixpath.splitext(base)[0]
        longest = (max(words.findall(stem), key=len, default=base) for words in (_NAME, _LETTERS))
        forms |= {word for word in longest if len(word) >= _TELLING}
    return forms | {pattern.replace("\\", "\\\\")}


def could_import(path: str, text: str, modules: Modules) -> bool:
    """Whether an import or a string may name a moved module: a cheap check before parsing."""
    if modules.moves.former(path) != path or any(old in text for old in list(modules.moves.stale)[:_NEEDLES]):
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
