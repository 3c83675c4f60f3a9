"""Answers about the checks of a repository."""

from __future__ import annotations

from kairos.desk.records.base import Output


class RedCaseOut(Output, frozen=True, kw_only=True):
    """A case that is red at HEAD; `words`: as a person reads it. verdict: new | older | flaky | order | untested, empty
    while it is looked for, or known: it was never green since the check was named. `culprit`: the commit that broke it;
    `place`: the file and the lines of it that do, if it could be narrowed."""

    case: str
    words: str
    message: str
    verdict: str
    culprit: str
    place: str


class NamedCheckOut(Output, frozen=True, kw_only=True):
    """A check. state: green | red | broken | running | not run, at HEAD; `before`: how it ended last, if not yet there.
    `found`: its program is where a check looks. `for_proposals_only`: it comes from the setting `check."/path"` and
    only tries proposals."""

    repo: str
    name: str
    kind: str
    command: list[str]
    seconds: float
    memory_mb: int
    read_roots: list[str]
    results: str
    state: str
    commit: str
    passed: int
    took: float
    why: str
    red: list[RedCaseOut]
    before: str = ""
    found: bool = True
    for_proposals_only: bool = False


class CheckRemovedOut(Output, frozen=True, kw_only=True):
    """A check that was removed."""

    repo: str
    name: str
    position: int


class SuggestedOut(Output, frozen=True, kw_only=True):
    """A check that a repository seems to use. `because`: the file that says so; `add`: the command that names it;
    `found`: whether its program is here, in the repository or on the PATH."""

    name: str
    kind: str
    command: list[str]
    because: str
    add: list[str]
    found: bool


class SimulatedOut(Output, frozen=True, kw_only=True):
    """What a selection would have done with the recorded runs of a check: run it only if a commit touches a file of a
    kind with which it was red before. `missed`: runs that were newly red and would have been skipped."""

    name: str
    runs: int
    skipped: int
    seconds: float
    saved: float
    red: int
    missed: int
    kinds: list[str]
