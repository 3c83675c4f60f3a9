"""What became of the files of a waiting patch: unchanged, changed, or changed just as the patch would."""

from __future__ import annotations

from pathlib import Path

from kairos.acting.gate import already_done, moved_paths
from kairos.acting.worktree import WorkTree
from kairos.domain.action import PatchAction
from kairos.domain.keeping import Drift
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound
from kairos.eventlog.views.inbox import Inbox

BY_HAND = "you made the same change by hand"


def drift(p: Proposal, root: Path) -> tuple[Drift, list[str]]:
    """(what became of the files of a proposal's patch, the paths that changed). A note or a command never drifts, and
    nothing does while the root is away."""
    action = p.raised.action
    if not isinstance(action, PatchAction):
        return "same", []
    try:
        tree = WorkTree(root)
    except NotFound:
        return "same", []
    with tree:
        if already_done(tree, action):
            return "done", []
        moved = moved_paths(tree, action)
    return ("moved", moved) if moved else ("same", [])


def done_by(inbox: Inbox, p: Proposal) -> tuple[str, str]:
    """(why the patch of a proposal is in the tree already, the id of the executed proposal that made the same change;
    empty: the person did)."""
    action = p.raised.action
    assert isinstance(action, PatchAction)
    wanted = {(e.fs, e.after) for e in action.edits}
    for other in inbox.done(p.raised.repo, action.edits[0].fs, action.edits[0].after) if action.edits else ():
        made = other.raised.action
        if other.id != p.id and isinstance(made, PatchAction) and wanted <= {(e.fs, e.after) for e in made.edits}:
            return f"{other.id} made the same change", other.id
    return BY_HAND, ""
