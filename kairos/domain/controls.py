"""The controls of a person over Kairos as a whole: what is muted and paused, and the stack of these decisions. Pure.

A control that changed nothing (a mute of what is muted) is not in the stack. Taking one back is recorded as
`DecisionUndone` together with the event that restores what was in force before, so every other fold only sees that one.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain import events as ev
from kairos.domain.events import Event

ControlKind = Literal["mute", "unmute", "pause", "resume"]
PERSON = "user"
TOPICS = frozenset({"DetectorMuted", "DetectorUnmuted", "Paused", "Resumed", "DecisionUndone", "DecisionRedone"})
_PAUSES = ("pause", "resume")
_MOST = 256


class ControlState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one control changes: whether it is on (muted, paused), and until when (us; None: until told)."""

    on: bool
    until: int | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision: positions of its own event and of the event that put it where it is in the stack; the detector
    (mute, unmute); the repository, empty for all."""

    what: ControlKind
    position: int
    moved: int
    before: ControlState
    after: ControlState
    detector: str = ""
    repo: str = ""


class Controls(msgspec.Struct, kw_only=True):
    """What is in force, and the stack. `paused`, `newest`: repository (empty: all) → its pause, the
    position of the last new decision."""

    done: list[Control] = []
    undone: list[Control] = []
    muted: list[str] = []
    paused: dict[str, ControlState] = {}
    newest: dict[str, int] = {}

    def state_of(self, what: ControlKind, detector: str, repo: str) -> ControlState:
        """What is in force of a control now."""
        if what in _PAUSES:
            return self.paused.get(repo, ControlState(False))
        return ControlState(_subject(detector, repo) in self.muted)


def evolve(state: Controls, event: Event, position: int, origin: str, caused_by: int | None = None) -> None:
    """Folds one event into the state, in place."""
    match event:
        case ev.DetectorMuted():
            _decided(state, "mute", ControlState(True), position, origin, event.detector, event.repo)
        case ev.DetectorUnmuted():
            _decided(state, "unmute", ControlState(False), position, origin, event.detector, event.repo)
        case ev.Paused():
            _decided(state, "pause", ControlState(True, event.until), position, origin, "", event.repo)
        case ev.Resumed():
            if origin != PERSON and not _restores(state, caused_by):  # over by itself, and with it what led to it
                state.done = [c for c in state.done if c.what not in _PAUSES or c.repo != event.repo]
                state.undone = [c for c in state.undone if c.what not in _PAUSES or c.repo != event.repo]
            _decided(state, "resume", ControlState(False), position, origin, "", event.repo)
        case ev.DecisionUndone() if not event.id:
            _move(state.done, state.undone, event.of, position)
        case ev.DecisionRedone() if not event.id:
            _move(state.undone, state.done, event.of, position)
        case _:
            pass


def in_effect(state: Controls, scope: str | None, now: int) -> list[Control]:
    """The decisions about one repository (None: about any and about all) that can be taken back, the last one first.
    Those are left out whose end would change nothing, as of a pause whose time is over."""
    return _newest_first([c for c in state.done if _at(c.before, now) != _at(_state_of(state, c), now)], scope)


def taken_back(state: Controls, scope: str | None, now: int) -> list[Control]:
    """The decisions about one repository (None: about any and about all) that can be made again, the first one
    first."""
    return _newest_first([c for c in state.undone if _at(c.after, now) != _at(_state_of(state, c), now)], scope)


def _newest_first(entries: list[Control], scope: str | None) -> list[Control]:
    found = (c for c in entries if scope is None or c.repo == scope)
    return sorted(found, key=lambda c: c.moved, reverse=True)


def _at(state: ControlState, now: int) -> ControlState:
    """A state at a time: a pause whose time is over is none."""
    return ControlState(False) if state.until is not None and state.until <= now else state


def _state_of(state: Controls, entry: Control) -> ControlState:
    return state.state_of(entry.what, entry.detector, entry.repo)


def newest(state: Controls, scope: str | None) -> int:
    """The position of the last new decision about one repository (None: about any or about all)."""
    return max((at for repo, at in state.newest.items() if scope is None or repo == scope), default=0)


def take_back(state: Controls, entry: Control, now: int) -> list[Event]:
    """The events that take a decision back: `DecisionUndone`, then what restores the state before it."""
    return [ev.DecisionUndone(what=entry.what, of=entry.position), *_restoring(state, entry, _at(entry.before, now))]


def make_again(state: Controls, entry: Control) -> list[Event]:
    """The events that make a decision again that was taken back."""
    return [ev.DecisionRedone(what=entry.what, of=entry.position), *_restoring(state, entry, entry.after)]


def _restoring(state: Controls, entry: Control, wanted: ControlState) -> list[Event]:
    if _state_of(state, entry) == wanted:
        return []
    if entry.what in _PAUSES:
        return [ev.Paused(until=wanted.until, repo=entry.repo) if wanted.on else ev.Resumed(repo=entry.repo)]
    return [(ev.DetectorMuted if wanted.on else ev.DetectorUnmuted)(detector=entry.detector, repo=entry.repo)]


def _decided(
    state: Controls, what: ControlKind, after: ControlState, position: int, origin: str, detector: str,
    repo: str,
) -> None:  # fmt: skip
    before = state.state_of(what, detector, repo)
    if what in _PAUSES:
        state.paused = {r: p for r, p in {**state.paused, repo: after}.items() if p.on}
    else:
        state.muted = [m for m in state.muted if m != _subject(detector, repo)]
        state.muted += [_subject(detector, repo)] if after.on else []
    if origin != PERSON or before == after:
        return
    entry = Control(
        what=what, position=position, moved=position, before=before, after=after, detector=detector, repo=repo
    )
    state.done = [*state.done, entry][-_MOST:]
    state.undone = [c for c in state.undone if c.repo != repo]
    state.newest[repo] = position


def _restores(state: Controls, caused_by: int | None) -> bool:
    """Whether an event belongs to a decision that was taken back or made again just before it, in the same append."""
    return any(c.moved == caused_by for c in (*state.done[-1:], *state.undone[-1:]))


def _move(source: list[Control], target: list[Control], of: int, position: int) -> None:
    for entry in [c for c in source if c.position == of]:
        source.remove(entry)
        target.append(msgspec.structs.replace(entry, moved=position))


def _subject(detector: str, repo: str) -> str:
    return f"{detector}|{repo}"
