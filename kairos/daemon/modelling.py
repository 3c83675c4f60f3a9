"""Model turns: after a commit, one bounded look by a model in a worker process, if a person configured one.

The worker writes its own ledger; what it found comes back over its standard output and is raised here, with the end
of the turn and the tracking position in one append. A turn that a crash cut is ended as interrupted, never rerun.
"""

from __future__ import annotations

import os
import time
from datetime import tzinfo

import msgspec

from kairos.agent import starting
from kairos.agent.outputs import Assignment, Result, parse_result
from kairos.clock import now_us
from kairos.daemon.turns import Looker
from kairos.daemon.world import World
from kairos.domain.events import AttentionDue, AttentionHeld, ProposalRaised, TurnEnded
from kairos.errors import KairosError
from kairos.eventlog.follow import Follower
from kairos.eventlog.leases import Held, fence, is_mine
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track
from kairos.home import Home, log_environment
from kairos.schedule.children import Child
from kairos.settings import Config

_TOGETHER = "modeller"
"""The one tracking position of all repositories that earlier versions kept."""
BOUNDARY = "commit"
DETECTOR = "review-change"
_TRACK_EVERY = 500


def track_of(repo: str) -> str:
    """The name of the tracking position of a repository's model turns: it goes with the lease on the repository."""
    return f"{_TOGETHER}/{repo}"


class Modeller:
    """One thread's work. `run` returns after `stop`; a running worker is asked to end and says so."""

    def __init__(self, home: Home, config: Config, log: Log, zone: tzinfo, held: Held) -> None:
        self._home = home
        self._held = held
        self._done: dict[str, int] = {}
        self._config = config
        self._log = log
        self._zone = zone
        self._world = World(log)
        self._looker = Looker(home, config, log, self._world)
        self._follower = Follower(log, 0)
        self._child = Child()

    def wake(self) -> None:
        """Has it look whether what this daemon holds has changed."""
        self._follower.wake()

    def stop(self) -> None:
        self._follower.stop()
        self._child.stop()

    def run(self) -> None:
        """Ends what a crash cut, then follows; anew when this daemon holds other repositories. Commits from before the
        model was configured are left alone."""
        while not self._follower.stopped:
            self._follow(self._held.edition)

    def _is_mine(self, repo: str) -> bool:
        return is_mine(self._log, self._held, repo)

    def _follow(self, edition: int) -> None:
        self._world.load()
        fence(self._log, self._held, self._world.repos.by_id)
        self._end_interrupted()
        before = self._log.trackings()
        begun = before.get(_TOGETHER, 0)
        self._done = {
            r: max(before.get(track_of(r), 0), begun) or self._world.position
            for r in self._world.repos.by_id
            if self._is_mine(r)
        }
        fresh = [Track(track_of(r), at) for r, at in self._done.items() if track_of(r) not in before]
        if fresh:  # so that another daemon, which takes over before the first turn, knows from where
            self._log.append([], writes=fresh)
        self._follower.position = min(self._done.values(), default=self._world.position)
        while not self._follower.stopped and self._held.edition == edition:
            new = self._follower.new()
            for recorded in new:
                self._world.fold(recorded)
            for recorded in new:
                if isinstance(recorded.event, AttentionDue) and recorded.event.rule == f"{BOUNDARY}@1":
                    self._due(recorded, recorded.event.repo)
            if not new:
                self._track()
                self._follower.wait()

    def _track(self) -> None:
        """Moves the tracking position along, now and then: neither start-up nor compaction should wait for a commit."""
        here = self._follower.position
        mine = [r for r in self._world.repos.by_id if self._is_mine(r)]
        behind = [r for r in mine if here - self._done.get(r, 0) >= _TRACK_EVERY]
        if behind:
            self._log.append([], writes=[Track(track_of(r), here) for r in behind])
            self._done.update(dict.fromkeys(behind, here))

    def _due(self, recorded: Recorded, repo: str) -> None:
        if not self._follower.stopped and self._is_mine(repo) and recorded.position > self._done.get(repo, 0):
            fence(self._log, self._held, [repo])
            self._turn(recorded, repo)
            self._done[repo] = recorded.position
            fence(self._log, self._held, self._world.repos.by_id)

    def _turn(self, due: Recorded, repo_id: str) -> None:
        repo = self._world.repos.by_id[repo_id]
        turn = f"turn-model-{repo_id[5:]}-{due.position}"
        track = Track(track_of(repo_id), due.position)
        refusal = self._refusal(repo_id)
        if refusal is not None:
            rule, why = refusal
            held = AttentionHeld(repo=repo_id, subject="turn", why=why, rule=rule, detector=DETECTOR)
            self._log.append([NewEvent(repo_id, held, due.position, "system")], writes=[track])
            return
        if self._log.version(turn):
            return
        assignment = Assignment(
            turn=turn, repo=repo_id, root=repo.root, boundary=BOUNDARY, cause=due.position,
            evidence=[p for p in (due.caused_by,) if p is not None], fences=list(self._log.fences),
        )  # fmt: skip
        begun = time.monotonic()
        result = self._work(assignment)
        self._log.append([], writes=[track])
        self._end(repo_id, result, round((time.monotonic() - begun) * 1e6), track)

    def _refusal(self, repo_id: str) -> tuple[str, str] | None:
        """(rule, why) if no worker is to be started now."""
        if self._world.attention.is_muted(DETECTOR, repo_id):
            return "mute@1", f"{DETECTOR} is muted"
        refusal = starting.prepare(self._log, self._config, os.environ, now_us(), self._zone)
        return None if refusal is None else (f"model-{refusal.rule}@1", refusal.why)

    def _work(self, assignment: Assignment) -> Result:
        try:
            out = self._child.run(
                "kairos.agent.worker", [],
                cwd=self._home.data,
                environment={
                    **starting.worker_environment(self._config, self._home, os.environ),
                    **log_environment(os.environ),
                },
                seconds=starting.wall_seconds(self._config.model),
                stdin=msgspec.json.encode(assignment),
            )  # fmt: skip
            return parse_result(out)
        except (KairosError, ValueError) as error:
            return Result(
                turn=assignment.turn, outcome="stopped" if self._follower.stopped else "failed", why=str(error)
            )

    def _end(self, repo_id: str, result: Result, micros: int, track: Track) -> None:
        """Raises what the worker found together with the end of its turn."""
        for recorded in self._log.read(self._world.position):
            self._world.fold(recorded)
        history = self._log.stream(result.turn)
        cause = history[0].position if history else None
        findings = [result.finding] if result.finding is not None else []
        raised = self._looker.raised(findings, self._world.repos.by_id[repo_id], result.turn, BOUNDARY)
        ids = [r.event.id for r in raised if isinstance(r.event, ProposalRaised)]
        ended = TurnEnded(
            turn=result.turn, repo=repo_id, engine="model", proposals=ids, why=result.why, micros=micros,
            outcome="quiet" if result.outcome == "proposed" and not ids else result.outcome,
        )  # fmt: skip
        new = [NewEvent(r.stream, r.event, cause, "system") for r in raised]
        self._log.append([*new, NewEvent(result.turn, ended, cause, "system")], writes=[track])

    def _end_interrupted(self) -> None:
        for turn, (repo, started) in self._world.turns.open.items():
            if not self._is_mine(repo):
                continue
            ended = TurnEnded(
                turn=turn, repo=repo, engine="model", outcome="interrupted", why="the daemon stopped during the turn"
            )
            self._log.append([NewEvent(turn, ended, started, "system")])
