"""The loop of one turn: executes the steps that the state machine decides, within one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo

import msgspec

from kairos.agent import answering, context, failing, text_tools
from kairos.agent.conversation import Conversation
from kairos.agent.ledger import Ledger, Pauses, day_start_us
from kairos.agent.model import Halt, Halted, ModelPort
from kairos.agent.outputs import Assignment, Result, requests_of
from kairos.agent.patches import Unfit, finding_of
from kairos.agent.repository_files import Files
from kairos.agent.scratch_tree import ScratchTree
from kairos.agent.tools.catalogue import SCRATCH, allowed, offered
from kairos.agent.tools.reading import Tools
from kairos.agent.tools.scratch import MakeBench, ScratchTools, outcome_of, what_of
from kairos.agent.trouble import Answer, Trouble
from kairos.clock import SECOND, now_us, rfc3339
from kairos.domain import budget
from kairos.domain.budget import Tokens
from kairos.domain.events import ModelCalled, ToolUsed, TurnStarted
from kairos.domain.finding import Finding
from kairos.domain.secrets import redact
from kairos.domain.turn import (
    TOOLS_AT_ONCE,
    Accepted,
    Answered,
    Ask,
    Ceased,
    CheckPatch,
    Effect,
    End,
    Garbled,
    Refused,
    Reply,
    Say,
    Signal,
    Started,
    Turn,
    Use,
    UseDone,
    Using,
    handle,
)
from kairos.errors import BudgetExhausted, KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.looked import LookedView
from kairos.settings import Model


class Driver:
    """One turn. `gone` returns whether no process waits for the answer any more."""

    def __init__(
        self,
        log: Log,
        model: Model,
        port: ModelPort,
        files: Files,
        assignment: Assignment,
        zone: tzinfo,
        halt: Halt,
        gone: Callable[[], bool] = lambda: False,
        make_bench: MakeBench | None = None,
    ) -> None:
        self._log, self._model, self._port, self._files = log, model, port, files
        self._assignment, self._zone, self._halt, self._gone = assignment, zone, halt, gone
        self._pauses = Pauses(log)
        self._finding: Finding | None = None
        self._make_bench = make_bench
        self._scratch: ScratchTools | None = None
        self._call = 0
        self._patches: list[str] = []

    def run(self) -> Result:
        """Runs the turn to its end and returns the result. Conflict, with nothing done, if it was started before."""
        begun = time.monotonic()
        started = TurnStarted(
            turn=self._assignment.turn, repo=self._assignment.repo, engine="model",
            boundary=self._assignment.boundary, detectors=[f"{kind}@1"] if (kind := self._assignment.kind) else [],
        )  # fmt: skip
        self._position = self._log.append(
            [NewEvent(self._assignment.turn, started, self._assignment.cause, "system")],
            expected={self._assignment.turn: 0},
        )[0]
        self._ledger = Ledger(self._log, self._model, self._assignment.turn, self._position)
        try:
            end = self._converse()
        except KairosError as error:
            end = End("failed", f"{error.message}. {error.hint}")
        finally:
            if self._scratch is not None:
                self._scratch.close()
        return Result(
            turn=self._assignment.turn, outcome=end.outcome, why=redact(end.why)[:500],
            finding=self._finding if end.outcome == "proposed" else None,
            patches=self._patches, spent_microusd=self._ledger.spent(), micros=round((time.monotonic() - begun) * 1e6),
        )  # fmt: skip

    def _converse(self) -> End:
        memories = context.remembered(self._log, self._assignment.repo)
        opening = self._opening(memories)
        if opening is None:
            return End("quiet", "nothing here is new: each change was looked at before, or is not there any more")
        self._price = self._port.price()
        self._port.load()
        self._deadline = time.monotonic() + self._model.deadline_seconds
        self._prepare_tools([line for _, line in memories])
        if self._scratch is not None:
            opening[0]["content"] += f"\n{context.prompt('scratch_tree')}"
        self._talk = Conversation(opening, self._port.scrubbed)
        turn, signals = Turn(limit=self._model.calls_per_turn), list[Signal]([Started()])
        while signals:
            turn, effects = handle(turn, signals.pop(0))
            for effect in effects:
                if isinstance(effect, End):
                    return effect
                signal = self._do(effect)
                if signal is not None:
                    signals.append(signal)
        return End("failed", "the turn came to no end")

    def _prepare_tools(self, memories: list[str]) -> None:
        """The tools that this turn may call: those that work on a scratch tree only where there is a commit to make it
        of and somewhere to run."""
        commit = self._files.commit(self._assignment.commit or "HEAD")
        level = self._assignment.level if commit is not None and self._make_bench is not None else 0
        self._allowed = allowed(self._assignment.kind, level)
        if commit is not None and self._make_bench is not None and any(name in SCRATCH for name in self._allowed):
            tree = ScratchTree(self._files, commit)
            self._scratch = ScratchTools(tree, self._make_bench, self._stopped, self._deadline)
        self._tools = Tools(self._files, memories, self._scratch.tree if self._scratch is not None else None)

    def _run(self, asked: Using) -> tuple[str, int]:
        """(what a tool said, how long it took in us)"""
        begun = time.monotonic()
        if self._scratch is not None and asked.tool in SCRATCH:
            output = self._scratch.run(asked.tool, asked.arguments)
        else:
            output = self._tools.run(asked.tool, asked.arguments)
        return output, round((time.monotonic() - begun) * 1e6)

    def _record(self, asked: Using, output: str, micros: int) -> None:
        """Records the use of a tool that works on the scratch tree."""
        if asked.tool in SCRATCH:
            outcome, why = outcome_of(output)
            used = ToolUsed(
                turn=self._assignment.turn, call=self._call, tool=asked.tool, what=what_of(asked.tool, asked.arguments),
                outcome=outcome, why=why, micros=micros,
            )  # fmt: skip
            self._log.append([NewEvent(self._assignment.turn, used, self._position, "system")])

    def _opening(self, memories: list[tuple[str, str]]) -> list[dict[str, str]] | None:
        """The first messages, None if there is nothing to look at."""
        if self._assignment.proposal:
            p = answering.proposal_of(self._log, self._assignment)
            near = context.about(memories, answering.paths_of(p))
            return answering.opening(self._files, self._assignment, p, near)
        if self._assignment.failure is not None:
            near = context.about(memories, failing.paths_of(self._files, self._assignment.failure))
            return failing.opening(self._files, self._assignment, self._assignment.failure, near)
        subject = context.subject_of(self._log, self._files, self._assignment)
        seen = LookedView().load(self._log)[0].patches.get(self._assignment.repo, [])
        subject = context.unseen(self._files, subject, seen)
        if not subject.commits and not subject.paths:
            return None
        self._patches = subject.patches
        near = context.about(memories, context.paths_of(self._files, subject))
        return context.opening(self._files, self._assignment, subject, near)

    def _do(self, effect: Effect) -> Signal | None:
        match effect:
            case Ask(final):
                return self._ask(final)
            case Use(requests):
                at_once = 1 if any(asked.changes for asked in requests) else TOOLS_AT_ONCE
                with ThreadPoolExecutor(at_once, "tools") as pool:
                    outputs = pool.map(self._run, requests)
                    for asked, (output, micros) in zip(requests, outputs, strict=True):
                        self._record(asked, output, micros)
                        self._talk.reply(asked.id, output)
                return UseDone()
            case CheckPatch(request):
                try:
                    self._finding = finding_of(
                        request.patch, self._files, self._assignment, self._ledger.spent(), self._scratch
                    )
                except Unfit as why:
                    return Refused(request.id, str(why))
                except Exception as error:  # noqa: BLE001 - whatever a model's patch does to the check, it ends no turn
                    return Refused(request.id, f"it could not be checked ({type(error).__name__}: {str(error)[:300]})")
                return Accepted()
            case Reply(id, text):
                self._talk.reply(id, text)
            case Say(text):
                self._talk.say(text)
        return None

    def _ask(self, final: bool) -> Signal:
        self._call += 1
        tools = offered(self._allowed, final)
        size, request = self._talk.measure(tools, self._model.name)
        if self._model.tools == "text":
            size += text_tools.OVERHEAD
        most = Tokens(size, self._model.max_output_tokens)

        def attempt(number: int, send: Callable[[], Answer]) -> Answer:
            return self._on_the_books(number, send, most, request)

        try:
            answer = self._port.ask(
                self._talk.messages, tools, deadline=self._deadline, halt=self._halt, attempt=attempt
            )
        except BudgetExhausted as error:
            return Ceased("parked", error.message)
        except Halted:
            return Ceased("stopped", "stopped or paused: no further call")
        except Trouble as trouble:
            if trouble.kind in ("garbage", "length"):
                return Garbled(trouble.why)
            if trouble.retry_after is not None:
                return Ceased("parked", f"the server asks to wait until {rfc3339(_after(trouble.retry_after))}")
            return Ceased("failed", f"{trouble.kind}: {trouble.why}")
        return Answered(requests_of(self._talk.answered(answer), self._allowed, SCRATCH))

    def _on_the_books(self, number: int, send: Callable[[], Answer], most: Tokens, request: str) -> Answer:
        """Makes one attempt: refuses it when stopped, reserves its cost, checks again for a pause, sends it and
        reconciles the cost."""
        if self._stopped():
            raise Halted
        worst = budget.cost(self._price, most)
        self._ledger.reserve(self._call, number, worst, day_start_us(now_us(), self._zone))
        entry = ModelCalled(
            turn=self._assignment.turn, call=self._call, attempt=number, model=self._model.name, outcome="stopped",
            spent_microusd=worst, request=request,
        )  # fmt: skip
        if self._stopped():
            self._ledger.reconcile(msgspec.structs.replace(entry, spent_microusd=0, why="not sent"))
            raise Halted
        try:
            answer = send()
        except Halted:
            self._ledger.reconcile(entry)
            raise
        except Trouble as trouble:
            wait = trouble.retry_after
            failed = msgspec.structs.replace(
                entry, outcome=trouble.kind, why=trouble.why, status=trouble.status,
                retry_at=None if wait is None else _after(wait),
            )  # fmt: skip
            free = msgspec.structs.replace(failed, spent_microusd=0)
            self._ledger.reconcile(free if trouble.free else self._paid(failed, trouble.usage, most))
            raise
        self._ledger.reconcile(self._paid(msgspec.structs.replace(entry, outcome="ok"), answer.usage, most))
        return answer

    def _paid(self, entry: ModelCalled, reported: Tokens | None, most: Tokens) -> ModelCalled:
        """The entry with its cost: of the tokens that the provider reported as far as they can be, of the most without
        a report."""
        used, anomaly = budget.believed(reported, most)
        said = Tokens(0, 0) if reported is None else used
        return msgspec.structs.replace(
            entry, spent_microusd=budget.cost(self._price, used), input_tokens=said.input, output_tokens=said.output,
            cached_tokens=said.cached, anomaly=anomaly,
        )  # fmt: skip

    def _stopped(self) -> bool:
        return self._halt.asked or self._gone() or self._pauses.in_force(now_us(), self._assignment.repo)


def _after(seconds: float) -> int:
    """The time so many seconds from now (us)."""
    return now_us() + round(seconds * SECOND)
