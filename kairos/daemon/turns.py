"""A rules turn: builds the scene from the triggers, runs the detectors, and raises their findings in one append."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from kairos.acting.policy_file import load_policy
from kairos.clock import DAY, now_us
from kairos.daemon.folded import World
from kairos.daemon.salt import salt_of
from kairos.detectors.looking import fitting, look, named
from kairos.detectors.scene import Companion, Facts, scene_of
from kairos.detectors.touching import Signature, TouchedSince, signature_of
from kairos.domain.events import AttentionDue, AttentionHeld, Event, ProposalRaised, TurnEnded, TurnStarted
from kairos.domain.finding import Finding
from kairos.domain.proposal import Proposal, stream_of, supersede
from kairos.domain.raising import Raised, raise_findings
from kairos.errors import Conflict, KairosError, NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.memory.claims import MemoryView
from kairos.memory.related import Relations
from kairos.repo.git import Git
from kairos.repo.health import require_sound
from kairos.settings import Config

AGAIN = "again@1"
"""The rule of a second look, taken when the base of a waiting proposal moved."""
REASON_GONE = "what it rests on is no longer so"


class Looker:
    """Runs rules turns. Reads the repository and writes only to the log."""

    def __init__(self, home: Home, config: Config, log: Log, world: World) -> None:
        self._home = home
        self._config = config
        self._log = log
        self._world = world
        self._salt = salt_of(log, home)
        self._touched: dict[str, TouchedSince] = {}
        """By repository: changes since its waiting proposals were last checked; no entry: all must be checked."""
        self._seen: dict[str, tuple[Signature, Facts]] = {}
        """By repository: the state that the latest turn saw."""

    def note(self, repo_id: str, event: Event) -> None:
        """Notes an event of a repository, so that `recheck` knows which proposals it may concern."""
        if repo_id in self._touched:
            self._touched[repo_id].note(event)

    def start_over(self) -> None:
        """Makes the next check cover all waiting proposals, because the changes since the last one are not known."""
        self._touched.clear()

    def turn(self, repo_id: str, trigger: Sequence[Recorded], boundary: str, cause: int, last: int) -> None:
        """Takes one turn over the triggers up to position `last`. Conflict if this turn was already taken."""
        repo = self._repo(repo_id)
        self._run(repo, trigger, boundary, cause, f"turn-{repo_id[5:]}-{last}", [Track(f"reactor/{repo_id}", last)])

    def again(self, repo_id: str, proposal_id: str, cause: int | None = None) -> None:
        """Looks again at the evidence of a proposal whose base moved, with the detector that raised it. `cause`: the
        trigger, if it is not that move. Conflict if this look was already taken."""
        repo = self._repo(repo_id)
        with self._world.reading() as views:
            raised = views.inbox.proposals[proposal_id].raised
            moved = views.inbox.positions[proposal_id][-1]
        trigger = self._evidence(raised.evidence)
        self._run(repo, trigger, raised.boundary or "commit", moved if cause is None else cause,
                  f"turn-again-{proposal_id}-{moved}", [], only=raised.detector)  # fmt: skip

    def recheck(self, repo_id: str, cause: int) -> None:
        """Looks again at the evidence of the waiting proposals that recent changes may concern, and closes those whose
        reason is gone (the commit was reset, the marker resolved, the file removed)."""
        repo = self._repo(repo_id)
        with self._world.reading() as views:
            mine = [p for p in views.inbox.pending() if p.raised.repo == repo_id]
            before = [p for p in mine if p.raised.engine == "rules" and views.inbox.positions[p.id][0] <= cause]
        signature, facts = self._seen.pop(repo_id) if repo_id in self._seen else _look_around(repo)
        touched = self._touched.get(repo_id)
        if touched is not None and touched.signature != signature:
            touched.everything = True
        self._touched[repo_id] = TouchedSince(signature)
        for proposal in before:
            raised = proposal.raised
            trigger = self._evidence(raised.evidence)
            if touched is None or touched.concerns(raised, trigger):
                findings, problems = find(
                    self._log, repo, trigger, raised.boundary or "commit", self._salt, raised.detector, facts
                )
                self._touched[repo_id].everything |= bool(problems)  # the check failed: repeat it next time
                if not problems and raised.key not in {f.key for f in findings}:
                    self._close(proposal, cause)

    def _evidence(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, without those that were erased."""
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
        seen = _look_around(repo)
        if only is None:
            self._seen[repo.id] = seen
        findings, problems = find(self._log, repo, trigger, boundary, self._salt, only, seen[1])
        spoken: list[Finding] = []
        muted: list[Finding] = []
        with self._world.reading() as views:
            for finding in findings:
                (muted if views.attention.is_muted(finding.detector, repo.id) else spoken).append(finding)
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
        new += [told(event, -1 - i) for i, event in enumerate(raised)]
        ids = [event.id for event in raised if isinstance(event, ProposalRaised)]
        outcome = "proposed" if ids else "failed" if problems and not findings else "quiet"
        ended = TurnEnded(
            turn=turn, repo=repo.id, engine="rules", outcome=outcome, proposals=ids, why="; ".join(problems),
            micros=round((time.monotonic() - begun) * 1e6),
        )  # fmt: skip
        new.append(NewEvent(turn, ended, -1 - len(raised), "system"))
        self._log.append(new, expected={turn: 0}, writes=writes)
        self._world.catch_up()  # at once, so that the next look knows what this one raised

    def raised(self, findings: Sequence[Finding], repo: Repository, turn: str, boundary: str) -> list[Raised]:
        """The events that raise the findings or record why they are not raised."""
        policy = load_policy(self._home.policy_file)
        with self._world.reading() as views:
            known = views.inbox.known(repo.id, {f.key for f in findings}, {f.detector for f in findings})
            return raise_findings(
                findings,
                known=known,
                taken=views.inbox.proposals,
                listed=views.findings.listed,
                held=views.findings.held,
                repo=repo.id,
                root=repo.root,
                turn=turn,
                boundary=boundary,
                policy=policy,
                now=now_us(),
                expire_us=round(self._config.proposals.expire_days * DAY),
                cool_down_us=round(self._config.attention.cool_down_hours * 3_600_000_000),
            )

    def _repo(self, repo_id: str) -> Repository:
        with self._world.reading() as views:
            return views.repos.by_id[repo_id]

    def _news(self, finding: Finding) -> bool:
        with self._world.reading() as views:
            return f"{finding.key}|mute@1" not in views.findings.held


