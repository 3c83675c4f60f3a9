"""Looks again at the findings whose hold has ended: a detector was unmuted or promoted, a rejection was taken
back, what was learned was reset. What held nothing but these back is found in what it was found in then, or is no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from kairos.daemon.finding import find
from kairos.daemon.folded import Views
from kairos.detectors.roster import Roster
from kairos.detectors.scene import Facts
from kairos.domain.events import AttentionDue, AttentionHeld, CommitRecorded, FilesChanged, GitMoved, TurnStarted
from kairos.domain.finding import Finding
from kairos.domain.holds import COOL_DOWN, FLOOR, MUTE, NEVER, SHADOW
from kairos.domain.learning.learned import silences
from kairos.domain.raising import Raised
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository

AGAIN = "again"
"""The boundary of a turn that only looks at what was held back."""
_TRIGGERS = frozenset({"FilesChanged", "GitMoved", "CommitRecorded"})


@dataclass
class EndedHolds:
    """Holds that may have ended: their events by what looks at them again (detector, boundary and evidence), and the
    positions of those that were erased."""

    by_look: dict[tuple[str, str, tuple[int, ...]], list[Recorded]] = field(default_factory=dict)
    erased: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[Recorded]:
        return [held for some in self.by_look.values() for held in some]

    @property
    def detectors(self) -> list[str]:
        return sorted({detector for detector, *_ in self.by_look})

    @property
    def positions(self) -> list[int]:
        return sorted([*self.erased, *(held.position for held in self.events)])


def ended(views: Views, repo: str, roster: Roster) -> list[int]:
    """The positions of the holds in a repository that may have ended: by mutes that are no more, by the cool-downs of
    older versions, by the promotion of a detector out of shadow, by what was learned before it was reset, and by
    rejections for good, which only another look can judge."""
    found: list[int] = []
    for name in roster.names:
        if views.attention.is_muted(name, repo):
            continue
        found += (held.position for held in views.findings.waiting(repo, MUTE, name))
        found += (held.position for held in views.findings.waiting(repo, NEVER, name))
        found += (held.position for held in views.findings.waiting(repo, COOL_DOWN, name))
        if roster.states[name] == "on":
            found += (held.position for held in views.findings.waiting(repo, SHADOW, name))
        found += _heard_again(views, repo, name)
    return found


def _heard_again(views: Views, repo: str, detector: str) -> list[int]:
    """The holds of a detector by what was learned of it: those from before a reset, and all once it is silent at no
    place of the repository."""
    waiting = list(views.findings.waiting(repo, FLOOR, detector))
    if not waiting:
        return []
    learned = views.inbox.learned
    if all(name != detector for name, _ in silences(learned, repo)):
        return [held.position for held in waiting]
    return [held.position for held in waiting if held.position < learned.woken.get(detector, 0)]


def holds_at(log: Log, positions: Sequence[int]) -> EndedHolds:
    """The events of holds, by what looks at them again. What was found apart is looked at apart: cards of
    many turns would become one. Rejections for good stay together, because
    they are looked at often and nearly always hold."""
    found = EndedHolds()
    for position in positions:
        try:
            held = log.at(position)
        except NotFound:
            found.erased.append(position)
            continue
        assert isinstance(held.event, AttentionHeld)
        boundary = held.event.boundary or _turn_of(log, held)[1]
        apart = tuple(held.event.evidence) if held.event.rule != NEVER else ()
        found.by_look.setdefault((held.event.detector, boundary, apart), []).append(held)
    return found


def look_again(
    log: Log, repo: Repository, holds: EndedHolds, salt: bytes, facts: Facts, roster: Roster
) -> tuple[dict[str, list[Finding]], list[str]]:
    """(findings of these holds that are there now, by the boundary at which they were found; problems)."""
    keys = {
        key for h in holds.events if isinstance(h.event, AttentionHeld) for key in (h.event.subject, *h.event.subjects)
    }
    found: dict[str, list[Finding]] = {}
    known: set[str] = set()
    problems: list[str] = []
    # What was held together first: a part of it that was held alone, too, is no card of its own.
    for (detector, boundary, _), some in sorted(holds.by_look.items(), key=lambda look: -len(look[0][2])):
        trigger = {r.position: r for held in some for r in _evidence(log, held)}
        if not trigger:
            continue
        words = "\n".join(held.event.why for held in some if isinstance(held.event, AttentionHeld))
        seen, wrong = find(
            log, repo, list(trigger.values()), boundary, salt, detector, facts, again=True, about=words, roster=roster
        )  # fmt: skip
        problems += wrong
        seen = [f for f in seen if not known.issuperset(f.subjects or [f.key])]
        seen = [f for f in seen if not keys.isdisjoint((*f.names, *f.former_keys))]
        found.setdefault(boundary, []).extend(seen)
        known.update(name for f in seen for name in f.names)
    return found, problems


def evidence(log: Log, holds: EndedHolds) -> list[Recorded]:
    """All that the findings of these holds were found in."""
    found = {r.position: r for held in holds.events for r in _evidence(log, held)}
    return [found[position] for position in sorted(found)]


def split(holds: EndedHolds, raised: Sequence[Raised]) -> tuple[list[int], list[Raised]]:
    """(positions of the holds that have ended, what is news among `raised`): a hold that holds as before is
    left as it is; but one after a reset is recorded anew, so that it is not looked at for ever."""
    lasting = (r for r in raised if isinstance(r, AttentionHeld) and r.rule != FLOOR)
    asis = {(r.subject, r.rule) for r in lasting}
    left = {h.position: pair for h in holds.events if (pair := _of(h)) in asis}
    news = [r for r in raised if not isinstance(r, AttentionHeld) or (r.subject, r.rule) not in left.values()]
    return [position for position in holds.positions if position not in left], news


def _of(held: Recorded) -> tuple[str, str]:
    """What a hold holds, and by which rule."""
    assert isinstance(held.event, AttentionHeld)
    return held.event.subject, held.event.rule


def _evidence(log: Log, held: Recorded) -> list[Recorded]:
    """What a held finding was found in, without what was erased."""
    assert isinstance(held.event, AttentionHeld)
    if not held.event.boundary:
        return _turn_of(log, held)[0]
    found = []
    for position in held.event.evidence:
        with suppress(NotFound):
            found.append(log.at(position))
    return found


def _turn_of(log: Log, held: Recorded) -> tuple[list[Recorded], str]:
    """(the events that the turn of a hold was over, its boundary), for holds of versions that did not record them."""
    boundary, at = "commit", held
    with suppress(NotFound):
        while at.caused_by is not None and not isinstance(at.event, AttentionDue):
            at = log.at(at.caused_by)
            if isinstance(at.event, TurnStarted):
                boundary = at.event.boundary
    if not isinstance(at.event, AttentionDue) or at.caused_by is None:
        return [], boundary
    repo = at.event.repo
    over = log.read(at.caused_by - 1, topics=_TRIGGERS, upto=held.position)
    kinds = (FilesChanged, GitMoved, CommitRecorded)
    return [r for r in over if isinstance(r.event, kinds) and r.event.repo == repo], boundary
