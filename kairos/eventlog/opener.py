"""Opening the log of a home."""

from __future__ import annotations

from kairos.eventlog.cold.leftovers import finish_if_possible
from kairos.eventlog.log import Clean, Log
from kairos.home import Home


def open_log(home: Home, clean: Clean | None = None) -> Log:
    """The log of a home, at the location that the environment or the configuration gives. Creates nothing before the
    first append, which first finishes a forgetting that was interrupted.

    `clean`: removes forgotten data outside of the log, for callers that may change the home's other files."""
    owner = home.identity() if home.log_url else ""
    return Log(
        home.log, segments=home.segments, url=home.log_url, owner=owner, clean=clean, on_writing=finish_if_possible
    )
