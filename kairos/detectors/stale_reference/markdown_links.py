"""Finds what Markdown files refer to: links, images, definitions, HTML, code spans, MDX imports, front matter."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from kairos._native import markdown_parts
from kairos.detectors.patching import Lines, Span, ordered, replaced
from kairos.detectors.stale_reference import code_blocks, directives, document_code, path_values
from kairos.detectors.stale_reference.destinations import (
    SCHEME,
    STAYS,
    Followed,
    PathReading,
    divided,
    document_readings,
    encoded,
    follow,
    unquoted,
)
from kairos.detectors.stale_reference.document_commands import fenced_commands, find_in_block, find_in_span
from kairos.detectors.stale_reference.go_words import find_words
from kairos.detectors.stale_reference.inclusions import find_inclusions
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found

SUFFIXES = (".md", ".markdown", ".mdx", ".mkd")
_PAGE, _INDEX = ".html", "index"
_SHORTENED = ("", ".md", ".mdx")
SPECIFIERS = ("", ".mdx", ".md", ".js", ".jsx", ".ts", ".tsx", ".json")


class DocumentPart(NamedTuple):
    """A part of a document that refers to something: see `markdown_parts`."""

    kind: str
    start: int
    end: int
    value: str


def parts_of(path: str, text: str) -> list[DocumentPart]:
    """The parts of a document. ValueError if the parser fails."""
    return [DocumentPart(*row) for row in markdown_parts(text, mdx=path.endswith(".mdx"))]


def find_links(
    path: str, text: str, moves: Moves, modules: Modules | None = None, projects: Projects | None = None
) -> Found:
    """The references in one Markdown file. Links in a file that was itself moved are corrected, too.

    The rewritten text is parsed again: unless everything but the rewritten destinations is the same, all become
    doubts."""
    modules, projects = modules or Modules(moves), projects or Projects(moves, lambda path: None)
    found, lines, parts = Found(), Lines(text), parts_of(path, text)
    wanted: dict[int, str] = {}
    for index, part in enumerate(parts):
        line = lines.number(part.start)
        match part.kind:
            case "metadata":
                inner = text[part.start : part.end]
                found.add(path_values.find_values(path, inner, moves, modules), part.start, line)
            case "fence":
                inner = text[part.start : part.end]
                found.add(directives.find_in_fence(path, inner, moves, modules), part.start, line)
                found.add(fenced_commands(path, lines, part.start, part.end, moves, projects))
                found.add(document_code.find_in_fence(path, text, part.start, part.end, moves, projects))
            case "indented":
                found.add(find_in_block(path, lines, part.start, part.end, moves))
            case _:
                if part.kind == "code" and directives.is_dotted_name(part.value):
                    found.add(_module(path, part, line, modules))
                elif part.kind == "code" and " " in part.value:
                    found.add(find_in_span(path, lines, part.start, part.end, moves))
                for start, end in _written(part, text):
                    raw = text[start:end]
                    followed = _followed(path, text, part, raw, moves, projects)
                    if followed.why:
                        found.doubt(line, followed.why)
                    elif followed.new == "":
                        found.dead.add(line)
                    elif followed.new is not None:
                        if part.kind == "unlocated":
                            found.doubt(line, "where its destination stands is not certain")
                            continue
                        new = _spelled(part, text, raw, followed.new)
                        found.rewrite(line, Span(start, end, new))
                        wanted[index] = followed.new
    fences = [(part.start, part.end) for part in parts if part.kind == "fence"]
    programs = [program for fence in fences if (program := code_blocks.fenced(text, *fence)) is not None]
    found.add(code_blocks.find_in_programs(path, text, programs, modules))
    found.add(directives.find_in_prose(path, text, fences, moves, modules))
    found.add(find_inclusions(path, text, moves))
    _prove(path, text, parts, wanted, found)
    return found


def _written(part: DocumentPart, text: str) -> Iterator[tuple[int, int]]:
    """The ranges of the destinations in one part: several in a srcset."""
    if part.kind == "attribute" and part.value.endswith("srcset"):
        at = part.start
        for candidate in text[part.start : part.end].split(","):
            url = re.match(r"\s*(\S+)", candidate)
            if url is not None:
                yield at + url.start(1), at + url.end(1)
            at += len(candidate) + 1
    else:
        yield part.start, part.end


def _followed(path: str, text: str, part: DocumentPart, raw: str, moves: Moves, projects: Projects) -> Followed:
    match part.kind:
        case "code":
            word = next(find_words(text, part.start, part.end, moves, projects), None)
            whole = word is not None and word[:2] == (part.start, part.end)
            return word[2] if word is not None and whole else _code(path, text, part, moves)
        case "specifier":
            return _specifier(path, raw, moves)
        case "attribute":
            link = html.unescape(raw)
        case _:
            link = part.value
    if SCHEME.match(link):
        return STAYS
    name = unquoted(divided(link)[0])
    followed = follow(name, document_readings(name, path, moves), moves, _SHORTENED)
    if followed is STAYS and name.endswith(_PAGE):
        return _page(path, name.removesuffix(_PAGE), moves, projects.is_in_book(path))
    return followed


def _page(path: str, document: str, moves: Moves, in_book: bool) -> Followed:
    """What became of the page that a document is on a site. In an mdBook that of `README.md` is `index.html`."""
    followed = follow(document, document_readings(document, path, moves), moves, (".md", ".mdx"))
    directory, base = posixpath.split(document)
    if in_book and base == _INDEX and followed is STAYS:
        readme = posixpath.join(directory, "README")
        readings = document_readings(document, path, moves)
        if not any(moves.was(posixpath.normpath(posixpath.join(r.before, f"{document}.md"))) for r in readings):
            followed = follow(readme, readings, moves, (".md",))
    if not followed.new:
        return STAYS
    above, name = posixpath.split(followed.new)
    name = _INDEX if in_book and name == "README" else name
    return followed._replace(new=posixpath.join(above, name) + _PAGE)


def _code(path: str, text: str, part: DocumentPart, moves: Moves) -> Followed:
    """A code span that is exactly the old path of a file or directory, unless the same line names the new one."""
    value = part.value
    if directives.is_role(text, part.start):
        return directives.follow_role(path, text, part.start, value, moves)
    whole = value.endswith("/") and value.rstrip("/") in moves.directories
    if " " in value or SCHEME.match(value) or not ("/" in value.strip("/") or moves.was(value) or whole):
        return STAYS
    name = value.removeprefix("./") if not moves.was(value) else value
    here, before = posixpath.dirname(path), posixpath.dirname(moves.former(path))
    readings = [PathReading("", "", "above")]
    if value.startswith("."):
        readings = [PathReading(before, here, "relative")]
    elif (before or here) and "/" in value and moves.former(path) == path:
        readings.append(PathReading(before, here, "relative"))
    followed = follow(value, readings, moves)
    if followed.new:
        begin = text.rfind("\n", 0, part.start) + 1
        stop = text.find("\n", part.end)
        line = text[begin : stop if stop >= 0 else len(text)]
        if posixpath.basename(followed.target) != posixpath.basename(name.rstrip("/")):
            told = posixpath.basename(followed.target) in line
        else:
            told = followed.new in line
        if told or "`" in followed.new or not followed.new.isprintable():
            return Followed(None, "it names the old and the new path" if told else "the new name is unusual")
    return followed if followed.new else STAYS


def _module(path: str, part: DocumentPart, line: int, modules: Modules) -> Found:
    """A code span that is exactly the dotted name of a module, or of something in it. Two words are one only if the
    first was a package of the top level that is called otherwise now."""
    found = Found()
    words = part.value.split(".")
    package = len(words) > 1 and words[0] in modules.top_packages
    if len(words) < 3 and not package:
        return found
    renamed = modules.renamed(path, part.value, shortest=1 if package else 2)
    if renamed.why:
        found.doubt(line, renamed.why)
    elif renamed.new and renamed.new != part.value:
        found.rewrite(line, Span(part.start, part.end, renamed.new))
    return found


def _specifier(path: str, raw: str, moves: Moves) -> Followed:
    """An import of MDX: relative to the file, or from the site's root as `@site/…`."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    if raw.startswith("@site/"):
        tops = [here[: m.start()] for m in re.finditer(r"/|$", here)] + [""]
        followed = follow(raw[6:], [PathReading(t, t, "above") for t in reversed(tops)], moves, SPECIFIERS)
        new = f"@site/{followed.new}" if followed.new else followed.new
    elif raw.startswith((".", "/")):
        reading = PathReading("", "", "root") if raw.startswith("/") else PathReading(before, here, "relative")
        followed = follow(raw, [reading], moves, SPECIFIERS)
        new = followed.new
        if new and not new.startswith((".", "/")):
            new = "./" + new
    else:
        return STAYS
    if new and not re.fullmatch(r"[^\\'\"\n]+", new):
        return Followed(None, "the new name needs other quotes")
    return followed._replace(new=new)


