"""Facts about proposals, approvals, executions and undo. Stream `proposal-<id>`."""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain.action import Action, Effects
from kairos.domain.basis import Basis
from kairos.domain.events.base import Cited, Event, FreeText, Name, register
from kairos.domain.events.turns import Engine

Risk = Literal["low", "medium", "high", "urgent"]
Run = Literal["apply", "undo", "redo"]
Answer = Literal["revised", "unchanged", "not_asked"]


class Expected(Name, frozen=True, kw_only=True, omit_defaults=True):
    """The state that a run will leave at a path: content hash (absent: no file) and mode."""

    sha: str | None = None
    mode: int | None = None


class Signature(Name, frozen=True, kw_only=True, omit_defaults=True):
    """The file system's metadata of a path right after Kairos wrote it (size absent: no file)."""

    ino: int | None = None
    size: int | None = None
    mode: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None


class AwayParts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a proposal is about beside what its action changes now: parts whose commits or paths are not in the tree.
    They return to the same proposal. `subjects`: their keys; `basis`: what they rest on; `fingerprint`: a short hash of
    each place that only they had; `why`: why they are not there, in words."""

    subjects: list[str]
    basis: Basis
    fingerprint: list[str] = []
    why: FreeText = ""


@register
class ProposalRaised(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An action waits for a decision. `key` names the finding (detector and what it is about), `subjects` its parts;
    `evidence` are event positions; `expires_at` in us; `unchecked` says what was not verified. `fingerprint`: a short
    hash of each place of the evidence; `level`: how bad its state is beside its risk; `basis`: what must be in the
    repository for it to hold (absent: recorded by an earlier version); `away`: parts that are not in the tree now."""

    id: str
    repo: str
    digest: str
    detector: str
    detector_version: int
    engine: Engine
    turn: str
    key: str
    title: FreeText
    claim: FreeText
    risk: Risk
    action: Action
    effects: Effects
    evidence: list[Cited]
    expires_at: int
    policy_version: str
    verdict: Literal["allow", "ask"] = "ask"
    boundary: str = ""
    unchecked: list[FreeText] = []
    cost_microusd: int = 0
    subjects: list[str] = []
    fingerprint: list[str] = []
    level: int = 0
    basis: Basis | None = None
    away: AwayParts | None = None


