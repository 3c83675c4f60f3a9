"""The checks of a repository: naming, suggesting and running them, and what they reported."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import refuse_name, refuse_unkept
from kairos.desk.reading import repositories, repository_here
from kairos.desk.records.checks import CheckRemovedOut, NamedCheckOut, RedCaseOut, SimulatedOut, SuggestedOut
from kairos.domain.checks import ranges
from kairos.domain.checks.ranges import ChainCommit
from kairos.domain.checks.report import plain_case
from kairos.domain.checks.simulating import simulate as simulated
from kairos.domain.checks.state import CheckState, JudgedCase, NamedCheck, check_stream
from kairos.domain.checks.suggesting import WANTED, Suggestion, free_name, suggest
from kairos.domain.events import CheckKind, CheckNamed, CheckRemoved
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.checks import ChecksView
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, GitError
from kairos.repo.objects import Objects

if TYPE_CHECKING:
    from kairos.daemon.check_rounds import CheckRounds

_PROGRAMS = (
    ".venv/bin/python", "venv/bin/python", ".venv/bin/ruff", "venv/bin/ruff", ".venv/bin/mypy", "venv/bin/mypy",
    "node_modules/.bin/eslint", "node_modules/.bin/tsc",
)  # fmt: skip
_LOCK_WAIT_S = 600.0
_STATES = {"passed": "green", "failed": "red", "broken": "broken", "stopped": "broken"}
_NO_VERDICT = JudgedCase(position=0, verdict="")


def add(
    desk: Desk,
    only: Repository | None,
    command: Sequence[str],
    *,
    kind: CheckKind,
    name: str | None = None,
    seconds: float = 600.0,
    memory_mb: int = 4096,
    read_roots: Sequence[str] = (),
    results: str = "",
) -> NamedCheckOut:
    """Names a command as a check of a repository, or changes the one of this name. UsageError, NotFound."""
    repo = repository_here(desk, only)
    refuse_unkept(command, [*read_roots, results], "kairos check add --kind test -- pytest -q")
    name = name or free_name(kind, desk.view(ChecksView()).of(repo.id))
    refuse_name(name, "a check")
    if results.startswith("/") or ".." in results.split("/"):
        raise UsageError(f"{results} is not a path in the repository", "Give --results relative to its root.")
    event = CheckNamed(
        repo=repo.id, name=name, kind=kind, command=list(command), seconds=seconds, memory_mb=memory_mb,
        read_roots=[str(Path(place).expanduser().absolute()) for place in read_roots], results=results,
    )  # fmt: skip
    desk.log.append([NewEvent(check_stream(repo.id, name), event, None, "user")])
    done = next(c for c in listed(desk, repo) if c.name == name)
    return structs.replace(done, found=_is_here(Path(repo.root), command[0], event.read_roots))


def remove(desk: Desk, only: Repository | None, name: str) -> CheckRemovedOut:
    """Removes a check. NotFound (4)."""
    repo = repository_here(desk, only)
    if name not in desk.view(ChecksView()).of(repo.id):
        raise NotFound(f"{repo.root} has no check `{name}`", "`kairos check ls` lists them.")
    event = CheckRemoved(repo=repo.id, name=name)
    (position,) = desk.log.append([NewEvent(check_stream(repo.id, name), event, None, "user")])
    return CheckRemovedOut(repo=repo.root, name=name, position=position)


@of_one_moment
def listed(desk: Desk, only: Repository | None) -> list[NamedCheckOut]:
    """The checks of a repository, or of all, with their state at HEAD."""
    known, running = desk.view(ChecksView()), desk.daemon_running()
    out = []
    for repo in [only] if only is not None else repositories(desk).watched():
        git = Git(Path(repo.root))
        checks = known.of(repo.id)
        head = _head(git) if checks else None
        out += [_check(repo, checks[name], head, running=running) for name in sorted(checks)]
        setting = desk.config.check.get(repo.root)
        if setting is not None:
            out.append(
                NamedCheckOut(
                    repo=repo.root, name="(setting)", kind="test", command=list(setting.command),
                    seconds=setting.seconds, memory_mb=setting.memory_mb, read_roots=list(setting.read_roots),
                    results="", state="not run", commit="", passed=0, took=0.0, why="", red=[], for_proposals_only=True,
                )
            )  # fmt: skip
    return out


def suggested(desk: Desk, only: Repository | None) -> list[SuggestedOut]:
    """The checks that a repository seems to use, read from its last commit; nothing of it is run."""
    repo = repository_here(desk, only)
    root, git = Path(repo.root), Git(Path(repo.root))
    checks = desk.view(ChecksView()).of(repo.id)
    named, taken = {tuple(c.named.command) for c in checks.values()}, set(checks)
    tracked = git.tracked()
    objects = Objects(git)
    contents = {}
    if git.head() is not None:
        found = {name: objects.path_in("HEAD", name) for name in WANTED if name in tracked}
        contents = {name: raw for name, raw in found.items() if raw is not None}
    present = [name for name in _PROGRAMS if (root / name).is_file()]
    setting = desk.config.check.get(repo.root)
    mine = []
    if setting is not None and tuple(setting.command) not in named:
        mine.append(Suggestion(free_name("test", taken), "test", tuple(setting.command), "your configuration"))
        named.add(tuple(setting.command))
        taken.add(mine[0].name)
    return [
        SuggestedOut(name=s.name, kind=s.kind, command=list(s.command), because=s.because,
                     add=_add(s.kind, s.name, list(s.command)), found=_is_here(root, s.command[0], ()))
        for s in [*mine, *suggest(tracked, contents, present, taken, named)]
    ]  # fmt: skip


def run(
    desk: Desk, only: Repository | None, names: Sequence[str], *, told: Callable[[str], None], at: str | None = None
) -> list[NamedCheckOut]:
    """Runs checks now, on the tree of HEAD, and finds who broke what became red; with `at` runs them once on another
    commit. `told` gets a line for each run that ended. NotFound, UsageError, TryAgain (75)."""
    from kairos.acting.checking import checks_lock
    from kairos.daemon.check_rounds import commit_at

    repo = repository_here(desk, only)
    known = desk.view(ChecksView()).of(repo.id)
    missing = next((name for name in names if name not in known), None)
    if missing is not None or not known:
        what = f"no check `{missing}`" if missing is not None else "no check"
        raise NotFound(f"{repo.root} has {what}", "`kairos check suggest` proposes some; `kairos check add` names one.")
    where = commit_at(Git(Path(repo.root)), at or "HEAD")
    if where is None:
        raise UsageError(f"{repo.root} has no commit {at or 'HEAD'}", "Give a commit, a branch or a tag.")
    rounds = _rounds(desk)
    wanted = list(names) or list(known)
    last = desk.log.head()
    with checks_lock(desk.home, wait_s=_LOCK_WAIT_S):
        if at is not None:
            for name in wanted:
                rounds.run(repo, known[name].named, where)
                last = _tell(desk, last, told)
        else:
            _name_again(desk, repo, [known[name] for name in wanted], where)
            while rounds.step(repo, None, wanted):
                last = _tell(desk, last, told)
    return [_check(repo, check, where) for name, check in desk.view(ChecksView()).of(repo.id).items() if name in wanted]


def simulate(desk: Desk, only: Repository | None) -> list[SimulatedOut]:
    """What a selection by touched files would have saved and missed, of each check."""
    repo = repository_here(desk, only)
    git = Git(Path(repo.root))
    out = []
    for check in desk.view(ChecksView()).of(repo.id).values():
        steps = []
        for before, after in ranges.consecutive(check):
            steps.append((after, _touched(git, before.commit, after.commit), set(after.failed) - set(before.failed)))
        found = simulated([(run.seconds, kinds, bool(new)) for run, kinds, new in steps if kinds is not None])
        out.append(SimulatedOut(name=check.named.name, **found._asdict()))
    return out


def _touched(git: Git, before: str, after: str) -> list[str] | None:
    """The paths that differ between two commits; None if one is gone."""
    try:
        out = git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", before, after)
    except GitError:
        return None
    return [p.decode("utf-8", "replace") for p in out.split(b"\0") if p]


def _rounds(desk: Desk) -> CheckRounds:
    from kairos.daemon.check_rounds import CheckRounds
    from kairos.daemon.folded import World
    from kairos.daemon.turns import Looker

    world = World(desk.log)
    world.load()
    return CheckRounds(desk.home, desk.log, world, Looker(desk.home, desk.config, desk.log, world))


def _name_again(desk: Desk, repo: Repository, checks: Sequence[CheckState], head: ChainCommit) -> None:
    """Lets a check run again that could not be run at HEAD: a person asks for it."""
    for check in checks:
        runs = check.whole(head.tree)
        if (runs and all(r.outcome == "broken" for r in runs)) or check.begun:
            again = _event(repo.id, check.named)
            desk.log.append([NewEvent(check_stream(repo.id, check.named.name), again, None, "user")])


def _event(repo: str, check: NamedCheck) -> CheckNamed:
    return CheckNamed(
        repo=repo, name=check.name, kind=check.kind, command=check.command, seconds=check.seconds,
        memory_mb=check.memory_mb, read_roots=check.read_roots, results=check.results,
    )  # fmt: skip


def _tell(desk: Desk, after: int, told: Callable[[str], None]) -> int:
    from kairos.desk.check_words import of_check

    head = desk.log.head()
    for recorded in desk.log.read(after, topics={"CheckRan", "CheckJudged"}, upto=head):
        told(of_check(recorded.event))
    return head


def _check(
    repo: Repository, check: CheckState, head: ChainCommit | None, *, running: bool = False
) -> NamedCheckOut:  # fmt: skip
    """`running`: there is somebody who runs checks."""
    runs = [] if head is None else check.whole(head.tree)
    last = next((r for r in reversed(runs) if r.outcome != "broken"), runs[-1] if runs else None)
    named = check.named
    red = [] if last is None else [
        RedCaseOut(
            case=case, words=plain_case(case), message=message, verdict=verdict.verdict or _undecided(check, case),
            culprit=verdict.culprit, place=verdict.place,
        )
        for case, message in last.failed.items() for verdict in [ranges.standing(check, case) or _NO_VERDICT]
    ]  # fmt: skip
    state = "not run" if last is None else _STATES[last.outcome]
    if head is not None and head.tree in check.begun and running:
        state = "running"
    before = next((r for r in reversed(check.runs) if not r.cases), None) if last is None else None
    return NamedCheckOut(
        repo=repo.root, name=named.name, kind=named.kind, command=named.command, seconds=named.seconds,
        memory_mb=named.memory_mb, read_roots=named.read_roots, results=named.results, state=state,
        commit="" if last is None or head is None else head.oid, passed=0 if last is None else last.passed,
        took=0.0 if last is None else last.seconds, why="" if last is None else last.why, red=red,
        before="" if before is None else f"{_STATES[before.outcome]} at {before.commit[:10]}",
    )  # fmt: skip


def _undecided(check: CheckState, case: str) -> str:
    """The word for a red case without a verdict: it is looked into only if it was green once."""
    return "" if ranges.was_green(check, case) else "known"


def _head(git: Git) -> ChainCommit | None:
    from kairos.daemon.check_rounds import commit_at

    try:
        return commit_at(git, "HEAD")
    except GitError:
        return None


def _is_here(root: Path, program: str, read_roots: Sequence[str]) -> bool:
    """Whether a check would find a program: in the repository, or on the part of the PATH that it may read."""
    from kairos.acting.surroundings import search_path

    path = search_path(os.environ, [root, *read_roots])
    return (root / program).is_file() if "/" in program else shutil.which(program, path=path) is not None


def _add(kind: str, name: str, command: Sequence[str]) -> list[str]:
    return ["kairos", "check", "add", "--kind", kind, "--name", name, "--", *command]
