"""What was learned of each detector: tallies of yes and no by detector, repository and directory, and by moment; and
where it is silent because of them. A fold of the log alone. Pure.

```
stale-reference              every finding of it        ─┐ what its other children taught is the prior
  └ a repository             those of one repository     │ of a child, as much as STRENGTH findings
      └ docs                 those below a directory     ▼
          └ docs/api
```
A finding is judged by the deepest of these that ENOUGH findings taught something about. It is silent where the upper
end of the 95 % interval lies below FLOOR: it is wrong more often than right, and one can be sure of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from kairos.domain import events as ev
from kairos.domain.events import Event, ProposalRaised
from kairos.domain.hindsight import Interval, named_paths
from kairos.domain.learning.beta import TAIL, below, credible
from kairos.domain.learning.lessons import BAD, GOOD, WEIGHTS, Lesson, YesNo, place_of

FLOOR = 0.5
"""A detector that is right less often than this is silent, once one can be sure of it (ADR 0030 has the figures)."""
ENOUGH = 3.0
"""So many findings must have taught something about a place before it is judged apart from what surrounds it."""
STRENGTH = 2.0
"""What is known of the surroundings of a place counts as much as this many findings in it."""
TOPICS = frozenset(
    {"ProposalRaised", "ProposalRevised", "ProposalDelivered", "ProposalAcknowledged", "ProposalRejected",
     "ProposalDeferred", "ProposalSuperseded", "ProposalExpired", "ProposalUnparked", "ExecutionFinished", "Undone",
     "Redone", "DecisionUndone", "DecisionRedone", "DetectorReset", "HindsightJudged", "DetectorAdded"}
)  # fmt: skip
_KEPT = 2_000
"""The lessons of so many of the latest findings can change; those of older ones stay as they are."""
_MOST_PLACES = 2_000
_ALWAYS = frozenset({"brief", "manual"})
"""Boundaries at which everything that waits is told."""


class Taught(msgspec.Struct):
    """The lesson of one finding, and what it was about. `told`: the boundary at which it was told; `before`: the lesson
    that was taken back, for who makes the decision again; `at`: when it was taught (us)."""

    detector: str
    repo: str
    place: str
    told: str = ""
    lesson: Lesson = ""
    before: Lesson = ""
    at: int = 0
    edited: bool = False


class Learned(msgspec.Struct):
    """`tallies` by `detector`, `detector|repo` and `detector|repo|directory`; `moments` by `detector|boundary` (yes: a
    person decided then); `findings` by proposal, or by `held_id`; `resets`: detector → position of the last reset."""

    tallies: dict[str, YesNo] = {}
    moments: dict[str, YesNo] = {}
    findings: dict[str, Taught] = {}
    resets: dict[str, int] = {}


class Judgement(NamedTuple):
    """How a detector is judged at a place: what it was judged by (repository and directory, empty: all), the tally, the
    interval, and whether it is silent."""

    repo: str
    place: str
    tally: YesNo
    interval: Interval
    silent: bool


def evolve(state: Learned, event: Event, position: int, at: int) -> None:
    """Folds one event into the state, in place."""
    match event:
        case ProposalRaised():
            place = place_of(named_paths(event.action, event.basis))
            _keep(state, event.id, Taught(event.detector, event.repo, place))
        case ev.HindsightJudged(label="done" | "left" as label):
            taught = Taught(event.detector, event.repo, event.place)
            _keep(state, held_id(event.of), taught)
            _teach(state, taught, "by hand" if label == "done" else "left", at)
        case ev.DetectorReset():
            _reset(state, event, position)
        case ev.DetectorAdded():  # another command: nothing is known of it
            _reset(state, ev.DetectorReset(detector=event.detector), position)
        case _:
            known = state.findings.get(getattr(event, "id", ""))
            if known is not None:
                _follow(state, known, event, at)


def _keep(state: Learned, id_: str, taught: Taught) -> None:
    state.findings.pop(id_, None)
    state.findings[id_] = taught
    if len(state.findings) > _KEPT:
        del state.findings[next(iter(state.findings))]


def held_id(position: int) -> str:
    """The name of a finding that was held at a position, among those of proposals."""
    return f"held-{position}"


def _follow(state: Learned, known: Taught, event: Event, at: int) -> None:
    """What an event of a finding's proposal teaches, at a time (us)."""
    match event:
        case ev.ProposalDelivered(boundary=boundary):
            known.told = known.told or boundary
        case ev.ProposalRevised():
            known.edited = bool(event.edited)
            if known.lesson == "by hand":  # it is there again
                _teach(state, known, "", at)
        case ev.ProposalUnparked() if known.lesson == "by hand":
            _teach(state, known, "", at)
        case ev.ProposalAcknowledged():
            _teach(state, known, "read", at)
        case ev.ProposalRejected(reason=reason):
            _teach(state, known, "not now" if reason == "not_now" else "rejected", at)
        case ev.ProposalDeferred() if not event.on_evidence and known.lesson == "":
            _teach(state, known, "later", at)
        case ev.ProposalSuperseded(done=True):
            _teach(state, known, "by hand", at)
        case ev.ProposalExpired() if known.told:
            _teach(state, known, "expired", at)
        case ev.ExecutionFinished(outcome="done" | "rolled_forward", run="apply" | "redo"):
            _teach(state, known, "edited" if known.edited else "carried out", at)
        case ev.Redone():
            _teach(state, known, "edited" if known.edited else "carried out", at)
        case ev.Undone():
            _teach(state, known, "undone", at)
        case ev.DecisionUndone(what="reject" | "acknowledge" | "defer"):
            lesson = known.lesson
            _teach(state, known, "", at)
            known.before = lesson
        case ev.DecisionRedone(what="reject" | "acknowledge" | "defer") if known.before:
            _teach(state, known, known.before, at)
        case _:
            pass


