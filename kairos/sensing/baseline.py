"""The first record of a repository: its tree, its refs and, if asked for, its past commits. Triggers nothing.

If the process is killed, the next call continues: each directory's row is appended together with its events, each
commit's row with its commit, and only directories and commits without a row are recorded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from kairos.domain.events import BaselineRecorded
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Write
from kairos.eventlog.views.repositories import RepositoriesView, Repository
from kairos.repo.git import Git
from kairos.repo.health import require_sound
from kairos.sensing import commits
from kairos.sensing.bursts import Label, events_of
from kairos.sensing.ignoring import Tracked
from kairos.sensing.listings import Difference, TreeOnDisk
from kairos.sensing.observing import load_refs, refs_row
from kairos.sensing.ref_names import RefNames
from kairos.sensing.refs import places, read_refs

Progress = Callable[[int, int], None]
_BATCH = 500
_CHANGES = 20_000


def record_baseline(
    log: Log,
    repository: Repository,
    git: Git,
    *,
    excluded: Sequence[Path] = (),
    history: int | None = None,
    progress: Progress = lambda done, total: None,
    salt: bytes = b"",
) -> int:
    """Appends the baseline and returns how many entries the tree has; 0 for a repository that has its baseline.

    `history`: None for no past commits, 0 for all commits of HEAD, N for the newest N. `progress(done, total)` counts
    commits. For a repository that has its baseline, only commits are appended: those of the last recorded HEAD that
    the log lacks. `salt` makes a secret in the name of a ref unguessable. Raises GitError or TryAgain.
    """
    require_sound(git.root)
    cause = repository.trusted_at or None
    at = places(git)
    ready = RepositoriesView().load(log)[0].by_id.get(repository.id, repository).ready
    told = load_refs(log, repository.id) if ready else None
    snapshot = told or RefNames(salt).held(read_refs(git, at, None))
    entries = 0
    if not ready:
        entries = _record_tree(log, repository, git, excluded)
    imported = 0
    if history is not None and snapshot.head_oid is not None:
        imported = _record_history(log, repository, git, snapshot.head_oid, history, progress)
    if not ready:
        done = BaselineRecorded(repo=repository.id, entries=entries, commits=imported)
        log.append([NewEvent(repository.id, done, cause, "baseline")], writes=[refs_row(repository.id, snapshot)])
    return entries


def _record_tree(log: Log, repository: Repository, git: Git, excluded: Sequence[Path]) -> int:
    at = places(git)
    tree = TreeOnDisk(
        log, repository.id, git.root, excluded=excluded, info_dir=at.common, excludes_file=git.excludes_file()
    )
    tracked = Tracked(git, at)
    tracked.refresh()
    tree.set_tracked(tracked.paths())
    label = Label("baseline", None, repository.trusted_at or None)
    pending: list[Difference] = []
    writes: list[Write] = []

    def flush() -> None:
        events = events_of(repository.id, {label: pending}, lambda: uuid.uuid4().hex[:16], 0)
        log.append(events, writes=writes)
        pending.clear()
        writes.clear()

    for delta in tree.compare((), everything=True).deltas.values():
        pending += delta.differences
        writes.append(delta.write)
        if len(pending) >= _CHANGES:
            flush()
    flush()
    return tree.entries()


def _record_history(log: Log, repository: Repository, git: Git, head: str, limit: int, progress: Progress) -> int:
    """Appends the commits that the log lacks, oldest first; returns how many commits of HEAD the log now has."""
    total = commits.count(git, head, limit)
    known = set(log.view(commits.commits_view(repository.id)))
    batch: list[NewEvent] = []
    writes: list[Write] = []
    done = 0
    progress(0, total)
    for commit in commits.history(git, repository.id, head, limit):
        done += 1
        if bytes.fromhex(commit.oid) not in known:
            batch.append(NewEvent(repository.id, commit, repository.trusted_at or None, "history"))
            writes.append(commits.known_row(commit))
        if len(batch) >= _BATCH:
            log.append(batch, writes=writes)
            batch, writes = [], []
            progress(done, total)
    log.append(batch, writes=writes)
    progress(done, total)
    return done
