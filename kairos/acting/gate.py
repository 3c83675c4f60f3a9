"""The last check before an execution: the action must be what was approved, and its files what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from kairos.acting.applying import Write
from kairos.acting.worktree import Blob, NotPlain, WorkTree, mode_after, same
from kairos.domain import proposal as proposals
from kairos.domain.action import (
    Action,
    CommandAction,
    FileEdit,
    NoteAction,
    PatchAction,
    apply_edit,
    digest,
    effects_of,
)
from kairos.domain.amounts import listed
from kairos.domain.basis import missing
from kairos.domain.deciding import PERSON, RETURNS, decided
from kairos.domain.events import Event, ProposalReturned
from kairos.domain.inert import shown
from kairos.domain.policy import Policy, Verdict
from kairos.domain.proposal import Proposal
from kairos.errors import Denied, KairosError, Stale, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.views.attention import AttentionView
from kairos.home import Home
from kairos.repo.basis_tree import basis_tree
from kairos.repo.git import Git, GitError
from kairos.repo.health import ongoing


class GateRefusal(msgspec.Struct, frozen=True):
    """A refusal by the gate: the events to append, if any, and the error to raise."""

    events: list[Event]
    error: KairosError


def check(home: Home, proposal: Proposal, tree: WorkTree, policy: Policy, now: int) -> list[Write] | GateRefusal:
    """Returns the writes to make (none for a command) or a refusal. Writes nothing itself."""
    raised = proposal.raised
    action = raised.action
    if isinstance(action, NoteAction) or proposal.state != "approved" or proposal.approved is None:
        return GateRefusal([], decided(proposal))
    bound = digest(action, raised.effects, raised.policy_version)
    if proposal.approved.digest != bound or raised.digest != bound or raised.effects != effects_of(action):
        return GateRefusal(
            proposals.mark_stale(proposal, _paths(action), "it is not what was approved: its digest differs"),
            Stale(f"{proposal.id} is not what was approved: its digest differs", "It was not carried out."),
        )
    if proposal.approved.expires_at <= now:
        return GateRefusal(
            proposals.give_back(proposal, now),
            Stale(f"the approval of {proposal.id} has expired", f"Approve it again: `kairos review {proposal.id}`."),
        )
    why = denial(home, proposal, policy, tree.root)
    if why:
        return GateRefusal(proposals.mark_stale(proposal, _paths(action), why), Denied(f"{proposal.id}: {why}"))
    if proposal.approved.by != PERSON and _verdict(proposal, policy, tree.root).effect != "allow":
        return GateRefusal(
            [ProposalReturned(id=proposal.id)],
            Stale(
                f"{proposal.id} was approved by a rule that no longer allows it",
                f"It waits for you: `kairos review {proposal.id}`.",
            ),
        )
    try:
        refuse_if_ongoing(proposal, tree.root, "approve")
    except Stale as error:
        return GateRefusal([ProposalReturned(id=proposal.id, why=error.message)], error)
    refusal = basis_refusal(proposal, tree.root)
    if refusal is not None:
        return refusal
    if isinstance(action, CommandAction):
        return []
    if already_done(tree, action):
        return GateRefusal(
            proposals.supersede(proposal, "you made the same change by hand", done=True),
            Stale(f"{proposal.id} is superseded: the same change is there already", "Nothing was written."),
        )
    moved = moved_paths(tree, action)
    if moved:
        names = listed(list(map(shown, moved)))
        return GateRefusal(
            proposals.mark_stale(proposal, moved),
            Stale(f"{proposal.id} is stale: {names} changed since it was made", "Nothing was written."),
        )
    try:
        return writes_of(tree, action)
    except (ValueError, NotPlain) as error:
        why = f"the patch does not apply: {error}"
        return GateRefusal(proposals.mark_stale(proposal, _paths(action), why), Stale(f"{proposal.id}: {error}"))


def refuse_if_ongoing(proposal: Proposal, root: Path, then: str) -> None:
    """Raises Stale (5) in the middle of a rebase, merge or the like, whose end may throw the change away. `then`: the
    command to give afterwards. A note changes nothing and is never refused."""
    what = "" if proposal.is_note else ongoing(root)
    if what:
        raise Stale(
            f"git is in the middle of {what} in {root}; nothing was written",
            f"Aborting it could throw the change away. Finish or abort it, then `kairos {then} {proposal.id}`.",
        )


def basis_refusal(proposal: Proposal, root: Path) -> GateRefusal | None:
    """The refusal of a proposal whose basis is not in the tree at `root`, None if it is. It is parked, or closed if
    nothing leads to its basis any more. TryAgain (75) if git cannot tell."""
    basis = proposal.raised.basis
    if basis is None:
        return None
    try:
        amiss = missing(basis, basis_tree(Git(root), [basis]))
    except GitError as error:
        raise TryAgain(f"what {proposal.id} rests on cannot be read: {error.message}", error.hint) from error
    if amiss is None:
        return None
    events = proposals.supersede(proposal, amiss.why) if amiss.gone else proposals.park(proposal, amiss.why)
    back = "" if amiss.gone else f" {RETURNS}"
    became = "superseded" if amiss.gone else "parked"
    return GateRefusal(events, Stale(f"{proposal.id} is {became}: {amiss.why}", f"Nothing was written.{back}"))


def denial(home: Home, proposal: Proposal, policy: Policy, root: Path) -> str:
    """The reason why policy forbids an action, empty if it does not. Kairos's own files must never be changed."""
    verdict = _verdict(proposal, policy, root)
    if verdict.effect == "deny":
        return verdict.why
    for path in _paths(proposal.raised.action):
        if any((root / path).is_relative_to(own) for own in home.roots):
            return f"'{shown(path)}' belongs to Kairos itself"
    return ""


