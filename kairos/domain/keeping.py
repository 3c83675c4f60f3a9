"""What becomes of a proposal when the tree moved: kept, parked, closed, or looked at again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from kairos.domain.basis import Basis, BasisMissing, BasisTree, missing
from kairos.domain.events import Event, ProposalRevised
from kairos.domain.proposal import LAPSED, LASTING, Proposal, mark_stale, park, supersede, unpark

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
    if drift == "done" and p.state in LASTING:
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
        return msgspec.structs.replace(theirs, basis=found.basis, evidence=found.evidence)
    return msgspec.structs.replace(found, changed=f"your change of the patch does not fit any more ({theirs})")


def absent(p: Proposal, amiss: BasisMissing, *, taken_away: bool) -> list[Event]:
    """Parks a proposal whose basis is elsewhere, and closes one whose basis is gone. What rests on no commit is
    elsewhere only if git may have taken it away (`taken_away`); else the person removed it."""
    removed = _in_worktree(p) and not taken_away and p.state != "parked"
    if amiss.gone or removed:
        return supersede(p, amiss.why, done=removed and not amiss.gone)
    return park(p, amiss.why)


def not_found(p: Proposal, amiss: BasisMissing | None, *, taken_away: bool, resolved: str) -> list[Event]:
    """What becomes of a proposal whose finding is not there. `taken_away`: git may have taken changes out of the work
    tree (a checkout, a stash): what rests on no commit is elsewhere then, not resolved. `resolved`: the reason
    otherwise."""
    if amiss is not None:
        return absent(p, amiss, taken_away=taken_away)
    if _in_worktree(p) and taken_away:
        return park(p, AWAY)
    if _in_worktree(p) and p.state == "parked":
        return []
    return supersede(p, resolved, done=True)


def _in_worktree(p: Proposal) -> bool:
    """Whether the finding rests on the work tree or the index alone."""
    return p.raised.basis is None or not p.raised.basis.commits


def to_follow(basis: Basis | None, tree: BasisTree) -> str | None:
    """The path whose removal another commit may have made: the commits of the basis are not in the history of HEAD, and
    its paths are as if they were (after a squash, a rebase or an amend that nobody saw). None if there is none."""
    if basis is None or not basis.absent or all(not tree.in_head.isdisjoint(g.oids) for g in basis.commits):
        return None
    bare = msgspec.structs.replace(basis, commits=[])
    return basis.absent[0].fs if missing(bare, tree) is None else None