@register
class ProposalRevised(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The same proposal in a new form, because what it rests on moved: a new digest, or new words, places or basis. An
    approval of the former digest is void. `changed` says what is different; `worse`: so much worse than what the person
    was told that they are told again. `edited`: the person changed the patch; the digest of the one that was found.
    `by`: `model` if a model changed it because of a comment of the person, which cost `spent_microusd`.
    `restored`: that change was taken back or made again. `deferred`: it was deferred until its evidence changes, and
    stays so, because what it rests on is the same. `away`: parts that are not in the tree now, and return to it."""

    id: str
    digest: str
    detector_version: int
    turn: str
    key: str
    title: FreeText
    claim: FreeText
    risk: Risk
    action: Action
    effects: Effects
    evidence: list[Cited]
    policy_version: str
    changed: FreeText
    verdict: Literal["allow", "ask"] = "ask"
    boundary: str = ""
    unchecked: list[FreeText] = []
    subjects: list[str] = []
    fingerprint: list[str] = []
    level: int = 0
    basis: Basis | None = None
    away: AwayParts | None = None
    worse: bool = False
    expires_at: int | None = None
    edited: str = ""
    restored: bool = False
    by: str = ""
    spent_microusd: int = 0
    deferred: bool = False


@register
class ProposalParked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What the proposal rests on is not in the tree now (another branch, a stash, a reset). It returns by itself with
    it; a deferral stays, an approval is void."""

    id: str
    why: FreeText


@register
class ProposalUnparked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What the proposal rests on is in the tree again. `expires_at`: the new expiry (us), as the time it was parked
    does not count."""

    id: str
    expires_at: int | None = None


@register
class ProposalVerified(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The action was tried in a scratch tree. `ok` False withdraws it. `check`: the repository's own command;
    `before_exit`, `before_output`: how it ended without the action, absent if it was not run so; `before_tree`: a hash
    of the tree in which that was found, so that it is run once for a tree."""

    id: str
    digest: str
    ok: bool
    check: list[FreeText] = []
    exit: int | None = None
    output: FreeText = ""
    seconds: float = 0.0
    why: FreeText = ""
    before_exit: int | None = None
    before_seconds: float = 0.0
    before_output: FreeText = ""
    before_tree: str = ""


@register
class ProposalDelivered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The proposal was delivered to a person: printed by `watch`, notified, or part of the morning brief. Counts
    towards the daily cap."""

    id: str
    boundary: str


@register
class ProposalApproved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A yes to one digest, valid until `expires_at` (us). `by`: user, or the name of a person's rule."""

    id: str
    digest: str
    by: FreeText
    expires_at: int


@register
class ProposalAcknowledged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A yes to a note: read, nothing to do."""

    id: str
    digest: str


@register
class ProposalRejected(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A no. reason: wrong | not_now | style | too_risky | duplicate | other; `never`: do not propose it here again."""

    id: str
    reason: str
    text: FreeText = ""
    never: bool = False


@register
class ProposalDeferred(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Later: it returns at `until` (us), or when absent at the next commit, or (`on_evidence`) when what it rests on
    changes."""

    id: str
    until: int | None = None
    on_evidence: bool = False


@register
class ProposalCommented(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What a person said about a proposal, or about one file of its patch (`file`), when its digest was this one."""

    id: str
    digest: str
    text: FreeText
    file: str = ""


@register
class CommentAnswered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the comment at position `of`. `outcome`: revised (a model changed the patch, see
    `ProposalRevised`) | unchanged | not_asked (no model was called), with the reason."""

    id: str
    of: Cited
    outcome: Answer
    why: FreeText = ""


@register
class ProposalReturned(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal is pending again: its deferral ended, its approval was not carried out, or git took the change away
    that it made, as `why` says. `expires_at`: the new expiry (us), if it has one."""

    id: str
    why: FreeText = ""
    expires_at: int | None = None


@register
class ProposalStale(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The base changed: these paths differ from what was read. `why`: another reason, such as a policy that forbids
    it."""

    id: str
    paths: list[str]
    why: FreeText = ""


@register
class ProposalSuperseded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """No longer needed: the user made the change by hand, or another proposal (`by`) took its place. `done`: people
    did what it asks, without it."""

    id: str
    why: FreeText
    by: str = ""
    done: bool = False


@register
class ProposalExpired(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The proposal was not decided in time."""

    id: str


@register
class ExecutionStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A run begins; recorded before anything is changed. `expect`: what each path will be; `before`: what each was.
    `store`: the undo store that holds the pre-images."""

    id: str
    execution: str
    run: Run
    digest: str
    repo: str
    expect: list[Expected]
    before: list[Expected]
    store: str
    argv: list[FreeText] = []


@register
class ExecutionFinished(Event, frozen=True, kw_only=True, omit_defaults=True):
    """`outcome`: done | failed (nothing changed) | rolled_back | rolled_forward."""

    id: str
    execution: str
    run: Run
    outcome: str
    signatures: list[Signature] = []
    why: FreeText = ""
    output: FreeText = ""


@register
class ExecutionUnknown(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A run started and did not finish, and the tree is in neither the old nor the new state: a person must look. Never
    rerun."""

    id: str
    execution: str
    run: Run
    paths: list[str]


@register
class Undone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The exact reverse of an execution was applied; later edits of the user are kept."""

    id: str
    execution: str
    kept: list[str] = []


@register
class Redone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An undone action was applied again; edits of the user since the undo are kept."""

    id: str
    execution: str
    kept: list[str] = []


@register
class DecisionUndone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person took back the decision recorded at position `of`. `what`: approve (not carried out yet) | acknowledge |
    reject | defer | edit, of the proposal `id`; or mute | unmute | pause | resume, with `id` empty. What was in force
    before is in force again."""

    what: str
    of: Cited
    id: str = ""


@register
class DecisionRedone(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A decision that was taken back is in force again. The fields are those of `DecisionUndone`."""

    what: str
    of: Cited
    id: str = ""
