"""The views of the event log layer."""

from __future__ import annotations

from typing import Any

from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.checks import ChecksView
from kairos.eventlog.views.commits import CommitsView
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.log_watches import LogWatchesView
from kairos.eventlog.views.looked import LookedView
from kairos.eventlog.views.model_health import ModelHealthView
from kairos.eventlog.views.open_turns import OpenTurnsView
from kairos.eventlog.views.projection import Projection
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.eventlog.views.roster import RosterView
from kairos.eventlog.views.shadows import ShadowsView
from kairos.eventlog.views.usage import UsageView


def log_views() -> tuple[Projection[Any], ...]:
    """The views of this layer, in a fixed order. `kairos.daemon.all_views` adds those of rooms and memory."""
    return (
        RepositoriesView(),
        InboxView(),
        AttentionView(),
        ControlsView(),
        FindingsView(),
        UsageView(),
        OpenTurnsView(),
        CommitsView(),
        ChecksView(),
        LogWatchesView(),
        RosterView(),
        ShadowsView(),
        ModelHealthView(),
        LookedView(),
    )
