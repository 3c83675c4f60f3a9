"""A commit in pieces: the hunks of its text files, as a diff shows them, and its tree with only some of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kairos.domain.action import FileEdit, PatchAction, apply_edit, edit
from kairos.domain.checks.narrowing import MOST_PIECES
from kairos.domain.hunks import HunkGroup, groups, picked, short_text
from kairos.domain.inert import shown
from kairos.repo.git import Git
from kairos.repo.objects import Objects

_MODES = {"100644": 0o644, "100755": 0o755}
_NOTHING = "000000"
_MOST_FILES = 64
_MOST_SHOWN, _MOST_LINES = 3, 12


class CommitPieces(NamedTuple):
    """The pieces of a commit. `contents`: the files before it."""

    action: PatchAction
    pieces: Sequence[HunkGroup]
    contents: Mapping[str, bytes]

    def without_others(self, chosen: Sequence[int]) -> dict[str, tuple[bytes, int] | None]:
        """What to lay over the tree of the commit, so that only the chosen pieces of it are there: path → content and
        mode, None to remove it."""
        taken = [self.pieces[number] for number in chosen]
        some = {change.fs: change for change in picked(self.action, taken, self.contents).edits}
        return {
            change.fs: _content(some.get(change.fs), self.contents.get(change.fs), change)
            for change in self.action.edits
            if some.get(change.fs) != change
        }

    def described(self, chosen: Sequence[int]) -> str:
        """The chosen pieces for a person: file, lines after the commit, and the change itself."""
        found = [self._one(self.pieces[number]) for number in chosen[:_MOST_SHOWN]]
        return "\n".join([*found, *([f"and {len(chosen) - _MOST_SHOWN} more"] if len(chosen) > _MOST_SHOWN else [])])

    def _one(self, piece: HunkGroup) -> str:
        body = [line for line in short_text(piece, self.contents).splitlines() if line[:4] not in ("--- ", "+++ ")]
        more = [f"… {len(body) - _MOST_LINES} more lines"] if len(body) > _MOST_LINES else []
        return "\n".join([_place(piece), *(f"  {shown(line)}" for line in body[:_MOST_LINES]), *more])


def pieces_of(git: Git, parent: str, commit: str) -> CommitPieces | None:
    """The pieces of a commit beside its parent; None if it cannot be split: it changes a link, a submodule or a file
    that is no text, or too much. GitError."""
    out = git.run(
        "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--end-of-options", parent, commit, "--"
    )  # fmt: skip
    fields = iter(filter(None, out.split(b"\0")))
    changes = [(os.fsdecode(next(fields)), *head[1:].decode("ascii").split()[:4]) for head in fields]
    if not 0 < len(changes) <= _MOST_FILES or {m for _, *modes, _, _ in changes for m in modes} - {*_MODES, _NOTHING}:
        return None
    blobs = Objects(git).blobs([oid for _, *_, before, after in changes for oid in (before, after) if int(oid, 16)])
    edits, contents = [], {}
    try:
        for path, mode, new_mode, oid, new_oid in changes:
            before = None if mode == _NOTHING else (blobs[oid], _MODES[mode])
            after = None if new_mode == _NOTHING else (blobs[new_oid], _MODES[new_mode])
            edits.append(edit(path, before, after))
            if before is not None:
                contents[path] = before[0]
    except (KeyError, ValueError):  # too large, not here, or no text
        return None
    action = PatchAction(repo="", edits=edits)
    pieces = groups(action)
    return CommitPieces(action, pieces, contents) if len(pieces) <= MOST_PIECES else None


def _content(some: FileEdit | None, before: bytes | None, whole: FileEdit) -> tuple[bytes, int] | None:
    """A file with some of its changes, or with none."""
    if some is None:
        return None if before is None or whole.before is None else (before, whole.before.mode)
    after = apply_edit(some, before)
    return None if after is None or some.after is None else (after, some.after.mode)


def _place(piece: HunkGroup) -> str:
    """`src/pay.py, lines 10-14`: where a piece is after the commit."""
    name = shown(piece.edit.fs)
    if piece.whole and piece.edit.before is None:
        return f"{name} (new)"
    if piece.edit.after is None:
        return f"{name} (deleted)"
    if not piece.hunks:
        return f"{name} (its mode)"
    grown = sum(len(h.new) - len(h.old) for h in piece.edit.hunks if h.start < piece.hunks[0].start)
    first = piece.hunks[0].start + grown + 1
    inside = sum(len(h.new) - len(h.old) for h in piece.hunks)
    last = piece.hunks[-1].start + len(piece.hunks[-1].old) + grown + inside
    return f"{name}, line {first}" if last <= first else f"{name}, lines {first}-{last}"
