"""A rules turn: build the scene from the triggers, let the detectors look, raise what they found, in one append."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from kairos.acting.policy_file import load_policy
from kairos.acting.proposing import raise_findings
from kairos.clock import DAY, now_us
from kairos.daemon.folded import World
from kairos.daemon.salt import salt_of
from kairos.detectors.looking import fitting, look
from kairos.detectors.protocol import Companion
from kairos.detectors.scene import scene_of
from kairos.domain.events import AttentionDue, AttentionHeld, ProposalRaised, TurnEnded, TurnStarted
from kairos.domain.finding import Finding
from kairos.domain.proposal import Proposal, supersede
from kairos.errors import Conflict, KairosError, NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track
from kairos.eventlog.views.repositories import Repository
from kairos.memory.claims import MemoryView
from kairos.memory.related import Relations
from kairos.repo.git import Git
from kairos.settings import Config, Home

AGAIN = "again@1"
"""The rule of a second look: the base of a waiting proposal moved."""
REASON_GONE = "what it rests on is no longer so"


class Looker:
    """Runs rules turns. Reads the repository, writes only the log."""

    def __init__(self, home: Home, config: Config, log: Log, world: World) -> None:
        self._home = home
        self._config = config
        self._log = log
        self._world = world
        self._salt = salt_of(log, home)

    def turn(self, repo_id: str, trigger: Sequence[Recorded], boundary: str, cause: int, last: int) -> None:
        """One turn over the triggers up to position `last`. Conflict if this turn was already taken."""
        repo = self._world.repos.by_id[repo_id]
        self._run(repo, trigger, boundary, cause, f"turn-{repo_id[5:]}-{last}", [Track(f"reactor/{repo_id}", last)])

    def again(self, repo_id: str, proposal_id: str, cause: int | None = None) -> None:
        """Looks once more at the evidence of a proposal whose base moved, with the detector that raised it.
        `cause`: the trigger, if it is not that move. Conflict if this look was already taken."""
        repo = self._world.repos.by_id[repo_id]
        raised = self._world.inbox.proposals[proposal_id].raised
        trigger = self._evidence(raised.evidence)
        moved = self._world.inbox.positions[proposal_id][-1]
        self._run(repo, trigger, raised.boundary or "commit", moved if cause is None else cause,
                  f"turn-again-{proposal_id}-{moved}", [], only=raised.detector)  # fmt: skip

    def recheck(self, repo_id: str, cause: int) -> None:
        """Looks again at the evidence of what waits: a proposal whose reason is gone (the commit was reset, the
        marker resolved, the file removed) closes itself."""
        repo = self._world.repos.by_id[repo_id]
        for proposal in [p for p in self._world.inbox.pending() if p.raised.repo == repo_id]:
            raised = proposal.raised
            if raised.engine != "rules" or self._world.inbox.positions[proposal.id][0] > cause:
                continue
            trigger = self._evidence(raised.evidence)
            findings, problems = find(self._log, repo, trigger, raised.boundary or "commit", self._salt)
            if not problems and raised.key not in {f.key for f in findings}:
                self._close(proposal, cause)

    def _evidence(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, but for those that a person had erased."""
        found = []
        for position in positions:
            with suppress(NotFound):
                found.append(self._log.at(position))
        return found

    def _close(self, proposal: Proposal, cause: int) -> None:
        gone = [NewEvent(proposal.stream, e, cause, "system") for e in supersede(proposal, REASON_GONE)]
        try:
            self._log.append(gone, expected={proposal.stream: proposal.version})
        except Conflict:
            return

    def _run(
        self,
        repo: Repository,
        trigger: Sequence[Recorded],
        boundary: str,
        cause: int,
        turn: str,
        writes: list[Track],
        only: str | None = None,
    ) -> None:
        begun = time.monotonic()
        findings, problems = find(self._log, repo, trigger, boundary, self._salt)
        if only is not None:
            findings = [f for f in findings if f.detector == only]
        spoken: list[Finding] = []
        muted: list[Finding] = []
        for finding in findings:
            (muted if self._world.attention.is_muted(finding.detector, repo.id) else spoken).append(finding)
        rule = f"{boundary}@1" if only is None else AGAIN
        started = TurnStarted(
            turn=turn, repo=repo.id, engine="rules", boundary=boundary,
            detectors=fitting(boundary) if only is None else [only],
        )  # fmt: skip
        new = [
            NewEvent(repo.id, AttentionDue(repo=repo.id, boundary=boundary, rule=rule), cause, "system"),
            NewEvent(turn, started, -1, "system"),
        ]
        raised = self.raised(spoken, repo, turn, boundary) + [_muted(f, repo.id) for f in muted if self._news(f)]
        new += [NewEvent(r.stream, r.event, -1 - i, "system") for i, r in enumerate(raised)]
        ids = [r.event.id for r in raised if isinstance(r.event, ProposalRaised)]
        outcome = "proposed" if ids else "failed" if problems and not findings else "quiet"
        ended = TurnEnded(
            turn=turn, repo=repo.id, engine="rules", outcome=outcome, proposals=ids, why="; ".join(problems),
            micros=round((time.monotonic() - begun) * 1e6),
        )  # fmt: skip
        new.append(NewEvent(turn, ended, -1 - len(raised), "system"))
        positions = self._log.append(new, expected={turn: 0}, writes=writes)
        for recorded in self._log.read(self._world.position, upto=positions[-1]):
            self._world.fold(recorded)  # at once: the next look must know what this one raised

    def raised(self, findings: Sequence[Finding], repo: Repository, turn: str, boundary: str) -> list[NewEvent]:
        """The events that raise findings, or say why not. Their causes are the caller's business."""
        now = now_us()
        return raise_findings(
            findings,
            inbox=self._world.inbox,
            listed=self._world.findings.listed,
            held=self._world.findings.held,
            repo=repo.id,
            root=repo.root,
            turn=turn,
            boundary=boundary,
            policy=load_policy(self._home.policy_file),
            now=now,
            expire_us=round(self._config.proposals.expire_days * DAY),
            cool_down_us=round(self._config.attention.cool_down_hours * 3_600_000_000),
        )

    def _news(self, finding: Finding) -> bool:
        return f"{finding.key}|mute@1" not in self._world.findings.held


def find(
    log: Log, repo: Repository, trigger: Sequence[Recorded], boundary: str, salt: bytes
) -> tuple[list[Finding], list[str]]:
    """(findings, problems) of every detector that looks at this boundary. `salt` is the home's."""
    try:
        scene = scene_of(repo, Git(Path(repo.root)), trigger, boundary, now_us(), companions(log, repo.id), salt=salt)
        findings, problems = look(scene)
        return findings, [f"{p.detector}: {p.why}" for p in problems]
    except KairosError as error:
        return [], [error.message]


def companions(log: Log, repo_id: str) -> Callable[[Sequence[str]], list[Companion]]:
    """What memory says goes with a set of paths; memory is loaded once, when first asked."""

    @cache
    def relations() -> Relations:
        return Relations(MemoryView().load(log)[0], repo_id)

    def ask(paths: Sequence[str]) -> list[Companion]:
        return [Companion(r.path, r.confidence, r.support, tuple(r.cites)) for r in relations().related(paths)]

    return ask


def _muted(finding: Finding, repo_id: str) -> NewEvent:
    held = AttentionHeld(
        repo=repo_id, subject=finding.key, rule="mute@1", why=f"{finding.detector} is muted: {finding.title}",
        detector=finding.detector,
    )  # fmt: skip
    return NewEvent(repo_id, held)
