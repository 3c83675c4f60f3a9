"""What is known of a finding that a look finds now: its card waits, or why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kairos.desk.desk import Desk
from kairos.desk.reading import inbox, letters
from kairos.domain.amounts import listed
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.domain.proposal import DONE, LASTING, OPEN, Proposal
from kairos.eventlog.views.repositories import Repository

_SAID = {
    "rejected": "you rejected it",
    "undone": "you undid it",
    "acknowledged": "you have read it",
    "expired": "nobody decided in time",
    "approved": "you approved it",
    "executing": "it is being carried out",
}


def spoken_of(desk: Desk, repo: Repository, findings: Sequence[Finding]) -> str:
    """Why each finding that has a card waits or does not, in words; empty if none has one."""
    from kairos.domain.raising import is_same  # it loads the native library, which only findings need

    said = []
    for finding in findings:
        known = inbox(desk).known(repo.id, [*finding.names, *finding.former_keys], ())
        same = [p for p in known if is_same(finding, p)]
        card = next((p for p in same if p.state in LASTING), same[-1] if same else None)
        if card is not None:
            said.append(_words(card, letters(desk, card.id), Path(repo.root)))
    return "; ".join(dict.fromkeys(said))


def _words(p: Proposal, short: str, root: Path) -> str:
    if p.state in OPEN:
        return f"{short} waits for your decision"
    if p.state in DONE:
        return f"{short} was carried out, {_since(p, short, root)}"
    if p.state == "parked":
        return f"{short} is parked: {p.parked}"
    return f"{short}: {_SAID.get(p.state) or p.why or p.state}"


def _since(p: Proposal, short: str, root: Path) -> str:
    """What became of a change that was carried out, although its reason, or a part of it, is there."""
    from kairos.acting.drift import drift  # what it acts with is slow to load

    became, moved = drift(p, root)
    if became == "done" and p.edited:
        return "and this is what you left out of it"
    if became == "done":
        return "its change is in the tree, and this is what it did not change"
    if became == "same":
        return f"and its change is not in the tree now (`kairos redo {short}` applies it again)"
    return f"and its files changed since ({listed(list(map(shown, moved)))})"
