"""The commit that a model turn is about: its scratch tree is made of it, and what it finds rests on it."""

from __future__ import annotations

import msgspec

from kairos.acting.policy_file import load_policy
from kairos.domain.basis import Basis, CommitBasis
from kairos.domain.events import GitMoved
from kairos.domain.finding import Finding
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.home import Home


def commit_at(log: Log, due: Recorded) -> str | None:
    """The commit to which HEAD had moved at a boundary, None if the event that marked it does not say."""
    moved = None if due.caused_by is None else log.at(due.caused_by).event
    if not isinstance(moved, GitMoved):
        return None
    names = {moved.head, "HEAD"}
    return next((r.new for r in moved.refs if r.name in names and r.new), None)


def resting(finding: Finding, commit: str | None) -> Finding:
    """The finding, resting on the commit that the model looked at as well."""
    if commit is None:
        return finding
    basis = msgspec.structs.replace(finding.basis or Basis(), commits=[CommitBasis(oids=[commit])])
    return msgspec.structs.replace(finding, basis=basis)


def level_of(home: Home) -> int:
    """The level of the tools that a turn may call under the person's policy: 0 where it only observes, or cannot be
    read."""
    try:
        return 0 if load_policy(home.policy_file).mode == "observe" else 1
    except KairosError:
        return 0
