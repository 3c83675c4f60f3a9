"""Why it was silent, for a person: what was held, by which rule, and what they can do; the newest last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kairos.clock import local_zone, now_us, parse_time
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.detecting import roster_of
from kairos.desk.reading import inbox, names, rejection_of, repositories
from kairos.desk.records.proposals import HeldOut
from kairos.desk.units import in_passing
from kairos.desk.when import spoken
from kairos.domain.deciding import RETURNS
from kairos.domain.finding import is_key
from kairos.domain.holds import DUPLICATE, ENDING, SHADOW
from kairos.domain.proposal import LASTING, OPEN, UNDECIDED, Proposal

_REMEDIES = {
    "quiet-hours@1": "told when the quiet hours end; now: kairos review {id}",
    "per-day@1": "told tomorrow; now: kairos review {id}. More a day: kairos config set attention.per_day N",
    "boundary@1": "told after your next commit, branch switch or return; now: kairos review {id}",
    "pause@1": "kairos resume ends the pause",
    "mute@1": "kairos unmute {detector} lets it speak again",
    "never@1": "you said never here; kairos undo {rejected} takes that back",
    "rejected@1": "it returns if its evidence changes; kairos undo {rejected} takes the rejection back",
    "duplicate@1": "kairos inbox --all shows its card",
    "baseline@1": "it was there before Kairos: kairos log --type FindingListed",
    "parked@1": in_passing(RETURNS),
    "floor@1": "kairos detectors reset {detector} lets it speak again",
    "shadow@1": "it is only watched; kairos detectors shows its score, kairos detectors promote {detector} ends it",
    "moment@1": "told with the next brief; now: kairos review {id}",
    "notify@1": "kairos config get notify",
}
"""What a person can do, by rule."""
_UNTIL_TOLD = ("quiet-hours@1", "per-day@1", "boundary@1", "moment@1", "pause@1", "mute@1")
_OWN = {
    "self@1": ("Kairos's own writes", "they start no look, so that it does not react to itself"),
    "git-cause@1": ("files that git wrote", "the commit or the switch that wrote them was looked at instead"),
}
"""Holds of turns that are no news to a person, and what they are called."""


class Silence(NamedTuple):
    """One thing that is not said now (`now`), or was not: `times` so often, the last time at `last` (in words)."""

    repo: str
    what: str
    why: str
    rule: str
    last: str
    times: int
    until: str
    remedy: str
    now: bool = False


@of_one_moment
def grouped(desk: Desk, held: Sequence[HeldOut]) -> list[Silence]:
    """What is held now, then what was held: each subject once for a rule, in the order of the last time. What is held
    now is left out of what was."""
    present = [h for h in held if h.now]
    matters = {(h.repo, h.subject) for h in present}
    last: dict[tuple[str, str, str], HeldOut] = {}
    times: dict[tuple[str, str, str], int] = {}
    for one in sorted((h for h in held if not h.now and (h.repo, h.subject) not in matters), key=lambda h: h.position):
        key = (one.repo, "" if one.rule in _OWN else one.subject, one.rule)
        times[key] = times.get(key, 0) + 1
        last.pop(key, None)
        last[key] = one
    return [_silence(desk, one, 1) for one in present] + [_silence(desk, one, times[key]) for key, one in last.items()]


def _silence(desk: Desk, one: HeldOut, times: int) -> Silence:
    proposals, called = inbox(desk), names(repositories(desk))
    now, zone = now_us(), local_zone()
    proposal = proposals.proposals.get(one.subject)
    short = proposals.letters(one.subject) if proposal is not None else ""
    title, why = _words(one, proposal)
    return Silence(
        repo=called.get(one.repo, one.repo) or "everywhere",
        what=f"{title} ({short})" if short else title,
        why=why,
        rule=one.rule,
        last=spoken(parse_time(one.at), now, zone),
        times=times,
        until=spoken(parse_time(one.until), now, zone) if one.until else "",
        remedy=one.remedy if one.now else _remedy(desk, one, proposal, short),
        now=one.now,
    )


def _words(one: HeldOut, proposal: Proposal | None) -> tuple[str, str]:
    """What was held, and why; the reason of a finding begins with its title."""
    if one.rule in _OWN:
        return _OWN[one.rule]
    if one.subject in ("pause", "mute", "silence"):
        return ("a pause" if one.subject == "pause" else f"a {one.subject} of {one.detector}"), one.why
    if one.subject == "model":
        return "the model", one.why
    if proposal is not None:
        return proposal.raised.title, one.why.removeprefix(f"{proposal.raised.title}: ")
    if is_key(one.subject):
        title, colon, why = one.why.rpartition(": ")
        if title == f"{one.detector} is muted":  # as earlier versions wrote it
            title, why = why, title
        return (title, why) if colon else (one.detector or one.subject, one.why)
    return "a look at what changed" if one.subject == "turn" else one.subject, one.why


def _remedy(desk: Desk, one: HeldOut, proposal: Proposal | None, short: str) -> str:
    if proposal is not None and proposal.state not in UNDECIDED:
        return f"over: it is {proposal.state} now"
    if proposal is not None and proposal.delivered and one.rule in _UNTIL_TOLD:
        return f"over: you were told since; kairos review {short}"
    if one.rule == SHADOW and one.detector in (roster := roster_of(desk)).states and roster.is_in_shadow(one.detector):
        return f"it is in shadow: kairos detectors promote {one.detector}"
    if proposal is None and one.rule in (*_UNTIL_TOLD, *ENDING):
        found = inbox(desk).known(one.repo, [one.subject], []) if is_key(one.subject) else []
        ids = ", ".join(f"{inbox(desk).letters(p.id)}, {p.state}" for p in found[-1:])
        return f"over: it was raised since ({ids})" if ids else "over: nothing of the kind is held now"
    if one.rule.startswith("policy:"):
        return "kairos policy ls shows the rule"
    if one.rule == DUPLICATE and (card := _card(desk, one)) is not None:
        return card
    text = _REMEDIES.get(one.rule, "")
    values: Mapping[str, str] = {"id": short, "detector": one.detector}
    if "{rejected}" in text:
        values = {**values, "rejected": rejection_of(desk, one.repo, one.subject, one.detector)}
    return text.format(**values).replace("kairos review .", "kairos review.").rstrip()


def _card(desk: Desk, one: HeldOut) -> str | None:
    """What to do about a finding that has a card already, by the state of the card; None if there is none."""
    found = inbox(desk).known(one.repo, [one.subject], []) if is_key(one.subject) else []
    if not found:
        return None
    card = next((p for p in found if p.state in LASTING), found[-1])
    short = inbox(desk).letters(card.id)
    if card.state in OPEN:
        return f"it waits already: kairos review {short}"
    if card.state == "acknowledged":
        return f"kairos undo {short} makes it wait again"
    return f"it is {card.state}: kairos show {short}"
