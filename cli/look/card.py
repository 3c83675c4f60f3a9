"""The proposal card as text, in parts that can be folded one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from cli import render
from cli.context import Context
from kairos.clock import now_us
from kairos.desk.cards import FilePatch, comments_go, file_patches, unchecked, why_now
from kairos.desk.deciding import not_now
from kairos.desk.records.proposals import CardOut, VerificationOut
from kairos.desk.summary import cited
from kairos.desk.units import age, count, number
from kairos.domain.action import NoteAction
from kairos.domain.proposal import Proposal

FULL, STAT, NONE = "full", "stat", "none"
"""How a card shows its patch: the exact diff, numbers, or nothing."""
_STATES = {"raised": "not verified yet", "pending": "waits for you"}
_MOST_LISTED = 20
_MOST_REVISIONS = 5
_MOST_ALIKE = 3


PATCH = "patch"
"""The name of the part that says what there is of the patch; the diffs of its files follow."""


_HANG = "    "


class CardPart(NamedTuple):
    """Lines of a card. `path`: the file whose diff they are, empty if they are none; else `title` tells which part."""

    text: str
    path: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        """The same for the same part however it is shown."""
        return f"/{self.path}" if self.path else self.title


def card_text(context: Context, proposal: Proposal, card: CardOut, *, body: str = FULL) -> str:
    """The card, with the most important facts for the decision first."""
    parts = card_parts(context, proposal, card, body=body)
    return "\n".join(part.text if part.path else render.folded(part.text, hang=_HANG) for part in parts)


def card_parts(
    context: Context,
    proposal: Proposal,
    card: CardOut,
    *,
    body: str = FULL,
    folded: Container[str] = (),
    unseen: Callable[[FilePatch], int] = lambda file: 0,
) -> list[CardPart]:
    """The card in parts, each file of the patch one of its own. `folded`: files whose diff is left out; `unseen`: how
    many lines of the diff of a file were never shown, which a card that leaves them out says."""
    effects = [render.paint("Effects", "bold"), *_effects(card), *_flagged(card), *_command(card)]
    return [
        CardPart("\n".join([*_head(context, proposal, card), *_comments(context, card)]), title="head"),
        CardPart("\n".join(["", render.paint("Evidence", "bold"), *_evidence(context, card)]), title="evidence"),
        CardPart("\n".join(["", *effects]), title="effects"),
        *(_patch(file_patches(context.desk, proposal), body, folded, unseen) if card.patch else []),
        CardPart("\n".join(_foot(proposal, card)), title="foot"),
    ]


def _head(context: Context, proposal: Proposal, card: CardOut) -> list[str]:
    raised = proposal.raised
    state = _STATES.get(card.state, card.state)
    lines = [
        f"{render.paint(card.id, 'bold')} · {render.paint(card.title, 'bold')} · {level(proposal)}"
        f" · {age(now_us() - proposal.raised_at)} · {render.inert(state)}",
        f"  {render.inert(card.repo)} · {render.inert(card.detector)}@{raised.detector_version}, engine {card.engine}"
        f" · {render.inert(why_now(context.desk, proposal))}",
        "",
        _indented(card.claim),
    ]
    if card.held:
        lines += ["", _indented(f"Not carried out: {card.held}")]
    if isinstance(raised.action, NoteAction) and raised.action.text != card.claim:
        lines.append(_indented(raised.action.text))
    refused = not_now(context.desk, proposal) if proposal.state in ("parked", "deferred") else None
    if refused is not None:
        said = refused.message.removeprefix(f"{proposal.id} is ")
        lines += ["", f"  {render.paint(f'{said}. {refused.hint}', 'yellow')}"]
    elif card.why:
        lines += ["", f"  {render.paint(f'{state}: {card.why}', 'yellow')}"]
    lines += _revised(proposal, card)
    if card.voided:
        lines.append(f"  {render.paint(f'your approval was of digest {card.voided[:12]}… and is void', 'yellow')}")
    return lines


def _revised(proposal: Proposal, card: CardOut) -> list[str]:
    """What changed since the proposal was raised: the latest revisions, each with the digest that it ended."""
    if not card.revisions:
        return []
    shown = proposal.revisions[-_MOST_REVISIONS:]
    times = "revised once" if card.revised == 1 else f"revised {card.revised} times"
    if card.revised == 0:
        times = "it followed its branch"
    last = f", the last {len(shown)}" if len(shown) < card.revised else ""
    rows: list[list[render.Cell]] = [
        [f"{age(now_us() - r.at)} ago", r.changed, f"was {r.was[:12]}…" if r.was else ""] for r in shown
    ]
    return ["", f"  {times}{last}:", render.table(rows, indent="    ")]


def _comments(context: Context, card: CardOut) -> list[str]:
    """What the person said, and what became of it."""
    if not card.comments:
        return []
    lines = ["", render.paint("You said", "bold")]
    for c in card.comments:
        words = {"revised": "a model changed the patch", "unchanged": "a model looked, and the patch stays as it is"}
        became = words.get(c.answer, "no model was asked") if c.answer else comments_go(context.desk)
        lines.append(f"  {render.inert(f'{c.file}: {c.text}' if c.file else c.text)}")
        lines.append(f"    {render.paint(became + (f': {c.why}' if c.why else ''), 'dim')}")
    return lines


def level(proposal: Proposal) -> str:
    """The risk of a proposal, or the severity of a note, in its colour."""
    risk = proposal.raised.risk
    style = {"low": "green", "medium": "yellow"}.get(risk, "red")
    return render.paint(f"severity {risk}" if proposal.is_note else risk, style)


def _indented(text: str) -> str:
    return "\n".join(f"  {render.inert(line)}" for line in text.split("\n"))


def _left(until: int) -> str:
    return age(max(0, until - now_us()))


def _evidence(context: Context, card: CardOut) -> list[str]:
    rows: list[list[render.Cell]] = [
        [number(position), topic, text] for position, topic, text in cited(context.desk, card.evidence[:_MOST_LISTED])
    ]
    lines = [render.table(rows, right=(0,))] if rows else ["  none"]
    if len(card.evidence) > _MOST_LISTED:
        lines.append(f"  and {len(card.evidence) - _MOST_LISTED} more")
    tried = card.verification is not None and not (card.action.kind == "note" and card.verification.ok)
    return [*lines, *_verified(card.verification)] if tried and card.verification is not None else lines


def _verified(v: VerificationOut) -> list[str]:
    """How the trial ended. Only a check that passed, or a patch that needs none, gets a tick."""
    check = f"`{' '.join(v.check)}` exit {v.exit}, {v.seconds:.1f} s" if v.check else ""
    said = ": ".join(filter(None, (check, v.why))) or "it applies in a scratch tree"
    if not v.ok:
        sign, words = render.paint("✗", "red"), "not verified"
    elif v.check and v.exit != 0:
        sign, words = render.paint("!", "yellow"), "applies, but the check does not pass"
    else:
        sign, words = render.paint("✓", "green"), "verified"
    tail = v.output.strip().split("\n")[-5:] if v.output.strip() else []
    lines = [f"  {sign} {words}: {render.inert(said)}"]
    if check and v.before_exit is not None:
        lines.append(f"      before: {render.inert(_ended(v.before_exit, v.before_output, v.before_seconds))}")
        lines.append(f"      after:  {render.inert(_ended(v.exit, v.output, v.seconds))}")
        tail = tail if v.exit != 0 else []
    return [*lines, *(f"      {render.inert(text)}" for text in tail)]


def _ended(exit_: int | None, output: str, seconds: float) -> str:
    """How a run of the check ended: passed or failed, and its last line, which is where test runners sum up."""
    word = "passed" if exit_ == 0 else f"failed with exit {exit_}" if exit_ is not None else "ended by a signal"
    lines = output.strip().split("\n")
    return f"{word}, {seconds:.1f} s" + (f": {lines[-1].strip()}" if lines[-1].strip() else "")


def _effects(card: CardOut) -> list[str]:
    e = card.effects
    if card.action.kind == "note":
        return ["  changes nothing; approving marks it as read"]
    lines = [f"    {render.inert(path)}" for path in e.files[:_MOST_LISTED]]
    if len(e.files) > _MOST_LISTED:
        lines.append(f"    and {len(e.files) - _MOST_LISTED} more")
    network = "network" if e.network else "no network"
    back = "reversible" if e.reversible else "NOT reversible"
    size = f"{count(len(e.files), 'file')}, +{e.added} −{e.removed} · " if e.files else ""
    return [f"  {size}{count(len(e.commands), 'command')} · {network} · {back}", *lines]


def _flagged(card: CardOut) -> list[str]:
    """A warning if characters were escaped, because the escapes look the same as literal text."""
    texts = [card.title, card.claim, card.patch or "", *(card.argv or []), *card.effects.files]
    found = sum(map(render.hidden, texts))
    words = count(found, "invisible or control character")
    return [f"  {render.paint(f'! {words}, shown escaped', 'red')}"] if found else []


def _command(card: CardOut) -> list[str]:
    if card.argv is None:
        return []
    import shlex

    return ["", render.paint("Command", "bold"), f"  {render.inert(shlex.join(card.argv))}"]


def _patch(
    files: Sequence[FilePatch], body: str, folded: Container[str], unseen: Callable[[FilePatch], int]
) -> list[CardPart]:
    title = f"\n{render.paint('Patch', 'bold')}"
    if body == FULL:
        shown = [
            CardPart(_folded(file, unseen(file)), file.path)
            if file.path in folded
            else CardPart("\n".join(diff_lines(file)), file.path)
            for file in files
        ]
        return [CardPart(title, title=PATCH), *shown]
    counts = [n for file in files if (n := unseen(file))]
    left = f"{count(sum(counts), 'line')} in {count(len(counts), 'file')} not shown yet" if counts else "folded, seen"
    said = f"  {render.paint(left, 'yellow' if counts else 'dim')}"
    return [
        CardPart("\n".join([title, *([render.table(list(map(_numbers, files)))] * (body == STAT)), said]), title=PATCH)
    ]


def diff_lines(file: FilePatch) -> list[str]:
    """The diff of a file as the styled lines of the card."""
    return render.diff(file.text.rstrip("\n")).split("\n")


def _folded(file: FilePatch, unseen: int) -> str:
    size = f"+{file.added} −{file.removed}"
    if not unseen:
        return f"  {render.paint(f'✓ {file.path}', 'dim')}  {size}, seen"
    return f"  {render.paint(f'▸ {file.path}', 'yellow')}  {size}, {count(unseen, 'line')} not shown"


def _numbers(file: FilePatch) -> list[render.Cell]:
    return [
        file.path, render.Styled(f"+{file.added}", "green"), render.Styled(f"-{file.removed}", "red"),
    ]  # fmt: skip


def _shortened(listed: list[str], proposal: str) -> list[str]:
    """At most three places with the same reason, which stands behind the last colon, and how many more there are."""
    told: list[str] = []
    times = Counter(_reason(text) for text in listed)
    seen: Counter[str] = Counter()
    for text in listed:
        why = _reason(text)
        seen[why] += 1
        if seen[why] <= _MOST_ALIKE:
            told.append(text)
        if seen[why] == _MOST_ALIKE and times[why] > _MOST_ALIKE:
            more = times[why] - _MOST_ALIKE
            told.append(f"{number(more)} more like these: kairos show {proposal} --json")
    return told


def _reason(text: str) -> str:
    return text.rpartition(": ")[2]


def _foot(proposal: Proposal, card: CardOut) -> list[str]:
    lines = []
    if card.drift and not proposal.why:
        lines += ["", render.paint("The base moved", "red"), *(f"  {render.inert(path)}" for path in card.drift)]
    told = _shortened(unchecked(proposal), proposal.id)
    lines += ["", render.paint("Not checked", "bold"), *(f"  {render.inert(text)}" for text in told)]
    expires = _left(proposal.raised.expires_at)
    return [*lines, "", f"cost ${card.cost_usd:.4f} · digest {card.digest[:12]}… · expires in {expires}"]
