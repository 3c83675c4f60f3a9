"""Finds waiting proposals that are stale because their files changed, or superseded because the change was made."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from kairos.acting.gate import already_done, moved_paths
from kairos.acting.worktree import WorkTree
from kairos.domain import proposal as proposals
from kairos.domain.action import PatchAction
from kairos.errors import NotFound
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.inbox import Inbox

BY_HAND = "you made the same change by hand"


def drift(inbox: Inbox, repo_id: str, changed_paths: Collection[str] | None, root: Path) -> list[NewEvent]:
    """Returns ProposalSuperseded or ProposalStale for the waiting patches of a repository that touch a changed path
    (None: all of them), compared with the files at `root`.

    Append each with the stream version of its fold, so that a decision recorded earlier wins."""
    waiting = [
        p for p in inbox.live() if p.raised.repo == repo_id and p.state in proposals.WAITING
    ]  # fmt: skip
    touched = [p for p in waiting if _touches(p, changed_paths)]
    if not touched:
        return []
    try:
        tree = WorkTree(root)
    except NotFound:
        return []
    out: list[NewEvent] = []
    with tree:
        for p in touched:
            action = p.raised.action
            assert isinstance(action, PatchAction)
            if already_done(tree, action):
                by = _done_by(inbox, p, action)
                events = proposals.supersede(p, f"{by} made the same change" if by else BY_HAND, by)
            else:
                moved = moved_paths(tree, action)
                events = proposals.mark_stale(p, moved) if moved else []
            out += [NewEvent(p.stream, e, inbox.positions[p.id][-1], "system") for e in events]
    return out


def _done_by(inbox: Inbox, p: proposals.Proposal, action: PatchAction) -> str:
    """The id of an executed proposal that made the same change as this one would, empty if there is none."""
    wanted = {(e.fs, e.after) for e in action.edits}
    for other in inbox.done(p.raised.repo, action.edits[0].fs, action.edits[0].after) if action.edits else ():
        done = other.raised.action
        if other.id != p.id and isinstance(done, PatchAction) and wanted <= {(e.fs, e.after) for e in done.edits}:
            return other.id
    return ""


def _touches(p: proposals.Proposal, changed: Collection[str] | None) -> bool:
    action = p.raised.action
    if not isinstance(action, PatchAction):
        return False
    if changed is None:
        return True
    paths = {e.fs for e in action.edits}
    return any(c in paths or any(path.startswith(f"{c}/") for path in paths) for c in changed)
