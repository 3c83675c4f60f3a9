"""What one follower knows: the views it decides on, folded as it follows, and saved with their position."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.domain.attention import Attention
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded, Write
from kairos.eventlog.views import (
    AttentionView,
    Inbox,
    InboxView,
    Ledger,
    LedgerView,
    Repositories,
    RepositoriesView,
)


class World:
    """The kept views at one position of the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.position = 0
        self._saved = 0

    def load(self) -> None:
        """Loads every view at the present head."""
        head = self._log.head()
        self.repos: Repositories = RepositoriesView().load(self._log, upto=head)[0]
        self.inbox: Inbox = InboxView().load(self._log, upto=head)[0]
        self.attention: Attention = AttentionView().load(self._log, upto=head)[0]
        self.ledger: Ledger = LedgerView().load(self._log, upto=head)[0]
        self.position = head
        self._saved = self._log.tracking(InboxView().key)

    def fold(self, recorded: Recorded) -> None:
        """Folds one event that follows; earlier positions are known already."""
        if recorded.position <= self.position:
            return
        for view, state in (
            (RepositoriesView(), self.repos),
            (InboxView(), self.inbox),
            (AttentionView(), self.attention),
            (LedgerView(), self.ledger),
        ):
            if recorded.topic in view.topics:
                view.apply(state, recorded)  # type: ignore[arg-type]
        self.position = recorded.position

    def idle_for(self, recorded: Recorded) -> int:
        """How long (us) the repository of an event had been quiet before it; 0 when it never was active."""
        last = self.attention.last_activity.get(getattr(recorded.event, "repo", ""))
        return 0 if last is None else max(0, recorded.at - last)

    def save(self, also: Sequence[Write] = (), *, every: int = 1) -> None:
        """Keeps the views, and `also`, if at least `every` events came since they were last kept."""
        if self.position - self._saved < every:
            return
        writes: list[Write] = [*also]
        writes += RepositoriesView().saving(self.repos, self.position)
        writes += InboxView().saving(self.inbox, self.position)
        writes += AttentionView().saving(self.attention, self.position)
        writes += LedgerView().saving(self.ledger, self.position)
        self._log.append([], writes=writes)
        self._saved = self.position
