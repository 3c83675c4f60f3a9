"""Finds imports in the Python programs of a document, which are read as one: what one binds, the next one uses."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.python_imports import find_imports
from kairos.detectors.stale_reference.python_source import PythonSource, parsed
from kairos.detectors.stale_reference.references import Found

LANGUAGES = frozenset({"python", "python3", "py", "pycon", "py3", "doctest", "ipython"})
_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?:[ ]|$)")
_OPENING = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(?:\{(?:code|code-block|code-cell)\}[ \t]*)?\{?\.?([\w-]*)")
_CLOSING = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*$")


class CodeLine(NamedTuple):
    """A line of a program, without its indentation or prompt, and the offset at which it stands in the document."""

    at: int
    text: str


def fenced(text: str, start: int, end: int, languages: Container[str] = LANGUAGES) -> tuple[int, int] | None:
    """The content of a fenced block at start..end, if it is a program in one of these languages."""
    first = text.find("\n", start, end) + 1
    if not first or language(text, start, end) not in languages:
        return None
    last = text.rfind("\n", first, end - 1 if text[end - 1 : end] == "\n" else end) + 1
    return first, last if last and _CLOSING.match(text[last:end].rstrip("\n")) else end


def language(text: str, start: int, end: int) -> str:
    """The language that a fenced block at start..end states; "" if none."""
    opening = _OPENING.match(text, start, end)
    return opening[1].lower() if opening is not None else ""


def find_in_programs(path: str, text: str, blocks: Sequence[tuple[int, int]], modules: Modules) -> Found:
    """The imports of moved modules, and the uses of what they bind, in the programs at these ranges of a document.

    Nothing is changed if a program that names one of the modules cannot be parsed: it may use what another one
    imports. A block that is no program at all does not parse either, and names none."""
    rows: list[CodeLine] = []
    for start, end in blocks:
        lines = list(_program(text, start, end))
        code = "\n".join(line.text for line in lines)
        if parsed(code) is not None:
            rows += lines
        elif modules.word.search(code):
            return Found()
    code = "\n".join(row.text for row in rows)
    tree = parsed(code) if modules.word.search(code) else None
    if tree is None:
        return Found()
    # What a renamed package is called is understood in its own documents: they use it without an import.
    implied = [name for name in sorted(modules.top_packages) if PythonSource(code, tree).is_unbound(name)]
    rows = [*(CodeLine(-1, f"import {name}") for name in implied), *rows]
    code = "\n".join(row.text for row in rows)
    inner, lines_of_code, lines_of_text = find_imports(path, code, modules, code=False), Lines(code), Lines(text)
    found = Found()
    for span in inner.spans:
        number = lines_of_code.number(span.start)
        if rows[number].at < 0:
            continue
        at = rows[number].at + span.start - lines_of_code.starts[number]
        if "\n" in span.new or "\n" in code[span.start : span.end]:
            return Found()
        found.rewrite(lines_of_text.number(at), Span(at, at + span.end - span.start, span.new))
    found.count = min(inner.count, found.count)
    return found


def _program(text: str, start: int, end: int) -> Iterator[CodeLine]:
    """The lines of a program: those behind prompts if there are any, otherwise all, without their indentation."""
    at, lines = start, list[CodeLine]()
    for line in text[start:end].split("\n"):
        lines.append(CodeLine(at, line.rstrip("\r")))
        at += len(line) + 1
    prompts = [(line, m) for line in lines if (m := _PROMPT.match(line.text))]
    if any(">" in m[0] for _, m in prompts):
        yield from (CodeLine(line.at + m.end(), line.text[m.end() :]) for line, m in prompts)
        return
    indents = [len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip()]
    indent = min(indents, default=0)
    yield from (CodeLine(line.at + indent, line.text[indent:]) for line in lines if line.text.strip())
