"""The proposal card: the record that scripts read and the text that a person decides on, from one proposal."""

from __future__ import annotations

from pathlib import Path

from cli import render
from cli.context import Context
from cli.outputs import ActionOut, BaseOut, CardOut, EffectsOut, ProposalOut, VerificationOut
from cli.summary import summary
from kairos.clock import now_us, rfc3339
from kairos.domain.action import CommandAction, FileEdit, NoteAction, PatchAction, content_sha, headers, unified
from kairos.domain.inert import as_text, quoted
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError
from kairos.eventlog.views import Repositories

_MOST_BYTES = 8 << 20
_STATES = {"raised": "not verified yet", "pending": "waits for you"}


def row_of(proposal: Proposal, known: Repositories) -> ProposalOut:
    """A proposal as `inbox` lists it."""
    return ProposalOut(**_common(proposal, known))  # type: ignore[arg-type]


def card_of(proposal: Proposal, known: Repositories, positions: list[int]) -> CardOut:
    """A proposal as `show` gives it. `patch` has context lines where the files are still those it was made from."""
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
            BaseOut(path=_shown(x), sha=x.before.sha if x.before else None, mode=x.before.mode if x.before else None)
            for x in edits
        ],
        effects=EffectsOut(
            files=e.files, added=e.added, removed=e.removed, commands=e.commands, network=e.network,
            reversible=e.reversible,
        ),
        verification=VerificationOut(
            ok=v.ok, check=v.check, exit=v.exit, output=v.output, seconds=v.seconds, why=v.why
        ) if v else None,
        unchecked=raised.unchecked,
        drift=proposal.stale_paths,
        cost_usd=raised.cost_microusd / 1e6,
        policy_version=raised.policy_version,
        positions=positions,
    )  # fmt: skip


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
        "evidence": raised.evidence,
        "action": _action(proposal),
        "raised_at": rfc3339(proposal.raised_at),
        "expires_at": rfc3339(raised.expires_at),
        "why_now": raised.boundary,
        "deferred_until": rfc3339(proposal.deferred_until) if proposal.deferred_until else None,
    }


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


def _shown(edit: FileEdit) -> str:
    return as_text(edit.fs)


def patch_text(action: PatchAction, root: Path | None) -> str:
    """The exact diff of every edit. Context lines come from the present file where it is the one that the patch
    was made from; otherwise only the changed lines themselves are shown."""
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
    """The base content, if the file still is it: a regular file inside the root, reached through no symlink."""
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


def card_text(context: Context, proposal: Proposal, card: CardOut, *, body: str = "full") -> str:
    """The card, in the order people decide by. `body`: full | stat | none, for the diff."""
    raised = proposal.raised
    state = _STATES.get(card.state, card.state)
    age = render.age(now_us() - proposal.raised_at)
    style = {"low": "green", "medium": "yellow"}.get(card.risk, "red")
    lines = [
        f"{render.paint(card.id, 'bold')} · {render.paint(card.title, 'bold')} · {render.paint(card.risk, style)}"
        f" · {age} · {render.inert(state)}",
        f"  {render.inert(card.repo)} · {render.inert(card.detector)}@{raised.detector_version}, engine {card.engine}"
        f" · {render.inert(card.why_now or 'boundary unknown')}",
        "",
        _indented(card.claim),
    ]
    if isinstance(raised.action, NoteAction) and raised.action.text != card.claim:
        lines.append(_indented(raised.action.text))
    lines += ["", render.paint("Evidence", "bold"), *_evidence(context, card)]
    lines += ["", render.paint("Effects", "bold"), *_effects(card), *_flagged(card)]
    if card.argv is not None:
        import shlex

        lines += ["", render.paint("Command", "bold"), f"  {render.inert(shlex.join(card.argv))}"]
    if card.patch and body != "none":
        shown = _stat(proposal) if body == "stat" else render.diff(card.patch.rstrip("\n"))
        lines += ["", render.paint("Patch", "bold"), shown]
    if card.drift:
        lines += ["", render.paint("The base moved", "red"), *(f"  {render.inert(path)}" for path in card.drift)]
    told = proposal.verified.why if proposal.verified is not None else ""
    if proposal.why not in ("", told) and card.state not in ("raised", "pending"):
        lines += ["", f"  {render.inert(proposal.why)}"]
    lines += ["", render.paint("Not checked", "bold"), *(f"  {render.inert(text)}" for text in _unchecked(proposal))]
    lines += ["", f"cost ${card.cost_usd:.4f} · digest {card.digest[:12]}… · expires in {_left(raised.expires_at)}"]
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"  {render.inert(line)}" for line in text.split("\n"))


def _left(until: int) -> str:
    left = until - now_us()
    return render.age(left) if left > 0 else "0s"


def _evidence(context: Context, card: CardOut) -> list[str]:
    rows: list[list[render.Cell]] = []
    for position in card.evidence[:20]:
        try:
            recorded = context.log.at(position)
        except KairosError as error:
            rows.append([render.number(position), "?", error.message])
            continue
        rows.append([render.number(position), recorded.topic, summary(recorded)])
    lines = [render.table(rows, right=(0,))] if rows else ["  none"]
    if len(card.evidence) > 20:
        lines.append(f"  and {len(card.evidence) - 20} more")
    v = card.verification
    if v is not None:
        sign = render.paint("✓", "green") if v.ok else render.paint("✗", "red")
        check = f"`{' '.join(v.check)}` exit {v.exit}, {v.seconds:.1f} s" if v.check else ""
        said = ": ".join(filter(None, (check, v.why))) or "it applies in a scratch tree"
        lines.append(f"  {sign} {'verified' if v.ok else 'not verified'}: {render.inert(said)}")
        tail = v.output.strip().split("\n")[-5:] if v.output.strip() else []
        lines += [f"      {render.inert(text)}" for text in tail]
    return lines


def _effects(card: CardOut) -> list[str]:
    e = card.effects
    if card.action.kind == "note":
        return ["  nothing is changed: approving it says that you have read it"]
    lines = [f"  {render.count(len(e.files), 'file')}, +{e.added} −{e.removed}"] if e.files else []
    lines += [f"    {render.inert(path)}" for path in e.files[:20]]
    if len(e.files) > 20:
        lines.append(f"    and {len(e.files) - 20} more")
    network = "network" if e.network else "no network"
    back = "reversible" if e.reversible else "NOT reversible"
    return [*lines, f"  {render.count(len(e.commands), 'command')} · {network} · {back}"]


def _flagged(card: CardOut) -> list[str]:
    """A warning where escapes stand for characters: the same letters could be the text itself."""
    count = sum(map(render.hidden, [card.title, card.claim, card.patch or "", *(card.argv or []), *card.effects.files]))
    words = render.count(count, "invisible or control character")
    return [f"  {render.paint(f'! {words}, shown escaped', 'red')}"] if count else []


def _stat(proposal: Proposal) -> str:
    action = proposal.raised.action
    assert isinstance(action, PatchAction)
    rows: list[list[render.Cell]] = [
        [
            _shown(e),
            render.Styled(f"+{sum(len(h.new) for h in e.hunks)}", "green"),
            render.Styled(f"-{sum(len(h.old) for h in e.hunks)}", "red"),
        ]
        for e in action.edits
    ]
    return render.table(rows)


def _unchecked(proposal: Proposal) -> list[str]:
    listed = list(proposal.raised.unchecked)
    if proposal.verified is None:
        listed.append("it has not been tried in a scratch tree yet")
    elif not proposal.verified.check and not proposal.is_note:
        listed.append("no check command is configured for this repository: its tests did not run")
    return listed or ["nothing more to say"]
