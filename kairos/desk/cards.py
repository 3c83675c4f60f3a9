"""Proposals as records: a row of the inbox, and the whole card with its exact patch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.clock import now_us, rfc3339
from kairos.desk.boundaries import in_words
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import attention, inbox, repositories, unwatched
from kairos.desk.records.proposals import (
    ActionOut,
    BaseOut,
    CardOut,
    CommentOut,
    EffectsOut,
    ProposalOut,
    RevisionOut,
    VerificationOut,
)
from kairos.desk.status import policy_error
from kairos.desk.units import number
from kairos.domain.action import CommandAction, FileEdit, NoteAction, PatchAction, content_sha, headers, unified
from kairos.domain.deciding import reason
from kairos.domain.events import CommitRecorded, GitMoved
from kairos.domain.inert import as_text, quoted
from kairos.domain.proposal import UNDECIDED, Comment, Proposal
from kairos.errors import NotFound
from kairos.eventlog.views.repositories import Repositories
from kairos.repo.health import ongoing

_MOST_BYTES = 8 << 20


class FilePatch(NamedTuple):
    """The diff of one file, and how many lines it adds and removes."""

    path: str
    text: str
    added: int
    removed: int


@of_one_moment
def card(desk: Desk, proposal: Proposal) -> CardOut:
    """The card of a proposal in its present state."""
    found = card_of(proposal, repositories(desk), inbox(desk).positions[proposal.id])
    return msgspec.structs.replace(found, held=_held(desk, proposal))


@of_one_moment
def held_by(desk: Desk, id_: str) -> str | None:
    """Why an approved action is not carried out now; None if nothing holds it."""
    return _held(desk, inbox(desk).proposals[id_])


def _held(desk: Desk, proposal: Proposal) -> str | None:
    """Why an approved action is not carried out now, or would not be; None if nothing holds it."""
    if proposal.state in UNDECIDED and not proposal.is_note:
        place = _root(proposal, repositories(desk))
        what = ongoing(place) if place is not None else ""
        return f"git is in the middle of {what}; finish or abort it, then approve" if what else None
    if proposal.state != "approved":
        return None
    root = unwatched(desk).get(proposal.raised.repo)
    if root is not None:
        return f"{root} is not watched; it is carried out after `kairos init` there if its approval has not expired"
    wrong = policy_error(desk)
    if wrong is not None:
        return f"{wrong}; nothing is carried out until policy.toml is corrected"
    if attention(desk).is_paused(now_us(), proposal.raised.repo):
        return "paused; it is carried out after `kairos resume` if its approval has not expired"
    return None


@of_one_moment
def file_patches(desk: Desk, proposal: Proposal) -> list[FilePatch]:
    """The diff of each file that a proposal edits, in the order of the patch; empty if it is no patch."""
    action = proposal.raised.action
    if not isinstance(action, PatchAction):
        return []
    root = _root(proposal, repositories(desk))
    return [
        FilePatch(
            path=shown(e),
            text=as_text(_edit_text(e, root)),
            added=sum(len(h.new) for h in e.hunks),
            removed=sum(len(h.old) for h in e.hunks),
        )
        for e in action.edits
    ]  # fmt: skip


def row_of(proposal: Proposal, known: Repositories) -> ProposalOut:
    """A proposal as `inbox` lists it."""
    return ProposalOut(**_common(proposal, known))  # type: ignore[arg-type]


def card_of(proposal: Proposal, known: Repositories, positions: list[int]) -> CardOut:
    """A proposal as `show` gives it. `patch` has context lines if the files are unchanged since it was made."""
    raised = proposal.raised
    action = raised.action
    edits = action.edits if isinstance(action, PatchAction) else []
    e = raised.effects
    v = proposal.verified
    return CardOut(
        **_common(proposal, known),  # type: ignore[arg-type]
        claim=raised.claim,
        patch=patch_text(action, _root(proposal, known)) if isinstance(action, PatchAction) else None,
        argv=action.argv if isinstance(action, CommandAction) else None,
        base=[
            BaseOut(path=shown(x), sha=x.before.sha if x.before else None, mode=x.before.mode if x.before else None)
            for x in edits
        ],
        effects=EffectsOut(
            files=e.files, added=e.added, removed=e.removed, commands=e.commands, network=e.network,
            reversible=e.reversible,
        ),
        verification=VerificationOut(
            ok=v.ok, check=v.check, exit=v.exit, output=v.output, seconds=v.seconds, why=v.why,
            before_exit=v.before_exit, before_seconds=v.before_seconds, before_output=v.before_output,
        ) if v else None,
        unchecked=raised.unchecked,
        drift=proposal.stale_paths,
        cost_usd=raised.cost_microusd / 1e6,
        policy_version=raised.policy_version,
        positions=positions,
        revisions=[RevisionOut(at=rfc3339(r.at), changed=r.changed, was=r.was or None) for r in proposal.revisions],
        comments=[_comment(c) for c in proposal.comments],
        voided=proposal.voided or None,
        why=reason(proposal) or None,
    )  # fmt: skip


def _comment(c: Comment) -> CommentOut:
    return CommentOut(at=rfc3339(c.at), file=c.file or None, text=c.text, answer=c.answer or None, why=c.why)


def comments_go(desk: Desk) -> str:
    """What becomes of a comment, in words: a model looks at it, or it stays a note."""
    if not desk.config.model.name:
        return "no model is configured: it stays a note"
    return "a model looks at it" if desk.daemon_running() else "a model looks at it when the daemon runs: kairos start"


@of_one_moment
def why_now(desk: Desk, proposal: Proposal) -> str:
    """Why the proposal is there now, in words: the boundary at which it was told or, before that, found; with the event
    that caused it."""
    boundary = _boundary(proposal)
    cause = _cause(desk, proposal.raised.evidence, boundary)
    return f"{in_words(boundary)} {f'(ev {number(cause)})' if cause else ''}".strip()


def _cause(desk: Desk, evidence: Sequence[int], boundary: str) -> int:
    """The cited event that the boundary is about, 0 without any: the first one; of commits that came together, as in a
    merge or a rebase, the last commit."""
    if boundary != "commit" or not evidence:
        return evidence[0] if evidence else 0
    commits = []
    for position in evidence:
        try:
            event = desk.log.at(position).event
        except NotFound:
            continue  # erased
        if isinstance(event, GitMoved) and event.what != "state" and position == evidence[0]:
            return position
        commits += [position] if isinstance(event, CommitRecorded) else []
    return commits[-1] if commits else evidence[0]


def _boundary(proposal: Proposal) -> str:
    told = proposal.told.boundary if proposal.delivered and proposal.told is not None else ""
    return told or proposal.raised.boundary


def _common(proposal: Proposal, known: Repositories) -> dict[str, object]:
    raised = proposal.raised
    return {
        "id": raised.id,
        "digest": raised.digest,
        "title": raised.title,
        "risk": raised.risk,
        "state": proposal.state,
        "engine": raised.engine,
        "detector": raised.detector,
        "repo": _root_text(raised.repo, known),
        "repo_id": raised.repo,
        "evidence": raised.evidence,
        "action": _action(proposal),
        "raised_at": rfc3339(proposal.raised_at),
        "expires_at": rfc3339(raised.expires_at),
        "why_now": _boundary(proposal),
        "deferred_until": rfc3339(proposal.deferred_until) if proposal.deferred_until else None,
        "revised": proposal.revised,
        "parked": proposal.parked or None,
        "severity": raised.risk if proposal.is_note else None,
        "deferred_on": _deferred_on(proposal),
    }


def _deferred_on(proposal: Proposal) -> str | None:
    if proposal.state != "deferred" or proposal.deferred_until is not None:
        return None
    return "evidence" if proposal.deferred_on_evidence else "commit"


def _action(proposal: Proposal) -> ActionOut:
    match proposal.raised.action:
        case NoteAction(text=text):
            return ActionOut(kind="note", text=text)
        case CommandAction():
            return ActionOut(kind="command")
        case PatchAction():
            return ActionOut(kind="patch")


def _root_text(repo: str, known: Repositories) -> str:
    found = known.by_id.get(repo)
    return found.root if found else repo


def _root(proposal: Proposal, known: Repositories) -> Path | None:
    found = known.by_id.get(proposal.raised.repo)
    return Path(found.root) if found else None


def shown(edit: FileEdit) -> str:
    return as_text(edit.fs)


def patch_text(action: PatchAction, root: Path | None) -> str:
    """The exact diff of every edit. Context lines come from the present file if it is the one that the patch was made
    from; otherwise only the changed lines are shown."""
    return as_text("".join(_edit_text(edit, root) for edit in action.edits))


def _edit_text(edit: FileEdit, root: Path | None) -> str:
    before = _content(edit, root)
    mode = _mode_line(edit)
    if before is not None or edit.before is None:
        try:
            return mode + unified(edit, before)
        except ValueError:
            return mode + _bare(edit)
    return mode + _bare(edit)


def _content(edit: FileEdit, root: Path | None) -> bytes | None:
    """The base content if the file still has it: a regular file inside the root, not reached through a symlink. Else
    None."""
    if root is None or edit.before is None or ".." in Path(edit.fs).parts:
        return None
    path = root / edit.fs
    try:
        if path.resolve() != root.resolve() / edit.fs or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return content if content_sha(content) == edit.before.sha else None


def _mode_line(edit: FileEdit) -> str:
    path = quoted(edit.fs)
    if edit.before is None and edit.after is not None:
        return f"new file mode {0o100000 | edit.after.mode:o}: {path}\n" if edit.after.mode != 0o644 else ""
    if edit.after is None:
        return f"deleted file: {path}\n"
    if edit.before is not None and edit.before.mode != edit.after.mode:
        return f"mode of {path}: {edit.before.mode:o} → {edit.after.mode:o}\n"
    return ""


def _bare(edit: FileEdit) -> str:
    source, target = headers(edit)
    out = [f"--- {source}\n", f"+++ {target}\n"]
    shift = 0
    for hunk in edit.hunks:
        first, now = hunk.start + bool(hunk.old), hunk.start + shift + bool(hunk.new)
        out.append(f"@@ -{first},{len(hunk.old)} +{now},{len(hunk.new)} @@\n")
        out += [_closed("-" + text) for text in hunk.old] + [_closed("+" + text) for text in hunk.new]
        shift += len(hunk.new) - len(hunk.old)
    return "".join(out)


def _closed(text: str) -> str:
    return text if text.endswith("\n") else text + "\n\\ No newline at end of file\n"


def unchecked(proposal: Proposal) -> list[str]:
    """What was not checked, as the card says it."""
    listed = list(proposal.raised.unchecked)
    if proposal.verified is None:
        listed.append("it was not tried in a scratch tree yet")
    elif not proposal.verified.check and not proposal.is_note:
        listed.append("no check command is configured for this repository: its tests did not run")
    return listed or ["nothing else"]
