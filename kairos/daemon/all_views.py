"""Lists every stored view of every layer: sealing waits for them, and `replay --verify` verifies them."""

from __future__ import annotations

from typing import Any

from kairos.agent.ledger import BudgetView
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.projection import Projection
from kairos.memory.claims import MemoryView
from kairos.memory.history import HistoryView
from kairos.schedule.occurrences import ScheduleView


def kept_views() -> tuple[Projection[Any], ...]:
    """All stored views, in a fixed order."""
    return (*log_views(), BudgetView(), ScheduleView(), MemoryView(), HistoryView())
