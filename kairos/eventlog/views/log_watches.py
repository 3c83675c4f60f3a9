"""The view of the logs that are watched."""

from __future__ import annotations

from kairos.domain.logs.state import TOPICS, WatchedLogs, evolve
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class LogWatchesView(Projection[WatchedLogs]):
    name = "log-watches"
    version = 2
    state = WatchedLogs
    topics = TOPICS

    def apply(self, state: WatchedLogs, recorded: Recorded) -> None:
        evolve(state, recorded.event, recorded.position)
