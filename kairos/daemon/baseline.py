"""What was wrong before Kairos came: found once at init, listed, and never raised."""

from __future__ import annotations

from kairos.daemon.turns import find
from kairos.domain.events import FindingListed
from kairos.domain.finding import Finding
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views import AttentionView, Repository


def list_baseline_findings(log: Log, repository: Repository) -> tuple[list[Finding], list[str]]:
    """(findings that were not listed before, problems). Each is kept as FindingListed in one append."""
    listed = set(AttentionView().load(log)[0].listed)
    done = [r for r in log.stream(repository.id) if r.topic == "BaselineRecorded"]
    found, problems = find(log, repository, done[-1:], "baseline")
    news = [f for f in found if f.key not in listed]
    cause = done[-1].position if done else None
    log.append(
        [
            NewEvent(
                repository.id,
                FindingListed(repo=repository.id, key=f.key, detector=f.detector, title=f.title),
                cause,
                "baseline",
            )
            for f in news
        ]
    )
    return news, problems
