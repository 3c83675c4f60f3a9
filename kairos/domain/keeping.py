"""What becomes of a proposal when the tree moved: kept, parked, closed, or looked at again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from kairos.domain.basis import Basis, BasisMissing, BasisTree
from kairos.domain.events import Event, ProposalReturned, ProposalRevised, Redone
from kairos.domain.proposal import DONE, LAPSED, LASTING, Proposal, mark_stale, park, supersede, unpark

MOST_FOLLOWED = 4
"""The removals of so many paths are asked of git for one proposal."""
THROWN_AWAY = "git took the change away that was made, and its reason is there again"
AWAY = "it is not in what is checked out now"
Drift = Literal["same", "moved", "done"]
"""What became of the files of a patch: unchanged, changed, or changed just as the patch would."""


def without_look(
    p: Proposal,
    amiss: BasisMissing | None,
    drift: Drift,
    *,
    done: tuple[str, str],
    moved: Sequence[str],
    followed: bool,
    can_look: bool,
    taken_away: bool,
    expires_at: int,
) -> list[Event] | None:
    """The events that follow without another look at the evidence, None if it must be looked at again.

    `amiss`: what its basis lacks; `done`: why its change is in the tree already, and by which proposal; `followed`:
    another commit made the same move or moved a path on, so that the finding may be there; `expires_at`: the expiry
    of a proposal that returns. A finding of a model, or of a detector that is no more, cannot be looked at again
    (`can_look` False): `carried` says what becomes of it when its files moved."""
    if drift == "done" and p.state in LASTING and not can_look:
        return supersede(p, *done, done=not done[1])
    if amiss is not None and not followed:
        return absent(p, amiss, taken_away=taken_away)
    if not can_look and not moved and p.state not in LAPSED:
        return unpark(p, expires_at)
    return None


def carried(p: Proposal, onto: ProposalRevised | str, moved: Sequence[str], expires_at: int) -> list[Event]:
    """What becomes of a patch that nobody can make anew, after its files moved or moved back. `onto`: the same change
    on the files as they are, or why it does not fit them: it is stale with that reason then, and open again when it
    fits."""
    back = unpark(p, expires_at)
    if isinstance(onto, ProposalRevised):
        reopened = msgspec.structs.replace(onto, expires_at=expires_at) if p.state in LAPSED else onto
        return [*back, reopened] if onto.digest != p.raised.digest or p.state in LAPSED else back
    waiting = msgspec.structs.replace(p, state="pending") if back else p
    return [*back, *mark_stale(waiting, moved, onto)]


def edit_kept(
    p: Proposal, found: ProposalRevised, rebase: Callable[[Proposal, str], ProposalRevised | str]
) -> ProposalRevised:
    """What revises a proposal whose patch a person changed: their patch on the files as they are (`rebase`, with the
    digest of what was found); what was found if it has a new place, or if theirs does not fit any more."""
    if not p.edited or not set(found.fingerprint) <= set(p.raised.fingerprint):
        return found
    theirs = rebase(p, found.digest)
    if isinstance(theirs, ProposalRevised):
        return msgspec.structs.replace(theirs, basis=found.basis, away=found.away, evidence=found.evidence)
    return msgspec.structs.replace(found, changed=f"your change of the patch does not fit any more ({theirs})")


def absent(p: Proposal, amiss: BasisMissing, *, taken_away: bool) -> list[Event]:
    """Parks a proposal whose basis is elsewhere, and closes one whose basis is gone. What rests on no commit is
    elsewhere only if git may have taken it away (`taken_away`); else the person removed it."""
    removed = _in_worktree(p) and not taken_away and p.state != "parked"
    if amiss.gone or removed:
        return supersede(p, amiss.why, done=removed and not amiss.gone)
    return park(p, amiss.why)


def not_found(
    p: Proposal, amiss: BasisMissing | None, *, taken_away: bool, resolved: str, done: tuple[str, str] | None = None
) -> list[Event]:
    """What becomes of a proposal whose finding is not there. `taken_away`: git may have taken changes out of the work
    tree (a checkout, a stash): what rests on no commit is elsewhere then, not resolved. `done`: why its change is in
    the tree already, and by which proposal; `resolved`: the reason otherwise."""
    if amiss is not None:
        return absent(p, amiss, taken_away=taken_away)
    if done is not None:
        return supersede(p, *done, done=not done[1])
    if _in_worktree(p) and taken_away:
        return park(p, AWAY)
    if _in_worktree(p) and p.state == "parked":
        return []
    return supersede(p, resolved, done=True)


def thrown_away(p: Proposal, expires_at: int) -> list[Event]:
    """Makes a proposal pending again, valid until `expires_at` (us), whose change git took out of the tree though its
    reason holds. Whoever decided on it was told of it."""
    return [ProposalReturned(id=p.id, why=THROWN_AWAY, expires_at=expires_at)] if p.state in DONE else []


def is_back(p: Proposal) -> list[Event]:
    """Makes a proposal whose change git had taken away one that was carried out again, because the change is back."""
    done, undone = p.last_done, p.stack.undone
    same = any(e.what == "approve" and e.digest == p.raised.digest for e in undone[-1:])
    return [Redone(id=p.id, execution=done.execution)] if p.state in LASTING and done is not None and same else []


def _in_worktree(p: Proposal) -> bool:
    """Whether the finding rests on the work tree or the index alone."""
    return p.raised.basis is None or not p.raised.basis.commits


def to_follow(basis: Basis | None, tree: BasisTree) -> list[str]:
    """The paths whose removal another commit may have made: commits of the basis are not in the history of HEAD, and
    these paths are as if they were (after a squash, a rebase or an amend that nobody saw)."""
    if basis is None or all(not tree.in_head.isdisjoint(g.oids) for g in basis.commits):
        return []
    return [path for path in (n.fs for n in basis.absent) if path not in tree.existing][:MOST_FOLLOWED]
