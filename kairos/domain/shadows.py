"""Findings held in shadow whose outcome is awaited: each commit that descends from theirs counts. A fold. Pure."""

from __future__ import annotations

import msgspec

from kairos.domain.events import AttentionHeld, CommitRecorded, DetectorRemoved, Event, HindsightJudged
from kairos.domain.events.detectors import Named
from kairos.domain.hindsight import HORIZON, Again, Awaiting
from kairos.domain.holds import SHADOW
from kairos.domain.learning.lessons import place_of

MOST = 500
"""So many findings in shadow are awaited; the oldest are left undecided beyond."""
TOPICS = frozenset({"AttentionHeld", "CommitRecorded", "DetectorRemoved", "HindsightJudged"})


class ShadowFinding(msgspec.Struct):
    """A finding in shadow. `position`: of its hold; `touched`: the number of descendants up to the last one that may
    have done something about it, `by` its id."""

    position: int
    repo: str
    detector: str
    subject: str
    boundary: str
    named: Named
    awaiting: Awaiting
    touched: int = 0
    by: str = ""


class Shadows(msgspec.Struct):
    """The findings in shadow that are awaited, by the position of their hold (as text, as keys of JSON are)."""

    open: dict[str, ShadowFinding] = {}

    def of(self, repo: str) -> list[ShadowFinding]:
        return [s for s in self.open.values() if s.repo == repo]


def evolve(state: Shadows, event: Event, position: int) -> None:
    """Folds one event into the state, in place."""
    match event:
        case AttentionHeld(rule=rule, shadow=Named() as named) if rule == SHADOW and event.commit:
            awaiting = Awaiting(event.commit, event.horizon or HORIZON, list(named.places))
            state.open[str(position)] = ShadowFinding(
                position, event.repo, event.detector, event.subject, event.boundary, named, awaiting
            )
            if len(state.open) > MOST:
                del state.open[min(state.open, key=int)]
        case CommitRecorded() if state.open:
            _follow(state, event)
        case HindsightJudged():
            state.open.pop(str(event.of), None)
        case DetectorRemoved():
            state.open = {n: s for n, s in state.open.items() if s.detector != event.detector}
        case _:
            pass


def _follow(state: Shadows, commit: CommitRecorded) -> None:
    changed = [c.fs for c in commit.changes]
    changed += [c.was.fs for c in commit.changes if c.was is not None and c.status.startswith("R")]
    for shadow in state.of(commit.repo):
        if not shadow.awaiting.follow(commit.oid, commit.parents):
            continue
        if shadow.named.concerns(changed):
            shadow.touched, shadow.by = shadow.awaiting.seen, commit.oid


def judged(shadow: ShadowFinding, again: Again | None) -> HindsightJudged | None:
    """What hindsight says, after a look (None: nothing touched it since the last one); None: it is still awaited."""
    awaiting = msgspec.structs.replace(shadow.awaiting)  # the fold is of events alone
    if again is not None and again.moot:
        awaiting.taken_back(shadow.by)
    elif again is not None:
        awaiting.looked(shadow.by, again.places)
    awaiting.pass_by()
    if awaiting.label == "unknown":
        return None
    return HindsightJudged(
        repo=shadow.repo, detector=shadow.detector, subject=shadow.subject, of=shadow.position, label=awaiting.label,
        by=awaiting.by, number=awaiting.seen, place=place_of(shadow.named.asks or shadow.named.paths),
    )  # fmt: skip
