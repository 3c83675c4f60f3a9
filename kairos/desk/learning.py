"""What was learned of each detector: its state, its precision here, where it is silent, and how to wake it."""

from __future__ import annotations

import shlex
from pathlib import Path

from kairos.clock import rfc3339
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import place
from kairos.desk.reading import attention, inbox, learned_of, roots_of
from kairos.desk.records.detectors import DetectorOut, DetectorResetOut, LearnedPlaceOut, MomentOut, TaughtOut
from kairos.domain.events import AttentionHeld, DetectorReset
from kairos.domain.holds import FLOOR
from kairos.domain.inert import as_text
from kairos.domain.learning.learned import Judgement, Learned, held_id, in_words, judged, put_off, silences
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.repositories import Repository
from kairos.eventlog.views.roster import RosterView

_CONTROL = "control"


def names(desk: Desk) -> list[str]:
    """The names of the detectors that there are: of this program, of a person, and of installed packages."""
    from kairos.desk.detecting import outside_roster, roster_of

    return sorted({*outside_roster(), *roster_of(desk).names})


def known(desk: Desk, name: str) -> str:
    """The name of a detector. UsageError if there is none."""
    found = names(desk)
    if name not in found:
        raise UsageError(f"there is no detector `{name}`", f"Detectors are {', '.join(found)}.")
    return name


@of_one_moment
def detectors(desk: Desk, only: Repository | None = None) -> list[DetectorOut]:
    """Every detector that looks at repositories, with what was learned of it (`only`: in this repository)."""
    from kairos.desk.detecting import roster_of, suggested

    state, muted, roots = learned_of(desk), attention(desk), roots_of(desk)
    roster, said = roster_of(desk), desk.view(RosterView())
    repo = "" if only is None else only.id
    out = []
    for detector in roster.detectors:
        name, failure = detector.name, said.failing.get(detector.name)
        here = judged(state, name, repo)
        now = roster.states[name]
        out.append(
            DetectorOut(
                detector=name, version=detector.version,
                state="silenced" if now == "on" and _is_silent(state, name, repo) else now,
                muted=muted.is_muted(name, repo), learned=_place(name, here, roots),
                places=[_place(name, j, roots) for j in _places(state, name, repo)],
                moments=_moments(state, name), last=_last(desk, state, name, repo, roots),
                command=list(said.own[name].command) if name in said.own else [], own=name in roster.own,
                failing=as_text(failure.why) if failure is not None else "",
                suggestion=suggested(state, name) if now == "shadow" else "",
            )
        )  # fmt: skip
    return out


def _is_silent(state: Learned, detector: str, only: str) -> bool:
    """Whether a detector is silent in a whole repository, or (none given) in all of which something is known."""
    known = {key.split("|")[1] for key in state.tallies if key.startswith(f"{detector}|")}
    return bool(known) and all(judged(state, detector, repo).silent for repo in ({only} if only else known))


def _places(state: Learned, detector: str, only: str) -> list[Judgement]:
    """What was learned at each place of which something is known, the widest first."""
    found = []
    for key in sorted(state.tallies):
        name, repo, path = (*key.split("|", 2), "", "")[:3]
        if name == detector and (not only or repo in ("", only)):
            judgement = judged(state, detector, repo, path)
            found.append(judgement._replace(repo=repo, place=path, tally=state.tallies[key]))
    return found


def _place(detector: str, found: Judgement, roots: dict[str, str]) -> LearnedPlaceOut:
    root = roots.get(found.repo, found.repo) or None
    return LearnedPlaceOut(
        repo=root, path=as_text(found.place), yes=found.tally.yes, no=found.tally.no,
        precision=round(found.interval.share, 3), low=round(found.interval.low, 3), high=round(found.interval.high, 3),
        silent=found.silent, why=as_text(in_words(detector, found)) if found.silent else "",
        ends=reset_command(detector, root, found.place) if found.silent else "",
    )  # fmt: skip


