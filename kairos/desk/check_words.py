"""Checks in words: an event of one on a line, and what one said of a commit."""

from __future__ import annotations

from kairos.desk.units import count
from kairos.domain import events as ev
from kairos.domain.amounts import listed
from kairos.domain.checks.report import plain_case
from kairos.domain.checks.state import CheckState


def of_check(event: ev.Event) -> str:
    """An event of a check on one line; empty for any other event."""
    match event:
        case ev.CheckNamed():
            return f"{event.name} ({event.kind}): {' '.join(event.command)}"
        case ev.CheckRemoved():
            return event.name
        case ev.CheckStarted():
            return f"{event.check} at {event.commit[:8]}{_only(event)}"
        case ev.CheckRan():
            return f"{event.check} at {event.commit[:8]}{_only(event)}: {result(event)}, {event.seconds:.1f} s"
        case ev.CheckJudged():
            where = f" at {event.culprit[:8]}" if event.culprit else ""
            cases = listed(list(map(plain_case, event.cases)), 1)
            return f"{event.check}: {cases}: {event.verdict}{where} ({count(event.runs, 'run')})"
        case _:
            return ""


def result(event: ev.CheckRan) -> str:
    """How a run ended."""
    if event.outcome == "broken":
        return f"could not be run: {event.why}"
    if event.outcome == "stopped":
        return f"stopped: {event.why}"
    red = len(event.failed) + event.cut
    return f"{red} red, {event.passed} green" if red else f"green ({event.passed})"


def said_of(check: CheckState, oid: str) -> str:
    """What a check said of a commit, in one line."""
    name = check.named.name
    broken = [case for case, verdict in check.judged.items() if verdict.culprit == oid]
    if broken:
        return f"{name}: {count(len(broken), 'case')} red since this commit: {listed(list(map(plain_case, broken)))}"
    run = next((run for run in reversed(check.runs) if run.commit == oid and not run.cases), None)
    match run.outcome if run is not None else "":
        case "passed":
            return f"{name}: green at it"
        case "failed":
            return f"{name}: red at it, and not since it"
        case "":
            return f"{name}: did not run at it (kairos check run --at {oid[:10]} {name})"
        case _:
            return f"{name}: could not be run at it"


def _only(event: ev.CheckStarted | ev.CheckRan) -> str:
    some = f", with {len(event.pieces)} of its {count(event.pieces_of, 'hunk')}" if event.pieces_of else ""
    return f"{some}, only {count(len(event.cases), 'case')}" if event.cases else some
