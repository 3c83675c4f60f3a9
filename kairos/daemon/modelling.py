"""Model turns: after a commit, when a check became red, or when a person comments on a proposal, one bounded look by a
model in a worker process, if a model is configured.

The worker writes its own ledger. It returns its findings on standard output; they are raised here, in one append with
the end of the turn and the tracking position. A turn that a crash interrupted is ended as interrupted, never rerun.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

import msgspec

from kairos.acting.editing import answer_comment, leave_comment
from kairos.acting.performing import standing
from kairos.agent import worker_setup
from kairos.agent.outputs import EXPLAIN, REVIEW, Assignment, Result, parse_result
from kairos.clock import SECOND, now_us
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.daemon.mending import Bench, failure_of, proven
from kairos.daemon.model_commits import commit_at, level_of, resting
from kairos.daemon.turns import Looker, told
from kairos.domain.action import PatchAction
from kairos.domain.editing import ModelWords
from kairos.domain.events import (
    AttentionDue,
    AttentionHeld,
    CheckJudged,
    ProposalCommented,
    ProposalRaised,
    TurnEnded,
    TurnStarted,
)
from kairos.domain.proposal import OPEN
from kairos.errors import KairosError, LeaseLost, OutcomeUnknown, TryAgain
from kairos.eventlog.leases import HeldLeases, fences_of, is_mine
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, NewEvent, Recorded, Track
from kairos.eventlog.views.checks import ChecksView
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home, log_environment
from kairos.repo.git import Git
from kairos.schedule.children import Child
from kairos.settings import Config

logger = logging.getLogger(__name__)

_TOGETHER = "modeller"
"""The tracking position that earlier versions used for all repositories together."""
BOUNDARY = "commit"
_TRACK_EVERY = 500
_CARRIED = 100
LULL_S = 5.0
"""Commits that follow each other within so many seconds are one turn."""


def track_of(repo: str) -> str:
    """The name of the tracking position of a repository's model turns, which belongs to the holder of its lease."""
    return f"{_TOGETHER}/{repo}"


def _turn_of(repo: str, position: int) -> str:
    """The id of the model turn that the event at a position starts: the same after a crash, so that none runs twice."""
    return f"turn-model-{repo[5:]}-{position}"


