"""Finds paths of moved files in the shell commands of a document: in blocks of code, and in spans of several words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.destinations import PathReading, follow
from kairos.detectors.stale_reference.go_words import find_words
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found

_SHELLS = frozenset(
    {"sh", "bash", "shell", "zsh", "console", "shell-session", "shellsession", "sh-session", "terminal", "fish"}
)
_OPENING = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*\{?\.?([\w-]*)")
_PROMPT = re.compile(r"[ \t]*[$%][ \t]+")
_RUNNERS = (
    r"(?:sudo[ \t]+)?(?:python[\d.]*|pypy\d?|ba?sh|zsh|sh|node|deno|bun|npx|ruby|perl|php|pytest|source|\."
    r"|chmod[ \t]+\S+|go[ \t]+(?:run|test|build)|tsx|ts-node|make[ \t]+-f"
    r"|pip[\d.]*[ \t]+install[ \t]+-r|docker[ \t]+build[ \t]+-f"
    r"|(?:uv|poetry|pipenv|hatch|pdm)[ \t]+run(?:[ \t]+python[\d.]*)?)"
)
_COMMAND = re.compile(rf"[ \t]*(?:\w+=\S*[ \t]+)*(?:\./|{_RUNNERS}(?=[ \t]))")
"""How a line begins that is a command without a prompt."""
_RUN = re.compile(rf"(?<![^\s;&|(`]){_RUNNERS}[ \t]+(?:-\w+[ \t]+)*$")
"""What stands before the name of a file in the current directory."""
_NEAR = 200
"""So many characters before a name are looked at for what runs it."""
_WORD = re.compile(r"(?<![^`\s\"'=<>|;&])(?:\./)?[\w.@+-]+(?:/[\w.@+-]+)*(?![^\s\"'<>|;&,:)`]|[.:,]\w)")
_CHANGES = re.compile(r"(?:^|[\s;&|])(?:cd|pushd)[ \t]+\S")


def fenced_commands(path: str, lines: Lines, start: int, end: int, moves: Moves, projects: Projects) -> Found:
    """The paths in a fenced block at start..end: in every line if it is a shell's, otherwise in its commands; import
    paths of Go in a shell's."""
    text = lines.text
    opening = _OPENING.match(text, start, end)
    first = text.find("\n", start, end) + 1
    if opening is None or not first:
        return Found()
    name = opening[1].lower()
    if name not in _SHELLS and name not in ("", "text"):
        return Found()
    found = find_in_block(path, lines, first, end, moves, shell=name in _SHELLS)
    for begin, stop, followed in find_words(text, first, end, moves, projects) if name in _SHELLS else ():
        if followed.new:
            found.rewrite(lines.number(begin), Span(begin, stop, followed.new))
        elif followed.why:
            found.doubt(lines.number(begin), followed.why)
    return found


def find_in_block(path: str, lines: Lines, start: int, end: int, moves: Moves, *, shell: bool = False) -> Found:
    """The paths in the commands of a code block. `shell`: every line is one; else those with a prompt, and those that
    begin as a command does. After a `cd` nothing is certain."""
    found, text = Found(), lines.text
    block = text[start:end]
    prompts = any(_PROMPT.match(line) for line in block.split("\n"))
    at, lost = start, False
    for line in block.split("\n"):
        prompt = _PROMPT.match(line)
        command = prompt is not None or (not prompts and (shell or _COMMAND.match(line) is not None))
        if command and not line.lstrip().startswith("#"):
            begin = at + (prompt.end() if prompt else 0)
            for word, target in _named(path, text, begin, at + len(line), moves):
                if lost:
                    found.doubt(lines.number(word.start), f"whether it is {target} is not certain after a `cd`")
                else:
                    found.rewrite(lines.number(word.start), word)
            lost = lost or _CHANGES.search(line) is not None
        at += len(line) + 1
    return found


def find_in_span(path: str, lines: Lines, start: int, end: int, moves: Moves) -> Found:
    """The paths in a code span of several words that begins as a command does."""
    found, text, line = Found(), lines.text, lines.number(start)
    if _COMMAND.match(text, start, end) and not _CHANGES.search(text, start, end):
        for word, _ in _named(path, text, start, end, moves):
            found.rewrite(line, word)
    return found


def _named(path: str, text: str, start: int, end: int, moves: Moves) -> Iterator[tuple[Span, str]]:
    """(replacement, old path) of each word that is the whole path of a moved file from the root of the tree, unless it
    was a path from the document as well."""
    before = posixpath.dirname(moves.former(path))
    for m in _WORD.finditer(text, start, end):
        name = m[0].removeprefix("./")
        if name not in moves.moved or (before and moves.was(posixpath.join(before, name))):
            continue
        if "/" not in m[0] and not _RUN.search(text, max(start, m.start() - _NEAR), m.start()):
            continue
        followed = follow(name, [PathReading("", "", "above")], moves)
        if followed.new and _WORD.fullmatch(followed.new):
            yield Span(m.end() - len(name), m.end(), followed.new), name