def _moments(state: Learned, detector: str) -> list[MomentOut]:
    begun = f"{detector}|"
    return [
        MomentOut(
            boundary=key.removeprefix(begun), good=tally.yes, bad=tally.no,
            put_off=bool(put_off(state, detector, key.removeprefix(begun))),
        )
        for key, tally in sorted(state.moments.items()) if key.startswith(begun)
    ]  # fmt: skip


def _last(desk: Desk, state: Learned, detector: str, only: str, roots: dict[str, str]) -> list[TaughtOut]:
    return [
        TaughtOut(
            id=one.id, title=_title(desk, one.id), lesson=one.lesson, at=rfc3339(one.at), repo=roots.get(one.repo),
        )
        for one in reversed(state.latest.get(detector, [])) if not only or one.repo == only
    ]  # fmt: skip


def _title(desk: Desk, id_: str) -> str:
    """The title of a finding: of a proposal, or of what was held in shadow."""
    proposal = inbox(desk).proposals.get(id_)
    if proposal is not None:
        return as_text(proposal.raised.title)
    position = id_.removeprefix(held_id(0)[:-1])
    if not position.isdigit():
        return ""
    try:
        event = desk.log.at(int(position)).event
    except NotFound:
        return ""
    return as_text(event.why.rpartition(": ")[0]) if isinstance(event, AttentionHeld) else ""


def reset_command(detector: str, root: str | None, path: str) -> str:
    """The command that wakes a detector where it is silent."""
    where = f" --repo {shlex.quote(root)}" if root else ""
    return f"kairos detectors reset {detector}{where}" + (f" --path {shlex.quote(as_text(path))}" if path else "")


@of_one_moment
def silent_now(desk: Desk, only: Repository | None = None) -> list[LearnedPlaceOut]:
    """The places at which a detector is silent by what was learned of it."""
    if not desk.has_log:
        return []
    roots = roots_of(desk)
    return [_place(name, found, roots) for name, found in silences(learned_of(desk), "" if only is None else only.id)]


def reset(desk: Desk, detector: str, only: Repository | None, path: str | None = None) -> DetectorResetOut:
    """Forgets what was learned of a detector: everywhere, in one repository, or below a directory of it (as typed).
    UsageError."""
    known(desk, detector)
    below = "" if path is None else _below(path, only)
    repo = "" if only is None else only.id
    before = _tally(learned_of(desk), detector, repo, below)
    findings, ids = desk.view(FindingsView()), [repo] if repo else list(roots_of(desk))
    held = len({(r, h.finding) for r in ids for h in findings.waiting(r, FLOOR, detector)})
    desk.home.prepare()
    event = DetectorReset(detector=detector, repo=repo, path=below)
    (position,) = desk.log.append([NewEvent(_CONTROL, event, None, "user")])
    return DetectorResetOut(
        detector=detector, repo=None if only is None else only.root, path=as_text(below), position=position,
        forgotten=before, held=held,
    )  # fmt: skip


def _tally(state: Learned, detector: str, repo: str, path: str) -> float:
    found = state.tallies.get("|".join(filter(None, (detector, repo, path))))
    return 0.0 if found is None else found.n


def _below(path: str, only: Repository | None) -> str:
    """A directory, as typed, relative to the root of a repository."""
    if only is None:
        raise UsageError("a directory is one of a repository", "Name it: --repo PATH.")
    typed = place(path) if Path(path).is_absolute() else Path(path)
    try:
        found = (typed.relative_to(only.root) if typed.is_absolute() else typed).as_posix().strip("/")
    except ValueError as error:
        raise UsageError(f"{path} is not in {only.root}", "Give a directory of that repository.") from error
    if ".." in found.split("/"):
        raise UsageError(f"{path} is not in {only.root}", "Give a directory of that repository.")
    return "" if found == "." else found
