"""Delivers proposals to a person when the attention rules allow it; a proposal that is held is recorded as an event."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import tzinfo

from kairos.clock import now_us
from kairos.daemon.agenda import is_untold
from kairos.daemon.folded import World
from kairos.domain import attention
from kairos.domain.attention import Due, Manners
from kairos.domain.events import AttentionHeld, ProposalDelivered
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.settings import Config


class Speaker:
    """Delivers pending proposals: as an event, which `watch` shows, and through the configured notify command."""

    def __init__(
        self,
        config: Config,
        log: Log,
        world: World,
        manners: Manners,
        zone: Callable[[], tzinfo],
        is_mine: Callable[[str], bool],
    ) -> None:
        """`is_mine`: whether this daemon holds a repository."""
        self._is_mine = is_mine
        self._command = config.notify.command
        self._log = log
        self._world = world
        self._manners = manners
        self._zone = zone

    def offer(self, proposal_id: str) -> None:
        """Judges whether to deliver one proposal at the boundary at which it was raised."""
        with self._world.reading() as views:
            proposal = views.inbox.proposals.get(proposal_id)
        if proposal is not None and self._is_mine(proposal.raised.repo):
            self._offer(proposal, proposal.raised.boundary)

    def offer_all(self, boundary: str, repo: str = "") -> None:
        """Judges whether to deliver each undelivered proposal, or those of one repository, at a boundary."""
        for proposal in self._undelivered():
            if repo in ("", proposal.raised.repo):
                self._offer(proposal, boundary)

    def release(self, now: int) -> None:
        """Delivers, as one brief, the proposals that quiet hours or the daily cap held until now."""
        waiting = {p.id: p for p in self._undelivered()}
        with self._world.reading() as views:
            due = attention.releasable(list(waiting), views.attention, now)
            held = {id_ for id_ in waiting if views.attention.holds(id_)}
        for proposal_id in due:
            self._offer(waiting[proposal_id], "brief")
        for proposal in waiting.values():
            if proposal.id not in held:
                self._offer(proposal, proposal.raised.boundary)

    def _undelivered(self) -> list[Proposal]:
        with self._world.reading() as views:
            pending = views.inbox.pending()
        found = [p for p in pending if is_untold(p) and self._is_mine(p.raised.repo)]
        return sorted(found, key=lambda p: p.raised_at)

    def _offer(self, proposal: Proposal, boundary: str) -> None:
        if not is_untold(proposal):
            return
        urgent = proposal.raised.risk == "urgent"
        with self._world.reading() as views:
            judged = attention.decide_delivery(
                proposal.id,
                urgent,
                boundary,
                views.attention,
                self._manners,
                now_us(),
                self._zone(),
                proposal.raised.repo,
                proposal.raised.detector,
                views.inbox.learned,
            )
            known = views.attention.holds(proposal.id).get(judged.rule)
        if isinstance(judged, Due):
            self._deliver(proposal, judged.boundary)
        elif known != (judged.until or 0):
            held = AttentionHeld(
                repo=proposal.raised.repo, subject=proposal.id, why=judged.why, rule=judged.rule,
                until=judged.until, detector=proposal.raised.detector,
            )  # fmt: skip
            self._append(proposal, NewEvent(proposal.raised.repo, held, self._raised_at(proposal), "system"))

    def _deliver(self, proposal: Proposal, boundary: str) -> None:
        told = ProposalDelivered(id=proposal.id, boundary=boundary)
        if not self._append(proposal, NewEvent(proposal.stream, told, self._raised_at(proposal), "system")):
            return
        if self._command:
            try:
                _start([*self._command, proposal.raised.title])
            except OSError as error:
                held = AttentionHeld(
                    repo=proposal.raised.repo, subject=proposal.id, rule="notify@1",
                    why=f"notify.command could not be run: {error.strerror}",
                )  # fmt: skip
                self._log.append([NewEvent(proposal.raised.repo, held, None, "system")])

    def _append(self, proposal: Proposal, new: NewEvent) -> bool:
        """Appends and folds at once, so that the next judgement counts this one. False if another decision came
        first."""
        try:
            self._log.append([new], expected={proposal.stream: proposal.version})
        except Conflict:
            return False
        self._world.catch_up()
        return True

    def _raised_at(self, proposal: Proposal) -> int:
        with self._world.reading() as views:
            return views.inbox.positions[proposal.id][0]


def _start(argv: list[str]) -> None:
    """Starts the configured command. A thread waits for it, so that it does not remain as a zombie process."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=process.wait, name="notify", daemon=True).start()
