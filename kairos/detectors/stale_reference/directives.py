"""Finds what reST and MyST refer to: directives with paths, toctrees, documents, autodoc modules, roles, targets."""

from __future__ import annotations

import bisect
import posixpath
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference import code_blocks, rest_tables
from kairos.detectors.stale_reference.destinations import SCHEME, STAYS, Followed, PathReading, follow
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

SUFFIXES = (".rst", ".rest")
_BLANKS = " \t\r"
_LONGEST_ROLE, _LONGEST_LINE = 80, 20_000
_DOCUMENTS = (".rst", ".md", ".txt", ".rest", ".ipynb", ".mdx")
_PATHS = frozenset({
    "include", "literalinclude", "image", "figure", "graphviz", "uml", "mermaid", "plot", "svg", "thumbnail", "video",
    "program-output", "jinja", "openapi", "raw", "csv-table", "code-include", "mdinclude",
})  # fmt: skip
_FILE_OPTIONS = re.compile(r"[ \t]*:(?:file|diff|target|thumbnail|poster):[ \t]+(\S.*)$")
_MODULE_OPTION = re.compile(r"[ \t]*:module:[ \t]+([\w.]+)[ \t]*\r?$")
_MODULES = frozenset({"currentmodule", "module", "py:module", "py:currentmodule", "click", "autoprogram", "typer"})
_OBJECTS = re.compile(r"(?:py:)?(?:class|function|exception|data|method|attribute|decorator)")
_LITERAL = frozenset({
    "code", "code-block", "sourcecode", "highlight", "parsed-literal", "math", "doctest", "testcode", "testoutput",
    "testsetup", "testcleanup", "ipython", "prompt", "productionlist", "digraph", "graph", "plantuml",
})  # fmt: skip
_PROGRAMS = frozenset({"doctest", "testcode", "testsetup", "testcleanup", "ipython"})
_WITH_TEXT = frozenset({"figure", "csv-table"})
"""Directives with a path whose content is text, as that of a note is."""
_ENTRIES = frozenset({"toctree", "nbgallery", "tableofcontents"})
_DIRECTIVE = re.compile(r"([ \t]*)\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?([A-Za-z][\w:.-]*?)::(?:[ \t]+(\S.*))?$")
_TARGET = re.compile(r"[ \t]*\.\.[ \t]+_(?:`[^`\n]+`|[^:\n]+):[ \t]+(\S+)$")
_INTERNAL = re.compile(r"[ \t]*\.\.[ \t]+_(?:`[^`\n]+`|[^:\n]+):$")
_NOTE = re.compile(r"[ \t]*\.\.[ \t]+\[(?:\d+|\*|#|#?[^\W_](?:\w|[-.+:])*)\](?:[ \t]+|(?=\r?$))")
"""The start of a footnote or a citation; its text follows."""
_COMMENT = re.compile(r"[ \t]*\.\.(?:[ \t]|\r?$)")
_FENCE = re.compile(r"(?:`{3,}|~{3,}|:{3,})[ \t]*\{([\w:.+-]+)\}[ \t]*(.*)$")
"""These are matched with lines without the blanks at their end: nothing in them is read twice."""
_TITLED = re.compile(r"[^`<>]*<([^`<>]+)>")
_OPENED, _CLOSED = re.compile(r"(?<![\w`\\])``(?=\S)"), re.compile(r"(?<=\S)``(?![\w`])")
_ROLE_NAME = r"[A-Za-z][\w:+.-]{0,60}"
_ROLE = re.compile(rf"(?<!\\)(?::|\{{)({_ROLE_NAME})(?::|\}})`([^`\n]+)`")
_LAST_ROLE = re.compile(rf"(?<!\\):({_ROLE_NAME}):$")
_EMBEDDED = re.compile(r"`[^`<>]*<([^`<>\n]+)>`__?")
_CLOSING = re.compile(r"[^`<>\n]*<([^`<>\s]+)>`(__?)?")
_CODE = re.compile(r"``([^`\s]+)``")
_NAMES = re.compile(r"(?:py:)?(?:mod|class|func|meth|exc|attr|data|obj|const|any)")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SAFE = re.compile(r"[\w./+@~-]+")
_MKDOCSTRINGS = re.compile(r"(?m)^:::[ \t]+([A-Za-z_]\w*(?:\.\w+)+)[ \t]*$")


