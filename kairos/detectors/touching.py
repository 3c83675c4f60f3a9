"""Tracks the changes in a repository since its pending findings were last checked, and which findings they may end."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kairos.detectors.boundaries import WHOLE
from kairos.detectors.scene import Facts
from kairos.domain.action import NoteAction, PatchAction
from kairos.domain.basis import paths_of
from kairos.domain.events import CommitRecorded, Event, FilesChanged, GitMoved, ProposalRaised
from kairos.domain.inert import shown
from kairos.domain.parts import whole_basis
from kairos.eventlog.record import Recorded

_CUT = re.compile(r"\band \d+ more\b")
_MOST = 20_000
_HEAD_BYTES = 4_096
_READ = 200
"""So many files of new commits are read; what more of them name is not known."""
_WORD = re.compile(r"[A-Za-z0-9]+")
_AWAY = frozenset({"checkout", "stash", "reset"})
"""Moves of git that take changes of the work tree away without resolving anything."""
Signature = tuple[tuple[int, int, int] | None, ...]


def _is_away(event: GitMoved) -> bool:
    """Whether a move may have taken changes away; a commit right after a switch is one move of both."""
    return event.what in _AWAY or event.previous_head not in (None, event.head)


class TouchedSince:
    """The paths that changed. `everything`: refs, the index or ignore rules changed, or too many paths to list.
    `appeared`: whether a path was created or removed; `moved`: whether git may have taken changes out of the work tree;
    `committed`: whether there are new commits; `rules`: whether ignore rules of the tree changed."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.paths: set[str] = set()
        self.appeared = False
        self.everything = False
        self.moved = False
        self.committed = False
        self.rules = False

    def note(self, event: Event) -> None:
        """Records an event of the repository, whatever its cause."""
        match event:
            case FilesChanged():
                for change in event.changes:
                    self.paths |= {change.fs} | ({change.was.fs} if change.was is not None else set())
                    self.appeared = self.appeared or change.kind != "modified"
                    self.rules = self.rules or change.fs.rpartition("/")[2] == ".gitignore"
                self.everything = self.everything or self.rules or len(self.paths) > _MOST
            case GitMoved() | CommitRecorded():
                self.everything = True
                self.committed = self.committed or isinstance(event, CommitRecorded)
                self.moved = self.moved or (isinstance(event, GitMoved) and _is_away(event))
            case _:
                pass

    def concerns(
        self, raised: ProposalRaised, cited: Callable[[], Collection[str]] = tuple, *, lapsed: bool = False
    ) -> bool:
        """Whether the reason for a proposal may have changed. A false positive costs one check. Every change that an
        event, the index or the ignore rules show is found. One that was closed (`lapsed`) is concerned only by changes
        of paths that it names. `cited`: the paths that its evidence names, asked for only if they matter."""
        own = {*_edited(raised), *paths_of(whole_basis(raised))}
        if lapsed:
            return not self.paths.isdisjoint(own) or self._is_named(raised)
        if self.everything or raised.boundary in WHOLE or (self.appeared and raised.detector == "ignore-artifact"):
            return True
        if not self.paths:
            return False
        note = raised.action.text if isinstance(raised.action, NoteAction) else ""
        if _CUT.search(note) or not self.paths.isdisjoint(own) or self._is_named(raised):
            return True
        return not self.paths.isdisjoint(cited())

    def _is_named(self, raised: ProposalRaised) -> bool:
        """Whether the words of a proposal name a changed path."""
        words = words_of(raised)
        return any(shown(path) in words for path in self.paths)


def words_of(raised: ProposalRaised) -> str:
    """All that a proposal says, in which every path that it is about is named."""
    note = raised.action.text if isinstance(raised.action, NoteAction) else ""
    return f"{raised.title}\n{raised.claim}\n{note}"


class TreeMoment(NamedTuple):
    """What tells whether git changed a tree while it was looked at: `signature`: of the index and the repository's own
    ignore rules, because no event records their changes; `head`: what HEAD says; `busy`: git holds the lock of the
    index, as it does through a checkout."""

    signature: Signature
    head: bytes
    busy: bool

    def is_over(self, now: TreeMoment) -> bool:
        """Whether what was seen then may not be how it is now, or not be whole."""
        return now.busy or (now.signature, now.head) != (self.signature, self.head)


def moment_of(root: Path) -> TreeMoment:
    """The present moment of a repository."""
    git = root / ".git"
    if git.is_file():
        words = git.read_text("utf-8", "surrogateescape").partition("gitdir:")[2].strip()
        git = root / words
    head = b""
    with suppress(OSError):
        head = (git / "HEAD").read_bytes()[:_HEAD_BYTES]
    signature = tuple(_seen(git / name) for name in ("index", "info/exclude"))
    return TreeMoment(signature, head, _seen(git / "index.lock") is not None)


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _edited(raised: ProposalRaised) -> Iterable[str]:
    """The paths that a proposal changes."""
    return (e.fs for e in raised.action.edits) if isinstance(raised.action, PatchAction) else ()


def paths_in(evidence: Iterable[Recorded]) -> frozenset[str]:
    """The paths that events name."""
    found: set[str] = set()
    for recorded in evidence:
        if isinstance(recorded.event, FilesChanged | CommitRecorded):
            for change in recorded.event.changes:
                found |= {change.fs} | ({change.was.fs} if change.was is not None else set())
    return frozenset(found)


def names_of_absent(trigger: Iterable[Recorded], facts: Facts) -> Callable[[ProposalRaised], bool]:
    """Whether a file that the commits of a trigger changed may name a path that the finding of a proposal says is no
    longer there, so that a closed finding has a place more. It answers yes where it cannot tell."""
    paths = {
        c.fs for r in trigger if isinstance(r.event, CommitRecorded) for c in r.event.changes if c.status[:1] != "D"
    }
    texts = [text for path in sorted(paths)[:_READ] if (text := facts.text(path)) is not None]

    def asked(raised: ProposalRaised) -> bool:
        basis = whole_basis(raised)
        absent = [name.fs for name in basis.absent] if basis is not None else []
        words = {_word_of(path) for path in absent}
        return bool(words) and (len(paths) > _READ or any(word in text for word in words for text in texts))

    return asked


def _word_of(path: str) -> str:
    """A word that stands wherever a file writes this path, in any spelling; empty if none is sure to."""
    folder, name = posixpath.split(path)
    stem = posixpath.splitext(posixpath.basename(folder) if name == "__init__.py" and folder else name)[0]
    return max(_WORD.findall(stem), key=len, default="")
