"""Running the detectors over a trigger, or one of them again over the evidence of a finding that is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from kairos.clock import now_us
from kairos.detectors.looking import look
from kairos.detectors.roster import BUILT_IN, Roster
from kairos.detectors.scene import Facts, scene_of
from kairos.domain.basis import oids_of, paths_of
from kairos.domain.events import CommitRecorded, ProposalRaised
from kairos.domain.finding import Finding
from kairos.domain.parts import whole_basis
from kairos.errors import KairosError, NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.health import require_sound


def find(
    log: Log,
    repo: Repository,
    trigger: Sequence[Recorded],
    boundary: str,
    salt: bytes,
    only: str | None = None,
    facts: Facts | None = None,
    *,
    again: bool = False,
    about: str = "",
    apart: Collection[str] = (),
    roster: Roster = BUILT_IN,
) -> tuple[list[Finding], list[str]]:
    """(findings, problems) of every detector of a roster that looks at this boundary, or of the detector `only`.
    `salt` is the home's; `facts` are shared with other looks; `again`: a second look at the evidence of a finding that
    is known, which `about` describes; `apart`: keys of what others are about, which is not looked for."""
    try:
        require_sound(Path(repo.root))
        scene = scene_of(
            repo, Git(Path(repo.root)), trigger, boundary, now_us(), salt=salt, facts=facts,
            again=again, about=about, apart=apart,
        )  # fmt: skip
        findings, problems = look(scene, detectors=roster.watching() if only is None else roster.named(only))
        return findings, [f"{p.detector}: {p.why}" for p in problems]
    except KairosError as error:
        return [], [error.message]


def evidence_of(log: Log, raised: ProposalRaised, trigger: Sequence[Recorded] = ()) -> list[Recorded]:
    """The events that a second look at a proposal's evidence starts from: what it cites, without what was erased and
    without commits that neither it nor a part of it rests on, and the commits of `trigger` that moved a path of it."""
    cited = []
    for position in raised.evidence:
        with suppress(NotFound):
            cited.append(log.at(position))
    basis = whole_basis(raised)
    oids, there = oids_of(basis), {r.position for r in cited}
    kept = [r for r in cited if not oids or not isinstance(r.event, CommitRecorded) or r.event.oid in oids]
    moved = (_moving(r, paths_of(basis)) for r in trigger if r.position not in there)
    return [*kept, *(r for r in moved if r is not None)]


def _moving(recorded: Recorded, paths: frozenset[str]) -> Recorded | None:
    """A commit with only those of its changes that renamed or deleted one of the paths, None if there are none."""
    event = recorded.event
    if not isinstance(event, CommitRecorded):
        return None
    changes = [
        c for c in event.changes
        if (c.status[:1] == "D" and c.fs in paths) or (c.status[:1] == "R" and c.was is not None and c.was.fs in paths)
    ]  # fmt: skip
    if not changes:
        return None
    return msgspec.structs.replace(recorded, event=msgspec.structs.replace(event, changes=changes))
