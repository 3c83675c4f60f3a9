"""What one follower knows: the views it decides on, folded as it follows, and saved with their position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kairos.agent.ledger import BudgetView
from kairos.domain.attention import Attention
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded, Write
from kairos.eventlog.views.findings import Findings
from kairos.eventlog.views.inbox import Inbox
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.open_turns import OpenTurns
from kairos.eventlog.views.projection import Projection
from kairos.eventlog.views.repositories import Repositories
from kairos.schedule.occurrences import ScheduleView


class World:
    """The views that a daemon keeps, at one position of the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._views: tuple[Projection[Any], ...] = (*log_views(), BudgetView(), ScheduleView())
        self._states: dict[str, Any] = {}
        self.position = 0
        self._saved = 0

    def load(self) -> None:
        """Loads every view at the present head."""
        found = {view.name: view.load(self._log) for view in self._views}
        self.position = max(position for _, position in found.values())
        for view in self._views:  # one that was loaded earlier than another saw less of the log
            state, position = found[view.name]
            view.advance(state, self._log, position, upto=self.position)
            self._states[view.name] = state
        self._saved = min(self._log.tracking(view.key) for view in self._views)

    @property
    def repos(self) -> Repositories:
        found: Repositories = self._states["repositories"]
        return found

    @property
    def inbox(self) -> Inbox:
        found: Inbox = self._states["inbox"]
        return found

    @property
    def attention(self) -> Attention:
        found: Attention = self._states["attention"]
        return found

    @property
    def findings(self) -> Findings:
        found: Findings = self._states["findings"]
        return found

    @property
    def turns(self) -> OpenTurns:
        found: OpenTurns = self._states["turns"]
        return found

    def fold(self, recorded: Recorded) -> None:
        """Folds one event that follows; earlier positions are known already."""
        if recorded.position <= self.position:
            return
        for view in self._views:
            if recorded.topic in view.topics:
                view.apply(self._states[view.name], recorded)
        self.position = recorded.position

    def idle_for(self, recorded: Recorded) -> int:
        """How long (us) the repository of an event had been quiet before it; 0 when it never was active."""
        last = self.attention.last_activity.get(getattr(recorded.event, "repo", ""))
        return 0 if last is None else max(0, recorded.at - last)

    def save(self, also: Sequence[Write] = (), *, every: int = 1) -> None:
        """Keeps the views, and `also`, if at least `every` events came since they were last kept. What somebody else
        kept meanwhile, further on, stays."""
        if self.position - self._saved < every:
            return
        behind = [view for view in self._views if self._log.kept(view.key)[1] < self.position]
        writes = [*also]
        for view in behind:
            writes += view.saving(self._states[view.name], self.position)
        self._log.append([], writes=writes)
        for view in behind:
            view.saved(self._states[view.name], self._log)
        self._saved = self.position
