"""The roster: which detectors of a person's own there are, and what a person said of any detector. A fold. Pure."""

from __future__ import annotations

import re

import msgspec

from kairos.domain import events as ev
from kairos.domain.events import Event
from kairos.domain.events.detectors import DetectorState

NAME = re.compile(r"\A[a-z][a-z0-9-]{1,39}\Z")
TOPICS = frozenset({"DetectorAdded", "DetectorRemoved", "DetectorSwitched", "DetectorFailed"})
MOST = 50
"""So many detectors of a person's own look at most."""


class OwnDeclared(msgspec.Struct, frozen=True):
    """A detector of a person's own. `version`: how often it was declared or changed."""

    name: str
    command: list[str]
    seconds: float = 5.0
    memory_mb: int = 512
    read_roots: list[str] = []
    version: int = 1


class OwnFailure(msgspec.Struct, frozen=True):
    """The latest failure of a detector: the reason, when (us), and how many there were in a row."""

    why: str
    at: int
    times: int = 1


class RosterState(msgspec.Struct):
    """`own` and `failing` by name; `said`: what a person said of a detector."""

    own: dict[str, OwnDeclared] = {}
    said: dict[str, DetectorState] = {}
    failing: dict[str, OwnFailure] = {}

    def state_of(self, name: str, default: DetectorState) -> DetectorState:
        """The state of a detector: what a person said, else its default."""
        return self.said.get(name, default)


def evolve(state: RosterState, event: Event, at: int) -> None:
    """Folds one event into the state, in place."""
    match event:
        case ev.DetectorAdded():
            before = state.own.get(event.detector)
            state.own[event.detector] = OwnDeclared(
                event.detector, event.command, event.seconds, event.memory_mb, event.read_roots,
                1 if before is None else before.version + 1,
            )  # fmt: skip
            state.said.pop(event.detector, None)
            state.failing.pop(event.detector, None)
        case ev.DetectorRemoved():
            for kept in (state.own, state.said, state.failing):
                kept.pop(event.detector, None)
        case ev.DetectorSwitched():
            state.said[event.detector] = event.state
        case ev.DetectorFailed(why=why) if why:
            known = state.failing.get(event.detector)
            state.failing[event.detector] = OwnFailure(why, at, 1 if known is None else known.times + 1)
        case ev.DetectorFailed():
            state.failing.pop(event.detector, None)
        case _:
            pass
