"""Facts about the checks of a person: which there are, what each run reported, and who broke what.

Stream `check-<repo>-<name>`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain.events.base import Cited, Event, FreeText, register

CheckKind = Literal["test", "lint", "types", "build"]
RunOutcome = Literal["passed", "failed", "broken", "stopped"]
Verdict = Literal["new", "older", "flaky", "order", "untested"]


class FailedCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case of a check that was red. `wide`: it stands for more than itself (a file that could not be collected, a
    build), so that cases that are not named were not run."""

    id: FreeText
    message: FreeText = ""
    path: FreeText = ""
    line: int = 0
    seconds: float = 0.0
    wide: bool = False
    times: int = 1


@register
class CheckNamed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person named a command as a check of a repository, or changed it. `results`: the file in which it reports,
    relative to the root; empty: its output is read."""

    repo: str
    name: str
    kind: CheckKind
    command: list[FreeText]
    seconds: float
    memory_mb: int
    read_roots: list[FreeText] = []
    results: FreeText = ""


@register
class CheckRemoved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person removed a check; what it reported stays in the log."""

    repo: str
    name: str


@register
class CheckStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A run begins; recorded before anything runs, so that one that takes the machine down is not repeated for ever.
    `cases`: only these; empty: all of the check. `pieces`: of the commit there are only these of its `pieces_of`
    pieces."""

    repo: str
    check: str
    tree: str
    commit: str
    cases: list[FreeText] = []
    pieces: list[int] = []
    pieces_of: int = 0


@register
class CheckRan(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A run ended. `outcome`: passed | failed | broken (it could not be run, or a limit ended it: `why`) |
    stopped (it counts for nothing and is made again). `passed` and
    `skipped` are counts, `failed` names cases, `cut` how many more there were; `repeats`: the command was executed so
    often. `partial`: cases that are not named were perhaps not run. `pieces`: a trial of the commit with only these of
    its `pieces_of` pieces, so that it says nothing of its tree."""

    repo: str
    check: str
    tree: str
    commit: str
    outcome: RunOutcome
    format: str = ""
    exit: int | None = None
    passed: int = 0
    skipped: int = 0
    failed: list[FailedCase] = []
    cut: int = 0
    partial: bool = False
    cases: list[FreeText] = []
    seconds: float = 0.0
    why: FreeText = ""
    repeats: int = 1
    pieces: list[int] = []
    pieces_of: int = 0


@register
class CheckJudged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict on cases that became red: new (at `culprit`) | older | flaky | order (red only after others) |
    untested (it could not be decided: `why`). `base`: the last commit at which they were green; `commit`: where they
    were seen red; `over`: how many commits lie between; `runs`: further runs it took; `evidence`: those runs; `red` and
    `green`: how often the first case was in them. `hunk`: the pieces of the culprit that are to blame (file, lines, the
    change), if it could be narrowed."""

    repo: str
    check: str
    cases: list[FreeText]
    verdict: Verdict
    commit: str
    tree: str
    base: str = ""
    culprit: str = ""
    over: int = 0
    runs: int = 0
    red: int = 0
    green: int = 0
    sure: float = 0.0
    evidence: list[Cited] = []
    why: FreeText = ""
    hunk: FreeText = ""
