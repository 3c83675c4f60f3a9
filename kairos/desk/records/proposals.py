"""Answers about proposals and what was decided on them."""

from __future__ import annotations

from kairos.desk.records.base import Output


class ActionOut(Output, frozen=True, kw_only=True):
    """kind: patch | command | note."""

    kind: str
    text: str | None = None


class RevisionOut(Output, frozen=True, kw_only=True):
    """A revision of a proposal: when, what changed, and the digest that it had before (null: not kept)."""

    at: str
    changed: str
    was: str | None = None


class CommentOut(Output, frozen=True, kw_only=True):
    """What a person said about a proposal, or about `file` of its patch. `answer`, of a model that is configured:
    revised | unchanged | not_asked, null if there is none yet; `why` in words."""

    at: str
    file: str | None
    text: str
    answer: str | None = None
    why: str = ""


class ProposalOut(Output, frozen=True, kw_only=True):
    """risk: low | medium | high | urgent; `evidence` are event positions; `why_now` is the boundary; `revised`: how
    often the proposal was revised; `parked`: why it is parked, null if it is not; `severity`: of a note, which has no
    risk because it does nothing, else null; `deferred_on`: commit | evidence, for a deferral without a time; `repo`:
    the root of the repository, `repo_id` its id."""

    id: str
    digest: str
    title: str
    risk: str
    state: str
    engine: str
    detector: str
    repo: str
    evidence: list[int]
    action: ActionOut
    raised_at: str
    expires_at: str
    why_now: str
    deferred_until: str | None = None
    repo_id: str | None = None
    revised: int = 0
    parked: str | None = None
    severity: str | None = None
    deferred_on: str | None = None


class BaseOut(Output, frozen=True, kw_only=True):
    """The file that a patch was made from; `sha` (SHA-256) and `mode` are null if there is no file."""

    path: str
    sha: str | None
    mode: int | None


class EffectsOut(Output, frozen=True, kw_only=True):
    files: list[str]
    added: int
    removed: int
    commands: list[list[str]]
    network: bool
    reversible: bool


class VerificationOut(Output, frozen=True, kw_only=True):
    """How the action ended in a scratch tree; `before_exit`, `before_output`: how the check ended without it, null and
    empty if it was not run so."""

    ok: bool
    check: list[str]
    exit: int | None
    output: str
    seconds: float
    why: str
    before_exit: int | None = None
    before_seconds: float = 0.0
    before_output: str = ""


class CardOut(ProposalOut, frozen=True, kw_only=True):
    """`revisions`: the latest ones, oldest first; `voided`: the digest whose approval a revision made void, null if
    there is none; `held`: why the action is not, or would not be, carried out now, null if nothing holds it; `why`: why
    it does not wait for a decision (which file moved, what its basis lacks), null if it does or nothing is known."""

    claim: str
    patch: str | None
    argv: list[str] | None
    base: list[BaseOut]
    effects: EffectsOut
    verification: VerificationOut | None
    unchecked: list[str]
    drift: list[str]
    cost_usd: float
    policy_version: str
    positions: list[int]
    revisions: list[RevisionOut] = []
    comments: list[CommentOut] = []
    voided: str | None = None
    held: str | None = None
    why: str | None = None


class EditedOut(Output, frozen=True, kw_only=True):
    """A proposal whose patch a person changed: its digest now and `was` before; `changed`: what was done, empty if
    nothing was."""

    id: str
    state: str
    digest: str
    was: str
    changed: str
    files: list[str]
    positions: list[int]


class DecidedOut(Output, frozen=True, kw_only=True):
    """`positions`: the events that resulted from the decision so far; `never`: of a rejection for good, what will not
    be raised again, null of any other decision."""

    id: str
    state: str
    positions: list[int]
    never: str | None = None


class UndoneOut(Output, frozen=True, kw_only=True):
    """What was taken back, or made again. `what`: the decision (approve | acknowledge | reject | defer | edit |
    mute | unmute | pause | resume); `id` is empty for the last four, and `title` then the detector. `state`: that of
    the proposal now, or muted | heard | paused | running. `files`: those that changed (state undone, redone), else
    those of the proposal; `kept`: files in which later edits of the user were kept; `repo`: null if it concerns all;
    `why`: why the proposal was closed instead of waiting again, or until when it is deferred again."""

    id: str
    state: str
    positions: list[int]
    files: list[str]
    kept: list[str]
    what: str = "approve"
    title: str = ""
    repo: str | None = None
    why: str = ""


class StepOut(Output, frozen=True, kw_only=True):
    """`words`: the summary in plain words, empty if it has them."""

    position: int
    type: str
    at: str
    summary: str
    words: str = ""


class DetectorLookOut(Output, frozen=True, kw_only=True):
    """What one detector made of a commit. `found`: titles; `looked` false: it does not look at commits, is muted or
    failed, as `what` says."""

    detector: str
    looked: bool
    what: str
    found: list[str]


class CommitLookOut(Output, frozen=True, kw_only=True):
    """What the detectors make of a commit today. `checks`: what the checks that a person named said of it, a sentence
    each; `uncovered`: what nothing looks at; `waiting`: the ids, as
    they are typed, of the proposals that rest on this commit or cite it, and wait for a decision."""

    commit: str
    subject: str
    repo: str
    files: int
    detectors: list[DetectorLookOut]
    uncovered: list[str]
    checks: list[str] = []
    waiting: list[str] = []


class HeldOut(Output, frozen=True, kw_only=True):
    """Something that is held or suppressed (`now`), or was. `subject`: a proposal id, a finding's key, `turn`, `pause`,
    `mute` or `silence`; `until` null: permanently, or until what `remedy` names. `repo`: the id of the repository,
    empty for all, `repo_path` its root. `at` and `position`: the event that says so, or the last of the proposal."""

    position: int
    at: str
    repo: str
    subject: str
    why: str
    rule: str
    until: str | None
    detector: str
    repo_path: str | None = None
    now: bool = False
    remedy: str = ""
