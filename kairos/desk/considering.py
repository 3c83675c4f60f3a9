"""What the detectors make of a commit, worked out again on demand: found, nothing found, or not looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kairos.desk.cards_of_findings import spoken_of
from kairos.desk.check_words import said_of
from kairos.desk.desk import Desk
from kairos.desk.explaining import nothing_named
from kairos.desk.given import whole
from kairos.desk.reading import attention, inbox, learned_of, letters, repositories
from kairos.desk.records.proposals import CommitLookOut, DetectorLookOut
from kairos.desk.revisions import commit_named
from kairos.desk.units import count
from kairos.domain.basis import oids_of
from kairos.domain.events import CommitRecorded
from kairos.domain.finding import Finding
from kairos.domain.hindsight import named_paths
from kairos.domain.inert import as_text
from kairos.domain.learning.learned import Learned, in_words, judged
from kairos.domain.learning.lessons import place_of
from kairos.domain.parts import whole_basis
from kairos.domain.proposal import OPEN, Proposal
from kairos.errors import NotFound
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.checks import ChecksView
from kairos.eventlog.views.commits import CommitsView, events_of_commit
from kairos.eventlog.views.repositories import Repository

_OID = re.compile(r"[0-9a-fA-F]{4,64}")
_MOST_EVENTS = 500
_UNTRIED = "whether the code is right, fast or tested: only checks that you name run it (kairos check suggest)"
_NEVER = [
    "binary files, and files of more than 1 MiB",
    "what is not in this repository: other repositories, packages, services",
]


def considered(desk: Desk, commit: str, only: Repository | None) -> CommitLookOut:
    """What each detector makes of a commit of the log, with the tree as it is now. NotFound (4)."""
    recorded = _commit(desk, commit, only)
    event = recorded.event
    assert isinstance(event, CommitRecorded)
    repo = repositories(desk).by_id.get(event.repo)
    if repo is None or (only is not None and repo.id != only.id):
        where = "a repository that is not watched" if only is None else f"another repository than {only.root}"
        raise NotFound(f"commit {event.oid[:12]} is in {where}", "`kairos status` lists what is watched.")
    waiting = _waiting(desk, repo, recorded, event.oid)
    detectors = _detectors(desk, repo, recorded, waiting)
    checks = [said_of(check, event.oid) for _, check in sorted(desk.view(ChecksView()).of(repo.id).items())]
    uncovered = [*_cut(event), *([] if checks else [_UNTRIED]), *_NEVER]
    return CommitLookOut(
        commit=event.oid, subject=event.subject, repo=repo.root, files=len(event.changes) + event.cut,
        detectors=detectors, uncovered=uncovered, checks=checks, waiting=[letters(desk, p.id) for p in waiting],
    )  # fmt: skip


def _commit(desk: Desk, text: str, only: Repository | None) -> Recorded:
    """The record of the commit that an id or another revision names. NotFound (4)."""
    recorded = _recorded(desk, text.lower()) if _OID.fullmatch(text) else None
    if recorded is not None:
        return recorded
    named = commit_named(desk, text, only, Path.cwd()) if desk.has_log else None
    recorded = _recorded(desk, named[0]) if named is not None else None
    if recorded is not None:
        return recorded
    if named is not None:
        raise NotFound(
            f"commit {named[0][:12]} (`{text}`) of {named[1].root} is not in the log",
            "Commits made while Kairos watches are; earlier ones with `kairos init PATH --history all`.",
        )
    if desk.has_log and (position := whole(text.replace(" ", ""))) and position <= desk.log.head():
        raise NotFound(
            f"{text} is a position of the log, and `why-not` is about commits and proposals",
            f"`kairos why {position}` shows what led to that event.",
        )
    raise nothing_named(desk, text)


def _recorded(desk: Desk, oid: str) -> Recorded | None:
    if desk.has_log:
        for position in events_of_commit(desk.log, desk.view(CommitsView()), oid, _MOST_EVENTS):
            recorded = desk.log.at(position)
            if isinstance(recorded.event, CommitRecorded):
                return recorded
    return None


def _waiting(desk: Desk, repo: Repository, recorded: Recorded, oid: str) -> list[Proposal]:
    """The proposals that rest on a commit, or cite it, and wait for a decision."""
    return [
        p for p in inbox(desk).live()
        if p.state in OPEN and p.raised.repo == repo.id
        and (oid in oids_of(whole_basis(p.raised)) or recorded.position in p.raised.evidence)
    ]  # fmt: skip


def _cut(event: CommitRecorded) -> list[str]:
    return [f"{count(event.cut, 'more file')} of this commit, beyond what the log keeps of one"] if event.cut else []


def _detectors(
    desk: Desk, repo: Repository, recorded: Recorded, waiting: Sequence[Proposal]
) -> list[DetectorLookOut]:  # fmt: skip
    from kairos.daemon.finding import find
    from kairos.daemon.salt import salt_of
    from kairos.desk.detecting import roster_of
    from kairos.detectors.boundaries import COMMIT

    salt, state, roster = salt_of(desk.log, desk.home), attention(desk), roster_of(desk)
    learned = learned_of(desk)
    out = []
    for detector in roster.detectors:
        name = detector.name
        if COMMIT not in detector.boundaries:
            out.append(_no(name, f"looks when {', '.join(sorted(detector.boundaries))}, not at commits"))
            continue
        findings, problems = find(desk.log, repo, [recorded], COMMIT, salt, name, roster=roster)
        if problems:
            out.append(_no(name, as_text("; ".join(problems))))
            continue
        waits = any(p.raised.detector == name for p in waiting)
        nothing = "finds nothing more now: what it found waits" if waits else "finds nothing now"
        said = f"finds {count(len(findings), 'thing')} now" if findings else nothing
        said += f": {why}" if (why := spoken_of(desk, repo, findings)) else ""
        if roster.states[name] == "off":
            said += f", but is off (kairos detectors promote {name})"
        said += ", but is in shadow" if roster.is_in_shadow(name) else ""
        said += "" if why else _silence(learned, repo, findings)
        said += ", but is muted here" if state.is_muted(name, repo.id) else ""
        out.append(DetectorLookOut(detector=name, looked=True, what=said, found=[f.title for f in findings]))
    return out


def _silence(learned: Learned, repo: Repository, findings: Sequence[Finding]) -> str:
    """Why learning holds back what was found, if it does."""
    for one in findings:
        found = judged(learned, one.detector, repo.id, place_of(named_paths(one.action, one.basis)))
        if found.silent:
            return f", but {in_words(one.detector, found)}"
    return ""


def _no(name: str, why: str) -> DetectorLookOut:
    return DetectorLookOut(detector=name, looked=False, what=why, found=[])
