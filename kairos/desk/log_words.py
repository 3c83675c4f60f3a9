"""Watched logs in words: an event of one on a line."""

from __future__ import annotations

from kairos.domain import events as ev
from kairos.domain.logs.state import shown_source


def of_log(event: ev.Event) -> str:
    """An event of a watched log on one line; empty for any other event."""
    match event:
        case ev.LogWatchNamed():
            return f"{event.name}: {shown_source(event)}"
        case ev.LogWatchRemoved():
            return event.name
        case ev.LogLineTold(news="more"):
            return f"{event.watch}: {event.here} in ten minutes: {event.template}{_origin(event)}"
        case ev.LogLineTold():
            return f"{event.watch}: new: {event.template}{_origin(event)}"
        case _:
            return ""


def _origin(event: ev.LogLineTold) -> str:
    return f" ({event.place}, {event.commit[:8]})" if event.commit else ""
