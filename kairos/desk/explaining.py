"""Why something happened or did not: every proposal and every hold, traced back through the log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kairos.clock import DAY, now_us, rfc3339
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import whole
from kairos.desk.holding import in_force
from kairos.desk.reading import inbox, position_before, repository_of, roots_of
from kairos.desk.records.proposals import HeldOut, StepOut
from kairos.desk.revisions import commit_named
from kairos.desk.summary import in_plain_words, summary
from kairos.desk.units import number
from kairos.desk.when import ago
from kairos.domain.basis import oids_of
from kairos.domain.events import (
    AttentionHeld,
    CommitRecorded,
    ProposalExpired,
    ProposalParked,
    ProposalStale,
    ProposalSuperseded,
    ProposalVerified,
)
from kairos.domain.parts import whole_basis
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.commits import CommitsView, events_of_commit
from kairos.eventlog.views.repositories import Repository

_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_MOST_STEPS = 500
_LOOKS = frozenset({"AttentionDue", "AttentionHeld", "TurnStarted", "TurnEnded"})
_CLOSING = frozenset({"ProposalParked", "ProposalSuperseded", "ProposalExpired", "ProposalStale", "ProposalVerified"})


@of_one_moment
def why(desk: Desk, what: str, only: Repository | None = None) -> list[StepOut]:
    """The causal chain of a proposal (id), an event (position) or a commit (object id), root first, if it is of the
    repository `only`. NotFound (4)."""
    begun = starts(desk, what, only)
    if only is not None:
        begun = [p for p in begun if repository_of(desk, desk.log.at(p).event) == only.id]
        if not begun:
            raise NotFound(f"`{what}` is not about {only.root}", "Leave --repo out, or name another repository.")
    return steps(desk, begun)


def steps(desk: Desk, positions: list[int]) -> list[StepOut]:
    """The events on the paths from these positions up to their roots, in order."""
    events = chain(desk, positions)
    return [
        StepOut(position=r.position, type=r.topic, at=rfc3339(r.at), summary=summary(r), words=in_plain_words(r))
        for r in events
    ]


@of_one_moment
def why_not(desk: Desk, since: str | None, only: Repository | None) -> list[HeldOut]:
    """What is held now, then what was held, suppressed, parked or closed without a decision since a moment (as typed;
    default one day ago), in one repository or in all."""
    now = now_us()
    start = ago(since, now) if since is not None else now - DAY
    if not desk.has_log:
        return []
    past = _past(desk, position_before(desk, start))
    return _named(desk, [h for h in (*in_force(desk, only), *past) if only is None or h.repo in ("", only.id)])


@of_one_moment
def why_not_proposal(desk: Desk, proposal: Proposal) -> list[HeldOut]:
    """What holds a proposal now, and all that ever held it."""
    now = [h for h in in_force(desk) if h.subject == proposal.id]
    past = _past(desk, inbox(desk).positions[proposal.id][0] - 1)
    return _named(desk, [*now, *(h for h in past if h.subject == proposal.id)])


def _past(desk: Desk, after: int) -> list[HeldOut]:
    known = inbox(desk).proposals
    told = desk.log.read(after, topics={"AttentionHeld", *_CLOSING})
    each = (_held(r, r.event) if isinstance(r.event, AttentionHeld) else _closed(r, known) for r in told)
    return [held for held in each if held is not None]


def _named(desk: Desk, held: list[HeldOut]) -> list[HeldOut]:
    roots = roots_of(desk)
    return [h if h.repo_path else msgspec.structs.replace(h, repo_path=roots.get(h.repo)) for h in held]


def _closed(recorded: Recorded, known: Mapping[str, Proposal]) -> HeldOut | None:
    """A proposal that left the inbox without a person's decision, and why; None for any other event."""
    event, proposal = recorded.event, known.get(getattr(recorded.event, "id", ""))
    match event:
        case ProposalParked(why=why):
            rule = "parked@1"
        case ProposalSuperseded(why=why):
            rule = "closed@1"
        case ProposalExpired():
            rule, why = "expired@1", "nobody decided in time"
        case ProposalStale(paths=paths):
            rule, why = "stale@1", f"changed since it was made: {', '.join(paths[:3])}"
        case ProposalVerified(ok=False, why=why):
            rule = "withdrawn@1"
        case _:
            return None
    if proposal is None:
        return None
    raised = proposal.raised
    return HeldOut(
        position=recorded.position, at=rfc3339(recorded.at), repo=raised.repo, subject=raised.id,
        why=f"{raised.title}: {why}", rule=rule, until=None, detector=raised.detector,
    )  # fmt: skip


