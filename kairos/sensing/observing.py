"""One look at a repository: refs, then the tree, then whose changes they are, then one append of it all."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from kairos.domain.events import GitMoved
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin, Put, Write
from kairos.eventlog.views import Repository
from kairos.repo.git import Git, GitError
from kairos.sensing import causes, commits, provenance
from kairos.sensing.bursts import Label, events_of
from kairos.sensing.causes import Touched
from kairos.sensing.content import blob_of, sha_of
from kairos.sensing.ignoring import OuterRules, Signature, Tracked, signature
from kairos.sensing.provenance import Provenance, Seen
from kairos.sensing.refs import GitPlaces, Move, RefSnapshot, difference, pushed, read_reflog, read_refs
from kairos.sensing.root import why_lost
from kairos.sensing.settle import Burst
from kairos.sensing.tree import Delta, Difference, Hinting, Tree

logger = logging.getLogger(__name__)

AFTER_MOVE_S = 1.0
"""Bursts that begin this soon after a GitMoved may still hold files that it wrote."""
WAIT_CAP_S = 30.0
GRACE_S = 0.06
AGAIN_S = 0.05


class Look(NamedTuple):
    """What a look came to. `again`: directories (`everything`: all) to compare once more after `wait` seconds;
    `unfinished`: so is the whole burst, nothing was appended."""

    appended: int = 0
    again: frozenset[bytes] = frozenset()
    everything: bool = False
    wait: float = 0.0
    unfinished: bool = False


def refs_view(repo: str) -> str:
    """The view that holds a repository's last ref snapshot under the key `snapshot`."""
    return f"refs/{repo}"


def provenance_view(repo: str) -> str:
    """The view that holds the provenance fold under the key `state`."""
    return f"provenance/{repo}"


def load_refs(log: Log, repo: str) -> RefSnapshot | None:
    """The last ref snapshot that the log tells of."""
    raw = log.view_row(refs_view(repo), b"snapshot")
    return None if raw is None else msgspec.json.decode(raw, type=RefSnapshot)


def refs_row(repo: str, snapshot: RefSnapshot) -> Put:
    """The row that keeps a ref snapshot."""
    return Put(refs_view(repo), b"snapshot", msgspec.json.encode(snapshot, order="sorted"))