def find_directives(path: str, text: str, moves: Moves, modules: Modules) -> Found:
    """The references in one reST file (or one reST part of a file)."""
    reader = _Reader(path, text, moves, modules)
    reader.read()
    return reader.found


def find_in_fence(path: str, text: str, moves: Moves, modules: Modules) -> Found:
    """The references in one fenced block of a Markdown file: those of a MyST directive, none in other code."""
    head, _, _ = text.partition("\n")
    opening = _FENCE.match(head.rstrip(_BLANKS))
    reader = _Reader(path, text, moves, modules)
    if opening is None:
        return reader.found
    if opening[1] == "eval-rst":
        inner = find_directives(path, text[len(head) + 1 :], moves, modules)
        reader.found.add(inner, len(head) + 1, 1)
        return reader.found
    reader.directive(opening[1], *opening.span(2), 1, reader.count - 1)
    return reader.found


def find_in_prose(path: str, text: str, fences: Sequence[tuple[int, int]], moves: Moves, modules: Modules) -> Found:
    """The references in a Markdown file that its grammar does not know: `:::{include} path` and `::: module`."""
    reader = _Reader(path, text, moves, modules)
    if ":::" not in text:
        return reader.found
    blocks = sorted(fences)

    def is_code(at: int) -> bool:
        nth = bisect.bisect_right(blocks, at, key=lambda block: block[0]) - 1
        return nth >= 0 and at < blocks[nth][1]

    for m in _MKDOCSTRINGS.finditer(text):
        if not is_code(m.start()):
            reader.module(*m.span(1), 2)
    for m in re.finditer(r"(?m)^:{3,}[ \t]*\{", text):
        if not is_code(m.start()):
            first = reader.lines.number(m.start())
            opening = _FENCE.match(reader.line(first).rstrip(_BLANKS))
            if opening is not None:
                stop = next((n for n in range(first + 1, reader.count) if reader.line(n).startswith(":::")), first + 1)
                begin = reader.lines.starts[first]
                reader.directive(opening[1], begin + opening.start(2), begin + opening.end(2), first + 1, stop)
    return reader.found


def is_dotted_name(value: str) -> bool:
    """Whether a text is a dotted Python name."""
    return _DOTTED.fullmatch(value) is not None


def is_role(text: str, start: int) -> bool:
    """Whether the code span whose content starts at `start` is the content of a MyST role."""
    return text[max(0, start - 2) : start] == "}`"


def follow_role(path: str, text: str, start: int, value: str, moves: Moves) -> Followed:
    """The new content of a MyST role, a document or a file to download; other roles stay."""
    brace = text.rfind("{", max(0, start - _LONGEST_ROLE), start)
    role = text[brace + 1 : start - 2] if brace >= 0 else ""
    titled = _TITLED.fullmatch(value)
    name = titled[1] if titled else value
    if role not in ("doc", "download"):
        return STAYS
    suffixes = ("", *_DOCUMENTS) if role == "doc" else ("",)
    followed = follow(name, _readings(name, path, moves), moves, suffixes)
    if titled and followed.new:
        return followed._replace(new=value[: titled.start(1)] + followed.new + ">")
    return followed


