"""The views on which a daemon decides, folded once for all its threads and saved with their position."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from kairos.agent.ledger import BudgetView
from kairos.domain.attention import Attention
from kairos.domain.checks.state import Checks
from kairos.domain.logs.state import WatchedLogs
from kairos.domain.roster import RosterState
from kairos.domain.shadows import Shadows
from kairos.eventlog.log import Log
from kairos.eventlog.record import Write
from kairos.eventlog.views.findings import Findings
from kairos.eventlog.views.inbox import Inbox
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.open_turns import OpenTurns
from kairos.eventlog.views.projection import Projection
from kairos.eventlog.views.repositories import Repositories
from kairos.schedule.occurrences import ScheduleView

AT_ONCE = 1_000
"""How many events are folded at most before other threads may read."""


class Views:
    """The folded views up to `position`. Use them only inside `World.reading`."""

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.position = 0

    @property
    def repos(self) -> Repositories:
        found: Repositories = self.states["repositories"]
        return found

    @property
    def inbox(self) -> Inbox:
        found: Inbox = self.states["inbox"]
        return found

    @property
    def attention(self) -> Attention:
        found: Attention = self.states["attention"]
        return found

    @property
    def findings(self) -> Findings:
        found: Findings = self.states["findings"]
        return found

    @property
    def checks(self) -> Checks:
        found: Checks = self.states["checks"]
        return found

    @property
    def log_watches(self) -> WatchedLogs:
        found: WatchedLogs = self.states["log-watches"]
        return found

    @property
    def roster(self) -> RosterState:
        found: RosterState = self.states["roster"]
        return found

    @property
    def shadows(self) -> Shadows:
        found: Shadows = self.states["shadows"]
        return found

    @property
    def turns(self) -> OpenTurns:
        found: OpenTurns = self.states["turns"]
        return found


class World:
    """The views of a daemon. Any thread may fold new events and read, one thread at a time, because folding modifies
    the states in place. Do nothing slow while reading.

    The views may be ahead of the events that a thread has handled, as after every start, when threads handle old events
    again."""

    def __init__(self, log: Log) -> None:
        """`log`: a handle that only this object uses; settled proposals are read from it on demand."""
        self._log = log
        self._lock = threading.RLock()
        self._kept: tuple[Projection[Any], ...] = (*log_views(), BudgetView(), ScheduleView())
        self._topics = frozenset().union(*(view.topics for view in self._kept))
        self._told: list[tuple[frozenset[str], Callable[[], None]]] = []
        self._views = Views()
        self._saved = 0

    def load(self) -> None:
        """Loads every view at the present head."""
        with self._lock:
            found = {view.name: view.load(self._log) for view in self._kept}
            self._views.position = max(position for _, position in found.values())
            for view in self._kept:  # views that were loaded earlier saw less of the log
                state, position = found[view.name]
                view.advance(state, self._log, position, upto=self._views.position)
                self._views.states[view.name] = state
            self._saved = min(self._log.tracking(view.key) for view in self._kept)

    def tell(self, topics: Collection[str], wake: Callable[[], None]) -> None:
        """Registers `wake` to be called after an event of these topics is folded, in the thread that folds it."""
        with self._lock:
            self._told.append((frozenset(topics), wake))
            self._topics |= frozenset(topics)

    @contextmanager
    def reading(self) -> Iterator[Views]:
        """The views, which do not change inside this context. Keep it short, because other threads wait."""
        with self._lock:
            yield self._views

    @property
    def position(self) -> int:
        """The position up to which the log is folded."""
        return self._views.position

    def catch_up(self) -> int:
        """Folds all events up to the head of the log and wakes the threads concerned; returns the position."""
        seen: set[str] = set()
        try:
            head = self._log_head()
            while self._views.position < head:
                self._fold(head, seen)
        finally:
            for topics, wake in self._told:
                if topics & seen:
                    wake()
        return self._views.position

    def _log_head(self) -> int:
        with self._lock:
            return self._log.head()

    def _fold(self, head: int, seen: set[str]) -> None:
        """Folds a batch of the new events up to `head`."""
        with self._lock:
            found = list(islice(self._log.read(self._views.position, topics=self._topics, upto=head), AT_ONCE))
            for recorded in found:
                for view in self._kept:
                    if recorded.topic in view.topics:
                        view.apply(self._views.states[view.name], recorded)
                self._views.position = recorded.position
                seen.add(recorded.topic)
            if len(found) < AT_ONCE:
                self._views.position = max(self._views.position, head)

    def save(self, log: Log, also: Sequence[Write] = (), *, every: int = 1) -> None:
        """Saves the views, and writes `also`, in one append to `log`, if at least `every` events were folded since the
        last save. Never overwrites a view that another process saved at a later position."""
        with self._lock:  # held while saving: events folded meanwhile would count as saved
            if self._views.position - self._saved < every:
                return
            behind = [view for view in self._kept if self._log.kept(view.key)[1] < self._views.position]
            writes = [*also]
            for view in behind:
                writes += view.saving(self._views.states[view.name], self._views.position)
            log.append([], writes=writes)
            for view in behind:
                view.saved(self._views.states[view.name], self._log)
            self._saved = self._views.position
