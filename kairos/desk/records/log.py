"""Answers about the event log and its storage."""

from __future__ import annotations

from typing import Any

from kairos.desk.records.base import Output
from kairos.desk.records.proposals import ProposalOut


class EventOut(Output, frozen=True, kw_only=True):
    """One line of `log`. origin: live | offline | self | baseline | history | user | system | foreign.

    `foreign` was stored by another application: `v` is 0, and `data` has only its size in `bytes`."""

    position: int
    type: str
    v: int
    at: str
    stream: str
    version: int
    caused_by: int | None
    correlation: int
    origin: str
    data: dict[str, Any]


class FileOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `files`: exactly one of `path` and `path_b64` (a name that is not UTF-8)."""

    kind: str
    size: int | None
    mode: int | None
    mtime_ns: int | None
    path: str | None = None
    path_b64: str | None = None


class ProblemOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    what: str
    position: int | None = None
    segment: str | None = None


class VerifyOut(Output, frozen=True, kw_only=True):
    ok: bool
    head: int
    hash: str
    problems: list[ProblemOut]


class AnchorOut(Output, frozen=True, kw_only=True):
    position: int
    hash: str


class MovedOut(Output, frozen=True, kw_only=True):
    """The number of events exported or imported, and the hash of the last."""

    events: int
    hash: str


class ReplayOut(Output, frozen=True, kw_only=True):
    """`projections`: the digest of each view folded from the start; `identical`: all equal the saved ones."""

    events: int
    seconds: float
    projections: dict[str, str]
    identical: bool


class ThenOut(Output, frozen=True, kw_only=True):
    """The state when the log ended at `position`. Spending is that of the local day of `at`."""

    position: int
    at: str | None
    pending: list[ProposalOut]
    deferred: int
    memories: dict[str, int]
    model_calls: int
    spent_usd: float
    turns: int


class ForgottenOut(Output, frozen=True, kw_only=True):
    """`positions`: the events whose payloads were excised now; `position`: the event that records this; `left`: the
    person's own files in the home that still name it; `seen`: paths that still exist on disk and will be recorded
    again."""

    positions: list[int]
    position: int | None
    segments: int
    left: list[str]
    seen: list[str]


class SealedOut(Output, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    first: int
    last: int
    file: str
    bytes: int


class FoldedOut(Output, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """What was folded out of one segment: observations and the changes in them, and how many observations remain."""

    first: int
    last: int
    events: int
    changes: int
    kept: int
    bytes_before: int
    bytes_after: int


class CompactOut(Output, frozen=True, kw_only=True):
    """`fold_before`: observations older than this were folded, null without a rule; `days`: the number of summary
    events, and their bytes. With `dry_run` nothing was done: `folded` is what would be folded in the existing
    segments."""

    sealed: list[SealedOut]
    retired: int
    hot_bytes: int
    cold_bytes: int
    folded: list[FoldedOut] = []
    fold_before: str | None = None
    days: int = 0
    days_bytes: int = 0
    dry_run: bool = False
