"""Findings that existed before Kairos was set up: detected once at init, listed, and never raised as proposals."""

from __future__ import annotations

from pathlib import Path

from kairos.daemon.finding import find
from kairos.detectors.roster import BUILT_IN, Roster
from kairos.domain.events import FindingListed
from kairos.domain.finding import Finding, was_listed
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.repositories import Repository
from kairos.repo.health import require_sound

LISTED = "listed"
"""The view with a row for each repository whose findings were listed; a killed init leaves no row."""


def is_listed(log: Log, repo_id: str) -> bool:
    """Whether the findings of a repository's baseline were listed."""
    return log.view_row(LISTED, repo_id.encode()) is not None


def list_baseline_findings(
    log: Log, repository: Repository, salt: bytes, roster: Roster = BUILT_IN
) -> tuple[list[Finding], list[str]]:
    """(findings that were not listed before, problems). Records each finding as a FindingListed event, in one append.
    Raises GitError, and lists nothing, if the repository cannot be read."""
    require_sound(Path(repository.root))
    listed = FindingsView().load(log)[0].listed
    done = [log.at(repository.ready_at)] if repository.ready else []
    found, problems = find(log, repository, done, "baseline", salt, roster=roster)
    news = [f for f in found if not was_listed(f, listed)]
    cause = done[-1].position if done else None
    log.append(
        [
            NewEvent(
                repository.id,
                FindingListed(
                    repo=repository.id,
                    key=f.key,
                    detector=f.detector,
                    title=f.title,
                    subjects=f.subjects,
                    level=f.level,
                ),
                cause,
                "baseline",
            )
            for f in news
        ],
        writes=[Put(LISTED, repository.id.encode(), b"")],
    )
    return news, problems
