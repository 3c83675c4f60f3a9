"""The reading tools (level 0) of one repository. None of them changes a file.

Every output is bounded, redacted, marked as data, and says what was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kairos.agent.repository_files import Files
from kairos.agent.scratch_tree import ScratchTree
from kairos.agent.tools.catalogue import (
    READERS,
    GitBlame,
    GitDiff,
    GitLog,
    GitShow,
    GitStatus,
    GlobSearch,
    GrepSearch,
    ReadFile,
    Recall,
)
from kairos.agent.tools.history import History
from kairos.agent.tools.output import wrapped
from kairos.domain.amounts import count
from kairos.domain.inert import escape
from kairos.domain.secrets import redact
from kairos.repo.beneath import Unreadable
from kairos.repo.git import GitError
from kairos.repo.tree_search import FileHits, Left, LineQuestion

OFFSET_AT_MOST = 10_000
SECONDS = 5.0
"""A search that takes longer says what it found by then."""


class Tools:
    """The reading tools for one repository. `memory`: the lines that `recall` searches; `scratch`: the tree that the
    turn changes, from which a file that it changed is read. May be used by several threads at once."""

    def __init__(self, files: Files, memory: Sequence[str] = (), scratch: ScratchTree | None = None) -> None:
        self._files = files
        self._history = History(files)
        self._memory = memory
        self._scratch = scratch

    def run(self, tool: str, arguments: dict[str, Any]) -> str:
        """The output of a reading tool, bounded and wrapped as data. A refusal is returned as output, too."""
        try:
            match msgspec.convert(arguments, READERS[tool]):
                case ReadFile() as asked:
                    return wrapped(f"content of {escape(asked.path)}", self._read(asked))
                case GlobSearch() as asked:
                    return wrapped("file names", self._glob(asked))
                case GrepSearch() as asked:
                    return wrapped("lines of files", self._grep(asked))
                case GitStatus():
                    return wrapped("the state of the work tree", self._history.status())
                case GitLog() as asked:
                    return wrapped("commits", self._history.log(asked))
                case GitShow() as asked:
                    return wrapped("a commit", self._history.show(asked))
                case GitDiff() as asked:
                    return wrapped("a diff", self._history.diff(asked))
                case GitBlame() as asked:
                    return wrapped("lines with their commits", self._history.blame(asked))
                case Recall() as asked:
                    return wrapped("remembered claims", self._recall(asked))
        except Unreadable as why:
            return f"Refused: {why}."
        except GitError as error:
            return f"Failed: {escape(error.message)[:300]}."
        except Exception as error:  # noqa: BLE001 - whatever a model's arguments do to a tool, they end no turn
            return f"Failed: {tool} ended with {type(error).__name__}: {str(error)[:300]}. Try it with other arguments."
        return f"Refused: there is no tool {tool}."

    def _read(self, asked: ReadFile) -> str:
        first, lines = max(asked.start, 1), min(max(asked.lines, 1), 1_000)
        if self._scratch is not None and asked.path in self._scratch.changes:
            where, (text, total) = (
                ", as changed in the scratch tree",
                _part(self._scratch.text(asked.path), first, lines),
            )
        else:
            where, (text, total) = "", self._files.lines(asked.path, first, lines)
        if first > total:
            raise Unreadable(f"the file has {count(total, 'line')}")
        return f"lines {first}-{min(first + lines - 1, total)} of {total}{where}\n" + text.rstrip("\n")

    def _glob(self, asked: GlobSearch) -> str:
        offset, limit = min(max(asked.offset, 0), OFFSET_AT_MOST), min(max(asked.limit, 1), 500)
        try:
            if asked.tracked:
                page = self._files.search.tracked(asked.glob, offset, limit)
            else:
                page = self._files.search.paths(asked.glob, offset, limit, SECONDS)
        except ValueError as error:
            raise Unreadable(str(error)) from error
        heading = [count(page.files, "file") + (" so far: the time was over" if page.late else "")]
        if page.more or offset:
            heading.append(f"{offset + 1}-{offset + len(page.paths)} are shown, by path")
        return "\n".join([_heading(heading, page.left), *(redact(escape(p)) for p in page.paths)])

    def _grep(self, asked: GrepSearch) -> str:
        if not asked.pattern.strip() or "\n" in asked.pattern:
            raise Unreadable("`pattern` is one line and not empty")
        around, offset = min(max(asked.context, 0), 10), min(max(asked.offset, 0), OFFSET_AT_MOST)
        question = LineQuestion(
            asked.pattern, asked.glob, asked.ignore_case, asked.literal, around, around, asked.count, offset,
            min(max(asked.limit, 1), 200),
        )  # fmt: skip
        try:
            page = self._files.search.lines(question, SECONDS)
        except ValueError as error:
            raise Unreadable(str(error)) from error
        if asked.count:
            heading = [f"{count(len(page.found), 'file')} with hits"]
            body = [f"{redact(escape(f.path))}: {count(f.hits, 'line')}" for f in page.found]
        else:
            heading = [count(sum(f.hits for f in page.found), "hit")]
            body = [line for f in page.found for line in _shown(f, spaced=around > 0)]
        if offset:
            heading.append(f"after the first {offset}")
        if page.more:
            heading.append(f"there are more (offset {offset + question.limit})")
        if page.late:
            heading.append(f"the time was over after {count(page.files, 'file')}, the others were not searched")
        return "\n".join([_heading(heading, page.left), *body])

    def _recall(self, asked: Recall) -> str:
        words = {w for w in asked.query.casefold().split() if len(w) > 2}
        scored = [(sum(w in line.casefold() for w in words), line) for line in self._memory]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])[:10]
        return "\n".join(line for _, line in best) or "nothing is remembered about that"


def _part(text: str, start: int, lines: int) -> tuple[str, int]:
    """(those lines from `start`, the first is 1; how many lines there are)."""
    every = text.removesuffix("\n").split("\n")
    return "\n".join(every[start - 1 : start - 1 + lines]), len(every)


def _shown(file: FileHits, *, spaced: bool) -> list[str]:
    """The lines of a file as grep shows them: `:` at a hit, `-` near one, `--` where lines are left out."""
    name = redact(escape(file.path))
    out: list[str] = []
    last = None
    for line in file.lines:
        if spaced and (last is None or line.number != last + 1):
            out.append("--")
        sign = ":" if line.hit else "-"
        out.append(f"{name}{sign}{line.number}{sign} {line.text}")
        last = line.number
    return out


def _heading(parts: list[str], left: Left) -> str:
    """The first line of an answer: what it is, and what was not looked at."""
    reasons = [
        (left.private, "private"), (left.large, "too large"), (left.binary, "binary"), (left.unreadable, "unreadable"),
    ]  # fmt: skip
    words = [f"{n} {reason}" for n, reason in reasons if n]
    if words:
        total = count(sum(n for n, _ in reasons), "file")
        parts = [*parts, f"{total} left out ({', '.join(words)})"]
    if left.directories:
        parts = [*parts, f"{left.directories} directories could not be read"]
    if left.long_lines:
        parts = [*parts, f"{count(left.long_lines, 'long line')} only searched at the beginning"]
    return "; ".join(parts)
