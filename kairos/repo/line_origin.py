"""Which commit introduced a text that stands in exactly one line of the source, as far as that can be proven."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kairos.repo.git import Git, GitError

_SECONDS = 20.0
_MOST_BYTES = 1 << 20
"""Of the lines that hold a text: a text in more, or in longer lines, is taken for one of several places."""
_NO_SOURCE = re.compile(
    r"(?:^|/)(?:tests?|spec|specs|__tests__|testdata|fixtures|docs?|node_modules|vendor|third_party)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*[._-](?:test|spec)\.[a-z]+|conftest\.py|CHANGE[^/]*|NEWS[^/]*|HISTORY[^/]*)$"
    r"|\.(?:md|rst|txt|log|csv|html|adoc|po|pot|svg|lock|map)$"
)


class LineOrigin(NamedTuple):
    """A line of HEAD, and the commit that introduced its text."""

    path: str
    line: int
    commit: str
    subject: str


def line_origin(git: Git, literals: Sequence[str]) -> LineOrigin | None:
    """The origin of the longest of these texts (the longest first, each on one line) that stands in exactly one place
    of the source at HEAD. None if there is none, or if git cannot tell in time."""
    if not literals:
        return None
    try:
        found = _only(git, literals)
        return None if found is None else _introduced(git, *found)
    except GitError:
        return None


def _only(git: Git, literals: Sequence[str]) -> tuple[str, str, int] | None:
    """(text, path, line) of the first of these texts that stands in one line of the source, None if none does, or if a
    longer one stands in several: then it is not known which of them wrote it."""
    for text in literals:
        out = git.beginning("grep", "-F", "-I", "-n", "-z", "--full-name", "--max-count=2", "-e", text, "HEAD", "--",
                            most=_MOST_BYTES, seconds=_SECONDS, ok=(0, 1))  # fmt: skip
        if out is None:
            return None
        rows = [raw.decode("utf-8", "surrogateescape").split("\0", 2) for raw in out.split(b"\n")]
        hits = [(row[0].partition(":")[2], int(row[1])) for row in rows if len(row) == 3 and row[1].isdigit()]
        places = [place for place in hits if not _NO_SOURCE.search(place[0])]
        if places:
            return (text, *places[0]) if len(places) == 1 else None
    return None


def _introduced(git: Git, text: str, path: str, line: int) -> LineOrigin | None:
    """The commit that brought the text: the one that `blame` names for the line, if it did, else the last one that
    changed how often the file holds it."""
    out = git.run("blame", "-w", "--porcelain", f"-L{line},{line}", "HEAD", "--", path, timeout=_SECONDS)
    head = out.decode("utf-8", "surrogateescape").split("\n")
    blamed = head[0].split(" ")[0]
    then = next((row[9:] for row in head if row.startswith("filename ")), path)
    if then.startswith('"'):
        return None  # a name that git quotes
    said = git.run("log", "-S", text, "-n1", "--format=%H%x00%s", "--end-of-options", blamed, "--",
                   f":(literal,top){then}",
                   timeout=_SECONDS)  # fmt: skip
    commit, _, subject = said.decode("utf-8", "replace").strip("\n").partition("\0")
    return LineOrigin(path, line, commit, subject) if commit else None