class Observer:
    """Holds what the log was last told of one repository, and tells it the difference."""

    def __init__(
        self, log: Log, repository: Repository, git: Git, at: GitPlaces, excluded: Iterable[Path], hints: Hinting
    ) -> None:
        self.repo = repository.id
        self.places = at
        self._repository = repository
        self.tracked = Tracked(git, at)
        self.directories = 0
        self._log = log
        self._git = git
        self._root = os.fsencode(repository.root)
        self._excluded = list(excluded)
        self._hints = hints
        self._rules = OuterRules(git, at)
        self.tree = self._open_tree()
        self._refs = load_refs(log, self.repo)
        self._kept = b""
        self._provenance = self._load_provenance()
        self._verdicts: dict[bytes, provenance.Verdict] = {}
        self._touched: list[tuple[float, Touched]] = []
        self._waiting: dict[bytes, float] = {}
        self._graced = False
        self.directories = self.tree.known()

    def lock(self) -> Signature:
        """git's lock of the index, None while it is free."""
        return signature(self.places.git_dir / "index.lock")

    def look(self, burst: Burst, origin: Origin, now: float, *, patient: bool) -> Look:
        """Compares what the burst says and appends it. `patient` False: do not wait for git to finish."""
        move, snapshot = self._read_refs(burst)
        dirs, everything = set(burst.dirs), burst.everything
        written = self.tracked.changed()
        if patient and not everything and dirs and written and move is None and not self._graced:
            self._graced = True
            return Look(wait=GRACE_S, unfinished=True)  # HEAD may be about to follow the files
        if written:
            found = self._refresh_tracked()
            everything, dirs = everything or found is None, dirs | (found or set())
        if (burst.git or everything) and self._rules.changed(thoroughly=burst.everything):
            self.tree, everything = self._open_tree(), True
        index = signature(self.tracked.index)
        comparison = self.tree.compare(dirs, everything=everything)
        if patient and (self.lock() is not None or signature(self.tracked.index) != index):
            return Look(again=frozenset(dirs), everything=everything, wait=AGAIN_S, unfinished=True)
        if not self.in_place():
            return Look(everything=True, unfinished=True)
        self._fold_tail()
        again = self._undecided(comparison.deltas, now)
        self._touched = [(until, t) for until, t in self._touched if burst.started <= until]
        touched = self._touched_by(move, snapshot)
        try:
            groups = self._judge(comparison.deltas, origin, touched)
            appended = self._append(move, snapshot, touched, groups, comparison.deltas, origin)
        except KairosError:
            self._provenance = self._load_provenance()
            raise
        if touched is not None:
            self._touched.append((now + AFTER_MOVE_S, touched))
        self._graced = False
        return Look(appended, frozenset(again | comparison.late), wait=AGAIN_S if again else 0.0)

    def in_place(self) -> bool:
        """Whether the directory that a person trusted still is at its path."""
        return why_lost(self._repository) is None

    # -- refs ------------------------------------------------------------------------------------------

    def _read_refs(self, burst: Burst) -> tuple[Move | None, RefSnapshot | None]:
        """(what moved, the new snapshot); both None when nothing is to be told."""
        if not (burst.git or burst.everything):
            return None, None
        try:
            snapshot = read_refs(self._git, self.places, self._refs)
            if self._refs is None or snapshot == self._refs:
                return None, snapshot if self._refs is None else None
            move = difference(
                self._refs, snapshot, read_reflog(self.places), self._parents, lambda ref: pushed(self.places, ref)
            )
        except GitError as error:
            logger.warning("refs of %s cannot be read: %s", self._git.root, error.message)
            return None, None
        return move, snapshot

    def _parents(self, oid: str) -> list[str]:
        return self._git.text("rev-list", "--parents", "--max-count=1", "--end-of-options", oid).split()[1:]

    def _touched_by(self, move: Move | None, snapshot: RefSnapshot | None) -> Touched | None:
        if move is None or snapshot is None or self._refs is None:
            return None
        return causes.touched_by(self._git, self._refs, snapshot, move)

    def _new_commits(self, snapshot: RefSnapshot) -> list[NewEvent]:
        """The commits that HEAD and branches reach now and did not before; GitMoved stands in front of them."""
        old = _tips(self._refs) if self._refs is not None else set()
        new = _tips(snapshot) - old
        if not new:
            return []
        try:
            oids = commits.newly_reachable(self._git, sorted(new), sorted(old))
            wanted = [oid for oid in oids if not commits.is_known(self._log, self.repo, oid)]
            found = commits.read_commits(self._git, self.repo, wanted)
        except GitError as error:
            logger.warning("commits of %s cannot be read: %s", self._git.root, error.message)
            return []
        return [NewEvent(self.repo, commit, -(n + 1)) for n, commit in enumerate(found)]

    # -- tree ------------------------------------------------------------------------------------------

    def _open_tree(self) -> Tree:
        tree = Tree(
            self._log, self.repo, self._git.root, excluded=self._excluded, info_dir=self.places.common,
            excludes_file=self._rules.excludes, hints=self._hints,
        )  # fmt: skip
        tree.set_tracked(self.tracked.paths())
        return tree

    def _refresh_tracked(self) -> set[bytes] | None:
        try:
            dirs = self.tracked.refresh()
        except GitError as error:
            logger.warning("the index of %s cannot be read: %s", self._git.root, error.message)
            return set()
        if dirs is None or dirs:
            self.tree.set_tracked(self.tracked.paths())
        return dirs

    # -- whose changes ---------------------------------------------------------------------------------

    def _load_provenance(self) -> Provenance:
        raw = self._log.view_row(provenance_view(self.repo), b"state")
        self._kept = raw or b""
        if raw is None:
            return Provenance(position=self._repository.trusted_at)
        return msgspec.msgpack.decode(raw, type=Provenance)

    def _fold_tail(self) -> None:
        """Learns of executions. After listing: whatever we wrote before that was announced before that."""
        state, head = self._provenance, self._log.head()
        for recorded in self._log.read(state.position, topics=provenance.TOPICS, upto=head):
            provenance.evolve(state, recorded, self.repo)
        state.position = max(state.position, head)

    def _content(self, path: bytes, seen: Seen) -> str | Literal["moved"] | None:
        return sha_of(self._root, path, seen)

    def _undecided(self, deltas: dict[bytes, Delta], now: float) -> set[bytes]:
        """Takes out the directories of which nobody can tell yet whose their changes are: our own temporary files,
        and paths that an open execution is still busy with."""
        again: set[bytes] = set()
        self._verdicts = {}
        for dir, delta in list(deltas.items()):
            temporary = [d.path for d in delta.differences if d.new is not None and provenance.is_temporary(d.path)]
            wait = bool(temporary) and (self._provenance.touches(dir) or self._vanished(dir, temporary))
            for d in delta.differences if self._provenance.open else ():
                verdict = provenance.judge_open(self._provenance, d.path, _seen(d), self._content)
                self._verdicts[d.path] = verdict
                wait |= verdict == "wait"
            if wait and now - self._waiting.setdefault(dir, now) < WAIT_CAP_S:
                again.add(dir)
                del deltas[dir]
        self._waiting = {dir: since for dir, since in self._waiting.items() if dir in again}
        return again

    def _vanished(self, dir: bytes, paths: list[bytes]) -> bool:
        names = self.tree.names(dir)
        return any(path.rpartition(b"/")[2] not in names for path in paths)

    def _judge(
        self, deltas: dict[bytes, Delta], origin: Origin, touched: Touched | None
    ) -> dict[Label, list[Difference]]:
        """The differences by whose they are: git's, ours, everybody else's."""
        groups: dict[Label, list[Difference]] = {}
        dirs: list[Difference] = []
        above: dict[bytes, Label] = {}
        foreign = Label(origin)
        moves = [t for _, t in self._touched] + ([touched] if touched is not None else [])
        gits = self._git_made([d for delta in deltas.values() for d in delta.differences], moves, origin)
        for delta in deltas.values():
            for d in delta.differences:
                if "dir" in ((d.old or d.new).type, (d.new or d.old).type):  # type: ignore[union-attr]
                    dirs.append(d)
                    continue
                label = self._own(d) or gits.get(d.path) or foreign
                groups.setdefault(label, []).append(d)
                parent = d.path.rpartition(b"/")[0]
                while label != foreign and parent and parent not in above:
                    above[parent] = label
                    parent = parent.rpartition(b"/")[0]
        for d in dirs:
            own = None
            if (d.old is None) != (d.new is None):
                own = provenance.judge_dir(self._provenance, d.path, created=d.old is None)
            label = Label("self", None, own) if own is not None else above.get(d.path, foreign)
            groups.setdefault(label, []).append(d)
        return groups

    def _own(self, d: Difference) -> Label | None:
        verdict = self._verdicts.get(d.path)
        if not isinstance(verdict, int):
            verdict = provenance.judge_closed(self._provenance, d.path, _seen(d))
        return Label("self", None, verdict) if isinstance(verdict, int) else None

    def _git_made(self, differences: list[Difference], moves: list[Touched], origin: Origin) -> dict[bytes, Label]:
        """The paths that git wrote: it may have, and they are now what the index or the stash says."""
        found: dict[bytes, Label] = {}
        unclean: set[bytes] | None = None
        tracked: set[bytes] = set()
        for touched in moves:
            for d in differences:
                if d.path not in touched.paths or d.path in found:
                    continue
                if unclean is None:
                    try:
                        unclean, tracked = causes.unclean(self._git), set(self.tracked.paths())
                    except GitError as error:
                        logger.warning("the index of %s cannot be compared: %s", self._git.root, error.message)
                        return {}
                clean = d.path not in unclean and (d.new is None or d.path in tracked)
                if clean or self._from_stash(d, touched):
                    found[d.path] = Label(origin, "git", touched.position)
                    touched.paths.discard(d.path)
        return found

    def _from_stash(self, d: Difference, touched: Touched) -> bool:
        blob = touched.stashed.get(d.path)
        if blob is None:
            return False
        seen = _seen(d)
        if seen is None:
            return blob == ""
        if seen.type != "file":
            return False
        return blob_of(self._root, d.path, seen, len(blob)) == blob

    # -- telling ---------------------------------------------------------------------------------------

    def _append(
        self,
        move: Move | None,
        snapshot: RefSnapshot | None,
        touched: Touched | None,
        groups: dict[Label, list[Difference]],
        deltas: dict[bytes, Delta],
        origin: Origin,
    ) -> int:
        events: list[NewEvent] = []
        writes: list[Write] = [delta.write for delta in deltas.values()]
        if snapshot is not None:
            writes.append(refs_row(self.repo, snapshot))
        if move is not None and snapshot is not None:
            moved = GitMoved(
                repo=self.repo, head=snapshot.head_name, refs=move.refs, what=move.what, note=move.note,
                previous_head=self._refs.head_name if self._refs is not None else None,
            )  # fmt: skip
            events.append(NewEvent(self.repo, moved, None, origin))
            for commit in self._new_commits(snapshot):
                events.append(msgspec.structs.replace(commit, origin=origin))
                writes.append(commits.known_row(commit.event))  # type: ignore[arg-type]  # made above
        events += events_of(self.repo, groups, lambda: uuid.uuid4().hex[:16], len(events))
        self._provenance.look()
        kept = msgspec.msgpack.encode(self._provenance)
        if events and kept != self._kept:
            writes.append(Put(provenance_view(self.repo), b"state", kept))
        positions = self._log.append(events, writes=writes)
        if events:
            self._kept = kept
        if touched is not None:
            touched.position = positions[0]
        self._refs = snapshot or self._refs
        self.directories += sum(delta.rows for delta in deltas.values())
        return len(positions)


def _seen(d: Difference) -> Seen | None:
    return None if d.new is None else Seen(*d.new)


def _tips(snapshot: RefSnapshot) -> set[str]:
    """The commits that HEAD and the branches point at."""
    tips = {oid for name, oid in snapshot.refs.items() if name.startswith("refs/heads/")}
    return tips | ({snapshot.head_oid} if snapshot.head_oid else set())