def find(
    log: Log,
    repo: Repository,
    trigger: Sequence[Recorded],
    boundary: str,
    salt: bytes,
    only: str | None = None,
    facts: Facts | None = None,
) -> tuple[list[Finding], list[str]]:
    """(findings, problems) of every detector that runs at this boundary, or of the detector `only`. `salt` is the
    home's; `facts` are shared with other looks."""
    try:
        require_sound(Path(repo.root))
        scene = scene_of(
            repo, Git(Path(repo.root)), trigger, boundary, now_us(), companions(log, repo.id), salt=salt, facts=facts
        )
        findings, problems = look(scene) if only is None else look(scene, detectors=named(only))
        return findings, [f"{p.detector}: {p.why}" for p in problems]
    except KairosError as error:
        return [], [error.message]


def companions(log: Log, repo_id: str) -> Callable[[Sequence[str]], list[Companion]]:
    """Returns a function that gives the paths related to a set of paths; memory is loaded once, at the first call."""

    @cache
    def relations() -> Relations:
        return Relations(MemoryView().load(log)[0], repo_id)

    def ask(paths: Sequence[str]) -> list[Companion]:
        return [Companion(r.path, r.confidence, r.support, tuple(r.cites)) for r in relations().related(paths)]

    return ask


def _look_around(repo: Repository) -> tuple[Signature, Facts]:
    """The signature and facts that the next looks share. The signature is taken first, so that changes between the two
    are looked at again."""
    root = Path(repo.root)
    return signature_of(root), Facts(Git(root))


def told(event: Raised, cause: int | None) -> NewEvent:
    """A raised proposal, or the reason why it was not raised, as an event of the stream it belongs to."""
    stream = stream_of(event.id) if isinstance(event, ProposalRaised) else event.repo
    return NewEvent(stream, event, cause, "system")


def _muted(finding: Finding, repo_id: str) -> AttentionHeld:
    return AttentionHeld(
        repo=repo_id, subject=finding.key, rule="mute@1", why=f"{finding.detector} is muted: {finding.title}",
        detector=finding.detector,
    )  # fmt: skip
