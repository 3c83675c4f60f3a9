"""The live half of a replay: proposals are raised, held and delivered by the same rules as when a person watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo
from typing import cast

from kairos.backtest.result import ToldThen
from kairos.backtest.walk import REPO
from kairos.domain import attention, proposal
from kairos.domain.attention import Attention, Due, Manners
from kairos.domain.events import (
    AttentionHeld,
    Event,
    ProposalDelivered,
    ProposalRaised,
    ProposalSuperseded,
    ProposalVerified,
)
from kairos.domain.finding import Finding
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal
from kairos.domain.raising import Raised, raise_findings

_EXPIRE_US = 14 * 86_400_000_000


class Person:
    """Proposals and attention in memory. Nobody decides; what people did in the repository closes a proposal."""

    def __init__(self, manners: Manners, zone: tzinfo) -> None:
        self.manners = manners
        self.zone = zone
        self.attention = Attention()
        self.proposals: dict[str, Proposal] = {}
        self.listed: set[str] = set()
        self.days: Counter[str] = Counter()
        """How many proposals were delivered on each local day, urgent ones included."""
        self.told: dict[str, ToldThen] = {}
        self.repeats = 0
        self._by_name: dict[str, set[str]] = {}
        self._untold: dict[str, None] = {}
        self._raised_keys: set[str] = set()

    def lists(self, findings: Sequence[Finding]) -> None:
        """Lists what was there before; it is never raised."""
        for finding in findings:
            self.listed |= set(finding.names)

    def raises(self, findings: Sequence[Finding], boundary: str, turn: str, now: int) -> list[ProposalRaised]:
        """The new proposals of some findings."""
        names = {name for f in findings for name in (*f.names, *f.former_keys)}
        ids = sorted({i for name in names for i in self._by_name.get(name, ())})
        events = raise_findings(
            findings, known=[self.proposals[i] for i in ids], taken=self.proposals, listed=self.listed, repo=REPO,
            turn=turn, boundary=boundary, policy=Policy(), now=now, expire_us=_EXPIRE_US,
        )  # fmt: skip
        found = []
        for event in events:
            self._take(event, now)
            if isinstance(event, ProposalRaised):
                self._take(ProposalVerified(id=event.id, digest=event.digest, ok=True), now)
                self._untold[event.id] = None
                self.repeats += event.key in self._raised_keys
                self._raised_keys.add(event.key)
                for name in (event.key, *event.subjects):
                    self._by_name.setdefault(name, set()).add(event.id)
                found.append(event)
        return found

    def hears(self, boundary: str, commit: str, now: int) -> None:
        """Offers what was not delivered yet at a boundary, at a commit."""
        for id_ in list(self._untold):
            state = self.proposals[id_]
            urgent = state.raised.risk == "urgent"
            judged = attention.decide_delivery(
                id_, urgent, boundary, self.attention, self.manners, now, self.zone, REPO
            )
            if isinstance(judged, Due):
                self._take(ProposalDelivered(id=id_, boundary=boundary), now)
                self.told[id_] = ToldThen(commit, boundary, urgent)
                del self._untold[id_]
                self.days[attention.local_day(now, self.zone)] += 1

    def did_it(self, id_: str, now: int) -> None:
        """The person made the change, or the reason for it went away."""
        self._take(ProposalSuperseded(id=id_, why="the tree changed"), now)
        self._untold.pop(id_, None)

    def _take(self, event: Raised | Event, now: int) -> None:
        attention.evolve(self.attention, event, now, "live")
        if isinstance(event, AttentionHeld):
            return
        id_ = cast("str", getattr(event, "id", ""))
        after = proposal.evolve(self.proposals.get(id_), event, now)
        if after is not None:
            self.proposals[id_] = after
