"""A round of the checks of a repository: run what HEAD lacks, find who broke what became red, close what is green.

Every step is one run or one append, decided from the log alone: after a crash the same question gives the rest, and no
run that ended is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from kairos.acting.checking import CheckResult, clean, run_check
from kairos.acting.commit_tree import tree_of
from kairos.daemon.check_findings import CANNOT_RUN, DETECTOR, case_of, finding_of, key_of
from kairos.daemon.check_narrowing import NarrowedTo, TrialWanted, narrow
from kairos.daemon.fact_turns import record_turn
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain.amounts import count
from kairos.domain.checks import culprit, ranges, runners
from kairos.domain.checks.culprit import Culprit, NextRun
from kairos.domain.checks.ranges import ChainCommit, RedRange
from kairos.domain.checks.report import Report
from kairos.domain.checks.state import MOST_FAILED, CheckState, NamedCheck, check_stream
from kairos.domain.events import (
    CheckJudged,
    CheckRan,
    CheckStarted,
    FailedCase,
    Verdict,
)
from kairos.domain.parts import names_of
from kairos.domain.proposal import LASTING, supersede
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.commits import CommitsView, events_of_commit
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.objects import Objects

BOUNDARY = "check"
NOT_ALONE = "its runner does not run these cases alone"
_MOST_COMMITS = 500
_MOST_MESSAGES = 300
_FLAKY_RUNS = 10
"""A flaky case is believed to be mended after so many green runs."""
_MOST_BEGUN = 3
"""So many runs on a tree may be cut off by a crash; they may be what crashed it."""
_RETURNING = frozenset({"new", "older", "order"})
"""Verdicts that hold as long as a case is red on the same tree."""
_VERDICTS: dict[str, Verdict] = {"new": "new", "older": "older", "flaky": "flaky", "order": "order"}


class CheckRounds:
    """Works on the checks of one repository at a time. `step` until it returns False."""

    def __init__(self, home: Home, log: Log, world: World, looker: Looker) -> None:
        self._home = home
        self._log = log
        self._world = world
        self._looker = looker
        self._cause: int | None = None
        self._returned: set[tuple[str, int]] = set()

    def step(
        self, repo: Repository, cancelled: Callable[[], bool] | None = None, only: Sequence[str] = (),
        cause: int | None = None,
    ) -> bool:  # fmt: skip
        """Does one thing; False if nothing is left to do. `only`: the names of checks; `cause`: the position of what
        brought this about. GitError, TryAgain."""
        self._cause = cause
        self._world.catch_up()
        named = self.checks(repo.id)
        checks = {name: check for name, check in named.items() if not only or name in only}
        if not checks:
            if not named:
                self._close(repo, {}, None)
            return False
        chain = chain_of(Git(Path(repo.root)))
        if not chain:
            return False
        for check in checks.values():  # HEAD first, then what is behind it
            if self._present(repo, check, chain[0], cancelled):
                return True
        self._close(repo, checks, chain[0])
        for check in checks.values():
            if self._untested(repo, check, chain[0]):
                return True
            elsewhere = self._elsewhere(repo, check, chain[0])
            for red in ranges.newly_red(check, chain, elsewhere):
                self._investigate(repo, check, red, cancelled)
                return True
            if self._return(repo, check, chain[0], elsewhere):
                return True
        return False

    def checks(self, repo: str) -> dict[str, CheckState]:
        """The checks of a repository as they are now, by name. Changes to them are not seen."""
        with self._world.reading() as views:
            found = msgspec.json.encode(views.checks.of(repo))
        return msgspec.json.decode(found, type=dict[str, CheckState])

    def run(
        self, repo: Repository, check: NamedCheck, at: ChainCommit, cases: Sequence[str] = (),
        cancelled: Callable[[], bool] | None = None, repeats: int = 1, *, exist: bool = False,
        trial: TrialWanted | None = None,
    ) -> None:  # fmt: skip
        """One run, recorded when it begins and when it ended. `repeats`: how often it executes the command; `exist`:
        a case of `cases` that it does not report makes it broken, else it counts as green; `trial`: with only some
        pieces of the commit. One that was cut off too often by a crash is not begun again, but broken.

        TryAgain: it did not end, and counts for nothing."""
        stream = check_stream(repo.id, check.name)
        pieces, of = ([], 0) if trial is None else (list(trial.pieces), trial.of)
        known = self.checks(repo.id).get(check.name)
        if known is not None and known.begun.get(at.tree, 0) >= _MOST_BEGUN:
            broken = CheckRan(
                repo=repo.id, check=check.name, tree=at.tree, commit=at.oid, outcome="broken", cases=list(cases),
                why=f"it was cut off {_MOST_BEGUN} times before it ended", pieces=pieces, pieces_of=of,
            )  # fmt: skip
            self._log.append([NewEvent(stream, broken, None, "system")])
            self._world.catch_up()
            return
        started = CheckStarted(
            repo=repo.id, check=check.name, tree=at.tree, commit=at.oid, cases=list(cases), pieces=pieces, pieces_of=of
        )  # fmt: skip
        (begun,) = self._log.append([NewEvent(stream, started, self._cause, "system")])
        try:
            result = run_check(
                self._home, Path(repo.root), check, at.oid, cases=cases, repeats=repeats, cancelled=cancelled,
                changes=None if trial is None else trial.changes,
            )  # fmt: skip
        except TryAgain as error:
            stopped = CheckRan(
                repo=repo.id, check=check.name, tree=at.tree, commit=at.oid, outcome="stopped", cases=list(cases),
                why=error.message, pieces=pieces, pieces_of=of,
            )  # fmt: skip
            self._log.append([NewEvent(stream, stopped, begun, "system")])
            raise
        if exist and result.outcome != "broken" and not reported(cases, result.report):
            result = CheckResult(outcome="broken", report=Report(format="none"), why=NOT_ALONE, seconds=result.seconds)
        before = {case for r in known.runs[-1:] for case in r.failed} if known is not None else set()
        ended = ran(repo.id, check.name, at, result, cases, before)
        ended = msgspec.structs.replace(ended, pieces=pieces, pieces_of=of)
        self._log.append([NewEvent(stream, ended, begun, "system")])
        self._world.catch_up()

    def _present(
        self, repo: Repository, check: CheckState, head: ChainCommit, cancelled: Callable[[], bool] | None
    ) -> bool:  # fmt: skip
        """Runs all of a check at HEAD, unless a run on that tree ended."""
        if check.whole(head.tree):
            return False
        self.run(repo, check.named, head, (), cancelled)
        return True

    def _untested(self, repo: Repository, check: CheckState, head: ChainCommit) -> bool:
        """Says of a check that could not be run at HEAD that it could not."""
        last = check.whole(head.tree)[-1]
        said = check.judged.get(CANNOT_RUN)
        if ranges.present(check, head.tree) is not None or (said is not None and said.position > last.position):
            return False
        judged = CheckJudged(
            repo=repo.id, check=check.named.name, cases=[CANNOT_RUN], verdict="untested", commit=head.oid,
            tree=head.tree, why=last.why, evidence=[last.position],
        )  # fmt: skip
        self._say(repo, [judged], {}, last.position)
        return True

    def _investigate(
        self, repo: Repository, check: CheckState, red: RedRange, cancelled: Callable[[], bool] | None
    ) -> None:  # fmt: skip
        """The next run of the search for who broke these cases, or the verdicts."""
        can_be_alone = runners.selecting(check.named.command, red.cases) is not None
        can_be_alone = can_be_alone and ranges.can_be_alone(check, red)
        whole, red = red, ranges.testable(check, red, alone=can_be_alone)
        seconds = ranges.duration(check, alone=can_be_alone)
        repeats = culprit.repeats(seconds)
        answers: dict[str, Culprit] = {}
        wanted = NextRun(red.n, True) if can_be_alone and not ranges.ran_alone(check, red) else None
        for case in red.cases:
            if red.n < 1:
                answers[case] = Culprit(kind="undecided")
                continue
            seen, _ = ranges.seen_runs(check, red, case, alone=can_be_alone)
            past = ranges.history(check, case, red.since)
            step = culprit.next_run(
                red.n, seen, past, can_be_alone=can_be_alone, sure=culprit.surety(seconds),
                most=culprit.most_runs(red.n) * repeats, together=len(whole.cases),
            )  # fmt: skip
            if isinstance(step, Culprit):
                answers[case] = step
            elif wanted is None:
                wanted = step
        if wanted is not None:
            undecided = [case for case in red.cases if case not in answers]
            cases = undecided if wanted.alone else ()
            at_head = wanted.position == red.n  # where the cases are known to exist
            self.run(repo, check.named, red.chain[wanted.position], cases, cancelled, repeats, exist=at_head)
            return
        hunks: dict[int, NarrowedTo] = {}
        for position, cases in culprits(answers).items():
            if ranges.untestable_before(whole, red, position):
                continue
            at = red.chain[position]
            found = narrow(Git(Path(repo.root)), check, red.chain[position - 1], at, cases[0], seconds)
            if isinstance(found, TrialWanted):
                self.run(repo, check.named, at, cases[:1] if can_be_alone else (), cancelled, repeats, trial=found)
                return
            hunks[position] = found
        run = ranges.present(check, red.chain[-1].tree)
        messages = {} if run is None else run.failed
        judged = verdicts(repo.id, check, red, answers, whole, hunks, alone=can_be_alone)
        self._say(repo, judged, messages, red.since)

    def _elsewhere(self, repo: Repository, check: CheckState, head: ChainCommit) -> frozenset[str]:
        """The culprits of what is red at HEAD that are not in its history."""
        run = ranges.present(check, head.tree)
        red = run.failed if run is not None else {}
        named = {check.judged[case].culprit for case in red if case in check.judged} - {""}
        return frozenset(named - Objects(Git(Path(repo.root))).reachable(sorted(named))[0]) if named else frozenset()

    def _return(
        self, repo: Repository, check: CheckState, head: ChainCommit, elsewhere: Collection[str]
    ) -> bool:  # fmt: skip
        """Opens a card again that was closed where its cases were green, and whose verdict holds here."""
        run = ranges.present(check, head.tree)
        red = run.failed if run is not None else {}
        verdicts = {case: check.judged[case] for case in red if case in check.judged}
        told = {
            key_of(check.named.name, case): verdict.position for case, verdict in verdicts.items()
            if verdict.verdict in _RETURNING and verdict.culprit not in elsewhere
        }  # fmt: skip
        with self._world.reading() as views:
            known = [] if views.attention.is_muted(DETECTOR, repo.id) else views.inbox.known(repo.id, told, ())
        closed = [p for p in known if p.state == "superseded" and not p.taken_over]
        others = frozenset[str]().union(*(names_of(p.raised) for p in known if p.state != "superseded"))
        for p in closed:
            keys = names_of(p.raised) - others
            position = max((told.get(key, 0) for key in keys), default=0)
            if not position:
                continue
            judged = self._log.at(position).event
            if (p.id, p.version) in self._returned or not isinstance(judged, CheckJudged):
                continue
            self._returned.add((p.id, p.version))
            self._raise(repo, [judged], red, position, [])
            return True
        return False

    def _say(
        self, repo: Repository, judged: Sequence[CheckJudged], messages: dict[str, str], cause: int
    ) -> None:  # fmt: skip
        """Records verdicts and raises their findings, as one turn and one append."""
        facts = [NewEvent(check_stream(repo.id, j.check), j, cause, "system") for j in judged]
        self._raise(repo, judged, messages, cause, facts)

    def _raise(
        self, repo: Repository, judged: Sequence[CheckJudged], messages: dict[str, str], cause: int,
        facts: Sequence[NewEvent],
    ) -> None:  # fmt: skip
        findings = [finding_of(j, messages, [cause, *self._commit(j.culprit), *j.evidence]) for j in judged]
        record_turn(
            self._log, self._world, self._looker, repo, detector=DETECTOR, boundary=BOUNDARY, facts=facts,
            findings=findings, cause=cause,
        )  # fmt: skip

    def _commit(self, oid: str) -> list[int]:
        """The position of the event that recorded a commit."""
        return events_of_commit(self._log, CommitsView().load(self._log)[0], oid, 1) if oid else []

    def _close(self, repo: Repository, checks: dict[str, CheckState], head: ChainCommit | None) -> None:
        """Closes the findings whose check is gone, and those whose cases are green again at HEAD."""
        with self._world.reading() as views:
            known = views.checks.of(repo.id)
            mine = [
                p for p in views.inbox.live()
                if p.raised.repo == repo.id and p.raised.detector == DETECTOR and p.state in LASTING
            ]  # fmt: skip
            names = set(known)
        for p in mine:
            keys = [case_of(key) for key in (p.raised.subjects or [p.raised.key])]
            name, cases = keys[0][0], [case for _, case in keys]
            if name not in names:
                why = f"`{name}` is no check any more"
            elif head is None or name not in checks or p.state == "parked" or not _is_green(checks[name], head, cases):
                continue
            else:
                why = f"green again at {head.oid[:10]}"
            events = supersede(p, why, done=name in names)
            try:
                self._log.append(
                    [NewEvent(p.stream, e, None, "system") for e in events], expected={p.stream: p.version}
                )
            except Conflict:
                pass  # a person decided at the same moment
            self._world.catch_up()


def reported(cases: Sequence[str], report: Report) -> bool:
    """Whether a report tells of each of these cases, at least by the file that could not be collected."""
    known = {case.id for case in report.cases}
    wide = tuple(f"{case.id}::" for case in report.failed if case.wide)
    return all(case in known or case.startswith(wide) for case in cases)


def _is_green(check: CheckState, head: ChainCommit, cases: Sequence[str]) -> bool:
    """Whether the cases of a finding are green, and all others that had their verdict together with them: a finding
    names only so many."""
    if cases == [CANNOT_RUN]:
        return ranges.present(check, head.tree) is not None
    told = {check.judged[case].position for case in cases if case in check.judged}
    cases = [*cases, *(case for case, verdict in check.judged.items() if verdict.position in told)]
    flaky = any(case in check.judged and check.judged[case].verdict == "flaky" for case in cases)
    return ranges.green_again(check, head.tree, cases, runs=_FLAKY_RUNS if flaky else 1)


def chain_of(git: Git, head: str = "HEAD", most: int = _MOST_COMMITS) -> list[ChainCommit]:
    """The first-parent chain from a commit back; empty before the first commit. GitError."""
    if git.commit(head) is None:
        return []
    out = git.run("log", "--first-parent", f"--max-count={most}", "--format=%H %T", "--end-of-options", head, "--")
    return [ChainCommit(*line.split()) for line in out.decode("ascii").splitlines()]


def commit_at(git: Git, revision: str) -> ChainCommit | None:
    """The commit that a revision names, None if there is none."""
    oid = git.commit(revision)
    return None if oid is None else ChainCommit(oid, tree_of(git, oid))


def ran(
    repo: str, check: str, at: ChainCommit, result: CheckResult, cases: Sequence[str], before: Collection[str] = ()
) -> CheckRan:  # fmt: skip
    """The event of a run that ended. Of too many red cases those that were not red `before` come first."""
    report = result.report
    failed = sorted(map(clean, report.failed), key=lambda case: case.id in before)
    return CheckRan(
        repo=repo, check=check, tree=at.tree, commit=at.oid, outcome=result.outcome, format=report.format,
        exit=result.exit, passed=report.passed, skipped=report.skipped, cases=list(cases), seconds=result.seconds,
        failed=[
            FailedCase(
                id=c.id, message=c.message if place < _MOST_MESSAGES else "", path=c.path, line=c.line,
                seconds=round(c.seconds, 3), wide=c.wide, times=result.times.get(c.id, result.repeats),
            )
            for place, c in enumerate(failed[:MOST_FAILED])
        ],
        cut=max(0, len(failed) - MOST_FAILED) + report.cut,
        partial=report.partial or len(failed) > MOST_FAILED, why=result.why, repeats=result.repeats,
    )  # fmt: skip


def culprits(answers: Mapping[str, Culprit]) -> dict[int, list[str]]:
    """The cases that a commit broke, by its position."""
    found: dict[int, list[str]] = {}
    for case in sorted(answers):
        if answers[case].kind == "new":
            found.setdefault(answers[case].position, []).append(case)
    return found


def verdicts(
    repo: str, check: CheckState, red: RedRange, answers: dict[str, Culprit], whole: RedRange,
    hunks: Mapping[int, NarrowedTo], *,
    alone: bool,
) -> list[CheckJudged]:  # fmt: skip
    """One verdict for the cases that share it. `red`: the range `whole` without what could not be tested; `hunks`:
    by the position of a culprit, what of it is to blame."""
    groups: dict[tuple[str, int], list[str]] = {}
    for case, answer in answers.items():
        groups.setdefault((answer.kind, answer.position), []).append(case)
    out = []
    for (kind, position), cases in sorted(groups.items()):
        seen, evidence = ranges.seen_runs(check, red, cases[0], alone=alone)
        times = sum(run.red for run in seen)
        part = hunks.get(position, NarrowedTo()) if kind == "new" else NarrowedTo()
        skipped = ranges.untestable_before(whole, red, position) if kind == "new" else 0
        why = f"{count(skipped, 'commit')} right before it could not be tested; it may be there" if skipped else ""
        if red.n < 1:
            why = "the runs of the search did not tell of it; it was stopped by a limit, or could not be run"
        elif kind not in _VERDICTS:
            why = f"after {count(len(evidence), 'run')} neither a commit nor chance explains it"
        out.append(
            CheckJudged(
                repo=repo, check=check.named.name, cases=cases, verdict=_VERDICTS.get(kind, "untested"),
                commit=red.chain[-1].oid, tree=red.chain[-1].tree, base=red.chain[0].oid,
                culprit=red.chain[position].oid if kind == "new" else "", over=red.n, runs=len(evidence),
                red=times, green=len(seen) - times,
                sure=round(min(answers[c].sure for c in cases), 6), why=why, hunk=part.text,
                evidence=[*evidence, *part.evidence],
            )
        )  # fmt: skip
    return out
