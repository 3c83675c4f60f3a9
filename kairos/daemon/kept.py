"""Every view that is kept, of every storey: what sealing waits for, and what `replay --verify` proves."""

from __future__ import annotations

from typing import Any

from kairos.agent.ledger import BudgetView
from kairos.eventlog.projection import Projection
from kairos.eventlog.views import all_views
from kairos.memory.claims import MemoryView
from kairos.memory.history import HistoryView
from kairos.schedule.occurrences import ScheduleView


def kept_views() -> tuple[Projection[Any], ...]:
    """In a fixed order."""
    return (*all_views(), BudgetView(), ScheduleView(), MemoryView(), HistoryView())
