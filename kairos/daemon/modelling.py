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
from kairos.domain.events import AttentionDue, AttentionHeld, ProposalRaised, TurnEnded, TurnStarted
from kairos.errors import KairosError
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track
from kairos.schedule.children import Child
from kairos.settings import Config, Home

TRACK = "modeller"
BOUNDARY = "commit"
DETECTOR = "review-change"


class Modeller:
    """One thread's work. `run` returns after `stop`; a running worker is asked to end and says so."""

    def __init__(self, home: Home, config: Config, log: Log, zone: tzinfo) -> None:
        self._home = home
        self._config = config
        self._log = log
        self._zone = zone
        self._world = World(log)
        self._looker = Looker(home, config, log, self._world)
        self._follower = Follower(log, 0)
        self._child = Child()

    def stop(self) -> None:
        self._follower.stop()
        self._child.stop()

    def run(self) -> None:
        """Ends what a crash cut, then follows. Commits from before the model was configured are left alone."""
        self._world.load()
        self._end_interrupted()
        self._follower.position = self._log.tracking(TRACK) or self._world.position
        while not self._follower.stopped:
            new = self._follower.new()
            for recorded in new:
                self._world.fold(recorded)
            due = [r for r in new if isinstance(r.event, AttentionDue) and r.event.rule == f"{BOUNDARY}@1"]
            for recorded in due:
                if not self._follower.stopped:
                    self._turn(recorded, recorded.event.repo)  # type: ignore[attr-defined]
            if not new:
                self._follower.wait()

    def _turn(self, due: Recorded, repo_id: str) -> None:
        repo = self._world.repos.by_id[repo_id]
        turn = f"turn-model-{repo_id[5:]}-{due.position}"
        track = Track(TRACK, due.position)
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
            evidence=[p for p in (due.caused_by,) if p is not None],
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
                environment=starting.worker_environment(self._config, self._home, os.environ),
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
        open_turns: dict[str, Recorded] = {}
        for recorded in self._log.read(topics={"TurnStarted", "TurnEnded"}):
            if isinstance(recorded.event, TurnStarted) and recorded.event.engine == "model":
                open_turns[recorded.event.turn] = recorded
            elif isinstance(recorded.event, TurnEnded):
                open_turns.pop(recorded.event.turn, None)
        for turn, started in open_turns.items():
            ended = TurnEnded(
                turn=turn, repo=started.event.repo, engine="model", outcome="interrupted",  # type: ignore[attr-defined]
                why="the daemon stopped during the turn",
            )  # fmt: skip
            self._log.append([NewEvent(turn, ended, started.position, "system")])
