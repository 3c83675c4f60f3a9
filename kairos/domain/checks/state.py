"""What is known of the checks of all repositories, folded from their events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from kairos.domain.events import (
    CheckJudged,
    CheckKind,
    CheckNamed,
    CheckRan,
    CheckRemoved,
    CheckStarted,
    Event,
    RunOutcome,
    Verdict,
)

MOST_RUNS = 400
MOST_FAILED = 5_000
"""So many red cases of a run are kept by name."""
MOST_TEXT = 4 << 20
"""The runs of a check hold so many characters of ids and messages, beside the last two."""
_WITH_MESSAGES = 40
"""Messages are kept of so many last runs: a search takes no more."""
_MOST_TRIALS, _LONGEST_PLACE = 64, 300
_MOST_JUDGED = 2 * MOST_FAILED
TOPICS = frozenset({"CheckJudged", "CheckNamed", "CheckRan", "CheckRemoved", "CheckStarted"})


def check_stream(repo: str, name: str) -> str:
    """The stream of a check's events."""
    return f"check-{repo}-{name}"


class NamedCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check as a person named it."""

    name: str
    kind: CheckKind
    command: list[str]
    seconds: float
    memory_mb: int
    read_roots: list[str] = []
    results: str = ""


class PastRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that ended. `failed`: red cases with their decisive lines (only of the last runs); `wide`: those that stand
    for more than themselves; `cases`: it ran only these; `times`: how often a case was red, where
    not in all `repeats`. `pieces`: a trial of some of the `pieces_of` pieces of the commit."""

    position: int
    tree: str
    commit: str
    outcome: RunOutcome
    failed: dict[str, str] = {}
    wide: list[str] = []
    cases: list[str] = []
    passed: int = 0
    skipped: int = 0
    partial: bool = False
    seconds: float = 0.0
    why: str = ""
    repeats: int = 1
    times: dict[str, int] = {}
    pieces: list[int] = []
    pieces_of: int = 0

    def is_red(self, case: str) -> bool:
        """Whether a case was red more often than green."""
        red, green = self.counts(case)
        return red > green

    def counts(self, case: str) -> tuple[int, int]:
        """How often a case was red and how often green in the repeats of the run; (0, 0) if it does not tell."""
        said = self.red(case)
        if said is None:
            return 0, 0
        red = min(self.times.get(case, self.repeats), self.repeats) if said else 0
        return red, self.repeats - red

    def red(self, case: str) -> bool | None:
        """Whether a case was red; None if the run does not tell."""
        if self.outcome == "broken" or (self.cases and case not in self.cases):
            return None
        if case in self.failed or (self.cases and any(case.startswith(f"{w}::") for w in self.wide)):
            return True
        return None if self.partial else False


class JudgedCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last verdict on a case; `place`: of the culprit, the file and the lines that do it."""

    position: int
    verdict: Verdict | Literal[""]
    culprit: str = ""
    place: str = ""


class CheckState(msgspec.Struct, kw_only=True):
    """One check: what it is, its runs (the oldest fall away), the last verdict on each case, by tree the runs that
    began since one ended, and the last trials of pieces of commits."""

    named: NamedCheck
    runs: list[PastRun] = []
    judged: dict[str, JudgedCase] = {}
    begun: dict[str, int] = {}
    trials: list[PastRun] = []

    def whole(self, tree: str) -> list[PastRun]:
        """The runs of all of the check on a tree, oldest first."""
        return [r for r in self.runs if r.tree == tree and not r.cases]


class Checks(msgspec.Struct, kw_only=True):
    """Repository → name → the check."""

    by_repo: dict[str, dict[str, CheckState]] = {}

    def of(self, repo: str) -> dict[str, CheckState]:
        return self.by_repo.get(repo, {})


def evolve(state: Checks, event: Event, position: int) -> None:
    """Folds one event into the state, in place."""
    match event:
        case CheckNamed():
            _name(state, event)
        case CheckRemoved():
            state.by_repo.get(event.repo, {}).pop(event.name, None)
        case CheckStarted():
            known = state.of(event.repo).get(event.check)
            if known is not None:
                known.begun[event.tree] = known.begun.get(event.tree, 0) + 1
        case CheckRan():
            known = state.of(event.repo).get(event.check)
            if known is not None:
                known.begun.pop(event.tree, None)
                if event.outcome != "stopped" and event.pieces_of:
                    known.trials = [*known.trials, _past(event, position)][-_MOST_TRIALS:]
                elif event.outcome != "stopped":
                    known.runs = _within_bounds([*known.runs, _past(event, position)])
        case CheckJudged():
            known = state.of(event.repo).get(event.check)
            if known is not None:
                verdict = JudgedCase(
                    position=position,
                    verdict=event.verdict,
                    culprit=event.culprit,
                    place=event.hunk.partition("\n")[0][:_LONGEST_PLACE],
                )
                known.judged |= dict.fromkeys(event.cases, verdict)
                newest = sorted(known.judged, key=lambda case: (known.judged[case].position, case))[-_MOST_JUDGED:]
                known.judged = {case: known.judged[case] for case in newest}
        case _:
            pass


def _within_bounds(runs: Sequence[PastRun]) -> list[PastRun]:
    """The last runs, as many as the bounds allow."""
    kept: list[PastRun] = []
    text = 0
    for age, run in enumerate(reversed(runs[-MOST_RUNS:])):
        if age >= _WITH_MESSAGES and any(run.failed.values()):
            run = msgspec.structs.replace(run, failed=dict.fromkeys(run.failed, ""))
        text += sum(map(len, run.failed)) + sum(map(len, run.failed.values()))
        if text > MOST_TEXT and age >= 2:
            break
        kept.append(run)
    return kept[::-1]


def _name(state: Checks, event: CheckNamed) -> None:
    named = NamedCheck(
        name=event.name, kind=event.kind, command=event.command, seconds=event.seconds, memory_mb=event.memory_mb,
        read_roots=event.read_roots, results=event.results,
    )  # fmt: skip
    checks = state.by_repo.setdefault(event.repo, {})
    known = checks.get(event.name)
    if known is not None and (known.named.command, known.named.results) == (event.command, event.results):
        known.named = named
        known.begun = {}
        known.runs = [r for r in known.runs if r.outcome != "broken"]  # a person wants it tried again
    else:  # what another command reported says nothing of this one
        checks[event.name] = CheckState(named=named)


def _past(event: CheckRan, position: int) -> PastRun:
    return PastRun(
        position=position, tree=event.tree, commit=event.commit, outcome=event.outcome,
        failed={f.id: f.message for f in event.failed}, wide=[f.id for f in event.failed if f.wide],
        cases=event.cases, passed=event.passed, skipped=event.skipped, partial=event.partial, seconds=event.seconds,
        why=event.why, repeats=event.repeats, times={f.id: f.times for f in event.failed if f.times < event.repeats},
        pieces=event.pieces, pieces_of=event.pieces_of,
    )  # fmt: skip
