"""Finds old paths that are a part of a pattern or follow an expansion: changed if that is sure, otherwise doubted."""

from __future__ import annotations

import bisect
import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterator

from kairos.detectors.patching import Lines, Span, replaced
from kairos.detectors.stale_reference.destinations import PathReading, follow
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

_ESCAPED = re.compile(r"(?<![\w./\\@+~-])(?:[\w@+~./-]|\\{1,2}[./+-])++")
"""A path as a regular expression may have it. This and what follows takes a time that grows with the text alone."""
_OPENS = frozenset({"", "^", "(", "|", '"', "'", " ", "\t", "\n", ":", "="})
_CLOSES = frozenset({"", "$", ")", "|", '"', "'", " ", "\t", "\n", "\r", ",", "\\"})
_GLOB = re.compile(r"(?<![\w.@+~/{},*?\[\]$-])[\w.@+~/{},-]*+[*?\[][\w.@+~/*?\[\]{}!-]*")
_EXPANDED = re.compile(
    r"(?P<base>\$\((?:[^()\n]|\([^()\n]*\)){1,80}\)|\$\{\{[^{}\n]{1,60}\}\}|\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{1,60}\}"
    r"|\$[A-Za-z_]\w*|\{[a-z_]{1,30}\}|<[A-Za-z_]{1,30}>|%\([a-z_]+\)s)[\"']?/(?P<path>[\w.@+~-]+(?:/[\w.@+~-]+)*)(?![\w/*?\[{$])"
)
_OF_FILE = re.compile(
    r"dirname|BASH_SOURCE|\$\{0%/\*\}|CMAKE_CURRENT_(?:SOURCE|LIST)_DIR|toxinidir|path\.module|playbook_dir|%\(here\)s"
)
_OF_ROOT = re.compile(
    r"(?i)github[._]workspace|ci_project_dir|workspacefolder|workspaceroot|rootdir|show-toplevel|build_sourcesdirectory"
)
_LONGEST, _MOST = 200, 300


def find_patterns(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """Adds regular expressions and globs that cover an old path, and old paths behind a variable."""
    _expressions(text, moves, lines, found)
    _expansions(path, text, moves, lines, found)
    _globs(text, moves, lines, found)


def _expressions(text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """Paths with escaped dots, as `src/pay\\.py`. A literal in the place of a literal keeps the expression sound."""
    if "\\" not in text:
        return
    for m in _ESCAPED.finditer(text):
        written = m[0]
        if "\\" not in written or written.startswith("\\"):
            continue
        start, end = m.span()
        plain = re.sub(r"\\{1,2}([./+-])", r"\1", written)
        bare = plain.rstrip("/")
        is_directory = plain.endswith("/")
        new = moves.directories.get(bare) if is_directory else moves.moved.get(plain)
        line = lines.number(start)
        if plain in moves.gone:
            found.dead.add(line)
            continue
        if new is None:
            if text[end : end + 1] in ("?", "*", "{") and moves.is_stale(plain[:-1]):
                found.doubt(line, f"`{written}` is a part of a pattern")
            continue
        before, after = text[start - 1 : start] if start else "", text[end : end + 1]
        if before not in _OPENS or (not is_directory and after not in _CLOSES):
            found.doubt(line, f"`{written}` is a part of a pattern")
            continue
        found.rewrite(line, Span(start, end, _as_written(new + ("/" if is_directory else ""), written)))


def _as_written(path: str, written: str) -> str:
    """`path` with the characters escaped that are escaped in `written`."""
    marks = {m[2]: m[1] for m in re.finditer(r"(\\{1,2})([./+-])", written)}
    return "".join(marks.get(c, "") + c for c in path)


def _expansions(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    here, before = posixpath.dirname(path), posixpath.dirname(moves.former(path))
    for m in _EXPANDED.finditer(text):
        name, base, line = m["path"], m["base"], lines.number(m.start("path"))
        if len(name) > _LONGEST:
            continue
        of_file, of_root = _OF_FILE.search(base) is not None, _OF_ROOT.search(base) is not None
        sure = [PathReading(before, here, "relative")] if of_file else [PathReading("", "", "above")]
        followed = follow(name, sure, moves) if of_file or of_root else None
        if followed is None:
            both = [PathReading(before, here, "relative"), PathReading("", "", "above")]
            followed = follow(name, both, moves)
            if (followed.new is not None or followed.why) and moves.former(path) == path:
                found.doubt(line, f"`{m[0]}` depends on what stands before the path")
        elif followed.why:
            found.doubt(line, followed.why)
        elif followed.new == "":
            found.dead.add(line)
        elif followed.new is not None:
            found.rewrite(line, Span(*m.span("path"), followed.new))


def _globs(text: str, moves: Moves, lines: Lines, found: Found) -> None:
    rewritten = sorted(found.spans)
    starts = [span.start for span in rewritten]
    for m, _ in zip(_GLOB.finditer(text), range(_MOST), strict=False):
        glob = m[0].strip("/,").removeprefix("./")
        if not 2 < len(m[0]) <= _LONGEST or not re.search(r"\w{2}", glob):
            continue
        within = rewritten[bisect.bisect_left(starts, m.start()) : bisect.bisect_left(starts, m.end())]
        now = replaced(m[0], [Span(s.start - m.start(), s.end - m.start(), s.new) for s in within if s.end <= m.end()])
        lost = next(_lost(glob, now.strip("/,").removeprefix("./"), moves), None)
        if lost is not None:
            found.doubt(lines.number(m.start()), f"the pattern `{m[0]}` covered {lost[0]} and not {lost[1]}")


def _lost(glob: str, rewritten: str, moves: Moves) -> Iterator[tuple[str, str]]:
    """The moves (old, new) of which a glob covered the old path, and what it is now does not cover the new one."""
    before, after = _covers(glob), _covers(rewritten)
    for (old, new), _ in zip(sorted(moves.moved.items()), range(_MOST), strict=False):
        if before(old) and not after(new):
            yield old, new


def _covers(glob: str) -> Callable[[str], bool]:
    """Whether a path is covered. Without a slash a glob covers any directory."""
    pattern = re.compile(fnmatch.translate(glob.replace("**/", "*").replace("**", "*")))
    if "/" in glob:
        return lambda path: pattern.match(path) is not None
    return lambda path: pattern.match(posixpath.basename(path)) is not None
