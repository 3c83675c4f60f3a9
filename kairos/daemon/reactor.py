"""The reactor: follows the log, judges boundaries, runs rules turns, checks proposals for drift, and delivers them.

Triggers of a repository are collected until a boundary or a lull. A turn, what it raised and the tracking position are
one append, so after a crash the turn is either repeated as a whole or already done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from typing import NamedTuple

from kairos.clock import now_us
from kairos.daemon.agenda import agenda
from kairos.daemon.component import Component
from kairos.daemon.elsewhere import kept_with
from kairos.daemon.folded import World
from kairos.daemon.housekeeping import Housekeeping
from kairos.daemon.manners import manners
from kairos.daemon.speaking import Speaker
from kairos.daemon.turns import Looker
from kairos.detectors.boundaries import BURST
from kairos.detectors.scene import SETTLE_NS
from kairos.domain import attention
from kairos.domain.attention import Held
from kairos.domain.events import (
    AttentionHeld,
    CommitRecorded,
    DecisionUndone,
    DetectorReset,
    DetectorSwitched,
    DetectorUnmuted,
    FilesChanged,
    GitMoved,
    ProposalStale,
    ProposalVerified,
    Resumed,
)
from kairos.errors import Conflict
from kairos.eventlog import leases
from kairos.eventlog.leases import fences_of, is_mine
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, NewEvent, Recorded, Track
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config

LULL_S = 1.0
PUT_OFF = 5
"""So many times a turn that found something waits for a file that is being written."""
MOST_TRIES = 100
"""So many times proposals wait for git to end before they are compared with the tree as it is."""
KEEP_EVERY = 500
"""The views are saved every this many events."""


class Gathered:
    """The triggers of one repository since its last turn. `again`: proposals that the gate found stale, to look at
    again."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.boundary: str | None = None
        self.cause = 0
        self.again: list[str] = []
        self.last = 0.0
        self.ongoing = False
        self.put_off = 0
        self.not_before = 0.0

    def add(self, recorded: Recorded, boundary: str | None) -> None:
        self.events.append(recorded)
        if boundary is not None and (self.boundary is None or boundary != "burst"):
            self.boundary, self.cause = boundary, recorded.position
        if isinstance(recorded.event, GitMoved):
            self.ongoing = recorded.event.ongoing
        self.last = time.monotonic()

    @property
    def due_at(self) -> float:
        """When the turn is due (monotonic): at once at a boundary between two things, else after the lull."""
        lull = LULL_S if self.boundary in (None, "burst") else 0.0
        return max(self.last + lull, self.not_before)

    @property
    def waits(self) -> bool:
        """Whether there is work to do after the lull. The commits of a stopped rebase wait until the rebase ends."""
        return bool(self.again) or (bool(self.events) and not (self.ongoing and self.boundary is None))


class Unfinished(NamedTuple):
    """A comparison of proposals with a tree in which git was at work: what it was about, how often it was tried, and
    when it is tried again (monotonic)."""

    cause: int | None = None
    events: Sequence[Recorded] = ()
    again: Sequence[str] = ()
    tries: int = 0
    not_before: float = 0.0


