"""What is silent now, and why: the pauses and mutes in force, what each waiting proposal waits for, and the findings
that are held back. Each matter stands once, as it is at this moment."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from kairos.clock import local_zone, now_us, rfc3339
from kairos.desk.controlling import mutes
from kairos.desk.deciding import not_now
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.learning import names, reset_command
from kairos.desk.model_state import model_state
from kairos.desk.reading import attention, inbox, learned_of, rejection_of, repositories, roots_of, unwatched
from kairos.desk.records.proposals import HeldOut
from kairos.desk.units import count, in_passing
from kairos.desk.when import deferred_to
from kairos.domain import attention as rules
from kairos.domain.attention import Attention, Held, Manners
from kairos.domain.events import AttentionHeld, Event, Paused
from kairos.domain.holds import FLOOR, MUTE, NEVER
from kairos.domain.learning.learned import Learned, in_words, silences
from kairos.domain.proposal import UNDECIDED, Proposal
from kairos.errors import NotFound
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.repositories import Repository

_MOST_FINDINGS = 100
_SPOKEN_AT = "commit"
"""A boundary at which a person is spoken to: what holds a proposal even there holds it longer."""


@of_one_moment
def in_force(desk: Desk, only: Repository | None = None) -> list[HeldOut]:
    """What is held now, in one repository or in all: controls first, then proposals, then findings."""
    if not desk.has_log:
        return []
    repos = [r for r in repositories(desk).by_id if only is None or r == only.id]
    return [
        *_pauses(desk, only),
        *_mutes(desk, only),
        *_model(desk),
        *_silences(desk, only),
        *_proposals(desk, repos),
        *_findings(desk, repos),
    ]


def _pauses(desk: Desk, only: Repository | None) -> list[HeldOut]:
    state, now, roots = attention(desk), now_us(), roots_of(desk)
    said = [("", state.paused_until)] if state.is_paused(now) else []
    said += [(r, u or None) for r, u in state.paused_repos.items() if u == 0 or now < u]
    out = []
    for repo, until in said:
        if only is not None and repo not in ("", only.id):
            continue
        at = _last(desk, "Paused", lambda e, repo=repo: isinstance(e, Paused) and e.repo == repo)  # type: ignore[misc]
        resume = "kairos resume" + (f" --repo {roots[repo]}" if repo in roots else "")
        why = "nothing is looked at, told or carried out in the pause; what arises in it is looked at when it ends"
        out.append(_out(at, repo, "pause", why, "pause@1", until, "", f"{resume} ends it"))
    return out


def _mutes(desk: Desk, only: Repository | None) -> list[HeldOut]:
    ids = {root: id_ for id_, root in roots_of(desk).items()}
    return [
        HeldOut(
            position=m.position or 0, at=m.since or rfc3339(0), repo=ids.get(m.repo or "", ""), subject="mute",
            why=f"{m.detector} is muted {'here' if m.repo else 'everywhere'}"
            + (f": {count(m.held, 'finding')} held back" if m.held else ": nothing was held back so far"),
            rule=MUTE, until=None, detector=m.detector, repo_path=m.repo, now=True,
            remedy=f"{m.lift} ends it and tells what it held back",
        )
        for m in mutes(desk, only)
    ]  # fmt: skip


def _model(desk: Desk) -> list[HeldOut]:
    """What keeps the model from speaking: it is not called, or its last turns came to nothing."""
    model = model_state(desk)
    if model is None or model.state == "ready":
        return []
    return [
        HeldOut(
            position=0, at=rfc3339(now_us()), repo="", subject="model", why=model.why, rule=f"model-{model.state}@1",
            until=model.until, detector="review-change", now=True, remedy=model.remedy,
        )
    ]  # fmt: skip


def _proposals(desk: Desk, repos: Iterable[str]) -> list[HeldOut]:
    """The proposals that wait for something other than a decision of the person who was told of them."""
    known, state, manners, away = inbox(desk), attention(desk), _manners(desk), unwatched(desk)
    found = []
    for p in known.live():
        said = ("", "", None) if p.raised.repo in away else _waits(p, state, manners, learned_of(desk))
        if p.raised.repo in repos and said is not None:
            why, rule, until = said
            refused = not_now(desk, p)
            now = f"now: kairos review {known.letters(p.id)}" if refused is None else in_passing(refused.hint)
            if p.raised.repo in away:
                why, rule, until = "its repository is not watched", "unwatched@1", None
                now = f"kairos init {shlex.quote(away[p.raised.repo])} brings it back"
            at = desk.log.at(known.positions[p.id][-1])
            found.append(_out(at, p.raised.repo, p.id, f"{p.raised.title}: {why}", rule, until, p.raised.detector, now))
    return found


def _waits(p: Proposal, state: Attention, manners: Manners, learned: Learned) -> tuple[str, str, int | None] | None:
    """(why, rule, until) a proposal is silent now, None if a person was told of it and it waits for them."""
    match p.state:
        case "parked":
            return p.parked, "parked@1", None
        case "deferred":
            on = deferred_to(None, on_evidence=p.deferred_on_evidence)
            why = "you deferred it" + ("" if p.deferred_until else f" until {on}")
            return why, "deferred@1", p.deferred_until
        case "raised":
            return "it is tried in a scratch tree first", "verify@1", None
        case _ if p.state not in UNDECIDED or p.delivered:
            return None
    urgent, repo = p.raised.risk == "urgent", p.raised.repo
    judged = rules.decide_delivery(
        p.id, urgent, _SPOKEN_AT, state, manners, now_us(), local_zone(), repo, p.raised.detector, learned
    )
    if isinstance(judged, Held):
        return judged.why, judged.rule, judged.until
    why = "it is in the inbox; it is told after your next commit, branch switch or return from a break"
    return why, "boundary@1", None


def _findings(desk: Desk, repos: Iterable[str]) -> list[HeldOut]:
    """Findings that are held back by something that can end and did not, as far as anybody looked."""
    findings, state = desk.view(FindingsView()), attention(desk)
    found: dict[tuple[str, str], HeldOut] = {}
    if not findings.is_any_waiting:
        return []
    for repo, rule, detector in ((r, rule, d) for r in repos for rule in (MUTE, NEVER, FLOOR) for d in names(desk)):
        for held in findings.waiting(repo, rule, detector):
            try:
                at = desk.log.at(held.position)
            except NotFound:
                continue
            if isinstance(at.event, AttentionHeld) and len(found) < _MOST_FINDINGS:
                over = rule == MUTE and not state.is_muted(detector, repo)
                key = at.event.subject
                found.pop((repo, key), None)
                found[repo, key] = _finding(desk, at, at.event, over=over)
    return list(found.values())


def _silences(desk: Desk, only: Repository | None) -> list[HeldOut]:
    """The places at which a detector is silent by what was learned of it."""
    roots, last = roots_of(desk), None
    out = []
    for detector, found in silences(learned_of(desk), "" if only is None else only.id):
        last = last or _last(desk, "ProposalRejected", lambda _: True)
        ends = reset_command(detector, roots.get(found.repo), found.place)
        out.append(
            _out(last, found.repo, "silence", in_words(detector, found), FLOOR, None, detector, f"{ends} ends it")
        )
    return out


def _finding(desk: Desk, at: Recorded, event: AttentionHeld, *, over: bool) -> HeldOut:
    remedy = {
        MUTE: "",  # the mute says how it ends
        FLOOR: "",  # so does the silence
        NEVER: "you said never here; kairos undo "
        f"{rejection_of(desk, event.repo, event.subject, event.detector)} takes that back",
    }[event.rule]
    if over:
        remedy = "what held it back is over: it is looked at again " + (
            "now" if desk.daemon_running() else "when the daemon runs: kairos start"
        )
    return _out(at, event.repo, event.subject, event.why, event.rule, event.until, event.detector, remedy)


def _manners(desk: Desk) -> Manners:
    from kairos.daemon.manners import manners

    return manners(desk.config)


def _last(desk: Desk, topic: str, fits: Callable[[Event], bool]) -> Recorded | None:
    found = None
    for recorded in desk.log.read(topics={topic}):
        found = recorded if fits(recorded.event) else found
    return found


def _out(
    at: Recorded | None, repo: str, subject: str, why: str, rule: str, until: int | None, detector: str, remedy: str
) -> HeldOut:  # fmt: skip
    return HeldOut(
        position=0 if at is None else at.position, at=rfc3339(0 if at is None else at.at), repo=repo, subject=subject,
        why=why, rule=rule, until=rfc3339(until) if until else None, detector=detector, now=True, remedy=remedy,
    )  # fmt: skip
