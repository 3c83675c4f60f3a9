"""A home in memory with a real daemon, as a person and her terminal see it. Waits for conditions of the log, never for
a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kairos.domain.attention import ACTIVE_ORIGINS
from kairos.domain.proposal import Proposal
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.inbox import Inbox, InboxView

KAIROS = Path(sys.executable).with_name("kairos")
MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
PATIENCE_S = 90.0
GATHERED = frozenset({"FilesChanged", "GitMoved", "CommitRecorded"})


class Late(AssertionError):
    """Something that must happen did not happen in time."""


class WeekHome:
    """A home under `place`, its daemon, its log and its clock."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "home"
        self.environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "LANG")},
            "HOME": str(place), "KAIROS_HOME": str(self.home), "KAIROS_CLOCK_FILE": str(place / "clock"), "TZ": "UTC",
        }  # fmt: skip
        self.now = MONDAY
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.errors = place / "daemon.err"
        self.refusals: list[str] = []
        self.peak_kib = 0
        self.move(timedelta())
        self._log: Log | None = None

    # -- time

    def move(self, by: timedelta) -> None:
        """Moves the wall clock of every process of this home."""
        self.now += by
        fresh = self.place / "clock.new"
        fresh.write_text(str(self.now.timestamp() - time.time()))
        fresh.replace(self.place / "clock")

    def wait(self, what: str, holds: Callable[[], Any]) -> Any:
        """What `holds` returns, once it is true. Late after a minute and a half, with the end of the log."""
        begun = time.monotonic()
        while not (found := holds()):
            if time.monotonic() - begun > PATIENCE_S:
                tail = [f"{r.position} {r.topic} {r.event}"[:300] for r in self.log.read(self.log.head() - 25)]
                raise Late(
                    f"{what}: not within {PATIENCE_S:.0f} s\n" + "\n".join(tail) + self.errors.read_text()[-2000:]
                )
            time.sleep(0.02)
        return found

    # -- processes

    def call(self, *args: str) -> Any:
        """The data of a command's answer; None if it was refused, which is kept in `refusals` unless ordinary."""
        done = subprocess.run(
            [KAIROS, "--json", *args], env=self.environment, cwd=self.place, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
        )  # fmt: skip
        if done.returncode not in (0, 4, 5, 75):
            self.refusals.append(f"{' '.join(args)}: exit {done.returncode} {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)["data"] if done.returncode == 0 and done.stdout.strip() else None

    def lines(self, *args: str) -> list[dict[str, Any]]:
        """The lines of an answer that has one for each thing."""
        done = subprocess.run(
            [KAIROS, "--json", *args], env=self.environment, cwd=self.place, capture_output=True, text=True, check=True,
            stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def start(self) -> None:
        self.starts += 1
        before = self.errors.stat().st_size if self.errors.exists() else 0
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [KAIROS, "daemon", "run"], env=self.environment, cwd=self.place, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            )  # fmt: skip
        self.wait("the daemon gets ready", lambda: b"ready\n" in self.errors.read_bytes()[before:])

    def end(self, *, kill: bool) -> None:
        """Ends the daemon: asked to, or by SIGKILL."""
        assert self.process is not None
        self.peak_kib = max(self.peak_kib, self.memory_kib()[1])
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(timeout=PATIENCE_S)
        self.process = None

    def memory_kib(self) -> tuple[int, int]:
        """(resident memory of the daemon now, at its peak)."""
        if self.process is None:
            return 0, self.peak_kib
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return found.get("VmRSS", 0), max(self.peak_kib, found.get("VmHWM", 0))

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
        if self.process is not None:
            self.end(kill=True)

    # -- the log

    @property
    def log(self) -> Log:
        if self._log is None:
            self._log = Log(self.home / "log" / "log.db")
        return self._log

    def inbox(self) -> Inbox:
        return InboxView().load(self.log)[0]

    def proposals(self, repo: str) -> list[Proposal]:
        """Every proposal of a repository, oldest first."""
        known = self.inbox().proposals
        ids = [r.event.id for r in self.log.read(0, topics={"ProposalRaised"}) if r.event.repo == repo]
        return [known[i] for i in ids]

    def of(self, repo: str, *topics: str, after: int = 0) -> list[Recorded]:
        """The events of a repository."""
        return [r for r in self.log.read(after, topics=topics) if getattr(r.event, "repo", "") == repo]

    def saw(self, repo: str, after: int, holds: Callable[[Any], bool], *topics: str) -> None:
        """Waits until an event of these topics after a position is one for which `holds`."""
        self.wait(f"one of {topics}", lambda: any(holds(r.event) for r in self.of(repo, *topics, after=after)))

    def settle(self, repo: str, mark: Callable[[], str]) -> None:
        """Waits until everything that was done in a repository is in the log and judged. `mark` moves a ref of its own,
        whose name it returns; sensing tells that after all that was before. Twice: the look at what waits ends after
        the turn is recorded, and before the next begins."""
        for _ in range(2):
            head = self.log.head()
            name = mark()
            self.saw(repo, head, lambda e, name=name: any(m.name == name for m in e.refs), "GitMoved")  # type: ignore[misc]
            self.wait(f"all of {repo} is judged", lambda: self._judged(repo))

    def _judged(self, repo: str) -> bool:
        done = self.log.tracking(f"reactor/{repo}")
        if any(r.origin in ACTIVE_ORIGINS for r in self.of(repo, *GATHERED, after=done)):
            return False
        busy = [p for p in self.inbox().live() if p.raised.repo == repo and p.state in ("approved", "executing")]
        fresh = [
            p for p in self.inbox().pending() if p.raised.repo == repo and p.state == "raised" and not p.revised_at
        ]
        return not busy and not fresh
