"""A person's own detectors, and the state of any: declared, tried in shadow, promoted, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import refuse_unkept
from kairos.desk.reading import inbox, learned_of
from kairos.desk.records.detectors import DetectorSwitchedOut, OwnDetectorOut
from kairos.domain.events import DetectorAdded, DetectorRemoved, DetectorState, DetectorSwitched
from kairos.domain.hindsight import earns_its_place
from kairos.domain.learning.learned import Learned, judged
from kairos.domain.proposal import OPEN
from kairos.domain.roster import MOST, NAME, RosterState
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.roster import RosterView

if TYPE_CHECKING:
    from kairos.detectors.roster import Roster

_CONTROL = "control"


def outside_roster() -> frozenset[str]:
    """The names of what raises findings and is no detector of the roster."""
    from kairos.agent.outputs import EXPLAIN, REVIEW
    from kairos.daemon.check_findings import DETECTOR as CHECK
    from kairos.daemon.log_findings import DETECTOR as LOG_WATCH

    return frozenset({CHECK, EXPLAIN, LOG_WATCH, REVIEW})


def said_of(desk: Desk) -> RosterState:
    """What a person said of detectors."""
    return desk.view(RosterView()) if desk.has_log else RosterState()


@of_one_moment
def roster_of(desk: Desk) -> Roster:
    """Every detector, with its state."""
    from kairos.daemon.rostering import Rostering

    return Rostering(desk.home)(said_of(desk))


def add(
    desk: Desk, name: str, command: Sequence[str], *, seconds: float = 5.0, memory_mb: int = 512,
    read_roots: Sequence[str] = (),
) -> OwnDetectorOut:  # fmt: skip
    """Declares a command as a detector, or changes the one of this name; it starts in shadow. UsageError."""
    from kairos.detectors.looking import ALL

    words = [_whole(word) for word in command]
    refuse_unkept(words, read_roots, "kairos detectors add todo -- python3 ~/todo.py")
    if NAME.match(name) is None or name in outside_roster() | {d.name for d in ALL}:
        raise UsageError(
            f"`{name}` is no name for a detector of your own",
            "Small letters, digits and `-`, at most 40, and none that Kairos has.",
        )
    known = said_of(desk).own
    if len(known) >= MOST and name not in known:
        raise UsageError(f"there are {MOST} detectors of your own, the most that look", "Remove one.")
    event = DetectorAdded(
        detector=name, command=words, seconds=seconds, memory_mb=memory_mb,
        read_roots=[str(Path(place).expanduser().absolute()) for place in read_roots],
    )  # fmt: skip
    return OwnDetectorOut(
        detector=name, command=words, seconds=seconds, memory_mb=memory_mb, read_roots=event.read_roots,
        position=_say(desk, event),
    )  # fmt: skip


def remove(desk: Desk, name: str) -> DetectorSwitchedOut:
    """Takes a detector of a person's own away. NotFound (4)."""
    if name not in said_of(desk).own:
        raise NotFound(f"you have no detector `{name}`", "`kairos detectors` lists them.")
    return DetectorSwitchedOut(detector=name, state="removed", position=_say(desk, DetectorRemoved(detector=name)))


def switch(desk: Desk, name: str, state: DetectorState) -> DetectorSwitchedOut:
    """Switches a detector on, into shadow, or off. UsageError."""
    roster = roster_of(desk)
    if name not in roster.names:
        raise UsageError(f"there is no detector `{name}`", f"There are: {', '.join(roster.names)}.")
    event = DetectorSwitched(detector=name, state=state)
    position = _say(desk, event)
    waiting = [p for p in inbox(desk).live() if p.raised.detector == name and p.state in OPEN]
    return DetectorSwitchedOut(
        detector=name, state=state, position=position, waiting=0 if state == "on" else len(waiting)
    )


@of_one_moment
def suggestions(desk: Desk) -> list[str]:
    """A sentence for each detector in shadow whose score has passed."""
    roster = roster_of(desk)
    found = [suggested(learned_of(desk), name) for name in roster.names if roster.is_in_shadow(name)]
    return [text for text in found if text]


def suggested(state: Learned, name: str) -> str:
    """That a detector in shadow may be promoted, and by which command; empty as long as its score has not passed."""
    found = judged(state, name)
    if not earns_its_place(found.interval):
        return ""
    return (
        f"{name} was right in {found.tally.yes:g} of {found.tally.n:g} in shadow (at least "
        f"{found.interval.low:.0%}): kairos detectors promote {name}"
    )


def _whole(word: str) -> str:
    """A word of a command; a file that it names relative to here or to the home directory, by its whole path."""
    path = Path(word).expanduser()
    named = word.startswith(("./", "../", "~/")) or ("/" in word and not path.is_absolute())
    return str(path.parent.resolve() / path.name) if named and path.exists() else word


def _say(desk: Desk, event: DetectorAdded | DetectorRemoved | DetectorSwitched) -> int:
    desk.home.prepare()
    return desk.log.append([NewEvent(_CONTROL, event, None, "user")])[0]