class Reactor(Component):
    """Starts the rules turns and delivers proposals in the repositories that this daemon holds."""

    name = "reactor"
    reads = frozenset(
        {"FilesChanged", "GitMoved", "CommitRecorded", "ProposalVerified", "ProposalStale", "Resumed",
         "DetectorReset", "DetectorSwitched", "DetectorUnmuted", "DecisionUndone"}
    )  # fmt: skip
    wakes = InboxView.topics | {"AttentionHeld", "Paused", "Resumed"}

    def __init__(
        self,
        home: Home,
        config: Config,
        log: Log,
        world: World,
        held: leases.HeldLeases,
        zone: Callable[[], tzinfo],
        scheduler: Scheduler,
    ) -> None:
        super().__init__(log, world, held)
        self._manners = manners(config)
        self._looker = Looker(home, config, log, world)
        self._speaker = Speaker(config, log, world, self._manners, zone, self._is_mine)
        self._housekeeping = Housekeeping(log, world, self._is_mine)
        self._gathered: dict[str, Gathered] = {}
        self._active: dict[str, int] = {}
        self._scheduler = scheduler
        self._unkept: set[str] = set()
        """Repositories whose proposals are to be compared with the tree without a turn: since the start, or because
        Kairos itself wrote there, which starts none."""
        self._unfinished: dict[str, Unfinished] = {}
        self._unheld: set[str] = set()
        """Repositories in which holds of findings may have ended."""
        self._unlooked: set[str] = set()
        """Those of them that could not be looked at."""
        self._looked = 0
        self._tick = True

    def tick(self) -> None:
        """Requests a check, in the reactor's own thread, of what is due by now."""
        self._tick = True
        self.wake()

    def fences(self) -> tuple[Fence, ...]:
        return fences_of(self._held, self._repos())

    def catch_up(self) -> int:
        """Judges again the events since the last turns, and compares every open proposal with the disk."""
        self._gathered.clear()
        self._looker.start_over()
        self._tick = True  # work that an error prevented is still due
        self._world.catch_up()
        with self._world.reading() as views:
            here = views.position
            self._active = dict(views.attention.last_activity)
            ready = {r.id: r.ready_at for r in views.repos.by_id.values() if self._is_mine(r.id)}
        self._done = {repo: max(self._log.tracking(f"reactor/{repo}"), at) for repo, at in ready.items()}
        start = min(self._done.values(), default=here)
        self._judged = {r.caused_by for r in self._log.read(start, topics={"AttentionHeld"})}
        for recorded in self._log.read(start, topics=self.reads, upto=here):
            self._react(recorded, idle_for=0)
        self._unkept = {repo for repo in ready if self._is_watched(repo)}
        self._unheld = set(self._unkept)
        return here

    def handle(self, recorded: Recorded) -> None:
        self._react(recorded, self._idle_before(recorded))

    def step(self) -> float | None:
        """Starts the turns that are due; returns the seconds to the end of the nearest lull."""
        self._turns()
        if self._tick:
            self._tick = False
            self._looked = now_us()
            self._housekeeping.tick(self._looked)
            self._speaker.release(self._looked)
            self._ended_holds()
        self._look_at_held()
        self._plan()
        self._save(every=KEEP_EVERY)
        return self._patience()

    def leave(self) -> None:
        self._save(every=1)

    def _plan(self) -> None:
        """Schedules wake-ups for what becomes due by time alone."""
        with self._world.reading() as views:
            instants = agenda(views, self._looked, self._is_mine)
        for kind, instant in instants.items():
            self._scheduler.at(kind, instant, self.tick)

    def _is_watched(self, repo: str) -> bool:
        known = self._repos().get(repo)
        return known is not None and known.watched and not known.lost

    def _is_mine(self, repo: str) -> bool:
        return is_mine(self._log, self._held, repo)

    def _repos(self) -> dict[str, Repository]:
        with self._world.reading() as views:
            return dict(views.repos.by_id)

    def _is_paused(self, repo: str) -> bool:
        with self._world.reading() as views:
            return views.attention.is_paused(now_us(), repo)

    def _idle_before(self, recorded: Recorded) -> int:
        """How long (us) the repository of an event had been quiet before it; 0 if it was never active."""
        event = recorded.event
        if not isinstance(event, FilesChanged | GitMoved):
            return 0
        last = self._active.get(event.repo)
        if recorded.origin in attention.ACTIVE_ORIGINS:
            self._active[event.repo] = recorded.at
        return 0 if last is None else max(0, recorded.at - last)

    def _react(self, recorded: Recorded, idle_for: int) -> None:
        event = recorded.event
        match event:
            case FilesChanged() | GitMoved() | CommitRecorded() if self._is_mine(event.repo):
                if recorded.position <= self._done.get(event.repo, 0):
                    return
                self._looker.note(event.repo, event)
                self._gather(recorded, event.repo, idle_for)
            case ProposalVerified(ok=True):
                self._speaker.offer(event.id)
            case ProposalStale():
                self._look_again(recorded, event.id)
            case Resumed():
                self._ended_holds(event.repo)
                self._speaker.offer_all("manual", event.repo)
            case DetectorUnmuted() | DetectorReset():
                self._unmuted(event.repo)
            case DecisionUndone(what="reject") | DetectorSwitched(state="on"):
                self._ended_holds()
            case _:
                pass

    def _unmuted(self, repo: str) -> None:
        """Takes up what a mute, or what was learned, held back: findings, revisions of known proposals, deliveries."""
        self._ended_holds(repo)
        self._looker.start_over()
        self._unkept |= self._unheld
        self._speaker.offer_all("manual", repo)

    def _ended_holds(self, repo: str = "") -> None:
        """Notes that holds of findings may have ended in one repository or (empty) in all."""
        self._unheld |= {r for r in self._repos() if repo in ("", r) and self._is_mine(r) and self._is_watched(r)}

    def _look_at_held(self) -> None:
        """Looks again at findings whose hold has ended, not in a pause. What cannot be looked at now waits for the next
        turn of its repository."""
        for repo in [r for r in self._unheld if not self._is_paused(r)]:
            self._unheld.discard(repo)
            if not self._looker.look_again(repo):
                self._unlooked.add(repo)

    def _gather(self, recorded: Recorded, repo: str, idle_for: int) -> None:
        """Stores a trigger, or records at once that the event never will be one."""
        with self._world.reading() as views:
            known = views.repos.by_id.get(repo)
            if known is None or not known.ready:
                return
            boundary = attention.boundary_of(recorded.event, recorded.origin, idle_for, self._manners)
            judged = boundary and attention.decide_turn(
                recorded.event, recorded.origin, boundary, views.attention, now_us(), repo
            )
        if isinstance(judged, Held) and judged.rule != "pause@1":
            boundary = None
            if recorded.position not in self._judged:
                held = AttentionHeld(repo=repo, subject="turn", why=judged.why, rule=judged.rule)
                self._log.append([NewEvent(repo, held, recorded.position, "system")])
        if recorded.origin in attention.ACTIVE_ORIGINS:
            self._gathered.setdefault(repo, Gathered()).add(recorded, boundary)
        elif recorded.origin == "self":
            self._unkept.add(repo)

    def _look_again(self, recorded: Recorded, proposal_id: str) -> None:
        with self._world.reading() as views:
            proposal = views.inbox.proposals.get(proposal_id)
        if proposal is None or not self._is_mine(proposal.raised.repo):
            return
        gathered = self._gathered.setdefault(proposal.raised.repo, Gathered())
        gathered.again.append(proposal_id)
        gathered.last = time.monotonic()

    def _turns(self) -> None:
        """Starts the turns that are due: at a boundary that is not a burst, or after the lull that follows a burst."""
        for repo, gathered in list(self._gathered.items()):
            if self._is_paused(repo):
                continue
            if not gathered.waits or time.monotonic() < gathered.due_at:
                continue
            del self._gathered[repo]
            self._unkept.discard(repo)
            last = gathered.events[-1].position if gathered.events else 0
            if gathered.boundary is not None:
                if not self._turn(repo, gathered, last):
                    self._gathered[repo] = gathered
                    continue
            else:
                self._recheck(repo, last or None, gathered.events, BURST, gathered.again)
                if last:
                    kept = kept_with(self._log, repo, gathered.events)
                    self._log.append([], writes=[Track(f"reactor/{repo}", last), *kept])
            self._done[repo] = max(last, self._done.get(repo, 0))
        for repo in [*self._unkept, *(r for r, u in self._unfinished.items() if u.not_before <= time.monotonic())]:
            self._unkept.discard(repo)
            self._recheck(repo, None, (), BURST, ())

    def _recheck(
        self, repo: str, cause: int | None, events: Sequence[Recorded], boundary: str, again: Sequence[str]
    ) -> None:
        """Brings the proposals of a repository in step with its tree; once more in a moment if git was at work, with
        what this was about."""
        before = self._unfinished.pop(repo, Unfinished())
        events, again = [*before.events, *events], [*before.again, *again]
        cause = cause or before.cause
        if not self._looker.recheck(repo, cause, events, boundary, again, patient=before.tries < MOST_TRIES):
            again_at = time.monotonic() + SETTLE_NS / 1e9
            self._unfinished[repo] = Unfinished(cause, events, again, before.tries + 1, again_at)

    def _turn(self, repo: str, gathered: Gathered, last: int) -> bool:
        """Takes a turn; False if a file is being written and it is put off, which it is a few times at most."""
        assert gathered.boundary is not None
        patient = gathered.put_off < PUT_OFF
        with suppress(Conflict):  # it was taken before a crash
            if not self._looker.turn(repo, gathered.events, gathered.boundary, gathered.cause, last, patient=patient):
                gathered.put_off += 1
                gathered.not_before = time.monotonic() + SETTLE_NS / 1e9
                return False
        self._recheck(repo, last, gathered.events, gathered.boundary, gathered.again)
        self._unheld |= self._unlooked & {repo}
        self._unlooked.discard(repo)
        if gathered.boundary in attention.SPEAKING:
            self._housekeeping.next_commit(repo, gathered.boundary)
            self._speaker.offer_all(gathered.boundary)
        return True

    def _save(self, *, every: int) -> None:
        """Saves the views, and advances the tracking position of repositories without collected triggers, so that
        start-up and compaction do not depend on idle repositories. Uses this component's position, not the world's,
        because events that are folded ahead are not judged yet."""
        known = self._repos().values()
        settled = [r.id for r in known if r.ready and r.id not in self._gathered and self._is_mine(r.id)]
        tracks = [Track(f"reactor/{repo}", self.position) for repo in settled]
        self._world.save(self._log, tracks, every=every)

    def _patience(self) -> float | None:
        """Seconds to the end of the nearest lull; None to wait for new events."""
        waiting = [g.due_at for repo, g in self._gathered.items() if g.waits and not self._is_paused(repo)]
        waiting += [unfinished.not_before for unfinished in self._unfinished.values()]
        if not waiting:
            return None
        return max(0.01, min(waiting) - time.monotonic())
