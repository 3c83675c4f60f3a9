"""Commits that were not in the history of what was checked out when a turn looked at them: they are kept, and looked at
by the next turn in whose tree they are.

A turn reads the work tree, some time after the commit. A person may have gone to another branch by then:

```
commit A on main ─ switch to topic ─ turn over A: reads topic, finds nothing, keeps A ─ switch to main ─ turn over A
```
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from kairos.detectors.scene import Facts
from kairos.domain.events import CommitRecorded
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put, Recorded

KEPT = "commits-elsewhere"
"""The view with a row for each repository: the positions of the commits that are kept, as JSON."""
MOST = 200
"""At most so many commits are kept of a repository, the latest."""


class LookedOver:
    """What a turn looks at: its trigger, and the commits kept that are in the history of HEAD now."""

    def __init__(self, log: Log, repo_id: str, trigger: Sequence[Recorded], facts: Facts) -> None:
        self._repo_id = repo_id
        self._facts = facts
        self._before = _kept(log, repo_id)
        kept = _commits_at(log, self._before)
        self._head = facts.git.head() if kept or any(isinstance(r.event, CommitRecorded) for r in trigger) else None
        here = facts.objects.reachable(sorted(_oids(kept)))[0] if kept else frozenset[str]()
        self.events = sorted({r.position: r for r in (*_within(kept, here), *trigger)}.values(), key=_position)
        self._commits = {r.position: r for r in (*kept, *self.events) if isinstance(r.event, CommitRecorded)}

    def left(self, also: Sequence[Recorded] = (), *, moved_on: bool = False) -> list[Put]:
        """Writes which commits are kept now: those that are not in the history of HEAD, and all if HEAD moved, or git
        changed the tree (`moved_on`), while the turn looked; of the commits `also`, too. A commit that no ref leads to
        is kept no longer. Call it after the look."""
        self._commits |= {r.position: r for r in also}
        if not self._commits:
            return [] if not self._before else [_put(self._repo_id, [])]
        commits = list(self._commits.values())
        head = self._facts.git.head()
        if moved_on or head != self._head:
            away = commits
        elif _oids(commits) == {head}:
            away = []
        else:
            in_head, in_refs = self._facts.objects.reachable(sorted(_oids(commits)))
            away = _within(commits, in_refs - in_head)
        now = sorted(r.position for r in away)[-MOST:]
        return [] if now == self._before else [_put(self._repo_id, now)]


def kept_with(log: Log, repo_id: str, events: Sequence[Recorded]) -> list[Put]:
    """Writes that the commits among these events are kept too, because no turn looks at them now."""
    before, commits = _kept(log, repo_id), [r.position for r in events if isinstance(r.event, CommitRecorded)]
    return [_put(repo_id, sorted({*before, *commits})[-MOST:])] if commits else []


def _kept(log: Log, repo_id: str) -> list[int]:
    row = log.view_row(KEPT, repo_id.encode())
    return [] if row is None else msgspec.json.decode(row, type=list[int])


def _put(repo_id: str, positions: Sequence[int]) -> Put:
    return Put(KEPT, repo_id.encode(), msgspec.json.encode(positions))


def _commits_at(log: Log, positions: Sequence[int]) -> list[Recorded]:
    found = []
    for position in positions:
        with suppress(NotFound):  # erased since
            found.append(log.at(position))
    return [r for r in found if isinstance(r.event, CommitRecorded)]


def _oids(commits: Sequence[Recorded]) -> set[str]:
    return {r.event.oid for r in commits if isinstance(r.event, CommitRecorded)}


def _within(commits: Sequence[Recorded], oids: frozenset[str]) -> list[Recorded]:
    return [r for r in commits if isinstance(r.event, CommitRecorded) and r.event.oid in oids]


def _position(recorded: Recorded) -> int:
    return recorded.position
