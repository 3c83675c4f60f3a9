"""Attention: decides whether to start a turn now and whether to deliver a proposal to a person now. Pure.

A turn may start at every boundary (looking costs nothing); a person is spoken to only at a boundary where they
are between two things (Kumar et al. 2026, arXiv 2601.10253: 52 % engaged after a commit, 62 % dismissed
mid-task). Quiet hours and the daily cap hold delivery, not evaluation. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo

import msgspec

from kairos.domain.amounts import count
from kairos.domain.events import (
    AttentionDue,
    AttentionHeld,
    DetectorMuted,
    DetectorUnmuted,
    Event,
    ExecutionStarted,
    FilesChanged,
    GitMoved,
    Paused,
    ProposalAcknowledged,
    ProposalDelivered,
    ProposalExpired,
    ProposalRaised,
    ProposalRejected,
    ProposalRevised,
    ProposalStale,
    ProposalSuperseded,
    ProposalVerified,
    Resumed,
)
from kairos.domain.finding import is_key
from kairos.domain.learning.learned import Learned, put_off

SPEAKING = frozenset({"commit", "switch", "idle_return", "manual", "brief", "check"})
"""The boundaries at which a person may be spoken to."""

_COMMIT_MOVES = frozenset({"commit", "amend", "merge", "rebase", "cherry-pick", "reset"})
_ENDS = (
    ExecutionStarted, ProposalAcknowledged, ProposalExpired, ProposalRejected, ProposalStale, ProposalSuperseded
)  # fmt: skip
"""After these events a proposal is no longer delivered."""
ACTIVE_ORIGINS = frozenset({"live", "offline"})
"""Origins whose changes show that a person is working."""
_TIMED = ("moment@1", "pause@1", "per-day@1", "quiet-hours@1")
"""The rules that hold a proposal until a given time."""
_SILENT_ORIGINS = frozenset({"baseline", "history"})
TOPICS = frozenset(
    {"AttentionHeld", "DetectorMuted", "DetectorUnmuted", "Paused", "ProposalDelivered", "ProposalRaised", "Resumed",
     "FilesChanged", "GitMoved", "ProposalVerified", "ProposalRejected", "ProposalExpired", "ProposalSuperseded",
     "ProposalStale", "ProposalAcknowledged", "ExecutionStarted", "ProposalRevised", "AttentionDue"}
)  # fmt: skip


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """When a person wants proposals delivered. `quiet`: local hours (from, to), may wrap midnight. `per_day` findings
    of one repository, `per_day_total` of all (None: no limit)."""

    quiet: tuple[int, int] | None
    per_day: int
    idle: int
    per_day_total: int | None = None


class Delivery(msgspec.Struct, frozen=True):
    """A proposal of a repository was delivered to a person at a time."""

    at: int
    id: str
    urgent: bool
    repo: str = ""


class Waiting(msgspec.Struct):
    """A proposal that is not delivered yet, and the rules that hold it: rule → until (us; 0: no time)."""

    urgent: bool = False
    held: dict[str, int] = {}
    repo: str = ""


class Attention(msgspec.Struct, kw_only=True):
    """The state from which attention decides. `waiting`: proposals that may still be delivered, by id; delivered and
    closed proposals are removed. `paused_repos`: repository → the end of its pause (us; 0: until resumed)."""

    deliveries: list[Delivery] = []
    waiting: dict[str, Waiting] = {}
    muted: list[str] = []
    paused: bool = False
    paused_until: int | None = None
    paused_repos: dict[str, int] = {}
    last_activity: dict[str, int] = {}
    boundaries: dict[str, int] = {}
    """By repository: when a turn last began at a boundary between two things, not amid them."""

    def holds(self, proposal_id: str) -> Mapping[str, int]:
        """The rules that hold the delivery of a proposal: rule → until (us; 0: no time)."""
        found = self.waiting.get(proposal_id)
        return {} if found is None else found.held

    def is_muted(self, detector: str, repo: str) -> bool:
        return f"{detector}|" in self.muted or f"{detector}|{repo}" in self.muted

    def is_paused(self, now: int, repo: str = "") -> bool:
        """Whether everything is paused, or this repository."""
        if self.paused and (self.paused_until is None or now < self.paused_until):
            return True
        until = self.paused_repos.get(repo)
        return until is not None and (until == 0 or now < until)

    def pause_ends(self, repo: str) -> int | None:
        """When the pause that is in force in a repository ends (us); None without a known end."""
        found = [self.paused_until or 0] if self.paused else []
        found += [self.paused_repos[repo]] if repo in self.paused_repos else []
        return None if 0 in found else max(found, default=None)

    def over(self, now: int) -> list[str]:
        """The pauses whose time is over: repositories, and an empty text for the general one."""
        found = [repo for repo, until in self.paused_repos.items() if 0 < until <= now]
        return found + ([""] if self.paused and not self.is_paused(now) else [])


def evolve(state: Attention, event: Event, at: int, origin: str) -> None:
    """Folds one event into the state, in place."""
    match event:
        case AttentionHeld() if _is_proposal(event.subject) and _may_wait(state, event.subject):
            state.waiting.setdefault(event.subject, Waiting()).held[event.rule] = event.until or 0
        case DetectorMuted() if f"{event.detector}|{event.repo}" not in state.muted:
            state.muted.append(f"{event.detector}|{event.repo}")
        case DetectorUnmuted():
            state.muted = [m for m in state.muted if m != f"{event.detector}|{event.repo}"]
        case Paused(repo=repo) if repo:
            state.paused_repos[repo] = event.until or 0
        case Resumed(repo=repo) if repo:
            state.paused_repos.pop(repo, None)
        case Paused():
            state.paused, state.paused_until = True, event.until
        case Resumed():
            state.paused, state.paused_until = False, None
        case ProposalRaised():
            state.waiting[event.id] = Waiting(event.risk == "urgent", repo=event.repo)
        case ProposalRevised():
            _revised(state, event)
        case AttentionDue() if event.boundary in SPEAKING:
            state.boundaries[event.repo] = at
        case ProposalDelivered():
            told = state.waiting.pop(event.id, None)
            state.deliveries = [d for d in state.deliveries if d.at > at - 3 * 86_400_000_000]
            state.deliveries.append(
                Delivery(at, event.id, told is not None and told.urgent, "" if told is None else told.repo)
            )
        case ProposalVerified() if not event.ok:
            state.waiting.pop(event.id, None)
        case _ if isinstance(event, _ENDS):
            state.waiting.pop(event.id, None)
        case FilesChanged() | GitMoved() if origin in ACTIVE_ORIGINS:
            state.last_activity[event.repo] = at
        case _:
            pass


def _revised(state: Attention, event: ProposalRevised) -> None:
    """A revision that is much worse is told again; the urgency of one that still waits is that of the revision."""
    earlier = next((d.repo for d in reversed(state.deliveries) if d.id == event.id), "")
    found = state.waiting.get(event.id)
    if found is None and event.worse:
        found = state.waiting.setdefault(event.id, Waiting(repo=earlier))
    if found is not None:
        found.urgent = event.risk == "urgent"


def _may_wait(state: Attention, proposal_id: str) -> bool:
    """Whether a proposal may still be delivered: it waits, or it was not delivered lately."""
    return proposal_id in state.waiting or all(d.id != proposal_id for d in state.deliveries)


def _is_proposal(subject: str) -> bool:
    """Whether the subject of a hold is a proposal, not a turn or a finding that was not raised."""
    return subject != "turn" and not is_key(subject)


class Due(msgspec.Struct, frozen=True):
    """Start a turn now. `rule` is cited in `why`."""

    boundary: str
    rule: str


class Held(msgspec.Struct, frozen=True):
    """Not now (until a time, us) or never (until None)."""

    rule: str
    why: str
    until: int | None = None


def boundary_of(event: Event, origin: str, idle_for: int, manners: Manners) -> str | None:
    """The boundary that an event marks, None if it marks none. `idle_for`: time since the repository's last
    activity."""
    if origin in _SILENT_ORIGINS:
        return None
    match event:
        case GitMoved(ongoing=True):
            return None
        case GitMoved(what=what) if what in _COMMIT_MOVES:
            return "commit"
        case GitMoved(what="checkout"):
            return "switch"
        case GitMoved(what="stage"):
            return "idle_return" if idle_for >= manners.idle else "burst"
        case FilesChanged() if event.part == event.parts:
            return "idle_return" if idle_for >= manners.idle else "burst"
        case _:
            return None


def decide_turn(event: Event, origin: str, boundary: str, state: Attention, now: int, repo: str = "") -> Due | Held:
    """Whether a boundary starts a turn. Kairos's own writes never do; a paused assistant looks again when it is
    resumed."""
    if origin == "self":
        return Held("self@1", "this is Kairos's own write")
    if isinstance(event, FilesChanged) and event.cause == "git":
        return Held("git-cause@1", "git wrote these files; the ref that moved is the boundary")
    if state.is_paused(now, repo):
        return Held("pause@1", "Kairos is paused", state.pause_ends(repo))
    return Due(boundary, f"{boundary}@1")


def decide_delivery(
    proposal_id: str, urgent: bool, boundary: str, state: Attention, manners: Manners, now: int, zone: tzinfo,
    repo: str = "", detector: str = "", learned: Learned | None = None,
) -> Due | Held:  # fmt: skip
    """Whether to deliver the proposal of a repository, found by a detector, now. Only an urgent proposal ignores the
    boundary, quiet hours and the daily caps. `learned`: at which boundaries a person puts off what the detector says.
    The caps count findings, not tellings: one that became worse is not counted twice."""
    if state.is_paused(now, repo):
        return Held("pause@1", "Kairos is paused", state.pause_ends(repo))
    if state.is_muted(detector, repo):
        return Held("mute@1", f"{detector} is muted")
    if urgent:
        return Due(boundary, "urgent@1")
    quiet_until = quiet_end(now, manners.quiet, zone)
    if quiet_until is not None:
        return Held("quiet-hours@1", "quiet hours; it is held for the morning brief", quiet_until)
    if boundary not in SPEAKING:
        return Held("boundary@1", "you are in the middle of something; it waits for a commit, a switch or your return")
    why = put_off(learned, detector, boundary) if learned is not None else ""
    if why:
        return Held("moment@1", why, next_brief(now, manners.quiet, zone))
    told = told_today(state, now, zone)
    if proposal_id not in told:
        here = sum(1 for of in told.values() if of == repo or not of)
        if here >= manners.per_day:
            return Held("per-day@1", _told(here, manners.per_day, "this repository"), next_day(now, zone))
        if manners.per_day_total is not None and len(told) >= manners.per_day_total:
            return Held("per-day@1", _told(len(told), manners.per_day_total, "all repositories"), next_day(now, zone))
    return Due(boundary, f"{boundary}@1")


def _told(told: int, most: int, where: str) -> str:
    return f"{told} of {count(most, 'finding')} of {where} {'was' if told == 1 else 'were'} told today"


def told_today(state: Attention, now: int, zone: tzinfo) -> dict[str, str]:
    """The findings that were told on this local day and were not urgent: proposal id → repository (empty: unknown)."""
    today = local_day(now, zone)
    return {d.id: d.repo for d in state.deliveries if not d.urgent and local_day(d.at, zone) == today}


def quiet_end(now: int, quiet: tuple[int, int] | None, zone: tzinfo) -> int | None:
    """When the quiet hours that hold `now` end (us), None outside them. An empty span (8-8) is never quiet."""
    if quiet is None or quiet[0] == quiet[1]:
        return None
    start, end = quiet
    local = datetime.fromtimestamp(now / 1e6, zone)
    inside = start <= local.hour < end if start < end else local.hour >= start or local.hour < end
    if not inside:
        return None
    stop = local.replace(hour=end, minute=0, second=0, microsecond=0, fold=0)
    if stop <= local:
        stop = (local + timedelta(days=1)).replace(hour=end, minute=0, second=0, microsecond=0, fold=0)
    return round(stop.timestamp() * 1e6)


def local_day(at: int, zone: tzinfo) -> str:
    """The local calendar day of a time, ISO."""
    return datetime.fromtimestamp(at / 1e6, zone).date().isoformat()


def day_start(now: int, zone: tzinfo) -> int:
    """The local midnight before a time, us."""
    local = datetime.fromtimestamp(now / 1e6, zone)
    return round(local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp() * 1e6)


def next_day(now: int, zone: tzinfo) -> int:
    """The next local midnight, us."""
    local = datetime.fromtimestamp(now / 1e6, zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return round(midnight.timestamp() * 1e6)


def next_brief(now: int, quiet: tuple[int, int] | None, zone: tzinfo) -> int:
    """When what waits is told together (us): at the next end of the quiet hours; without any at midnight."""
    end = 0 if quiet is None or quiet[0] == quiet[1] else quiet[1]
    local = datetime.fromtimestamp(now / 1e6, zone)
    stop = local.replace(hour=end, minute=0, second=0, microsecond=0, fold=0)
    if stop <= local:
        stop = (local + timedelta(days=1)).replace(hour=end, minute=0, second=0, microsecond=0, fold=0)
    return round(stop.timestamp() * 1e6)


def held_until(id_: str, state: Attention) -> int | None:
    """The time (us) until which a proposal is held, None if no rule holds it until a time."""
    holds = state.holds(id_)
    return max((until for rule in _TIMED if (until := holds.get(rule))), default=None)


def releasable(ids: Collection[str], state: Attention, now: int) -> list[str]:
    """Those of these undelivered proposals that were held until a time (quiet hours, daily cap) which has passed."""
    return sorted(i for i in ids if (until := held_until(i, state)) is not None and until <= now)