def _teach(state: Learned, known: Taught, lesson: Lesson, at: int) -> None:
    """Replaces the lesson of a finding."""
    _add(state, known, -1)
    known.lesson, known.before, known.at = lesson, "", at
    _add(state, known, 1)


def _add(state: Learned, known: Taught, sign: int) -> None:
    yes, no = WEIGHTS[known.lesson]
    if yes or no:
        add(state, known.detector, known.repo, known.place, sign * yes, sign * no)
    if known.told and known.lesson in GOOD | BAD:
        key, good = f"{known.detector}|{known.told}", known.lesson in GOOD
        _put(state.moments, key, state.moments.get(key, YesNo()).plus(sign * good, sign * (not good)))


def add(state: Learned, detector: str, repo: str, place: str, yes: float, no: float) -> None:
    """Adds so much yes and no to what is known of a detector at a place, and of all that surrounds it."""
    for key in _chain(detector, repo, place):
        if key in state.tallies or len(state.tallies) < _MOST_PLACES or key == detector:
            _put(state.tallies, key, state.tallies.get(key, YesNo()).plus(yes, no))


def _put(tallies: dict[str, YesNo], key: str, tally: YesNo) -> None:
    if tally.n > 0:
        tallies[key] = tally
    else:
        tallies.pop(key, None)


def _reset(state: Learned, event: ev.DetectorReset, position: int) -> None:
    """Forgets what was learned of a detector: everywhere, in one repository, or below one directory of it."""
    state.resets[event.detector] = position
    top = _chain(event.detector, event.repo, event.path)[-1]
    gone = state.tallies.get(top, YesNo())
    for key in _chain(event.detector, event.repo, event.path)[:-1]:
        _put(state.tallies, key, state.tallies.get(key, YesNo()).plus(-gone.yes, -gone.no))
    within = (f"{top}/",) if event.path else (f"{top}|",)
    state.tallies = {k: t for k, t in state.tallies.items() if k != top and not k.startswith(within)}
    if not event.repo:
        state.moments = {k: t for k, t in state.moments.items() if not k.startswith(f"{event.detector}|")}
    state.findings = {
        id_: t for id_, t in state.findings.items()
        if t.lesson == "" or top not in _chain(t.detector, t.repo, t.place)
    }  # fmt: skip


def _chain(detector: str, repo: str, place: str) -> list[str]:
    """The keys of a place and of what surrounds it, the widest first."""
    keys = [detector]
    if repo:
        keys.append(f"{detector}|{repo}")
        parts = place.split("/") if place else []
        keys += [f"{detector}|{repo}|{'/'.join(parts[: n + 1])}" for n in range(len(parts))]
    return keys


def judged(state: Learned, detector: str, repo: str = "", place: str = "") -> Judgement:
    """How a detector is judged at a place of a repository, or (both empty) everywhere."""
    keys = _chain(detector, repo, place)
    tallies = [state.tallies.get(key, YesNo()) for key in keys]
    a, b, at = 1.0, 1.0, 0
    found = (a, b)
    for depth, tally in enumerate(tallies):
        if depth:  # what is known of the rest of what surrounds it
            rest = tallies[depth - 1].plus(-tally.yes, -tally.no)
            mean = (a + rest.yes) / (a + b + rest.n)
            a, b = STRENGTH * mean, STRENGTH * (1 - mean)
        if not depth or tally.n >= ENOUGH:
            at, found = depth, (a + tally.yes, b + tally.no)
    _, where, below_ = (*keys[at].split("|", 2), "", "")[:3]
    silent = tallies[at].n >= ENOUGH and below(*found, FLOOR) > 1 - TAIL
    return Judgement(where, below_, tallies[at], credible(*found), silent)


def judged_for(state: Learned, raised: ProposalRaised) -> Judgement:
    """How the detector of a proposal is judged where it is."""
    return judged(state, raised.detector, raised.repo, place_of(named_paths(raised.action, raised.basis)))


def silences(state: Learned, only: str = "") -> Iterator[tuple[str, Judgement]]:
    """(detector, judgement) of each place at which one is silent, the widest of each; `only`: in this repository."""
    seen: set[str] = set()
    for key in sorted(state.tallies):
        detector, repo, place = (*key.split("|", 2), "", "")[:3]
        if only and repo not in ("", only):
            continue
        found = judged(state, detector, repo, place)
        if found.silent and (found.repo, found.place) == (repo, place):
            if seen.isdisjoint(_chain(detector, repo, place)):
                yield detector, found
            seen.add(key)


def in_words(detector: str, found: Judgement) -> str:
    """Why a detector is silent, with the figures."""
    where = f"in {found.place}/" if found.place else "in this repository" if found.repo else "everywhere"
    return (
        f"{detector} is silent {where}: {found.tally.yes:g} of {found.tally.n:g} findings were welcome, so at most "
        f"{found.interval.high:.0%} are (95 %), below the floor of {FLOOR:.0%}"
    )


def put_off(state: Learned, detector: str, boundary: str) -> str:
    """Why what a detector says is not told at a boundary: a person put it off then nearly every time. Empty if it
    is told."""
    tally = state.moments.get(f"{detector}|{boundary}", YesNo())
    a, b = 1 + tally.yes, 1 + tally.no
    if boundary in _ALWAYS or tally.n < ENOUGH or below(a, b, FLOOR) <= 1 - TAIL:
        return ""
    return (
        f"what {detector} says at this moment was put off or left {tally.no:g} of {tally.n:g} times; it waits for the "
        "morning brief"
    )
