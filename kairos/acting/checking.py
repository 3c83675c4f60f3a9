"""Runs a check confined, on the tree of a commit, and reads what it reports. Nothing in the work tree changes."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.acting.commit_tree import TreeRefused, disturbed, seed_of, untracked
from kairos.acting.confine import ConfinedRun, Limits, SeedRefused, run
from kairos.acting.lacking import lacking, sentence
from kairos.domain.checks import reading, runners
from kairos.domain.checks.report import CheckCase, Report, ReportRefused, report
from kairos.domain.checks.runners import RepeatOutput
from kairos.domain.checks.state import NamedCheck
from kairos.domain.events import RunOutcome
from kairos.domain.secrets import redact
from kairos.durable import locked
from kairos.errors import SandboxUnavailable, TryAgain, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.views.checks import ChecksView
from kairos.home import Home
from kairos.repo.git import Git, GitError
from kairos.settings import Check, Config

_NICE = Path("/usr/bin/nice")
_MOST_REPORT = 64 << 20
_NONE_RAN = (0, 5)
"""The exit status of a runner that was asked for cases of which there is none; pytest's is 5."""
_NO_MEMORY = re.compile(
    r"^MemoryError|Cannot allocate memory|memory allocation of \d{1,20} bytes failed|std::bad_alloc"
    r"|runtime: out of memory|heap out of memory"
)
_ORDER = ("test", "build", "types", "lint")


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a check gave. `why`: what broke it; `output`: the last lines, redacted; `times`: how many of the
    `repeats` of each red case were red."""

    outcome: RunOutcome
    report: Report
    exit: int | None = None
    seconds: float = 0.0
    why: str = ""
    output: str = ""
    repeats: int = 1
    times: Mapping[str, int] = {}


@contextmanager
def checks_lock(home: Home, *, wait_s: float = 0.0) -> Iterator[None]:
    """Held while a check runs: one at a time per home. TryAgain (75) if another process holds it."""
    busy = TryAgain("another check is running", "Try again when it has ended.")
    home.prepare()
    with locked(home.data / "checks.lock", lambda: busy, wait_s=wait_s):
        yield


def for_proposals(log: Log, config: Config, repo: str, root: Path) -> Check | None:
    """The check with which proposals of a repository are tried: the one that the settings configure, else of those that
    a person named the first test, build, type check or linter."""
    setting = config.check.get(str(root))
    if setting is not None:
        return setting
    named = [c.named for c in ChecksView().load(log)[0].of(repo).values()]
    best = min(named, key=lambda c: (_ORDER.index(c.kind), c.name), default=None)
    if best is None:
        return None
    return Check(command=best.command, seconds=best.seconds, memory_mb=best.memory_mb, read_roots=best.read_roots)


def run_check(
    home: Home,
    root: Path,
    check: NamedCheck,
    commit: str,
    *,
    cases: Sequence[str] = (),
    changes: Mapping[str, tuple[bytes, int] | None] | None = None,
    repeats: int = 1,
    cancelled: Callable[[], bool] | None = None,
) -> CheckResult:
    """Runs a check, or only some of its cases, on the tree of a commit, with `changes` on top, `repeats` times in one
    scratch tree.

    TryAgain (75) if it was cancelled, or files changed in the work tree under it."""
    left = list(cases)
    for last in (False, False, True):
        if cases and not left:
            return CheckResult(outcome="passed", report=Report(format="none"))
        found = _run(home, root, check, commit, left, changes or {}, repeats, cancelled)
        missing = runners.not_found(left, found.output) if found.exit == 4 else []
        if not missing or last:
            return found
        left = [c for c in left if c not in missing]
    raise AssertionError  # pragma: no cover


def run_check_in(
    home: Home,
    tree: Path,
    place: Path,
    check: NamedCheck,
    changes: Mapping[str, tuple[bytes, int] | None],
    *,
    beside: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
) -> CheckResult:
    """Runs a whole check on a directory that is seen at `place`, with `changes` on top; `beside`: what it may read
    besides what the check was named with. TryAgain (75) if it was cancelled."""
    try:
        with run(
            tree, gently(runners.reporting(check.command)), scratch_home=home.scratch, seed=changes,
            limits=_limits(check, 1), place=place,
            read_roots=[*(Path(place) for place in check.read_roots), *beside], cancelled=cancelled,
        ) as done:  # fmt: skip
            if done.stopped == "cancelled":
                raise TryAgain("the check was stopped before it ended", "It is run again.")
            whole = RepeatOutput(done.stdout, done.stderr, done.exit)
            found = _understood(done, whole, check, place, selected=False)
            return msgspec.structs.replace(found, seconds=round(done.seconds, 3))
    except (SandboxUnavailable, UsageError, SeedRefused) as error:
        return _broken(error.message)


def _run(
    home: Home,
    root: Path,
    check: NamedCheck,
    commit: str,
    cases: Sequence[str],
    changes: Mapping[str, tuple[bytes, int] | None],
    repeats: int,
    cancelled: Callable[[], bool] | None,
) -> CheckResult:
    command = runners.selecting(check.command, cases) if cases else runners.reporting(check.command)
    if command is None:
        return _broken("its runner cannot run these cases alone")
    git, mark = Git(root), secrets.token_hex(8)
    kept = check.results or runners.REPORT
    words = gently(command if repeats == 1 else runners.repeating(command, repeats, mark, kept))
    for every in (False, True):
        try:
            seed = {**seed_of(git, commit, every=every), **changes}
            with run(
                root, words, scratch_home=home.scratch, seed=seed, limits=_limits(check, repeats),
                read_roots=[Path(place) for place in check.read_roots], cancelled=cancelled,
            ) as done:  # fmt: skip
                if done.stopped == "cancelled":
                    raise TryAgain("the check was stopped before it ended", "It is run again.")
                if not disturbed(git, commit, seed):
                    parts = runners.parted(done.stdout, done.stderr, mark, done.exit, repeats)
                    return merged(
                        [_understood(done, p, check, root, selected=bool(cases)) for p in parts], done.seconds
                    )
        except (SandboxUnavailable, UsageError, SeedRefused, TreeRefused, GitError) as error:
            return _broken(error.message)
        except OSError as error:
            raise TryAgain(f"the scratch tree cannot be made: {error.strerror}", "Free some space.") from error
    raise TryAgain("files changed while the check ran", "It is run again when you pause.")


def gently(command: Sequence[str]) -> list[str]:
    """The command, run behind what a person does on the machine."""
    return [str(_NICE), "-n", "15", *command] if _NICE.exists() else list(command)


def _limits(check: NamedCheck, repeats: int) -> Limits:
    return Limits(
        wall=check.seconds * repeats, mem_mb=check.memory_mb, pids=1024, out=8 << 20, disk_mb=2_048, files=200_000
    )


def _understood(
    done: ConfinedRun, part: RepeatOutput, check: NamedCheck, root: Path, *, selected: bool
) -> CheckResult:  # fmt: skip
    output = redact(part.text[-64_000:])[-8_000:]
    signal = done.signal or (part.exit - 128 if part.exit is not None and 128 < part.exit < 193 else None)
    if done.stopped is not None or signal is not None:  # a shell reports a signal as 128 more
        why = f"stopped by the limit {done.stopped}" if done.stopped else f"ended by signal {signal}"
        return _broken(why, part, output)
    if part.exit is None:
        return _broken("a repeat did not end", part, output)
    if part.exit in (126, 127):
        lack = _away(check.command[0], root) or sentence(lacking(output, done.missing))
        why = reading.last_line(output).removeprefix(f"{_NICE}: ")
        return _broken(why + (f": {lack}" if lack else ""), part, output)
    found = _report(done, part, check, str(root))
    if not selected:
        found = reading.with_exit(found, part.exit, output)
    elif any(_NO_MEMORY.search(case.message) for case in found.failed):
        return _broken("it was out of memory", part, output)
    elif found.format == "exit" or not (found.cases or part.exit in _NONE_RAN):
        return _broken(f"it did not run these cases: {reading.last_line(output) or part.exit}", part, output)
    return CheckResult(outcome="failed" if found.failed else "passed", report=found, exit=part.exit, output=output)


def _away(program: str, root: Path) -> str:
    """Why a program of the repository is not there; empty if it is, or is none of it."""
    path = os.path.normpath(program)
    if "/" not in program or path.startswith(("/", "..")) or path not in untracked(Git(root)):
        return ""
    return "it is untracked, and only what git tracks or ignores is there; add it, or let git ignore it"


def _report(done: ConfinedRun, part: RepeatOutput, check: NamedCheck, root: str) -> Report:
    """The report of an execution: in its result file, else in its output, else by its exit status alone."""
    names = {f"{name}{part.suffix}" for name in (check.results, runners.REPORT) if name}
    for change in done.changes:
        if change.path in names and change.kind != "deleted":
            content = change.content or b""
            try:
                return reading.read_file(content[: _MOST_REPORT + 1], root)
            except ReportRefused:
                break
    try:
        return reading.read_output(part.stdout, part.stderr, root)
    except ReportRefused:
        return reading.whole(part.exit != 0, reading.last_line(part.text) if part.exit else "")


def merged(parts: Sequence[CheckResult], seconds: float) -> CheckResult:
    """The executions of one run as one: red if one was red, broken if one was broken, with how often each case was
    red."""
    broken = next((p for p in parts if p.outcome == "broken"), None)
    if broken is not None:
        return msgspec.structs.replace(broken, seconds=round(seconds, 3), repeats=len(parts))
    times: dict[str, int] = {}
    for part in parts:
        for case in part.report.failed:
            times[case.id] = times.get(case.id, 0) + 1
    worst = next((p for p in parts if p.outcome == "failed"), parts[0])
    found = worst.report if len(parts) == 1 else report(
        worst.report.format, (c for p in parts for c in p.report.cases)
    )  # fmt: skip
    return msgspec.structs.replace(worst, report=found, seconds=round(seconds, 3), repeats=len(parts), times=times)


def _broken(why: str, part: RepeatOutput | None = None, output: str = "") -> CheckResult:
    return CheckResult(
        outcome="broken", report=Report(format="none"), exit=None if part is None else part.exit, why=redact(why),
        output=output,
    )  # fmt: skip


def clean(case: CheckCase) -> CheckCase:
    """The case without secrets, as the log will hold it."""
    return msgspec.structs.replace(case, id=redact(case.id), message=redact(case.message), path=redact(case.path))
