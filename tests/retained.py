"""A log to fold: observations of changed paths at chosen times, and what rests on them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kairos.daemon.all_views import kept_views
from kairos.domain.action import NoteAction, digest, effects_of
from kairos.domain.events import (
    ActivityFolded,
    AttentionDue,
    Change,
    FilesChanged,
    Memory,
    MemoryAccepted,
    ProposalRaised,
    SegmentFolded,
)
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.exchange import export_log, import_log
from kairos.eventlog.cold.folding import Folded, fold
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin, Recorded
from kairos.eventlog.views.replay import replay_verify


class Past:
    """Tells a log what happened. Positions are returned; times are us."""

    DAY = 86_400_000_000
    ALL = 2**60
    """A time before which everything was recorded."""

    def __init__(self, log: Log, repo: str = "repo-1") -> None:
        self.log = log
        self.repo = repo

    @staticmethod
    @contextmanager
    def at(moment: int) -> Iterator[None]:
        """What is appended meanwhile is recorded at this time."""
        with patch("kairos.eventlog.log.now_us", lambda: moment):
            yield

    def told(self, changes: Sequence[Change], repo: str | None = None) -> FilesChanged:
        return FilesChanged(repo=repo or self.repo, burst="b", part=1, parts=1, changes=list(changes))

    def observe(self, *paths: str, kind: Any = "modified", size: int = 1, origin: Origin = "live") -> int:
        """One observation of these paths."""
        changes = [Change(path=p, kind=kind, size=size, mode=0o644, mtime_ns=5) for p in paths]
        return self.log.append([NewEvent(self.repo, self.told(changes), None, origin)])[0]

    def busy(self, count: int, *paths: str) -> list[int]:
        """Two files that change again and again."""
        return [self.observe(*(paths or ("src/a.py", "src/b.py")), size=n) for n in range(count)]

    def attend(self, cause: int) -> int:
        due = AttentionDue(repo=self.repo, boundary="burst", rule="burst@1")
        return self.log.append([NewEvent(self.repo, due, cause, "system")])[0]

    def propose(self, evidence: list[int], id_: str) -> int:
        action = NoteAction(repo=self.repo, text="look")
        effects = effects_of(action)
        raised = ProposalRaised(
            id=id_, repo=self.repo, digest=digest(action, effects, "p1"), detector="secret", detector_version=1,
            engine="rules", turn="turn-1", key=id_, title="t", claim="c", risk="low", action=action, effects=effects,
            evidence=evidence, expires_at=self.ALL, policy_version="p1",
        )  # fmt: skip
        return self.log.append([NewEvent(f"proposal-{id_}", raised, None, "system")])[0]

    def remember(self, cites: list[int], id_: str) -> int:
        memory = Memory(
            id=id_, repo=self.repo, kind="fact", subject="s", predicate="p", value="v", text="t", cites=cites,
            support=1.0,
        )  # fmt: skip
        return self.log.append([NewEvent("memory", MemoryAccepted(memory=memory), None, "system")])[0]

    def fold(self, before: int = ALL, **options: Any) -> Folded:
        """Everything sealed, and what is older folded."""
        compact(self.log)
        return fold(self.log, before, **options)

    def moved_to(self, path: Path) -> Past:
        """The same past in another log, by export and import."""
        out = io.BytesIO()
        export_log(self.log, out)
        other = Log(path / "log.db")
        import_log(other, out.getvalue().splitlines(keepends=True))
        return Past(other, self.repo)

    def observations(self) -> list[Recorded]:
        return list(self.log.read(topics={"FilesChanged"}))

    def left(self) -> list[ActivityFolded]:
        """What says what is left of folded days."""
        events = (r.event for r in self.log.read(topics={"ActivityFolded"}))
        return [event for event in events if isinstance(event, ActivityFolded)]

    def proofs(self) -> list[tuple[int, SegmentFolded]]:
        found = [(r.position, r.event) for r in self.log.read(topics={"SegmentFolded"})]
        return [(position, event) for position, event in found if isinstance(event, SegmentFolded)]

    def told_of(self) -> tuple[int, Counter[str]]:
        """(observations, changes by origin) that the log tells of, one by one or folded."""
        events, origins = 0, Counter[str]()
        for recorded in self.observations():
            assert isinstance(recorded.event, FilesChanged)
            events += 1
            origins[recorded.origin] += len(recorded.event.changes)
        for event in self.left():
            if event.part == 1:
                events += event.events
                origins.update({told.origin: told.changes for told in event.origins})
        return events, +origins

    def views(self) -> dict[str, str]:
        """The digest of every fold from nothing; the kept ones are the same."""
        found = replay_verify(self.log, kept_views())
        assert found.identical
        return found.projections

    def gone(self) -> set[int]:
        """Positions at which nothing stands."""
        return set(range(1, self.log.head() + 1)) - {row.position for row in self.log.reader().rows() if row.topic}
