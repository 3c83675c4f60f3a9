"""Which commit introduced a text that stands in exactly one line of the source, as far as that can be proven."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kairos.repo.git import Git, GitError

_SECONDS = 20.0
_MOST_HITS = 2_000
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
    patterns = [word for text in literals for word in ("-e", text)]
    out = git.run("grep", "-F", "-I", "-n", "-z", "--full-name", "--max-count=20", *patterns, "HEAD", "--", ok=(0, 1),
                  timeout=_SECONDS)  # fmt: skip
    hits = []
    for raw in out.split(b"\n")[:_MOST_HITS]:
        parts = raw.decode("utf-8", "surrogateescape").split("\0", 2)
        if len(parts) == 3 and parts[1].isdigit():
            path = parts[0].partition(":")[2]
            if not _NO_SOURCE.search(path):
                hits.append((path, int(parts[1]), parts[2]))
    for text in literals:
        places = [(path, line) for path, line, content in hits if text in content]
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
    said = git.run("log", "-S", text, "-n1", "--format=%H%x00%s", "--end-of-options", blamed, "--", then,
                   timeout=_SECONDS)  # fmt: skip
    commit, _, subject = said.decode("utf-8", "replace").strip("\n").partition("\0")
    return LineOrigin(path, line, commit, subject) if commit else None
