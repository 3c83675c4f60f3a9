"""One look at a repository: reads the refs, compares the tree, attributes the changes, and appends all in one batch."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.domain.events import CommitRecorded, GitMoved
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin, Put, Write
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, GitError, GitHangs
from kairos.repo.health import require_readable_root, require_sound, require_usable
from kairos.sensing import causes, commits
from kairos.sensing.attribution import AFTER_MOVE_S, Attribution
from kairos.sensing.bursts import events_of
from kairos.sensing.causes import Touched
from kairos.sensing.ignoring import OuterRules, Signature, Tracked, signature
from kairos.sensing.listings import Hinting, TreeOnDisk
from kairos.sensing.ref_names import RefNames
from kairos.sensing.refs import GitPlaces, Move, RefSnapshot, difference, pushed, read_reflog, read_refs
from kairos.sensing.root import why_lost
from kairos.sensing.settle import Burst
from kairos.sensing.staging import Staging

logger = logging.getLogger(__name__)

GRACE_S = 0.06
AGAIN_S = 0.05


class Look(NamedTuple):
    """The result of a look. `again`: directories (`everything`: all) to compare once more after `wait` seconds;
    `unfinished`: nothing was appended, and the whole burst must be looked at again."""

    appended: int = 0
    again: frozenset[bytes] = frozenset()
    everything: bool = False
    wait: float = 0.0
    unfinished: bool = False


def refs_view(repo: str) -> str:
    """The view that holds a repository's last ref snapshot under the key `snapshot`."""
    return f"refs/{repo}"


def load_refs(log: Log, repo: str) -> RefSnapshot | None:
    """The last ref snapshot that was recorded in the log."""
    raw = log.view_row(refs_view(repo), b"snapshot")
    return None if raw is None else msgspec.json.decode(raw, type=RefSnapshot)


def refs_row(repo: str, snapshot: RefSnapshot) -> Put:
    """The row that stores a ref snapshot."""
    return Put(refs_view(repo), b"snapshot", msgspec.json.encode(snapshot, order="sorted"))


