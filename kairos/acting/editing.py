"""Records a person's own change of a proposal's patch, or a model's at their word, read against the tree as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kairos.acting import gate, policy_file
from kairos.acting.decisions import Decision
from kairos.acting.performing import append, open_tree, standing
from kairos.acting.worktree import WorkTree
from kairos.clock import now_us
from kairos.domain import editing
from kairos.domain.action import PatchAction
from kairos.domain.deciding import decided
from kairos.domain.editing import ModelWords
from kairos.domain.events import CommentAnswered, Event, ProposalCommented
from kairos.domain.events.proposals import Answer
from kairos.domain.inert import shown
from kairos.domain.patch_text import Read
from kairos.domain.proposal import OPEN, Proposal
from kairos.errors import Conflict, KairosError, Stale, TryAgain, UsageError
from kairos.eventlog.log import Log
from kairos.home import Home

_TRIES = 10
Make = Callable[[PatchAction, Mapping[str, bytes], Read], tuple[PatchAction, str]]
"""From the present patch, the files it was made from, and a reader of the tree: the new patch, and what was done."""


def base_of(log: Log, proposal: Proposal) -> dict[str, bytes]:
    """The present content of the files that a patch edits. Stale (5) if one is not what the patch was made from."""
    with open_tree(log, proposal) as tree:
        return _base(tree, proposal)


def _base(tree: WorkTree, proposal: Proposal) -> dict[str, bytes]:
    action = proposal.raised.action
    if not isinstance(action, PatchAction):
        raise UsageError(f"{proposal.id} is no patch: there is nothing to edit", "Only patches can be edited.")
    moved = gate.moved_paths(tree, action)
    if moved:
        raise Stale(
            f"{shown(moved[0])} changed since the patch of {proposal.id} was made",
            "The patch is made anew when Kairos looks again; then edit that one.",
        )
    found = {e.fs: tree.read(e.fs) for e in action.edits}
    return {path: blob.content for path, blob in found.items() if blob is not None}


def revise_patch(
    log: Log, home: Home, proposal_id: str, digest: str, make: Make, *, now: int | None = None
) -> Decision:
    """Replaces the patch of an undecided proposal by the one that `make` gives. Stale (5) unless it still has the
    digest that the person read; UsageError, Denied (6) as `editing.revise`, and what `make` raises."""
    policy = policy_file.load_policy(home.policy_file)
    for _ in range(_TRIES):
        at = standing(log, proposal_id)
        p = at.proposal
        if p.state not in OPEN:
            raise decided(p)
        if p.raised.digest != digest:
            raise Stale(f"{p.id} is not what you read: it was revised meanwhile", f"`kairos show {p.id}`.")
        with open_tree(log, p) as tree:
            base = _base(tree, p)
            assert isinstance(p.raised.action, PatchAction)
            action, changed = make(p.raised.action, base, _reader(tree))
            events = editing.revise(p, action, policy=policy, root=str(tree.root), changed=changed)
        try:
            after = append(log, at, events, origin="user", now=now_us() if now is None else now)
        except Conflict:
            continue
        return Decision(after.proposal, after.last)
    raise TryAgain(f"{proposal_id} is being changed by others", "Try again in a moment.")


def answer_comment(
    log: Log, home: Home, proposal_id: str, of: int, digest: str, action: PatchAction | None, said: ModelWords,
    why: str = "",
) -> Decision:  # fmt: skip
    """Records what a model made of the comment at position `of`: the patch under a new digest, or (`action` None, or
    one that cannot be taken) that it stays as it is, and `why`. What was answered before is not answered again."""
    policy = policy_file.load_policy(home.policy_file)
    for _ in range(_TRIES):
        at = standing(log, proposal_id)
        if of not in unanswered(log, at.proposal):
            return Decision(at.proposal, at.last)
        revised: list[Event] = []
        if action is not None:
            try:
                with open_tree(log, at.proposal) as tree:
                    _base(tree, at.proposal)
                    revised = editing.answer(at.proposal, digest, action, said=said, policy=policy, root=str(tree.root))
            except KairosError as error:
                why = error.message
        outcome: Answer = "revised" if revised else "unchanged"
        told = CommentAnswered(id=proposal_id, of=of, outcome=outcome, why="" if revised else why)
        try:
            after = append(log, at, [*revised, told], now=now_us())
        except Conflict:
            continue
        return Decision(after.proposal, after.last)
    raise TryAgain(f"{proposal_id} is being changed by others", "Try again in a moment.")


def leave_comment(log: Log, proposal_id: str, of: int, why: str) -> None:
    """Records that no model was asked about the comment at position `of`, and why."""
    for _ in range(_TRIES):
        at = standing(log, proposal_id)
        if of not in unanswered(log, at.proposal):
            return
        try:
            append(log, at, [CommentAnswered(id=proposal_id, of=of, outcome="not_asked", why=why)], now=now_us())
        except Conflict:
            continue
        return


def unanswered(log: Log, p: Proposal) -> list[int]:
    """The positions of the comments on a proposal that have no answer, the oldest first."""
    commented, answered = [], set()
    for recorded in log.stream(p.stream):
        if isinstance(recorded.event, ProposalCommented):
            commented.append(recorded.position)
        elif isinstance(recorded.event, CommentAnswered):
            answered.add(recorded.event.of)
    return [position for position in commented if position not in answered]


def _reader(tree: WorkTree) -> Read:
    def read(path: str) -> tuple[bytes, int] | None:
        blob = tree.read(path)
        return None if blob is None else (blob.content, 0o755 if blob.executable else 0o644)

    return read
