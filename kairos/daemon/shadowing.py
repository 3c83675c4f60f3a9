"""Shadow mode: what a detector in shadow finds is recorded and never told; what people then did is its score."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from kairos.daemon.finding import find
from kairos.daemon.folded import World
from kairos.detectors.roster import Roster
from kairos.domain.awaited import seen_again
from kairos.domain.events import AttentionHeld, DetectorFailed
from kairos.domain.finding import Finding
from kairos.domain.hindsight import Again
from kairos.domain.holds import in_shadow
from kairos.domain.shadows import ShadowFinding, judged
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, GitError

_KIND = re.compile(r"\A[A-Z]\w+: ")
"""The kind of an error, which says nothing to a person."""
_MOST = 20
"""So many findings of one detector are recorded at one look."""
_AT_ONCE = 10
"""So many findings in shadow are looked at again after one turn; the others follow after the next ones."""


def shadowed(findings: Sequence[Finding], repo: Repository, boundary: str) -> list[AttentionHeld]:
    """The records of the findings of detectors in shadow."""
    if not findings:
        return []
    head = Git(Path(repo.root)).head() or ""
    by: dict[str, list[Finding]] = {}
    for finding in findings:
        by.setdefault(finding.detector, []).append(finding)
    return [in_shadow(f, boundary, head) for some in by.values() for f in some[:_MOST]]


def reported(log: Log, world: World, repo: str, roster: Roster, looked: Sequence[str], problems: Sequence[str]) -> None:
    """Records the failures of a person's own detectors at a look, each again only when it changes, and the first look
    that went well after one."""
    with world.reading() as views:
        known = {name: failure.why for name, failure in views.roster.failing.items()}
    for name in [n for n in roster.own if n in looked]:
        why = next((p.removeprefix(f"{name}: ") for p in problems if p.startswith(f"{name}: ")), "")
        why = _KIND.sub("", why)
        if why != known.get(name, ""):
            log.append([NewEvent("control", DetectorFailed(detector=name, repo=repo, why=why), None, "system")])


class Shadowing:
    """Looks again at what was found in shadow, when a commit may have done something about it."""

    def __init__(self, log: Log, world: World, salt: bytes, roster: Callable[[], Roster]) -> None:
        self._log = log
        self._world = world
        self._salt = salt
        self._roster = roster
        self._looked: dict[int, int] = {}
        """By hold: the number of commits after it at the last look."""

    def look(self, repo: Repository, cause: int | None) -> None:
        """Judges the findings in shadow of a repository that recent commits decide."""
        with self._world.reading() as views:
            due = [replace(s) for s in views.shadows.of(repo.id) if self._is_due(s)][:_AT_ONCE]
        for shadow in due:
            fresh = shadow.touched > self._looked.get(shadow.position, 0)
            self._looked[shadow.position] = shadow.awaiting.seen
            verdict = judged(shadow, self._again(repo, shadow) if fresh else None)
            if verdict is not None:
                self._looked.pop(shadow.position, None)
                self._log.append([NewEvent(repo.id, verdict, cause or shadow.position, "system")])
        if due:
            self._world.catch_up()

    def _is_due(self, shadow: ShadowFinding) -> bool:
        """Whether a commit since the last look may have done something about it, or its horizon passed."""
        over = shadow.awaiting.seen >= shadow.awaiting.horizon
        return over or shadow.touched > self._looked.get(shadow.position, 0)

    def _again(self, repo: Repository, shadow: ShadowFinding) -> Again | None:
        """What has become of a finding in the tree as it is; None if that cannot be told."""
        if shadow.named.asks:
            return Again(shadow.subject)
        held = self._hold(shadow.position)
        if held is None:
            return None
        evidence: list[Recorded] = []
        for position in held.evidence:
            with suppress(NotFound):
                evidence.append(self._log.at(position))
        found, problems = find(
            self._log, repo, evidence, shadow.boundary or "commit", self._salt, shadow.detector, again=True,
            about=shadow.named.words, roster=self._roster(),
        )  # fmt: skip
        root = Path(repo.root)
        with suppress(GitError, OSError):
            return None if problems else seen_again(shadow.named, found, lambda path: (root / path).exists())
        return None

    def _hold(self, position: int) -> AttentionHeld | None:
        with suppress(NotFound):
            event = self._log.at(position).event
            return event if isinstance(event, AttentionHeld) else None
        return None
