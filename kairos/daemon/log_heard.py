"""A watched log that a command prints: a unit's journal, through `journalctl`, or a command of the person's own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kairos.acting.log_command import LogCommand
from kairos.clock import SECOND, machine_us
from kairos.daemon.log_followed import FollowedLog
from kairos.daemon.log_kept import LogKept
from kairos.domain.logs.journal import JournalLines, journal_argv
from kairos.domain.logs.past import LogNews
from kairos.domain.logs.state import WatchedLog
from kairos.errors import NotFound
from kairos.eventlog.record import Put
from kairos.home import Home

BURST_S, BURST_MOST_S = 2.0, 10.0
"""What a command prints when it begins is of before, until it rests for so long (s), or for so long in all."""
_JOURNALS = ("/var/log/journal", "/run/log/journal", "/etc/machine-id")
"""What `journalctl` reads."""


class HeardLog(FollowedLog):
    """A log that a command prints, for as long as it is watched.

    | | the first time | after a pause of watching |
    |---|---|---|
    | unit | entries with a stamp of before are learnt | they are new if they are, and are in no window of time |
    | command | the burst with which it begins is learnt | the same of the burst |
    """

    def __init__(
        self, repo: str, watch: WatchedLog, kept: LogKept | None, *, home: Home, root: Path, woken: Callable[[], None]
    ) -> None:
        """`root`: of the repository, in a scratch view of which it runs; `woken` is called from another thread."""
        super().__init__(repo, watch, kept)
        self._learning = self._past.entries == 0
        self._began_s = machine_us() // SECOND
        self._burst: float | None = time.monotonic()  # since when it prints what is of before
        place = self._kept.journal
        self._journal = JournalLines(place) if watch.kind == "unit" else None
        if watch.kind == "unit":
            printed = JournalLines(place)

            def argv() -> Sequence[str]:
                program = shutil.which("journalctl")
                if program is None:
                    raise NotFound("`journalctl` is not installed", "A unit is read through it.")
                printed.begin()
                return journal_argv(program, watch.unit, user=watch.user, place=printed.place)

            program = shutil.which("journalctl") or "/usr/bin/journalctl"
            roots = [place for place in (*map(Path, _JOURNALS), Path(program).parent) if place.exists()]
            self._command = LogCommand(home, root, argv, roots, woken, printed.unread)
        else:
            self._command = LogCommand(home, root, lambda: watch.command, [Path(r) for r in watch.read_roots], woken)

    @property
    def _in_part(self) -> bool:
        return self._burst is not None

    def work(self) -> bool:
        lines, begun, why = self._command.take()
        now = time.monotonic()
        if begun and self._burst is None:
            if self._journal is None:
                self._turn(behind=True)
            self._burst = now
        for line in lines:
            self._last_line = now
            self._see(self._entries.take(line))
            if self._journal is not None and self._journal.take(line) and self._journal.place.at >= self._began_s:
                self._learning = self._behind = False
        if self._burst is not None and self._burst_left() <= 0:
            self._burst = None
            if self._journal is None:
                self._turn(behind=False)
            self._save_at = 0.0
        if why != self._kept.why:
            self._kept.why = why
            self._save_at = 0.0
        return False

    def _turn(self, *, behind: bool) -> None:
        """Ends the entry that is under way; what follows is of another time."""
        self._see(self._entries.flush())
        self._learning, self._behind = behind and self._past.entries == 0, behind

    def _burst_left(self) -> float:
        assert self._burst is not None
        return min(max(self._last_line, self._burst) + BURST_S, self._burst + BURST_MOST_S) - time.monotonic()

    def due(self, *, ending: bool = False) -> tuple[list[LogNews], float | None]:
        news, left = super().due(ending=ending)
        waits = [] if left is None else [left]
        if self._burst is not None:
            waits.append(max(0.01, self._burst_left()))
        steady = self._command.steady_in()
        if steady is not None:
            waits.append(max(0.01, steady))
        return news, min(waits, default=None)

    def saving(self) -> Put:
        if self._journal is not None:
            self._kept.journal = self._journal.place
        return super().saving()

    def close(self) -> None:
        """Ends the command, and takes what it printed last."""
        self._command.close()
        self.work()
