"""Every tool with its name, level and schema. The docstring of a tool's struct is its description for the model.

A tool is declared once, as a struct; `kairos.contract` checks a call against the pydantic model that is made of it, and
names every error at once.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec

from kairos.agent.outputs import EXPLAIN, REVIEW
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


class WriteFile(_Arguments, frozen=True):
    """Write a whole text file in the turn's scratch tree, which is the commit that the turn is about. The repository
    stays as it is."""

    path: str
    content: str


class EditFile(_Arguments, frozen=True):
    """Replace `old_text` by `new_text` in a text file of the scratch tree. It must occur exactly once, or with `every`
    at least once."""

    path: str
    old_text: str
    new_text: str
    every: bool = False


class ApplyPatch(_Arguments, frozen=True):
    """Apply a unified diff (`--- a/x`, `+++ b/x`, `@@`; /dev/null for a new or a deleted file) to the scratch tree,
    whole or not at all."""

    patch: str


class Bash(_Arguments, frozen=True):
    """Run a command line in the scratch tree, confined: no network, no home, no `.git`, no file that is private or
    ignored. What it changes in the tree stays there for the turn. If it takes longer than 15 seconds, ask `job`."""

    command: str


class RunChecks(_Arguments, frozen=True):
    """Run checks that the person named (all, or those in `names`) on the scratch tree as it is now, confined. If they
    take longer than 15 seconds, ask `job`."""

    names: list[str] = []


class Job(_Arguments, frozen=True):
    """The state of a command or of checks that run in the background, with the last output; waits for the end for at
    most 15 seconds. `stop`: end it, and leave the tree as it was before."""

    job: str
    stop: bool = False


class Nothing(_Arguments, frozen=True):
    """End the turn: there is nothing worth a proposal. The usual answer."""


READERS: dict[str, type[msgspec.Struct]] = {
    "read_file": ReadFile, "glob_search": GlobSearch, "grep_search": GrepSearch, "git_status": GitStatus,
    "git_log": GitLog, "git_show": GitShow, "git_diff": GitDiff, "git_blame": GitBlame, "recall": Recall,
}  # fmt: skip
"""Level 0: they read."""
ANSWERS = ("propose_patch", "nothing")
SCRATCH: dict[str, type[msgspec.Struct]] = {
    "write_file": WriteFile, "edit_file": EditFile, "apply_patch": ApplyPatch, "bash": Bash, "run_checks": RunChecks,
    "job": Job,
}  # fmt: skip
"""Level 1: they work on the scratch tree of the turn, one after the other."""
_ALLOWED = {REVIEW: {**READERS, **SCRATCH}, EXPLAIN: {**READERS, **SCRATCH}}
"""By kind of turn; every other kind reads only."""
PROPOSE = (
    "Propose one change, with why. What is changed in the scratch tree is in it; `files` are further changes of "
    "existing text files, where each `old_text` must occur exactly once and is replaced by `new_text`. Each `evidence` "
    "text must occur in its file. Ends the turn; a person decides."
)


def allowed(kind: str, level: int) -> dict[str, type[msgspec.Struct]]:
    """The tools that a kind of turn may call before its answer, up to a level."""
    found = _ALLOWED.get(kind, READERS)
    return {name: shape for name, shape in found.items() if level > 0 or name not in SCRATCH}


def catalogue() -> list[dict[str, Any]]:
    """Every tool as {name, level, description, schema}. Level 0 reads, level 1 works on the scratch tree of a turn;
    `propose_patch` changes nothing by itself."""
    tools = [(name, 0, shape, shape.__doc__ or "") for name, shape in READERS.items()]
    tools += [(name, 1, shape, shape.__doc__ or "") for name, shape in SCRATCH.items()]
    tools += [("propose_patch", 0, Patch, PROPOSE), ("nothing", 0, Nothing, Nothing.__doc__ or "")]
    return [{"name": n, "level": at, "description": _line(d), "schema": schema_of(s)} for n, at, s, d in tools]


def offered(tools: Container[str], final: bool) -> list[dict[str, Any]]:
    """These tools and the two that answer, in the model's wire format; `final`: only the two."""
    return [
        {
            "type": "function",
            "function": {"name": t["name"], "description": t["description"], "parameters": t["schema"]},
        }
        for t in catalogue()
        if t["name"] in ANSWERS or (not final and t["name"] in tools)
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
