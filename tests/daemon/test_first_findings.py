"""What was wrong before Kairos came is listed once, and never raised."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon.first_findings import is_listed, list_baseline_findings
from kairos.domain.events import FindingListed
from kairos.eventlog.log import Log

SALT = b"s" * 32
CONFLICT = "a\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\nb\n"


def listed(log: Log) -> list[FindingListed]:
    return [r.event for r in log.read(topics={"FindingListed"}) if isinstance(r.event, FindingListed)]


def test_what_was_wrong_is_listed_once_and_not_raised(others: Any, log: Log, repo: Any) -> None:
    repo.write("merged.txt", CONFLICT)
    repo.commit("a conflict that was committed")
    assert not is_listed(log, others.repo)
    found, problems = list_baseline_findings(log, others.repository, SALT)
    assert problems == []
    assert {f.detector for f in found} == {e.detector for e in listed(log)} != set()
    assert is_listed(log, others.repo)
    again, _ = list_baseline_findings(log, others.repository, SALT)
    assert again == []
    assert len(listed(log)) == len(found)
    assert others.told("ProposalRaised") == []


def test_a_repository_with_nothing_wrong_is_listed_too(others: Any, log: Log) -> None:
    assert list_baseline_findings(log, others.repository, SALT) == ([], [])
    assert is_listed(log, others.repo) and listed(log) == []


def test_a_repository_that_cannot_be_read_is_not_listed(others: Any, log: Log) -> None:
    (others.root / ".git/HEAD").write_bytes(b"")
    with pytest.raises(Exception, match="HEAD"):
        list_baseline_findings(log, others.repository, SALT)
    assert not is_listed(log, others.repo)
