"""The tools of level 1: they change the scratch tree of a turn, and run commands and checks on it.

They are called one after the other. What takes longer than a moment goes on in the background as a job; while it does,
nothing else changes the tree.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from kairos.agent.edited_text import replaced
from kairos.agent.scratch_tree import File, ScratchTree, digest_of
from kairos.agent.tools.catalogue import SCRATCH, ApplyPatch, Bash, EditFile, Job, RunChecks, WriteFile
from kairos.agent.tools.output import wrapped
from kairos.domain.action import apply_edit
from kairos.domain.amounts import count, listed
from kairos.domain.inert import escape
from kairos.domain.patch_text import PatchError, applied
from kairos.domain.scratch_runs import Changes, CheckEnd, CommandEnd
from kairos.domain.secrets import redact
from kairos.errors import KairosError
from kairos.repo.beneath import Unreadable

FOREGROUND_S = 15.0
"""What runs longer becomes a job."""
COMMAND_S = 600.0
"""What runs longer is ended, if the turn does not end before."""
_LOOK_S = 0.1
_NAMED = 20
_SAID = 3_000
_WHAT, _WHY = 1_000, 300
_HEARD = 64_000


class Workbench(Protocol):
    """Where commands and checks run: confined, on files that are laid out before the first."""

    def command(
        self,
        line: str,
        changes: Changes,
        seconds: float,
        cancelled: Callable[[], bool],
        heard: Callable[[bytes], None] | None = None,
    ) -> CommandEnd: ...

    def check(self, name: str, changes: Changes, cancelled: Callable[[], bool]) -> CheckEnd: ...

    def checks(self) -> Sequence[str]: ...

    def close(self) -> None: ...


MakeBench = Callable[[Callable[[], Iterator[tuple[str, bytes, int]]]], Workbench]
"""Makes the bench of a turn; it is given what lists the files to lay out (path, content, permission bits)."""


class ScratchTools:
    """The tools of one turn. `ended` returns whether the turn is stopped; `deadline`: when it ends (time.monotonic)."""

    def __init__(self, tree: ScratchTree, make: MakeBench, ended: Callable[[], bool], deadline: float) -> None:
        self.tree = tree
        self._make, self._ended, self._deadline = make, ended, deadline
        self._bench: Workbench | None = None
        self._job: _Job | None = None
        self._jobs = 0
        self._checked: dict[str, tuple[str, str]] = {}
        """By check: the digest of the changes on which it ran last, and its outcome."""

    def run(self, tool: str, arguments: dict[str, Any]) -> str:
        """The output of a tool, bounded and marked as data. A refusal is returned as output, too."""
        try:
            asked = msgspec.convert(arguments, SCRATCH[tool])
            if isinstance(asked, Job):
                return self._asked(asked)
            if self._job is not None:
                raise Unreadable(f"{self._job.name} still runs: ask `job` for its end, or stop it")
            match asked:
                case WriteFile(path, content):
                    return self._put({path: (_encoded(content), self._mode(path))})
                case EditFile() as edit:
                    return self._put({edit.path: self._edited(edit)})
                case ApplyPatch(patch):
                    return self._put(self._patched(patch))
                case Bash(command):
                    return self._command(command)
                case RunChecks(names):
                    return self._checks(names)
        except (Unreadable, PatchError) as why:
            return f"Refused: {why}."
        except KairosError as error:
            return f"Failed: {error.message}. {error.hint}".strip()
        except Exception as error:  # noqa: BLE001 - whatever a model's arguments do to a tool, they end no turn
            return f"Failed: {tool} ended with {type(error).__name__}: {str(error)[:300]}. Try it with other arguments."
        return f"Refused: there is no tool {tool}."

    def settled(self) -> Changes:
        """What the turn changed, as it would be proposed. A job that still runs is stopped, and what it changed is not
        taken."""
        self._stop_job()
        return self.tree.proposable()

    def checked(self) -> list[str]:
        """What the checks said that ran last on exactly what would be proposed, as a sentence; empty if none did."""
        now = digest_of(self.tree.proposable())
        found = [f"`{escape(n)}` {outcome}" for n, (on, outcome) in sorted(self._checked.items()) if on == now]
        return [f"Run in a scratch tree with this change: {', '.join(found)}."] if found else []

    def close(self) -> None:
        """Stops what still runs, without taking what it changed, and removes the tree. Idempotent."""
        self._stop_job()
        if self._bench is not None:
            self._bench.close()
            self._bench = None

    def _stop_job(self) -> None:
        if self._job is not None:
            self._job.end()
            self._job = None

    def _mode(self, path: str) -> int:
        before = self.tree.read(path)
        return before[1] if before is not None else 0o644

    def _edited(self, asked: EditFile) -> File:
        before = self.tree.read(asked.path)
        if before is None:
            raise Unreadable(f"{escape(asked.path)}: there is no such file; `write_file` makes one")
        try:
            text = before[0].decode("utf-8")
            return _encoded(replaced(text, asked.old_text, asked.new_text, every=asked.every)), before[1]
        except UnicodeDecodeError as error:
            raise Unreadable(f"{escape(asked.path)}: it is not a text file") from error
        except ValueError as error:
            raise Unreadable(f"{escape(asked.path)}: {error}") from error

    def _patched(self, patch: str) -> dict[str, File | None]:
        before: dict[str, File | None] = {}

        def read(path: str) -> File | None:
            before[path] = self.tree.read(path)
            return before[path]

        found: dict[str, File | None] = {}
        for change in applied(patch, read, "").edits:
            old = before.get(change.fs)
            after = apply_edit(change, None if old is None else old[0])
            found[change.fs] = None if after is None or change.after is None else (after, change.after.mode)
        if not found:
            raise Unreadable("the patch changes nothing")
        return found

    def _put(self, wanted: Mapping[str, File | None]) -> str:
        self.tree.put(wanted)
        return f"Done. {self._state()}"

    def _state(self) -> str:
        paths = sorted(self.tree.changes)
        if not paths:
            return "The scratch tree is as the commit."
        return f"Changed in the scratch tree: {listed([escape(p) for p in paths], _NAMED)}."

    def _benched(self) -> Workbench:
        if self._bench is None:
            self._bench = self._make(self.tree.laid)
        return self._bench

    def _command(self, line: str) -> str:
        if not line.strip() or "\0" in line:
            raise Unreadable("`command` is not empty and holds no NUL")
        bench, changes = self._benched(), dict(self.tree.changes)
        seconds = min(COMMAND_S, max(self._deadline - time.monotonic(), 1.0))

        def work(job: _Job) -> Callable[[], str]:
            end = bench.command(line, changes, seconds, job.is_cancelled, job.hear)
            return lambda: self._taken(end)

        return self._begun(work)

    def _checks(self, names: list[str]) -> str:
        bench, changes = self._benched(), self.tree.proposable()
        known = bench.checks()
        unknown = [name for name in names if name not in known]
        if unknown or not known:
            said = ", ".join(f"`{escape(n)}`" for n in known) or "none; a person names one with `kairos check add`"
            raise Unreadable(f"the checks that the person named are: {said}")

        def work(job: _Job) -> Callable[[], str]:
            ends = [bench.check(name, changes, job.is_cancelled) for name in dict.fromkeys(names or known)]
            return lambda: self._judged(ends, digest_of(changes))

        return self._begun(work)

    def _begun(self, work: Callable[[_Job], Callable[[], str]]) -> str:
        self._jobs += 1
        self._job = _Job(f"job-{self._jobs}", work)
        return self._awaited(self._job)

    def _asked(self, asked: Job) -> str:
        job = self._job
        if job is None or job.name != asked.job:
            raise Unreadable(f"there is no job {escape(asked.job)[:40]} that runs")
        if asked.stop:
            self._stop_job()
            return f"{job.name} is stopped. {self._state()}"
        return self._awaited(job)

    def _awaited(self, job: _Job) -> str:
        """The result of a job, if it ends within the time that a turn waits for it."""
        until = min(time.monotonic() + FOREGROUND_S, self._deadline)
        while not job.done.wait(_LOOK_S):
            if self._ended():
                self._stop_job()
                return "Stopped: the turn is."
            if time.monotonic() >= until:
                said = f"It runs since {job.seconds:.0f} s as {job.name}, in the background. Ask `job` for its end."
                return f"{said}\n{wrapped('its last output until now', job.said)}" if job.said else said
        self._job = None
        return job.result()

    def _taken(self, end: CommandEnd) -> str:
        left = [*end.withheld, *self.tree.take(end.changes)]
        lines = [f"{end.how} after {end.seconds:.1f} s", end.output.rstrip("\n")]
        body = wrapped("what a command in the scratch tree said", "\n".join(filter(None, lines)))
        parts = [body, self._state()]
        if left:
            more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            parts.append(f"Not taken: {'; '.join(left[:_NAMED])}{more}.")
        return "\n".join(parts)

    def _judged(self, ends: Sequence[CheckEnd], digest: str) -> str:
        lines = []
        for end in ends:
            self._checked[end.name] = digest, end.outcome
            reds = f", {count(len(end.failed), 'red case')}" if end.failed else ""
            why = f": {end.why}" if end.why else ""
            lines.append(f"{end.name}: {end.outcome} after {end.seconds:.1f} s{reds}{why}")
            lines += [f"  {case}" for case in end.failed[:_NAMED]]
            if end.outcome != "passed" and end.output:
                lines.append(end.output[-_SAID:].rstrip("\n"))
        return wrapped("what checks in the scratch tree said", "\n".join(lines))


class _Job:
    """Work in a thread of its own. `end` cancels it and waits until it has ended."""

    def __init__(self, name: str, work: Callable[[_Job], Callable[[], str]]) -> None:
        self.name = name
        self.done = threading.Event()
        self._began = time.monotonic()
        self._cancelled = threading.Event()
        self._finish: Callable[[], str] | None = None
        self._error: Exception | None = None
        self._work = work
        self._heard = b""
        self._thread = threading.Thread(target=self._run, name=f"scratch-{name}", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def said(self) -> str:
        """The end of its output until now, redacted."""
        return redact(self._heard.decode("utf-8", "replace"))[-_SAID:]

    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def hear(self, output: bytes) -> None:
        self._heard = (self._heard + output)[-_HEARD:]

    def result(self) -> str:
        """What it gave, or raises its error. Called once it is done."""
        if self._error is not None:
            raise self._error
        return self._finish() if self._finish is not None else "It gave nothing."

    def end(self) -> None:
        self._cancelled.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._finish = self._work(self)
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._error = error
        finally:
            self.done.set()


def outcome_of(output: str) -> tuple[str, str]:
    """(done, refused or failed; why, in at most 300 characters) of what a tool said."""
    for word in ("Refused", "Failed"):
        if output.startswith(f"{word}: "):
            return word.lower(), output.removeprefix(f"{word}: ")[:_WHY]
    return "done", ""


def what_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """What a tool was asked to work on, for the record: the command line, the path, the checks, the job, the files that
    a patch names."""
    said = arguments.get("command") or arguments.get("path") or arguments.get("job")
    if tool == "run_checks":
        said = ", ".join(map(str, arguments.get("names", []))) or "all"
    elif tool == "apply_patch":
        heads = re.findall(r"^(?:---|\+\+\+) (?:[ab]/)?(\S{1,200})", str(arguments.get("patch", "")), re.MULTILINE)
        said = ", ".join(dict.fromkeys(name for name in heads if name != "/dev/null"))
    return str(said or "")[:_WHAT]


def _encoded(text: str) -> bytes:
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unreadable("the text is not valid Unicode") from error
    if b"\0" in content:
        raise Unreadable("the text holds NUL: only text files are written")
    return content
