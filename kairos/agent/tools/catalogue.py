"""Every tool with its name, level and schema. The docstring of a tool's struct is its description for the model.

A tool is declared once, as a struct; `kairos.contract` checks a call against the pydantic model that is made of it, and
names every error at once.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.domain.turn import Patch


class _Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class ReadFile(_Arguments, frozen=True):
    """Read lines of a text file of the repository as it is now: `lines` of them (at most 1000) from line `start`, the
    first is 1."""

    path: str
    start: int = 1
    lines: int = 200


class GlobSearch(_Arguments, frozen=True):
    """List the repository's files whose path matches a glob: `*.py` at any depth, `src/*.py`, `src/**/*.{js,ts}`. By
    path, `limit` of them (at most 500) after the first `offset`. `tracked`: those of git's index only."""

    glob: str = "*"
    tracked: bool = False
    offset: int = 0
    limit: int = 200


class GrepSearch(_Arguments, frozen=True):
    """Find the lines of the repository's files that match a regular expression (Rust syntax; one line at a time), in
    the files that `glob` names. `literal`: `pattern` is plain text. `context`: lines before and after each hit (at most
    10). `count`: only how many lines match in each file. By path, `limit` hits (at most 200) after the first
    `offset`."""

    pattern: str
    glob: str = "*"
    ignore_case: bool = False
    literal: bool = False
    context: int = 0
    count: bool = False
    offset: int = 0
    limit: int = 100


class GitStatus(_Arguments, frozen=True):
    """The branch, and which files are staged, changed or new in the work tree."""


class GitLog(_Arguments, frozen=True):
    """Commits, newest first: id, time, author, first line. From `commit` (an id, or HEAD~n) back; `path`: only those
    that changed that file or directory; `limit` of them (at most 100) after the first `offset`."""

    commit: str = "HEAD"
    path: str = ""
    offset: int = 0
    limit: int = 20


class GitShow(_Arguments, frozen=True):
    """One commit: its message and its diff. `path`: only the diff of that file or directory."""

    commit: str = "HEAD"
    path: str = ""


class GitDiff(_Arguments, frozen=True):
    """What differs between the commit `base` and the work tree, or the commit `to`. `path`: only of that file or
    directory."""

    base: str = "HEAD"
    to: str = ""
    path: str = ""


class GitBlame(_Arguments, frozen=True):
    """Which commit last changed each of `lines` lines (at most 500) of a file from line `start`, as of `commit`."""

    path: str
    start: int = 1
    lines: int = 50
    commit: str = "HEAD"


class Recall(_Arguments, frozen=True):
    """What was learned about this repository before, by words."""

    query: str


class Nothing(_Arguments, frozen=True):
    """End the turn: there is nothing worth a proposal. The usual answer."""


READERS: dict[str, type[msgspec.Struct]] = {
    "read_file": ReadFile, "glob_search": GlobSearch, "grep_search": GrepSearch, "git_status": GitStatus,
    "git_log": GitLog, "git_show": GitShow, "git_diff": GitDiff, "git_blame": GitBlame, "recall": Recall,
}  # fmt: skip
"""Level 0: they read, and run at once."""
PROPOSE = (
    "Propose one change of existing text files, with why. Each `old_text` must occur exactly once in its file and is "
    "replaced by `new_text`. Each `evidence` text must occur in its file. Ends the turn; a person decides."
)


def catalogue() -> list[dict[str, Any]]:
    """Every tool as {name, level, description, schema}. Level 0 reads; `propose_patch` changes nothing by itself."""
    tools = [(name, shape, shape.__doc__ or "") for name, shape in READERS.items()]
    tools += [("propose_patch", Patch, PROPOSE), ("nothing", Nothing, Nothing.__doc__ or "")]
    return [{"name": n, "level": 0, "description": _line(d), "schema": schema_of(s)} for n, s, d in tools]


def offered(final: bool) -> list[dict[str, Any]]:
    """The tools in the model's wire format; `final`: only the two that answer."""
    return [
        {
            "type": "function",
            "function": {"name": t["name"], "description": t["description"], "parameters": t["schema"]},
        }
        for t in catalogue()
        if not final or t["name"] not in READERS
    ]


def schema_of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of a struct with its definitions inlined, because small servers do not resolve references."""
    schema = msgspec.json.schema(shape)
    definitions = schema.get("$defs", {})

    def inline(value: Any) -> Any:
        if isinstance(value, list):
            return [inline(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return inline(definitions[value["$ref"].rsplit("/", 1)[1]])
        return {k: inline(v) for k, v in value.items() if k not in ("title", "description") or isinstance(v, dict)}

    flat: dict[str, Any] = inline({"$ref": schema["$ref"]})
    return flat


def _line(text: str) -> str:
    return " ".join(text.split())
