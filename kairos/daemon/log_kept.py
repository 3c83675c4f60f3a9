"""What is kept of a watched log beside the log of events: a row that may be dropped, as it is learnt again."""

from __future__ import annotations

import msgspec

from kairos.domain.logs.journal import JournalPlace
from kairos.domain.logs.past import LogPastState
from kairos.domain.logs.state import WatchedLog, kept_view
from kairos.eventlog.log import Log
from kairos.eventlog.views.projection import checked
from kairos.sensing.log_file import FilePlace


class LogKept(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept of a watched log between two runs of the daemon: what it was, where reading of a file or a journal
    ended, its past, why nothing can be read now, and how many bytes were skipped."""

    source: str
    past: LogPastState
    place: FilePlace | None = None
    why: str = ""
    skipped: int = 0
    journal: JournalPlace = JournalPlace()


def kept_of(log: Log, repo: str, watch: WatchedLog) -> LogKept | None:
    """What was kept of a watched log; None if there is nothing, or if it is of another source."""
    raw = log.view_row(kept_view(repo), watch.name.encode())
    try:
        kept = None if raw is None else msgspec.json.decode(checked(raw), type=LogKept)
    except (msgspec.MsgspecError, ValueError):
        return None  # damaged, but disposable: it is learnt again
    return kept if kept is not None and kept.source == watch.source else None