def _verdict(proposal: Proposal, policy: Policy, root: Path) -> Verdict:
    raised = proposal.raised
    return policy.decide(raised.action, risk=raised.risk, detector=raised.detector, repo=raised.repo, root=str(root))


def refuse_if_paused(log: Log, repo: str, now: int) -> None:
    """Raises TryAgain (75) while Kairos or this repository is paused by a person."""
    if AttentionView().load(log)[0].is_paused(now, repo):
        raise TryAgain("Kairos is paused, so nothing is carried out", "`kairos resume` ends the pause.")


def moved_paths(tree: WorkTree, action: PatchAction) -> list[str]:
    """The paths that are no longer in the state the patch was made from."""
    return [e.fs for e in action.edits if not _is_at(tree, e, before=True)]


def already_done(tree: WorkTree, action: PatchAction) -> bool:
    """Whether every path is already in the state after the patch."""
    return all(_is_at(tree, e, before=False) for e in action.edits)


def writes_of(tree: WorkTree, action: PatchAction) -> list[Write]:
    """The writes that apply the patch to the current tree, keeping permission bits that git does not track.

    ValueError if the patch does not apply to the files on disk."""
    out = []
    for change in action.edits:
        before = tree.read(change.fs)
        content = apply_edit(change, None if before is None else before.content)
        executable = change.after is not None and bool(change.after.mode & 0o100)
        after = None if content is None else Blob(content, mode_after(executable, before))
        out.append(Write(change.fs, before, after))
    _refuse_to_split(out)
    return out


def _refuse_to_split(writes: Sequence[Write]) -> None:
    """ValueError if two names of one file would need different contents: they stay one file. They are hard links, or
    names that differ by case where the file system folds it; of those a patch may name only one."""
    first: dict[int, Write] = {}
    for write in writes:
        if write.before is None or write.before.seen is None or (write.after is None and write.before.links > 1):
            continue
        other = first.setdefault(write.before.seen.ino or 0, write)
        if not same(other.after, write.after) or (other is not write and write.before.links == 1):
            names = f"{shown(other.path)} and {shown(write.path)}"
            raise ValueError(f"{names} are two names of one file and would have to differ")


def _is_at(tree: WorkTree, change: FileEdit, *, before: bool) -> bool:
    state = change.before if before else change.after
    try:
        blob = tree.read(change.fs)
    except NotPlain:
        return False
    if blob is None or state is None:
        return blob is None and state is None
    return blob.sha == state.sha and blob.executable == bool(state.mode & 0o100)


def _paths(action: Action) -> list[str]:
    return [e.fs for e in action.edits] if isinstance(action, PatchAction) else []