def _readings(name: str, path: str, moves: Moves) -> list[PathReading]:
    """The meaning of a path in a document of Sphinx: from the directory of conf.py with a leading slash, otherwise from
    the document."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    if name.startswith("/"):
        return [PathReading(sphinx_source(before, moves.was), sphinx_source(here, moves.now.__contains__), "root")]
    return [PathReading(before, here, "relative")]


def sphinx_source(directory: str, exists: Callable[[str], bool]) -> str:
    """The nearest directory with a conf.py; the root if there is none."""
    while directory and not exists(f"{directory}/conf.py"):
        directory = posixpath.dirname(directory)
    return directory


def _without_literals(line: str) -> str:
    """A line with blanks in the place of each literal. One that is not closed is none, and nor is any behind it."""
    closing = [m.start() for m in _CLOSED.finditer(line)]
    parts, last = [], 0
    for m in _OPENED.finditer(line):
        if m.start() < last:
            continue
        nth = bisect.bisect_left(closing, m.end() + 1)
        if nth == len(closing):
            break
        parts += [line[last : m.start()], " " * (closing[nth] + 2 - m.start())]
        last = closing[nth] + 2
    return "".join(parts) + line[last:]


def _is_program(line: str) -> bool:
    """Whether what stands below a line may be a program in Python: of a literal block or a block of code."""
    directive = _DIRECTIVE.match(line.rstrip(_BLANKS))
    if directive is not None and directive[2] in _LITERAL:
        return directive[2] in _PROGRAMS or (directive[3] or "").lower() in code_blocks.LANGUAGES
    return line.rstrip().endswith("::") and (directive is not None or _COMMENT.match(line) is None)


class _Reader:
    def __init__(self, path: str, text: str, moves: Moves, modules: Modules) -> None:
        self.path, self.text, self.moves, self.modules = path, text, moves, modules
        self.found, self.lines = Found(), Lines(text)
        self.count = len(self.lines.starts)
        self._programs: list[tuple[int, int]] = []
        """The ranges of what may be programs: the contents of literal blocks and of code blocks in Python."""
        self.opened = -1
        """The start of a line in which a role or a link of the line before goes on."""

    @cached_property
    def tables(self) -> dict[int, int]:
        return rest_tables.fixed_columns(self.text)

    @cached_property
    def written(self) -> list[int]:
        """The lines that are not blank: a directive may stand above a million blank ones, and within others."""
        return [n for n in range(self.count) if self.line(n).strip()]

    def line(self, number: int) -> str:
        return self.lines.slice(number, number).removesuffix("\n")

    def read(self) -> None:
        """Reads line by line: directives, targets and, outside literal blocks and comments, roles."""
        literal = -1
        for number in range(self.count):
            line = self.line(number)
            body = line.lstrip(" \t")
            indent = len(line) - len(body)
            if body.strip() and not 0 <= literal < indent:
                literal = self._element(number, line, indent)
                if literal >= 0 and _is_program(line):
                    self._program(number, indent)
                elif body.startswith(">>>"):
                    begin = self.lines.starts[number]
                    self._programs.append((begin, begin + len(line)))
        self.found.add(code_blocks.find_in_programs(self.path, self.text, self._programs, self.modules))

    def _program(self, number: int, indent: int) -> None:
        """Notes what stands below a line and deeper than it, without options."""
        at, stop = bisect.bisect_right(self.written, number), self._end(number + 1, indent)
        while at < len(self.written) and self.line(self.written[at]).lstrip().startswith(":"):
            at += 1
        if at < len(self.written) and self.written[at] < stop:
            end = self.lines.starts[stop] if stop < self.count else len(self.text)
            self._programs.append((self.lines.starts[self.written[at]], end))

    def _element(self, number: int, line: str, indent: int) -> int:
        """Reads one line. The indentation from which on what follows is deeper and is not read; -1 if all is."""
        begin = self.lines.starts[number]
        whole = line.rstrip(_BLANKS)
        directive, target, note = _DIRECTIVE.match(whole), _TARGET.match(whole), _NOTE.match(line)
        if directive is not None:
            name, (start, end) = directive[2], directive.span(3) if directive[3] is not None else (0, 0)
            at = begin if end else 0
            self.directive(name, at + start, at + end, number + 1, self._end(number + 1, indent))
            known = name in _LITERAL or name in _PATHS or name in _ENTRIES
            if known or self._takes_names(name):
                return indent if known and name not in _WITH_TEXT else -1
            self._inline(at + start, line[start:end])
            return indent if (directive[3] or "").endswith("::") else -1
        if target is not None:
            self._link(begin + target.start(1), begin + target.end(1))
        elif note is not None:
            self._inline(begin + note.end(), line[note.end() :])
            return indent if line.rstrip().endswith("::") else -1
        elif _INTERNAL.match(whole):
            return -1
        elif _COMMENT.match(line):
            return indent
        else:
            self._inline(begin, line)
            return indent if line.rstrip().endswith("::") else -1
        return -1

    def _takes_names(self, name: str) -> bool:
        """Whether the argument of a directive is the name of an object, not text."""
        return name.startswith("auto") or name in _MODULES or _OBJECTS.fullmatch(name) is not None

    def _end(self, first: int, indent: int) -> int:
        """The line behind the content of a directive: the next one that is not blank and not indented more."""
        for number in islice(self.written, bisect.bisect_left(self.written, first), None):
            line = self.line(number)
            if len(line) - len(line.lstrip(" \t")) <= indent:
                return number
        return self.count

    def directive(self, name: str, start: int, end: int, first: int, stop: int) -> None:
        """One directive: its argument at start..end, its options and content in the lines first..stop."""
        automatic = name.startswith("auto") and name != "autosummary"
        if name == "csv-table":
            self._inline(start, self.text[start:end])
        elif name in _PATHS and end > start:
            self._path(start, end, ("",))
        elif end > start and (automatic or name in _MODULES or _OBJECTS.fullmatch(name)):
            m = _DOTTED.match(self.text, start, end)
            if m is not None:
                self.module(m.start(), m.end(), 2 if _OBJECTS.fullmatch(name) else 1)
        behind = bisect.bisect_left(self.written, stop)
        for number in self.written[bisect.bisect_left(self.written, first) : behind]:
            line, begin = self.line(number), self.lines.starts[number]
            option = _FILE_OPTIONS.match(line.rstrip(_BLANKS))
            if option is not None and name in _PATHS:
                self._path(begin + option.start(1), begin + option.end(1), ("",))
            elif (option := _MODULE_OPTION.match(line)) is not None:
                self.module(begin + option.start(1), begin + option.end(1), 1)
            elif name in _ENTRIES:
                self._entry(begin, line)
            elif name == "autosummary" and (m := re.match(r"[ \t]*~?([A-Za-z_][\w.]*)[ \t]*\r?$", line)):
                self.module(begin + m.start(1), begin + m.end(1), 1)

    def _entry(self, begin: int, line: str) -> None:
        body = line.strip()
        if not body or body.startswith(":"):
            return
        titled = _TITLED.fullmatch(body)
        inner = titled[1] if titled else body
        at = begin + line.index(body) + (titled.start(1) if titled else 0)
        if inner != "self" and not SCHEME.match(inner):
            if re.search(r"[*?\[]", inner):
                return
            self._path(at, at + len(inner), _DOCUMENTS if not inner.endswith(_DOCUMENTS) else ("", *_DOCUMENTS))

    def _inline(self, begin: int, line: str) -> None:
        if "`" not in line:
            return
        plain = _without_literals(line)
        for m in _ROLE.finditer(plain):
            titled = _TITLED.fullmatch(m[2])
            start, end = (m.start(2) + titled.start(1), m.start(2) + titled.end(1)) if titled else m.span(2)
            if m[1] in ("doc", "download"):
                suffixes = ("", *_DOCUMENTS) if m[1] == "doc" else ("",)
                self._path(begin + start, begin + end, suffixes)
            elif _NAMES.fullmatch(m[1]):
                start += len(line[start:end]) - len(line[start:end].lstrip("~"))
                if _DOTTED.fullmatch(line, start, end):
                    self.module(begin + start, begin + end, 1 if m[1].endswith("mod") else 2)
        for m in _EMBEDDED.finditer(plain):
            if not plain.endswith((":", "\\"), 0, m.start()):
                self._link(begin + m.start(1), begin + m.end(1))
        for m in _CODE.finditer(line):
            self._code(begin + m.start(1), begin + m.end(1))
        self._wrapped(begin, plain)

    def _wrapped(self, begin: int, line: str) -> None:
        """A role or a link whose title goes on in the next line, where its destination stands."""
        at = line.rfind("`")
        if (line.count("`") + (self.opened == begin)) % 2 == 0:
            return
        self.opened = begin + len(line) + 1
        closing = _CLOSING.match(self.text, self.opened)
        if closing is None or "<" in line[at:]:
            return
        role = _LAST_ROLE.search(line[:at])
        if role is None and closing[2]:
            self._link(*closing.span(1))
        elif role is not None and role[1] in ("doc", "download"):
            self._path(*closing.span(1), ("", *_DOCUMENTS) if role[1] == "doc" else ("",))
        elif role is not None and _NAMES.fullmatch(role[1]) and _DOTTED.fullmatch(closing[1]):
            self.module(*closing.span(1), 1 if role[1].endswith("mod") else 2)

    def _code(self, start: int, end: int) -> None:
        """A literal that is exactly the old path of a file."""
        value = self.text[start:end]
        if value.count(".") > 1 and _DOTTED.fullmatch(value):
            self.module(start, end, 2)
        if "/" not in value or not (self.moves.is_stale(value) or value.rstrip("/") in self.moves.directories):
            return
        followed = follow(value, [PathReading("", "", "above")], self.moves)
        if followed.new and _SAFE.fullmatch(followed.new):
            number = self.lines.number(start)
            line = self.line(number)
            if len(line) > _LONGEST_LINE:
                self.found.doubt(number, "its line is too long to be read")
            elif posixpath.basename(followed.target) in line.replace(value, ""):
                self.found.doubt(number, "it names the old and the new path")
            else:
                self._rewrite(number, start, end, followed.new)

    def _link(self, start: int, end: int) -> None:
        link = self.text[start:end]
        if not SCHEME.match(link) and not link.endswith("_"):
            path = re.split(r"[#?]", link, maxsplit=1)[0]
            self._path(start, start + len(path), ("",), exact=True)

    def _path(self, start: int, end: int, suffixes: Sequence[str], *, exact: bool = False) -> None:
        name = self.text[start:end]
        if SCHEME.match(name) or not name:
            return
        number = self.lines.number(start)
        followed = follow(name, _readings(name, self.path, self.moves), self.moves, suffixes)
        if followed.why:
            self.found.doubt(number, followed.why)
        elif followed.new == "":
            self.found.dead.add(number)
        elif followed.new is not None:
            if _SAFE.fullmatch(followed.new) or (not exact and re.fullmatch(r"[\w./+@~ -]+", followed.new)):
                self._rewrite(number, start, end, followed.new)
            else:
                self.found.doubt(number, "the new name is unusual")

    def module(self, start: int, end: int, shortest: int) -> None:
        """A dotted Python name at start..end, whose first `shortest` parts at least are a module."""
        name, number = self.text[start:end], self.lines.number(start)
        renamed = self.modules.renamed(self.path, name, shortest=shortest)
        if renamed.why:
            self.found.doubt(number, renamed.why)
        elif renamed.new == "":
            self.found.dead.add(number)
        elif renamed.new is not None and renamed.new != name:
            self._rewrite(number, start, end, renamed.new)

    def _rewrite(self, number: int, start: int, end: int, new: str) -> None:
        """Adds one reference, unless it stands in a table whose columns its new length would shift."""
        column = self.tables.get(number, 0)
        if len(new) != end - start and start - self.lines.starts[number] < column:
            self.found.doubt(number, "the columns of its table would shift")
        else:
            self.found.rewrite(number, Span(start, end, new))
