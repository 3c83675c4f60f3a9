"""What was learned of each detector: tallies of yes and no by detector, repository and directory, and by moment; and
where it is silent because of them. A fold of the log alone. Pure.

```
stale-reference              every finding of it        ─┐ what its other children taught is the prior
  └ a repository             those of one repository     │ of a child, as much as STRENGTH findings
      └ docs                 those below a directory     ▼
          └ docs/api
```
A finding is judged by the deepest of these that ENOUGH findings taught something about. It is silent where the upper
end of the 95 % interval lies below FLOOR: it is wrong more often than right, and one can be sure of it. Only what a
repository itself taught silences a detector, and only there; what others taught is a prior.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from kairos.domain.events import DetectorAdded, DetectorReset, Event, HindsightJudged, ProposalRaised
from kairos.domain.hindsight import Interval, named_paths
from kairos.domain.learning.beta import TAIL, below, credible
from kairos.domain.learning.lessons import BAD, GOOD, WEIGHTS, Lesson, YesNo, place_of
from kairos.domain.proposal import Proposal

FLOOR = 0.5
"""A detector that is right less often than this is silent, once one can be sure of it (ADR 0031 has the figures)."""
ENOUGH = 3.0
"""So many findings must have taught something about a place before it is judged apart from what surrounds it."""
STRENGTH = 2.0
"""What is known of the surroundings of a place counts as much as this many findings in it."""
TOPICS = frozenset({"DetectorAdded", "DetectorReset", "HindsightJudged"})
"""What is folded besides proposals."""
_MOST_PLACES = 2_000
LATEST = 5
"""So many of the latest lessons of a detector are kept by name."""
_ALWAYS = frozenset({"brief", "manual"})
"""Boundaries at which everything that waits is told."""


class LatestLesson(msgspec.Struct, frozen=True):
    """A lesson of a detector: of which proposal, in which repository, when (us)."""

    id: str
    repo: str
    lesson: Lesson
    at: int


class Learned(msgspec.Struct):
    """`tallies` by `detector`, `detector|repo` and `detector|repo|directory`; `moments` by `detector|boundary` (yes: a
    person decided then); `latest` by detector, the newest last; `resets`: key of a tally → when it was reset (us): what
    was decided until then teaches nothing; `woken`: detector → position of its last reset."""

    tallies: dict[str, YesNo] = {}
    moments: dict[str, YesNo] = {}
    latest: dict[str, list[LatestLesson]] = {}
    resets: dict[str, int] = {}
    woken: dict[str, int] = {}


class Judgement(NamedTuple):
    """How a detector is judged at a place: what it was judged by (repository and directory, empty: all), the tally, the
    interval, and whether it is silent."""

    repo: str
    place: str
    tally: YesNo
    interval: Interval
    silent: bool


def lesson_of(p: Proposal) -> Lesson:
    """What a proposal teaches as it stands."""
    match p.state:
        case "executed" | "redone":
            return "edited" if p.edited else "carried out"
        case "acknowledged":
            return "read"
        case "superseded" if p.done:
            return "by hand"
        case "rejected":
            return "not now" if p.rejected is not None and p.rejected.reason == "not_now" else "rejected"
        case "expired" if p.told is not None:
            return "expired"
        case "deferred" if not p.deferred_on_evidence:
            return "later"
        case "undone":
            return "undone"
        case _:
            return ""


def follow(state: Learned, before: Proposal | None, after: Proposal) -> None:
    """Replaces what a proposal taught until now by what it teaches after an event."""
    for p, sign in ((before, -1), (after, 1)):
        lesson = "" if p is None else lesson_of(p)
        if p is None or not lesson:
            continue
        raised = p.raised
        place = place_of(named_paths(raised.action, raised.basis))
        if p.changed_at <= max(state.resets.get(k, -1) for k in _chain(raised.detector, raised.repo, place)):
            continue
        yes, no = WEIGHTS[lesson]
        if yes or no:
            add(state, raised.detector, raised.repo, place, sign * yes, sign * no)
        if p.told is not None and p.told.boundary and lesson in GOOD | BAD:
            key, good = f"{raised.detector}|{p.told.boundary}", lesson in GOOD
            _put(state.moments, key, state.moments.get(key, YesNo()).plus(sign * good, sign * (not good)))
    if before is None or lesson_of(before) != lesson_of(after):
        note(
            state, after.raised.detector, LatestLesson(after.id, after.raised.repo, lesson_of(after), after.changed_at)
        )


def note(state: Learned, detector: str, latest: LatestLesson) -> None:
    """Keeps a lesson among the latest of its detector; an empty one takes that of its proposal away."""
    known = [one for one in state.latest.get(detector, []) if one.id != latest.id]
    known = [*known, latest][-LATEST:] if latest.lesson else known
    if known:
        state.latest[detector] = known
    else:
        state.latest.pop(detector, None)


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


def evolve(state: Learned, event: Event, position: int, at: int) -> None:
    """Folds an event that is not one of a proposal into the state, in place."""
    match event:
        case DetectorReset():
            reset(state, event, position, at)
        case DetectorAdded():  # another command: nothing is known of it
            reset(state, DetectorReset(detector=event.detector), position, at)
        case HindsightJudged(label="done" | "left" as label):
            done = label == "done"
            add(state, event.detector, event.repo, event.place, float(done), float(not done))
            latest = LatestLesson(held_id(event.of), event.repo, "by hand" if done else "left", at)
            note(state, event.detector, latest)
        case _:
            pass


def held_id(position: int) -> str:
    """The name of a finding that was held at a position, among those of proposals."""
    return f"held-{position}"


def reset(state: Learned, event: DetectorReset, position: int, at: int) -> None:
    """Forgets what was learned of a detector until a time: everywhere, in one repository, or below a directory."""
    state.woken[event.detector] = position
    chain = _chain(event.detector, event.repo, event.path)
    top = chain[-1]
    gone = state.tallies.get(top, YesNo())
    for key in chain[:-1]:
        _put(state.tallies, key, state.tallies.get(key, YesNo()).plus(-gone.yes, -gone.no))
    within = f"{top}/" if event.path else f"{top}|"
    state.tallies = {k: t for k, t in state.tallies.items() if k != top and not k.startswith(within)}
    state.resets = {k: t for k, t in state.resets.items() if not k.startswith(within)} | {top: at}
    if not event.repo:
        state.moments = {k: t for k, t in state.moments.items() if not k.startswith(f"{event.detector}|")}
    if not event.path:
        kept = [one for one in state.latest.pop(event.detector, []) if event.repo and one.repo != event.repo]
        if kept:
            state.latest[event.detector] = kept


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
    silent = at > 0 and below(*found, FLOOR) > 1 - TAIL
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
    where = f"in {found.place}/" if found.place else "in this repository"
    return (
        f"{detector} is silent {where}, as {found.tally.yes:g} of {found.tally.n:g} findings were welcome, so at most "
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
