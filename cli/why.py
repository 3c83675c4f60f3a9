"""`kairos why` and `kairos why-not`: every proposal, and every silence, traced back through the log."""

from __future__ import annotations

import re

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import whole
from cli.outputs import HeldOut, StepOut
from cli.reading import at_one_moment, inbox, names, position_before, repositories, selected
from cli.summary import summary
from cli.when import ago
from kairos.clock import DAY, now_us, rfc3339
from kairos.domain.events import AttentionHeld, CommitRecorded, GitMoved
from kairos.errors import NotFound
from kairos.eventlog.record import Recorded

_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_MOST_STEPS = 500


def starts(context: Context, what: str) -> list[int]:
    """The positions that `why WHAT` explains: a proposal's events, one position, or the events of a commit."""
    if not context.has_log:
        raise NotFound(f"the log is empty: nothing is known of `{what}`", "`kairos watch PATH` begins one.")
    spaceless = what.replace(" ", "")
    position = whole(spaceless)
    if position is not None and position <= context.log.head():
        return [context.log.at(position).position]
    if _COMMIT.fullmatch(what) and (found := _of_commit(context, what)):
        return found
    known = inbox(context)
    return known.positions[known.find(what).id]


def _of_commit(context: Context, oid: str) -> list[int]:
    found: dict[str, list[int]] = {}
    for recorded in context.log.read(topics={"CommitRecorded", "GitMoved"}):
        for full in _objects(recorded):
            if full.startswith(oid):
                found.setdefault(full, []).append(recorded.position)
    if len(found) > 1:
        raise NotFound(f"`{oid}` is ambiguous: {', '.join(sorted(found)[:5])}", "Type more of the commit id.")
    return next(iter(found.values()), [])


def _objects(recorded: Recorded) -> list[str]:
    match recorded.event:
        case CommitRecorded(oid=oid):
            return [oid]
        case GitMoved(refs=refs):
            return [ref.new for ref in refs if ref.new]
        case _:
            return []


def chain(context: Context, positions: list[int]) -> list[Recorded]:
    """Every event on the way from these up to their roots, by cause and by cited evidence, in order."""
    found: dict[int, Recorded] = {}
    waiting = list(positions)
    while waiting and len(found) < _MOST_STEPS:
        position = waiting.pop()
        if position in found:
            continue
        try:
            recorded = context.log.at(position)
        except NotFound:
            continue  # erased: the chain goes round it
        found[position] = recorded
        if recorded.caused_by is not None:
            waiting.append(recorded.caused_by)
        waiting += getattr(recorded.event, "evidence", [])
    return [found[position] for position in sorted(found)]


@click.command()
@click.argument("what", metavar="ID|POSITION|COMMIT")
@pass_context
def why(context: Context, what: str) -> None:
    """The causal chain of a proposal, an event or a commit, root first."""
    events = at_one_moment(context, lambda: chain(context, starts(context, what)))
    steps = [StepOut(position=r.position, type=r.topic, at=rfc3339(r.at), summary=summary(r)) for r in events]
    rows: list[list[render.Cell]] = [[render.number(s.position), s.type, s.summary] for s in steps]
    render.emit(context, "why", steps, render.table(rows, right=(0,)), page=True)


@click.command("why-not")
@click.option("--since", metavar="T", help="Since a time, or the last 30m, 2h, 7d. Default: 1d.")
@pass_context
def why_not(context: Context, since: str | None) -> None:
    """What was held or suppressed, and by which rule."""
    now = now_us()
    start = ago(since, now) if since is not None else now - DAY
    held, text = at_one_moment(context, lambda: _held(context, start))
    render.emit(context, "why-not", held, text, page=True)


def _held(context: Context, start: int) -> tuple[list[HeldOut], str]:
    """What was held since a time (us), as data and as text."""
    only = selected(context)
    held: list[HeldOut] = []
    if context.has_log:
        for recorded in context.log.read(position_before(context, start), topics={"AttentionHeld"}):
            event = recorded.event
            if not isinstance(event, AttentionHeld) or (only is not None and event.repo != only.id):
                continue
            held.append(
                HeldOut(
                    position=recorded.position, at=rfc3339(recorded.at), repo=event.repo, subject=event.subject,
                    why=event.why, rule=event.rule, until=rfc3339(event.until) if event.until else None,
                    detector=event.detector,
                )
            )  # fmt: skip
    called = names(repositories(context))
    rows: list[list[render.Cell]] = [
        [
            render.number(h.position),
            h.at[:19],
            called.get(h.repo, h.repo),
            h.subject,
            h.why,
            h.rule,
            f"until {h.until[:16]}" if h.until else "",
        ]
        for h in held
    ]
    return held, render.table(rows, right=(0,)) if rows else "  Nothing was held or suppressed."
