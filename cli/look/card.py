"""The proposal card as text."""

from __future__ import annotations

from cli import render
from cli.context import Context
from kairos.clock import now_us
from kairos.desk.cards import shown, unchecked
from kairos.desk.records.proposals import CardOut
from kairos.desk.summary import cited
from kairos.desk.units import age, count, number
from kairos.domain.action import NoteAction, PatchAction
from kairos.domain.proposal import Proposal

_STATES = {"raised": "not verified yet", "pending": "waits for you"}


def card_text(context: Context, proposal: Proposal, card: CardOut, *, body: str = "full") -> str:
    """The card, with the most important facts for the decision first. `body`: full | stat | none, for the diff."""
    raised = proposal.raised
    state = _STATES.get(card.state, card.state)
    style = {"low": "green", "medium": "yellow"}.get(card.risk, "red")
    lines = [
        f"{render.paint(card.id, 'bold')} · {render.paint(card.title, 'bold')} · {render.paint(card.risk, style)}"
        f" · {age(now_us() - proposal.raised_at)} · {render.inert(state)}",
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
        patch = _stat(proposal) if body == "stat" else render.diff(card.patch.rstrip("\n"))
        lines += ["", render.paint("Patch", "bold"), patch]
    if card.drift:
        lines += ["", render.paint("The base moved", "red"), *(f"  {render.inert(path)}" for path in card.drift)]
    told = proposal.verified.why if proposal.verified is not None else ""
    if proposal.why not in ("", told) and card.state not in ("raised", "pending"):
        lines += ["", f"  {render.inert(proposal.why)}"]
    lines += ["", render.paint("Not checked", "bold"), *(f"  {render.inert(text)}" for text in unchecked(proposal))]
    lines += ["", f"cost ${card.cost_usd:.4f} · digest {card.digest[:12]}… · expires in {_left(raised.expires_at)}"]
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"  {render.inert(line)}" for line in text.split("\n"))


def _left(until: int) -> str:
    return age(max(0, until - now_us()))


def _evidence(context: Context, card: CardOut) -> list[str]:
    rows: list[list[render.Cell]] = [
        [number(position), topic, text] for position, topic, text in cited(context.desk, card.evidence[:20])
    ]
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
        return ["  changes nothing; approving marks it as read"]
    lines = [f"  {count(len(e.files), 'file')}, +{e.added} −{e.removed}"] if e.files else []
    lines += [f"    {render.inert(path)}" for path in e.files[:20]]
    if len(e.files) > 20:
        lines.append(f"    and {len(e.files) - 20} more")
    network = "network" if e.network else "no network"
    back = "reversible" if e.reversible else "NOT reversible"
    return [*lines, f"  {count(len(e.commands), 'command')} · {network} · {back}"]


def _flagged(card: CardOut) -> list[str]:
    """A warning if characters were escaped, because the escapes look the same as literal text."""
    texts = [card.title, card.claim, card.patch or "", *(card.argv or []), *card.effects.files]
    found = sum(map(render.hidden, texts))
    words = count(found, "invisible or control character")
    return [f"  {render.paint(f'! {words}, shown escaped', 'red')}"] if found else []


def _stat(proposal: Proposal) -> str:
    action = proposal.raised.action
    assert isinstance(action, PatchAction)
    rows: list[list[render.Cell]] = [
        [
            shown(e),
            render.Styled(f"+{sum(len(h.new) for h in e.hunks)}", "green"),
            render.Styled(f"-{sum(len(h.old) for h in e.hunks)}", "red"),
        ]
        for e in action.edits
    ]
    return render.table(rows)