class Observer:
    """Compares one repository with its last recorded state and appends the difference to the log."""

    def __init__(
        self, log: Log, repository: Repository, git: Git, at: GitPlaces, excluded: Iterable[Path], hints: Hinting,
        salt: bytes = b"",
    ) -> None:  # fmt: skip
        self.repo = repository.id
        self.places = at
        self._repository = repository
        self.tracked = Tracked(git, at)
        self._staging = Staging(git)
        self._staged = False
        self._log = log
        self._git = git
        self._excluded = list(excluded)
        self._hints = hints
        self.rules = OuterRules(git, at)
        self.tree = self._open_tree()
        self._ref_names = RefNames(salt)
        told = load_refs(log, self.repo)
        self._refs = None if told is None else self._ref_names.held(told)
        self._judge = Attribution(log, repository, git, lambda dir: self.tree.names(dir), self.tracked.paths)
        self._graced = False
        self.trouble: GitError | None = None
        self.directories = self.tree.known()

    @property
    def head(self) -> str | None:
        """The commit of HEAD as of the last look, None before the first commit."""
        return self._refs.head_oid if self._refs is not None else None

    def lock(self) -> Signature:
        """The signature of git's lock file of the index, None while there is no lock."""
        return signature(self.places.git_dir / "index.lock")

    def look(self, burst: Burst, origin: Origin, now: float, *, patient: bool) -> Look:
        """Compares what the burst names and appends the differences. `patient` False: do not wait for git to finish.

        If the refs cannot be read (see `trouble`), the tree is still compared. Raises GitError if the index was never
        read or git hangs.
        """
        index = signature(self.tracked.index)
        move, snapshot, new = self._read_refs(burst)
        dirs, everything = set(burst.dirs), burst.everything
        written = self.tracked.changed()
        if patient and not everything and dirs and written and move is None and not self._graced:
            self._graced = True
            return Look(wait=GRACE_S, unfinished=True)  # HEAD may be about to follow the files
        if written or self._head_moved(snapshot):  # a soft reset stages without a word in the index
            self._staged = self._staging_changed() or self._staged
        if written:
            found = self._refresh_tracked()
            everything, dirs = everything or found is None, dirs | (found or set())
        if (burst.git or everything) and self.rules.changed(thoroughly=burst.everything or burst.thorough):
            self.tree, everything = self._open_tree(), True
        comparison = self.tree.compare(dirs, everything=everything)
        if patient and (self.lock() is not None or signature(self.tracked.index) != index):
            again = dirs | comparison.deltas.keys() | comparison.late
            return Look(again=frozenset(again), everything=everything, wait=AGAIN_S, unfinished=True)
        if not self.in_place():
            return Look(everything=True, unfinished=True)
        self._judge.fold_tail()
        undecided = self._judge.undecided(comparison.deltas, now)
        touched = self._touched_by(move, snapshot)
        groups = self._judge.groups(comparison.deltas, origin, burst.started, touched)
        if patient and groups and (self.lock() is not None or signature(self.tracked.index) != index):
            self._judge.forget()  # git began to write while we compared: what it wrote would look like a person's edit
            again = dirs | comparison.deltas.keys() | comparison.late
            return Look(again=frozenset(again), everything=everything, wait=AGAIN_S, unfinished=True)
        row = self._judge.look_done()
        try:
            events, writes = self._news(move, snapshot, new, origin)
            events += events_of(self.repo, groups, lambda: uuid.uuid4().hex[:16], len(events))
            writes += [delta.write for delta in comparison.deltas.values()]
            if self._staged and not events:
                events.append(NewEvent(self.repo, self._stage(), None, origin))
            row = row if events else None
            positions = self._log.append(events, writes=[*writes, *([row] if row is not None else [])])
        except KairosError:
            self._judge.forget()
            raise
        if touched is not None:
            touched.position = positions[0]
        self._judge.told(row, touched, now + AFTER_MOVE_S)
        self._refs = snapshot or self._refs
        self._staged = False
        self.directories += sum(delta.rows for delta in comparison.deltas.values())
        self._graced = False
        again = undecided | comparison.late
        return Look(len(positions), frozenset(again), wait=AGAIN_S if undecided else 0.0)

    def in_place(self) -> bool:
        """Whether the trusted directory is still at its path. Raises GitError if it cannot be read."""
        if why_lost(self._repository) is not None:
            return False
        require_readable_root(self._git.root)
        return True

    # -- refs ------------------------------------------------------------------------------------------

    def _read_refs(self, burst: Burst) -> tuple[Move | None, RefSnapshot | None, list[CommitRecorded]]:
        """(what moved, the new snapshot, the new commits). The first two are None if nothing moved, or if the refs
        cannot be read now: then `trouble` says why."""
        nothing: tuple[None, None, list[CommitRecorded]] = None, None, []
        if not (burst.git or burst.everything):
            return nothing
        doubtful = burst.everything or burst.thorough or self.trouble is not None or self.rules.stale()
        self.trouble = None
        try:
            require_sound(self._git.root)
            if doubtful:
                require_usable(self._git)
            snapshot = self._ref_names.held(read_refs(self._git, self.places, self._refs))
            if self._refs is None or snapshot == self._refs:
                return None, snapshot if self._refs is None else None, []
            move = difference(
                self._refs, snapshot, read_reflog(self.places), self._parents,
                lambda ref: pushed(self.places, self._ref_names.of_git(ref)),
            )  # fmt: skip
            return move, snapshot, self._new_commits(snapshot) if move is not None else []
        except GitHangs:
            raise
        except GitError as error:
            self.trouble = error
            return nothing

    def _parents(self, oid: str) -> list[str]:
        return self._git.text("rev-list", "--parents", "--max-count=1", "--end-of-options", oid).split()[1:]

    def _head_moved(self, snapshot: RefSnapshot | None) -> bool:
        return snapshot is not None and self._refs is not None and snapshot.head_oid != self._refs.head_oid

    def _touched_by(self, move: Move | None, snapshot: RefSnapshot | None) -> Touched | None:
        if move is None or snapshot is None or self._refs is None:
            return None
        return causes.touched_by(self._git, self._refs, snapshot, move)

    def _new_commits(self, snapshot: RefSnapshot) -> list[CommitRecorded]:
        """The commits that HEAD and branches reach now and did not before; appended after their GitMoved."""
        old = _tips(self._refs) if self._refs is not None else set()
        new = _tips(snapshot) - old
        if not new:
            return []
        oids = commits.newly_reachable(self._git, sorted(new), sorted(old))
        wanted = [oid for oid in oids if not commits.is_known(self._log, self.repo, oid)]
        return commits.read_commits(self._git, self.repo, wanted)

    # -- tree ------------------------------------------------------------------------------------------

    def _open_tree(self) -> TreeOnDisk:
        tree = TreeOnDisk(
            self._log, self.repo, self._git.root, excluded=self._excluded, info_dir=self.places.common,
            excludes_file=self.rules.excludes, hints=self._hints,
        )  # fmt: skip
        tree.set_tracked(self.tracked.paths())
        return tree

    def _staging_changed(self) -> bool:
        """Whether something was staged or unstaged since the index was last read. If git cannot tell, nothing was:
        a later look of the detectors still reads the index."""
        try:
            return self._staging.changed()
        except GitHangs:
            raise
        except GitError as error:
            logger.info("what is staged in %s cannot be read: %s", self._git.root, error.message)
            return False

    def _refresh_tracked(self) -> set[bytes] | None:
        try:
            dirs = self.tracked.refresh()
        except GitError as error:
            if not self.tracked.known:
                raise
            self.trouble = error
            return set()
        if dirs is None or dirs:
            self.tree.set_tracked(self.tracked.paths())
        return dirs

    # -- telling ---------------------------------------------------------------------------------------

    def _stage(self) -> GitMoved:
        """The event that tells of staging alone: nothing else changed that would bring about a look."""
        head = None if self._refs is None else self._refs.head_name
        return GitMoved(repo=self.repo, head=head, refs=[], what="stage")

    def _news(
        self, move: Move | None, snapshot: RefSnapshot | None, new: list[CommitRecorded], origin: Origin
    ) -> tuple[list[NewEvent], list[Write]]:
        """The GitMoved event with the commits it made reachable, and the rows to append with them."""
        events: list[NewEvent] = []
        writes: list[Write] = [refs_row(self.repo, snapshot)] if snapshot is not None else []
        if move is not None and snapshot is not None:
            moved = GitMoved(
                repo=self.repo, head=snapshot.head_name, refs=move.refs, what=move.what, note=move.note,
                ongoing=move.ongoing,
                previous_head=self._refs.head_name if self._refs is not None else None,
            )  # fmt: skip
            events.append(NewEvent(self.repo, moved, None, origin))
            for commit in new:
                events.append(NewEvent(self.repo, commit, -len(events), origin))
                writes.append(commits.known_row(commit))
        return events, writes


def _tips(snapshot: RefSnapshot) -> set[str]:
    """The commits that HEAD and the branches point at."""
    tips = {oid for name, oid in snapshot.refs.items() if name.startswith("refs/heads/")}
    return tips | ({snapshot.head_oid} if snapshot.head_oid else set())