def _spelled(part: DocumentPart, text: str, raw: str, new: str) -> str:
    if part.kind in ("code", "specifier"):
        return new
    if part.kind == "attribute":
        quote = text[part.start - 1 : part.start]
        quote = quote if quote in ('"', "'") and text[part.end : part.end + 1] == quote else ""
        return encoded(new, raw, "attribute", quote) + divided(raw)[1]
    return encoded(new, raw, part.kind) + _tail(raw)


def _tail(raw: str) -> str:
    """The query and anchor of a destination as written, which an entity (`&#35;`) does not start."""
    m = re.search(r"(?<!&)#|\?", raw)
    return raw[m.start() :] if m else ""


def _prove(path: str, text: str, parts: list[DocumentPart], wanted: dict[int, str], found: Found) -> None:
    """Parses the text with all spans replaced, and withdraws them unless nothing else changed."""
    spans = ordered(found.spans)
    if not found.spans or spans is None:
        return
    changed = replaced(text, spans)
    again = parts_of(path, changed)
    same = len(again) == len(parts)
    for index, (old, new) in enumerate(zip(parts, again, strict=False)):
        if old.kind != new.kind:
            same = False
        elif old.kind in ("bare", "angle", "unlocated"):
            here = unquoted(divided(new.value)[0])
            same = same and (here == wanted[index] if index in wanted else new.value == old.value)
        elif old.kind == "attribute":
            same = same and new.value == old.value
    if not same:
        found.withdraw("the rewritten document would not be the same otherwise")
