"""Finds module names and programs for Python in command lines, however these are written: words, lists, exec form."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.references import Found

_NEXT = r"(?:[ \t]*=[ \t]*|[\"'`]?[ \t]*,[ \t]*(?:\\?\n[ \t]*)?|[\"']?[ \t]*\n[ \t]*-[ \t]+|[ \t]+(?:\\\n[ \t]*)?)"
"""What separates an argument from the next: blanks, a comma between quotes, a line of a YAML list."""
_MODULE = re.compile(
    rf"(?<![\w-])(?P<flag>-[mpA]|--module|--app|--cov|--source|--pyargs|--plugin)(?:{_NEXT})[\"'`]?"
    r"(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?![\w/-]|\.\w)"
)
_CODE = re.compile(rf"(?<![\w-])-c{_NEXT}(?P<quote>[\"'])(?P<code>(?:(?!(?P=quote))[^\\]){{1,2000}})(?P=quote)")
_WHOLE = frozenset({"-m", "-p", "--pyargs", "--cov"})
"""Flags whose argument is a module, never something in it."""
_BACK = 160
_RUNNERS = {
    "-m": re.compile(r"(?i)\bpy(?:thon|py|w)?[\d.]*\b|python|coverage[\"',\s]+run|interpreter|executable|debugpy"),
    "-p": re.compile(r"(?i)pytest|py\.test|addopts|mypy"),
    "-A": re.compile(r"(?i)celery|flask|quart"),
}
"""What must stand before a flag in the same command for a name without dots to be a module."""


def find_modules(path: str, text: str, modules: Modules) -> Found:
    """The module names in the command lines of a text: after `-m`, `-p`, `--app` and the like."""
    found = Found()
    if not modules.word.search(text):
        return found
    lines = Lines(text)
    for m in _MODULE.finditer(text):
        name, flag = m["name"], m["flag"]
        runner = _RUNNERS.get(flag)
        alone = runner is None or runner.search(_command(text, m.start())) is not None
        if "." not in name and not alone:
            continue
        here = posixpath.dirname(modules.moves.former(path))
        if flag in _WHOLE and not modules.before.resolve(here, name):
            continue
        renamed = modules.renamed(path, name, shortest=1 if alone else 2)
        line = lines.number(m.start("name"))
        if renamed.why:
            found.doubt(line, renamed.why)
        elif renamed.new == "":
            found.dead.add(line)
        elif renamed.new is not None and renamed.new != name:
            found.rewrite(line, Span(*m.span("name"), renamed.new))
    return found


def programs(text: str) -> Iterator[tuple[int, str]]:
    """(offset, text) of the programs that commands give to `python -c`."""
    for m in _CODE.finditer(text):
        if _RUNNERS["-m"].search(_command(text, m.start())):
            yield m.start("code"), m["code"]


def _command(text: str, end: int) -> str:
    """What stands before `end` in the same command: the same line, or the lines of the same list."""
    before = text[max(0, end - _BACK) : end]
    lines = before.split("\n")
    kept = [lines.pop()]
    while lines and (
        kept[0].lstrip().startswith(("-", '"', "'", ",")) or lines[-1].rstrip().endswith(("\\", ",", "["))
    ):
        kept.insert(0, lines.pop())
    return "\n".join(kept)
