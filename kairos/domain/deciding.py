"""What a person decides about a proposal, and what a run of it may do. Pure: the present fold in, events out.

Every function returns the events that record the decision, none if it was already recorded, or raises an error that a
person can act on. The caller appends them with the version of the fold, so that only one of two concurrent reviewers
succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from kairos.domain import events as ev
from kairos.domain.action import CommandAction, NoteAction, PatchAction
from kairos.domain.amounts import listed
from kairos.domain.events import Event
from kairos.domain.events.proposals import Run
from kairos.domain.inert import as_text
from kairos.domain.proposal import DONE, OPEN, RAN, Proposal, is_verified
from kairos.errors import Denied, Stale, TryAgain, UsageError

REASONS = ("wrong", "not_now", "style", "too_risky", "duplicate", "other")
PERSON = "user"
BY_RULE = "rule:"
"""What stands before the name of a rule that approved."""
_LOOK = "Look again: `kairos show {}`."
_ENDED = {
    "expired": "expired before anybody decided",
    "stale": "is stale: the files it was made from have changed",
    "superseded": "is superseded: nothing is left to do",
    "withdrawn": "was withdrawn: it did not pass verification",
    "rejected": "was rejected already",
    "acknowledged": "was acknowledged already",
    "approved": "was approved already",
    "executing": "is being carried out",
    "executed": "was carried out already",
    "redone": "was carried out already",
    "undone": "was carried out and undone",
    "failed": "was approved and failed",
    "unknown": "was started and its outcome is unknown: look at its files",
    "deferred": "was deferred",
    "parked": "is parked",
}
RETURNS = "It returns by itself with what it rests on."
"""What brings a parked proposal back."""


def rule_of(p: Proposal) -> str:
    """The name of the rule that approved a proposal, empty if none did."""
    by = p.approved.by if p.approved is not None else ""
    return by.removeprefix(BY_RULE) if by.startswith(BY_RULE) else ""


def approve(p: Proposal, digest: str | None, *, now: int, by: str = PERSON, valid_us: int) -> list[Event]:
    """A yes to exactly the digest that was read (None: the raised one), valid for `valid_us`.

    Stale (5) for another digest, an expired or a decided proposal; TryAgain (75) before verification; Denied (6) when a
    rule approves what only a person may approve. Repeating a yes returns no events."""
    if digest is not None and digest != p.raised.digest:
        since = changed_since(p, digest)
        raise Stale(
            f"{p.id} is not what you read: its digest is {p.raised.digest[:12]}, not {digest[:12]}"
            + (f"; since then: {since}" if since else ""),
            _LOOK.format(p.id),
        )
    if p.state == "acknowledged":
        return []
    if p.state in DONE or p.state == "executing":
        return []
    if p.state == "approved" and p.approved is not None and p.approved.expires_at > now:
        return []
    if p.state not in OPEN and p.state != "approved":
        raise decided(p)
    if p.raised.expires_at <= now:
        raise Stale(f"{p.id} expired before anybody decided", "It is raised again if its evidence still holds.")
    if not is_verified(p):
        raise TryAgain(f"{p.id} is still being verified", "Try again in a moment.")
    if by != PERSON and (p.raised.risk in ("high", "urgent") or p.is_note):
        raise Denied(f"{p.id} is {p.raised.risk} risk: only a person may approve it", f"Run `kairos review {p.id}`.")
    if isinstance(p.raised.action, NoteAction):
        return [ev.ProposalAcknowledged(id=p.id, digest=p.raised.digest)]
    return [ev.ProposalApproved(id=p.id, digest=p.raised.digest, by=by, expires_at=now + valid_us)]


def reject(p: Proposal, reason: str, text: str = "", *, never: bool = False) -> list[Event]:
    """A no. Repeating it returns no events; Stale (5) when it was decided otherwise."""
    if reason not in REASONS:
        raise UsageError(f"`{reason}` is not a reason", f"One of: {', '.join(REASONS)}.")
    if p.state == "rejected":
        return []
    if p.state not in OPEN and p.state != "parked":
        raise decided(p)
    return [ev.ProposalRejected(id=p.id, reason=reason, text=text, never=never)]


def defer(p: Proposal, until: int | None, *, now: int, on_evidence: bool = False) -> list[Event]:
    """Later: at `until` (us), or with None at the next commit, or (`on_evidence`) when what it rests on changes."""
    if until is not None and until <= now:
        raise UsageError("that time is in the past", "Give a time in the future: 1h, tonight, tomorrow, next-commit.")
    if p.state not in OPEN:
        raise decided(p)
    return [ev.ProposalDeferred(id=p.id, until=until, on_evidence=on_evidence)]


def comment(p: Proposal, text: str, file: str = "") -> list[Event]:
    """What a person says about a proposal that still waits. UsageError if it says nothing."""
    if not text.strip():
        raise UsageError("the comment is empty", "Say what is wrong, or what should be otherwise.")
    if p.state not in OPEN:
        raise decided(p)
    return [ev.ProposalCommented(id=p.id, digest=p.raised.digest, text=text.strip(), file=file)]


def verified(
    p: Proposal, *, ok: bool, why: str = "", check: Sequence[str] = (), exit_status: int | None = None,
    output: str = "", seconds: float = 0.0, before_exit: int | None = None, before_seconds: float = 0.0,
    before_output: str = "", before_tree: str = "",
) -> list[Event]:  # fmt: skip
    """The result of the trial in the scratch tree; no events if the proposal is no longer open."""
    if p.state not in OPEN:
        return []
    return [
        ev.ProposalVerified(
            id=p.id, digest=p.raised.digest, ok=ok, why=why, check=list(check), exit=exit_status, output=output,
            seconds=seconds, before_exit=before_exit, before_seconds=before_seconds, before_output=before_output,
            before_tree=before_tree,
        )
    ]  # fmt: skip


def start_run(
    p: Proposal, run: Run, *, execution: str, expect: list[ev.Expected], before: list[ev.Expected], store: str, now: int
) -> list[Event]:
    """A run begins; to be appended before anything is done.

    Stale (5) unless an approval of exactly this digest is open (apply), or the action was carried out (undo, redo: git
    may have taken the change away) or undone (redo)."""
    action = p.raised.action
    if not isinstance(action, PatchAction) and (p.is_note or run != "apply"):
        raise Denied(f"{p.id} is not a patch: there is nothing to {run}", _LOOK.format(p.id))
    if run == "apply":
        if p.state != "approved" or p.approved is None or p.approved.digest != p.raised.digest:
            raise decided(p)
        if p.approved.expires_at <= now:
            raise Stale(f"the approval of {p.id} has expired", f"Approve it again: `kairos review {p.id}`.")
    elif run == "undo" and p.state not in DONE:
        raise Stale(f"{p.id} cannot be undone: it {_ENDED.get(p.state, 'is not carried out')}", _LOOK.format(p.id))
    elif run == "redo" and p.state not in RAN:
        raise Stale(f"{p.id} cannot be redone: it was not carried out", _LOOK.format(p.id))
    return [
        ev.ExecutionStarted(
            id=p.id, execution=execution, run=run, digest=p.raised.digest, repo=p.raised.repo, expect=expect,
            before=before, store=store, argv=action.argv if isinstance(action, CommandAction) else [],
        )
    ]  # fmt: skip


def finish_run(
    p: Proposal,
    outcome: str,
    *,
    signatures: list[ev.Signature],
    why: str = "",
    output: str = "",
    kept: Sequence[str] = (),
) -> list[Event]:
    """A run ended. `outcome`: done | failed | rolled_back | rolled_forward; `output`: the output of a command; `kept`:
    files whose later edits were kept."""
    started = _open_run(p)
    ended = ev.ExecutionFinished(
        id=p.id, execution=started.execution, run=started.run, outcome=outcome, signatures=signatures, why=why,
        output=output,
    )  # fmt: skip
    if outcome not in ("done", "rolled_forward") or started.run == "apply":
        return [ended]
    made = ev.Undone if started.run == "undo" else ev.Redone
    return [ended, made(id=p.id, execution=started.execution, kept=sorted(map(as_text, kept)))]


def lose_run(p: Proposal, paths: Sequence[str]) -> list[Event]:
    """Ends a run whose outcome is unknown; a person must look at `paths`."""
    started = _open_run(p)
    return [
        ev.ExecutionUnknown(id=p.id, execution=started.execution, run=started.run, paths=sorted(map(as_text, paths)))
    ]


def decided(p: Proposal) -> Stale:
    """The error that explains why the proposal can no longer be decided."""
    why = reason(p)
    return Stale(f"{p.id} {_ENDED.get(p.state, f'is {p.state}')}{f': {why}' if why else ''}", _next(p))


def _next(p: Proposal) -> str:
    if p.state == "parked":
        return RETURNS
    return f"`kairos redo {p.id}` applies it again." if p.state == "undone" else _LOOK.format(p.id)


def reason(p: Proposal) -> str:
    """Why a proposal does not wait for a decision, as far as its stream says; empty if it does or nothing is known."""
    match p.state:
        case "stale":
            return p.why or (f"{listed(p.stale_paths)} changed since it was made" if p.stale_paths else "")
        case "parked":
            return p.parked
        case "superseded" | "withdrawn" | "failed" | "unknown":
            return p.why
        case _:
            return ""


def changed_since(p: Proposal, digest: str) -> str:
    """What happened to a proposal since it had a digest, in words; empty if that is not known."""
    later = next((n for n, r in enumerate(p.revisions) if digest and r.was.startswith(digest)), None)
    return "; then ".join(r.changed for r in p.revisions[later:]) if later is not None else ""


def _open_run(p: Proposal) -> ev.ExecutionStarted:
    if p.execution is None:
        raise Stale(f"{p.id} has no run in progress", _LOOK.format(p.id))
    return p.execution
