"""Every error a person can meet: what happened, what to do next, and a stable exit code.

`KairosError` is reported and ends the command; anything else is a defect and shows a traceback.
"""

from __future__ import annotations


class KairosError(Exception):
    """Base: `message` says what happened and what it means, `hint` what to do next."""

    code = 1
    name = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(KairosError):
    """The call or the configuration is wrong: bad path, wrong key, malformed value."""

    code = 2
    name = "usage"


class NothingPending(KairosError):
    """No proposal waits for a decision; raised only with `--exit-code`."""

    code = 3
    name = "nothing_pending"


class NotFound(KairosError):
    """No record, or more than one, matches the id."""

    code = 4
    name = "not_found"


class Stale(KairosError):
    """The proposal is no longer the one that was read: another digest, a changed base, expired, or already decided."""

    code = 5
    name = "stale"


class Denied(KairosError):
    """Policy or trust forbids it."""

    code = 6
    name = "denied"


class BudgetExhausted(KairosError):
    """A model call would exceed the budget; it was not sent."""

    code = 7
    name = "budget_exhausted"


class OutcomeUnknown(KairosError):
    """Verification failed, or an action started and its outcome cannot be determined."""

    code = 8
    name = "unverified"


class IntegrityError(KairosError):
    """The event log is damaged or has a version that this program does not support."""

    code = 9
    name = "integrity"


class NoDaemon(KairosError):
    """The command needs a running daemon."""

    code = 10
    name = "no_daemon"


class Locked(KairosError):
    """Another instance holds the lock."""

    code = 11
    name = "locked"


class SandboxUnavailable(KairosError):
    """A command could not be confined, so it was not run."""

    code = 1
    name = "sandbox_unavailable"


class TryAgain(KairosError):
    """A temporary condition: full disk, busy database, a timeout."""

    code = 75
    name = "try_again"


class Conflict(KairosError):
    """An append expected another version of the stream: another process wrote first."""

    code = 5
    name = "conflict"


class LeaseLost(KairosError):
    """Another home took over a lease that this home held on a shared log; nothing was written. Not a `Conflict`: the
    operation must not be retried, because the other home is now responsible."""

    code = 75
    name = "lease_lost"
