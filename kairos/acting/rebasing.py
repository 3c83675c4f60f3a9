"""Rebases a patch that cannot be made anew, a model's or one that a person edited, onto the files as they are."""

from __future__ import annotations

from pathlib import Path

from kairos.acting.merge import merge
from kairos.acting.worktree import Blob, NotPlain, WorkTree, same
from kairos.domain import editing
from kairos.domain.action import FileEdit, PatchAction, apply_edit, content_sha, edit
from kairos.domain.events import ProposalRevised
from kairos.domain.inert import shown
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.objects import Objects

REBASED = "its files changed elsewhere; the change was merged onto them"
UNCHANGED = "its files are again what it was made from"


class Unmergeable(Exception):
    """The patch does not fit the files as they are; the message says why."""


def rebase(home: Home, policy: Policy, p: Proposal, root: Path, edited: str) -> ProposalRevised | str:
    """The proposal with the same change on the files as they are, or why that cannot be. `edited`: the digest of the
    patch that was found, if a person changed it.

    It is a three-way merge of each file; the version that the patch was made from is looked for in git."""
    action = p.raised.action
    assert isinstance(action, PatchAction)
    try:
        with WorkTree(root) as tree:
            now = _onto(home, tree, action)
        changed = UNCHANGED if now == action else REBASED
        return editing.rebased(p, now, policy=policy, root=str(root), changed=changed, edited=edited)
    except (Unmergeable, NotPlain) as error:
        return str(error)
    except KairosError as error:
        return error.message


def _onto(home: Home, tree: WorkTree, action: PatchAction) -> PatchAction:
    objects = Objects(Git(tree.root))
    moved = [_moved_on(home, tree, objects, change) for change in action.edits]
    return PatchAction(repo=action.repo, edits=[change for change in moved if change is not None])


def _moved_on(home: Home, tree: WorkTree, objects: Objects, change: FileEdit) -> FileEdit | None:
    """The change of one file as it is now, None if it is in the file already."""
    ours = tree.read(change.fs)
    if _is(ours, change):
        return change
    base = _base(objects, change)
    content = apply_edit(change, None if base is None else base.content)
    theirs = None if content is None or change.after is None else Blob(content, change.after.mode)
    merged = merge(home, change.fs, base=base, ours=ours, theirs=theirs)
    if merged.conflict:
        raise Unmergeable(
            merged.conflict if "\n" not in merged.conflict else f"{shown(change.fs)} changed in its lines"
        )
    if same(merged.blob, ours):
        return None
    try:
        return edit(change.fs, _pair(ours), _pair(merged.blob))
    except ValueError as error:
        raise Unmergeable(f"{shown(change.fs)} is not text any more") from error


def _is(ours: Blob | None, change: FileEdit) -> bool:
    if ours is None or change.before is None:
        return ours is None and change.before is None
    return ours.sha == change.before.sha and ours.executable == bool(change.before.mode & 0o100)


def _base(objects: Objects, change: FileEdit) -> Blob | None:
    """The file that a patch was made from, as git still has it. Unmergeable if it has not."""
    if change.before is None:
        return None
    for content in objects.blobs(objects.versions(change.fs)).values():
        if content_sha(content) == change.before.sha:
            return Blob(content, change.before.mode)
    raise Unmergeable(f"{shown(change.fs)} changed, and git does not have the version that the patch was made from")


def _pair(blob: Blob | None) -> tuple[bytes, int] | None:
    return None if blob is None else (blob.content, blob.mode)