def _held(recorded: Recorded, event: AttentionHeld) -> HeldOut:
    return HeldOut(
        position=recorded.position, at=rfc3339(recorded.at), repo=event.repo, subject=event.subject, why=event.why,
        rule=event.rule, until=rfc3339(event.until) if event.until else None, detector=event.detector,
    )  # fmt: skip


def starts(desk: Desk, what: str, only: Repository | None = None) -> list[int]:
    """The positions that `why WHAT` explains: a proposal's events, one position, or the events of a commit that its id
    or another revision names. NotFound (4)."""
    if not desk.has_log:
        raise NotFound(f"the log is empty: there is no `{what}`", "`kairos watch PATH` starts recording.")
    position = whole(what.replace(" ", ""))
    if position and position <= desk.log.head():
        return [desk.log.at(position).position]
    if _COMMIT.fullmatch(what.lower()) and (found := _events_of(desk, what.lower())):
        return [*found, *_what_came_of(desk, found)]
    known = inbox(desk)
    proposal = proposal_named(desk, what)
    if proposal is not None:
        return known.positions[proposal.id]
    named = commit_named(desk, what, only, Path.cwd())
    if named is not None:
        oid, repository = named
        if found := _events_of(desk, oid):
            return [*found, *_what_came_of(desk, found)]
        raise _not_recorded(what, oid, repository)
    raise nothing_named(desk, what)


def _not_recorded(what: str, oid: str, repository: Repository) -> NotFound:
    name = oid[:12] if oid.startswith(what.lower()) else f"`{what}` ({oid[:12]})"
    return NotFound(
        f"commit {name} of {repository.root} is not in the log: it was made before Kairos watched, or just now",
        "`kairos init PATH --history all` records earlier commits; the daemon records new ones.",
    )


def proposal_named(desk: Desk, text: str) -> Proposal | None:
    """The proposal with an id or unique prefix; None if nothing begins so. NotFound if several do."""
    known = inbox(desk)
    begins = next(known.filings.ids(text), "") if text else ""
    return known.find(text) if begins.startswith(text) and begins else None


def nothing_named(desk: Desk, what: str) -> NotFound:
    """The error for a text that names nothing: what it was taken for, and what may be typed."""
    may = "Give a proposal (`kairos inbox`), a position (`kairos log`), or a commit: its id, HEAD, a branch or a tag."
    position = whole(what.replace(" ", ""))
    if position is not None:
        last = number(desk.log.head()) if desk.has_log else "0"
        return NotFound(f"there is no event {number(position)}: the last position of the log is {last}", may)
    return NotFound(f"`{what}` is no proposal, no position of the log and no commit of a watched repository", may)


def _events_of(desk: Desk, oid: str) -> list[int]:
    return events_of_commit(desk.log, desk.view(CommitsView()), oid, _MOST_STEPS)


def _what_came_of(desk: Desk, of: list[int]) -> list[int]:
    """The looks that these events of a commit caused, and what became of the proposals that rest on it or cite it."""
    if not of:
        return []
    begun, known = set(of), inbox(desk)
    oids = {r.event.oid for p in of if isinstance((r := desk.log.at(p)).event, CommitRecorded)}
    for recorded in desk.log.read(min(of), topics=_LOOKS):
        if recorded.caused_by in begun:
            begun.add(recorded.position)
    about = [
        p.id for p in known.proposals.values()
        if not begun.isdisjoint(p.raised.evidence) or not oids.isdisjoint(oids_of(whole_basis(p.raised)))
    ]  # fmt: skip
    return sorted({*begun, *(n for id_ in about for n in known.positions[id_])} - set(of))


def chain(desk: Desk, positions: list[int]) -> list[Recorded]:
    """Every event on the paths from these up to their roots, by cause and by cited evidence, in order."""
    found: dict[int, Recorded] = {}
    waiting = list(positions)
    while waiting and len(found) < _MOST_STEPS:
        position = waiting.pop()
        if position in found:
            continue
        try:
            recorded = desk.log.at(position)
        except NotFound:
            continue  # erased: the chain skips it
        found[position] = recorded
        if recorded.caused_by is not None:
            waiting.append(recorded.caused_by)
        waiting += getattr(recorded.event, "evidence", [])
    return [found[position] for position in sorted(found)]
