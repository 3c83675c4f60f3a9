"""Attributes the differences of one look to their origin: our own executions, git, or anything else (foreign)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.record import Origin, Put
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, GitError
from kairos.sensing import causes, provenance
from kairos.sensing.bursts import Label
from kairos.sensing.causes import Touched
from kairos.sensing.content import blob_of, sha_of
from kairos.sensing.listings import Delta, Difference
from kairos.sensing.provenance import PathState, Provenance

logger = logging.getLogger(__name__)

AFTER_MOVE_S = 1.0
"""Seconds after a GitMoved in which a new burst may still contain files that the move wrote."""
WAIT_CAP_S = 30.0
"""Seconds a directory may wait, at most, for an open execution to record what it did there."""


def provenance_view(repo: str) -> str:
    """The view that holds the provenance fold under the key `state`."""
    return f"provenance/{repo}"


class Attribution:
    """Holds the provenance fold and the recent moves of git that may still explain changed files."""

    def __init__(
        self, log: Log, repository: Repository, git: Git, names: Callable[[bytes], set[bytes]],
        tracked: Callable[[], Collection[bytes]],
    ) -> None:  # fmt: skip
        """`names` lists what a directory holds now, `tracked` the paths of the index."""
        self._log = log
        self._repository = repository
        self._git = git
        self._root = os.fsencode(repository.root)
        self._names = names
        self._tracked = tracked
        self._kept = b""
        self._verdicts: dict[bytes, provenance.Verdict] = {}
        self._touched: list[tuple[float, Touched]] = []
        self._explained: list[tuple[Touched, bytes]] = []
        """What this look explained by moves: each write of a move explains one difference, once it is appended."""
        self._waiting: dict[bytes, float] = {}
        self._provenance = Provenance()
        self.forget()

    def forget(self) -> None:
        """Reloads the provenance that the log holds, discarding judgements that were not appended."""
        raw = self._log.view_row(provenance_view(self._repository.id), b"state")
        self._kept = raw or b""
        self._provenance = (
            Provenance(position=self._repository.trusted_at)
            if raw is None
            else msgspec.msgpack.decode(raw, type=Provenance)
        )

    def look_done(self) -> Put | None:
        """Returns the row that stores the provenance after this look, None if it is unchanged."""
        self._provenance.look()
        kept = msgspec.msgpack.encode(self._provenance)
        if kept == self._kept:
            return None
        return Put(provenance_view(self._repository.id), b"state", kept)

    def told(self, row: Put | None, touched: Touched | None, until: float) -> None:
        """Records that the look was appended. `touched` is the git move that it recorded, which explains files of
        bursts that begin before `until`."""
        self._kept = row.value if row is not None else self._kept
        for move, path in self._explained:
            move.paths.discard(path)
        self._explained = []
        if touched is not None:
            self._touched.append((until, touched))

    def fold_tail(self) -> None:
        """Folds new execution events. Call it after listing: our writes are announced in the log before they happen."""
        state, head = self._provenance, self._log.head()
        for recorded in self._log.read(state.position, topics=provenance.TOPICS, upto=head):
            provenance.evolve(state, recorded, self._repository.id)
        state.position = max(state.position, head)

    def _content(self, path: bytes, seen: PathState) -> str | Literal["moved"] | None:
        return sha_of(self._root, path, seen)

    def undecided(self, deltas: dict[bytes, Delta], now: float) -> set[bytes]:
        """Removes from `deltas`, and returns, the directories whose changes cannot be attributed yet: those with our
        own temporary files, or with paths that an open execution is still writing."""
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
        names = self._names(dir)
        return any(path.rpartition(b"/")[2] not in names for path in paths)

    def groups(
        self, deltas: dict[bytes, Delta], origin: Origin, started: float, touched: Touched | None
    ) -> dict[Label, list[Difference]]:
        """Groups the differences by origin: git's, ours, foreign."""
        groups: dict[Label, list[Difference]] = {}
        dirs: list[Difference] = []
        above: dict[bytes, Label] = {}
        foreign = Label(origin)
        self._touched = [(until, t) for until, t in self._touched if started <= until]
        moves = ([touched] if touched is not None else []) + [t for _, t in reversed(self._touched)]
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
        """The paths that git wrote: one of the moves may have written them, and their content now matches the index or
        the stash."""
        found: dict[bytes, Label] = {}
        self._explained = []
        unclean: set[bytes] | None = None
        tracked: set[bytes] = set()
        for touched in moves:
            for d in differences:
                if d.path not in touched.paths or d.path in found:
                    continue
                if unclean is None:
                    try:
                        unclean, tracked = causes.unclean(self._git), set(self._tracked())
                    except GitError as error:
                        logger.warning("the index of %s cannot be compared: %s", self._git.root, error.message)
                        return {}
                clean = d.path not in unclean and (d.new is None or d.path in tracked)
                if clean or self._from_stash(d, touched):
                    found[d.path] = Label(origin, "git", touched.position)
                    self._explained.append((touched, d.path))
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


def _seen(d: Difference) -> PathState | None:
    return None if d.new is None else PathState(*d.new)
