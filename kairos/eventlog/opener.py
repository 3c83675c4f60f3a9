"""Opening the log of a home."""

from __future__ import annotations

from kairos.eventlog.cold.leftovers import finish_if_possible
from kairos.eventlog.log import Clean, Log
from kairos.home import Home


def open_log(home: Home, clean: Clean | None = None) -> Log:
    """The log of a home, wherever the environment or the configuration says that it is. Nothing is made before the
    first append, which first finishes a forgetting that was cut short.

    `clean`: what a forgetting removes outside of the log, for callers that may touch the home's other files."""
    owner = home.identity() if home.log_url else ""
    return Log(
        home.log, segments=home.segments, url=home.log_url, owner=owner, clean=clean, on_writing=finish_if_possible
    )