class Modelling(Component):
    """Runs model turns, one at a time. `stop` asks a running worker to end, and the worker reports that it did."""

    name = "modelling"
    alone = True
    reads = frozenset({"AttentionDue", "CheckJudged", "ProposalCommented"})

    def __init__(
        self, home: Home, config: Config, log: Log, world: World, held: HeldLeases, zone: Callable[[], tzinfo]
    ) -> None:
        super().__init__(log, world, held)
        self._home = home
        self._config = config
        self._zone = zone
        self._done: dict[str, int] = {}
        self._waiting: dict[str, list[Recorded]] = {}
        """By repository: the commits that no turn has looked at yet."""
        self._not_before: dict[str, int] = {}
        """By repository: until when they wait because the model is not called (us)."""
        self._carried: dict[str, list[int]] = {}
        """By repository: the moves that a parked turn did not get to; the next one looks at them, too."""
        self._looker = Looker(home, config, log, world)
        self._child = Child()

    def stop(self) -> None:
        super().stop()
        self._child.stop()

    def fences(self) -> tuple[Fence, ...]:
        return fences_of(self._held, self._repos())

    def catch_up(self) -> int:
        """Ends the turns that a crash interrupted, and loads the tracking position of each repository. Commits from
        before the model was configured are skipped."""
        here = self._world.catch_up()
        self._waiting.clear()
        self._not_before.clear()
        self._end_interrupted()
        before = self._log.trackings()
        begun = before.get(_TOGETHER, 0)
        mine = [r for r in self._repos() if self._is_mine(r)]
        self._done = {r: max(before.get(track_of(r), 0), begun) or here for r in mine}
        fresh = [Track(track_of(r), at) for r, at in self._done.items() if track_of(r) not in before]
        if fresh:  # so that a daemon that takes over before the first turn knows where to start
            self._log.append([], writes=fresh)
        return min(self._done.values(), default=here)

    def handle(self, recorded: Recorded) -> None:
        """Collects commits, and has a comment answered, or a red check explained, at once, after the commits before
        it."""
        if isinstance(recorded.event, AttentionDue) and recorded.event.rule == f"{BOUNDARY}@1":
            repo = recorded.event.repo
            if self._is_mine(repo) and recorded.position > self._done.get(repo, 0):
                self._waiting.setdefault(repo, []).append(recorded)
        elif isinstance(recorded.event, CheckJudged):
            repo = recorded.event.repo
            if recorded.event.verdict == "new" and recorded.position > self._done.get(repo, 0):
                self._due(self._waiting.pop(repo, []), repo)
                self._due([recorded], repo)
        elif isinstance(recorded.event, ProposalCommented):
            with self._world.reading() as views:
                found = views.inbox.proposals.get(recorded.event.id)
            if found is not None and recorded.position > self._done.get(found.raised.repo, 0):
                repo = found.raised.repo
                self._due(self._waiting.pop(repo, []), repo)
                self._due([recorded], repo)

    def step(self) -> float | None:
        """Starts the turns of commits after which nothing more came for a while: commits in quick succession are one
        turn. Advances the tracking positions from time to time, so that start-up and compaction do not depend on
        commits. Returns the seconds until the next turn."""
        for repo in [r for r in self._waiting if self._left(r) <= 0]:
            self._due(self._waiting.pop(repo), repo)
        mine = [r for r in self._repos() if self._is_mine(r) and r not in self._waiting]
        behind = [r for r in mine if self.position - self._done.get(r, 0) >= _TRACK_EVERY]
        if behind:
            self._log.append([], writes=[Track(track_of(r), self.position) for r in behind])
            self._done.update(dict.fromkeys(behind, self.position))
        return min((max(self._left(r), 0.0) for r in self._waiting), default=None)

    def _left(self, repo: str) -> float:
        """Seconds until the waiting commits of a repository are looked at."""
        return max(_lull(self._waiting[repo]), (self._not_before.get(repo, 0) - now_us()) / SECOND)

    def _repos(self) -> dict[str, Repository]:
        with self._world.reading() as views:
            return dict(views.repos.by_id)

    def _is_mine(self, repo: str) -> bool:
        return is_mine(self._log, self._held, repo)

    def _due(self, dues: list[Recorded], repo: str) -> None:
        """One turn about the commits, or the comment, of a repository."""
        dues = self._unlooked(dues, repo)
        if dues and not self.stopped and self._is_mine(repo):
            recorded = dues[-1]
            with self._log.fenced(fences_of(self._held, [repo])):
                try:
                    if isinstance(recorded.event, ProposalCommented):
                        self._answer(recorded, recorded.event, repo)
                    elif isinstance(recorded.event, CheckJudged):
                        self._explain(recorded, recorded.event, repo)
                    elif self._is_put_off(dues, repo):
                        return
                    else:
                        self._turn(dues, repo)
                except (TryAgain, LeaseLost, OutcomeUnknown):
                    raise  # of the log: begun again from there
                except Exception as error:
                    logger.exception("a model turn failed")
                    why = f"Kairos itself failed: {type(error).__name__}: {error}"[:500]
                    self._broke(_turn_of(repo, dues[0].position), recorded, repo, why)
            self._done[repo] = max(recorded.position, self._done.get(repo, 0))

    def _unlooked(self, dues: list[Recorded], repo: str) -> list[Recorded]:
        """The commits without those of a turn that a crash cut: it had looked at all that came up to its cause."""
        begun = self._log.stream(_turn_of(repo, dues[0].position)) if dues else []
        if not begun or isinstance(dues[0].event, ProposalCommented):
            return dues
        done = max(begun[0].caused_by or 0, dues[0].position)
        track = self._track(repo, done)
        self._log.append([], writes=[track])
        self._done[repo] = track.position
        return [due for due in dues if due.position > done]

    def _track(self, repo: str, position: int) -> Track:
        """The place in the log after the event at a position; it never goes back."""
        return Track(track_of(repo), max(position, self._done.get(repo, 0)))

    def _broke(self, turn: str, at: Recorded, repo: str, why: str) -> None:
        """Ends the turn of an event that an error of Kairos cut, so that it is said and not met again."""
        new = []
        if not any(isinstance(r.event, TurnEnded) for r in self._log.stream(turn)):
            ended = TurnEnded(turn=turn, repo=repo, engine="model", outcome="failed", why=why)
            new = [NewEvent(turn, ended, at.position, "system")]
        self._log.append(new, writes=[self._track(repo, at.position)])
        if isinstance(at.event, ProposalCommented):
            leave_comment(self._log, at.event.id, at.position, why)

    def _turn(self, dues: list[Recorded], repo_id: str) -> None:
        """One turn about all these commits, named after the first and caused by the last."""
        repo, due = self._repos()[repo_id], dues[-1]
        turn = _turn_of(repo_id, dues[0].position)
        track = self._track(repo_id, due.position)
        moves = [*self._carried.pop(repo_id, []), *(d.caused_by for d in dues if d.caused_by is not None)]
        assignment = Assignment(
            turn=turn, repo=repo_id, root=repo.root, boundary=BOUNDARY, cause=due.position,
            evidence=list(dict.fromkeys(moves)), commit=commit_at(self._log, due) or "", level=level_of(self._home),
            fences=list(self._log.fences),
        )  # fmt: skip
        begun = time.monotonic()
        result = self._work(assignment)
        self._log.append([], writes=[track])
        self._end(repo_id, result, round((time.monotonic() - begun) * 1e6), track, assignment.commit or None)
        if result.outcome == "parked":
            self._carried[repo_id] = assignment.evidence[-_CARRIED:]

    def _is_put_off(self, dues: list[Recorded], repo: str) -> bool:
        """Whether no worker may be started for these commits now, which is recorded. They are held for good, or, where
        that has a known end, looked at then: they wait, and the place in the log waits before them."""
        refusal = self._refusal(repo)
        if refusal is None:
            return False
        rule, why, until = refusal
        held = AttentionHeld(repo=repo, subject="turn", why=why, rule=rule, detector=REVIEW, until=until)
        new = [NewEvent(repo, held, dues[-1].position, "system")]
        if until is None:
            track = self._track(repo, dues[-1].position)
            self._log.append(new, writes=[track])
            self._done[repo] = track.position
        else:
            self._log.append(new)
            self._waiting[repo], self._not_before[repo] = dues, until
        return True

    def _answer(self, at: Recorded, comment: ProposalCommented, repo_id: str) -> None:
        """Has a model answer the comment of a person, and ends its turn. The answer is recorded first: a crash between
        the two leaves an interrupted turn, and no comment is answered twice."""
        track = Track(track_of(repo_id), at.position)
        refusal = worker_setup.prepare(self._log, self._config, os.environ, repo_id, now_us(), self._zone())
        p = standing(self._log, comment.id).proposal
        turn = _turn_of(repo_id, at.position)
        if refusal is not None or p.state not in OPEN or self._log.version(turn):
            why = refusal.why if refusal is not None else "it was decided, or the turn was interrupted, meanwhile"
            leave_comment(self._log, comment.id, at.position, why)
            self._log.append([], writes=[track])
            return
        assignment = Assignment(
            turn=turn, repo=repo_id, root=self._repos()[repo_id].root, boundary="comment", cause=at.position,
            proposal=comment.id, fences=list(self._log.fences),
        )  # fmt: skip
        begun = time.monotonic()
        result = self._work(assignment)
        action = result.finding.action if result.finding is not None else None
        why = result.why or ("the model would change nothing" if result.outcome == "quiet" else result.outcome)
        said = ModelWords(
            result.finding.claim if result.finding is not None else "", comment.text, result.spent_microusd,
        )  # fmt: skip
        if action is not None and not isinstance(action, PatchAction):
            action, why = None, "its patch would carry a credential"
        after = answer_comment(
            self._log, self._home, comment.id, at.position, p.raised.digest, action, said, why
        ).proposal
        taken = after.raised.digest != p.raised.digest
        ended = TurnEnded(
            turn=turn, repo=repo_id, engine="model", proposals=[comment.id] if taken else [], why=result.why,
            outcome="quiet" if result.outcome == "proposed" and not taken else result.outcome,
            micros=round((time.monotonic() - begun) * 1e6),
        )  # fmt: skip
        history = self._log.stream(turn)
        cause = history[0].position if history else at.position
        self._log.append([NewEvent(turn, ended, cause, "system")], writes=[track])
        self._world.catch_up()

    def _explain(self, at: Recorded, judged: CheckJudged, repo_id: str) -> None:
        """Has a model look for the cause of a red check, if it is still red; a patch is proposed if it turns green with
        it."""
        track, turn, begun = self._track(repo_id, at.position), _turn_of(repo_id, at.position), time.monotonic()
        refusal = self._refusal(repo_id, EXPLAIN)
        if refusal is not None:
            held = AttentionHeld(repo=repo_id, subject="turn", why=refusal[1], rule=refusal[0], detector=EXPLAIN)
            self._log.append([NewEvent(repo_id, held, at.position, "system")], writes=[track])
            return
        root = Path(self._repos()[repo_id].root)
        check, commit = ChecksView().load(self._log)[0].of(repo_id).get(judged.check), Git(root).head()
        if check is None or commit is None:
            self._log.append([], writes=[track])
            return
        bench = Bench(self._home, root, check.named, commit, lambda: self.stopped)
        failure, why = failure_of(bench, judged)
        if failure is None and self.stopped:
            return  # it is looked at again after the start
        if failure is None:
            started = TurnStarted(turn=turn, repo=repo_id, engine="model", boundary="check", detectors=[f"{EXPLAIN}@1"])
            ended = TurnEnded(turn=turn, repo=repo_id, engine="model", outcome="quiet", why=why)
            new = [NewEvent(turn, event, at.position, "system") for event in (started, ended)]
            self._log.append(new, writes=[track])
            return
        assignment = Assignment(
            turn=turn, repo=repo_id, root=str(root), boundary="check", cause=at.position, failure=failure,
            evidence=list(judged.evidence), commit=commit, level=level_of(self._home), fences=list(self._log.fences),
        )  # fmt: skip
        result = self._work(assignment)
        self._log.append([], writes=[track])
        if result.finding is not None:
            finding, why = proven(bench, failure, result.finding)
            result = msgspec.structs.replace(
                result, finding=finding, outcome="proposed" if finding else "quiet", why=why or result.why
            )
        self._end(repo_id, result, round((time.monotonic() - begun) * 1e6), track, commit, "check")

    def _refusal(self, repo_id: str, kind: str = REVIEW) -> tuple[str, str, int | None] | None:
        """(rule, reason, until when if that is known) if no worker may be started now, else None."""
        with self._world.reading() as views:
            if views.attention.is_muted(kind, repo_id):
                return "mute@1", f"{kind} is muted", None
        refusal = worker_setup.prepare(self._log, self._config, os.environ, repo_id, now_us(), self._zone())
        return None if refusal is None else (f"model-{refusal.rule}@1", refusal.why, refusal.until)

    def _work(self, assignment: Assignment) -> Result:
        try:
            out = self._child.run(
                "kairos.daemon.model_worker", [],
                cwd=self._home.data,
                environment={
                    **worker_setup.worker_environment(self._config, self._home, os.environ),
                    **log_environment(os.environ),
                },
                seconds=worker_setup.wall_seconds(self._config.model),
                stdin=msgspec.json.encode(assignment),
            )  # fmt: skip
            return parse_result(out)
        except (KairosError, ValueError) as error:
            return Result(turn=assignment.turn, outcome="stopped" if self.stopped else "failed", why=str(error))

    def _end(
        self, repo_id: str, result: Result, micros: int, track: Track, commit: str | None, boundary: str = BOUNDARY
    ) -> None:
        """Raises the worker's findings and ends its turn, in one append. `commit`: the one that the turn looked at."""
        self._world.catch_up()
        history = self._log.stream(result.turn)
        cause = history[0].position if history else None
        repo = self._repos()[repo_id]
        findings = [resting(result.finding, commit)] if result.finding is not None else []
        raised = self._looker.raised(findings, repo, result.turn, boundary)
        ids = [event.id for event in raised if isinstance(event, ProposalRaised)]
        ended = TurnEnded(
            turn=result.turn, repo=repo_id, engine="model", proposals=ids, why=result.why, micros=micros,
            outcome="quiet" if result.outcome == "proposed" and not ids else result.outcome, patches=result.patches,
        )  # fmt: skip
        new = [told(event, cause) for event in raised]
        new.append(NewEvent(result.turn, ended, cause, "system"))
        self._log.append(new, expected=self._looker.versions(raised), writes=[track])

    def _end_interrupted(self) -> None:
        with self._world.reading() as views:
            cut = dict(views.turns.open)
        for turn, (repo, started) in cut.items():
            if not self._is_mine(repo):
                continue
            ended = TurnEnded(
                turn=turn, repo=repo, engine="model", outcome="interrupted", why="the daemon stopped during the turn"
            )
            self._log.append([NewEvent(turn, ended, started, "system")])


def _lull(dues: list[Recorded]) -> float:
    """Seconds until nothing more came for `LULL_S` after the last of these events. A clock that was set back does not
    prolong it."""
    return min(dues[-1].at / SECOND + LULL_S - now_us() / SECOND, LULL_S)
