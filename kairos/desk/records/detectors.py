"""Answers about detectors: their state, what was learned of them, and resets."""

from __future__ import annotations

from kairos.desk.records.base import Output


class LearnedPlaceOut(Output, frozen=True, kw_only=True):
    """What was learned of a detector everywhere (`repo` null), in a repository, or below a directory of it (`path`).
    `yes` and `no`: weights of findings; `precision`: the mean of the posterior, with the ends of its 95 % interval.
    `silent`: it is silent there, as `why` says; `ends`: the command that wakes it."""

    repo: str | None
    path: str
    yes: float
    no: float
    precision: float
    low: float
    high: float
    silent: bool = False
    why: str = ""
    ends: str = ""


class MomentOut(Output, frozen=True, kw_only=True):
    """How often a person decided at a boundary at which the detector was told (`good`), or put it off or left it
    (`bad`). `put_off`: what it says is not told then, but with the next brief."""

    boundary: str
    good: float
    bad: float
    put_off: bool


class TaughtOut(Output, frozen=True, kw_only=True):
    """What became of one finding. `lesson`: carried out | edited | read | by hand | rejected | not now | later |
    expired | undone | left; `id`: its proposal."""

    id: str
    title: str
    lesson: str
    at: str
    repo: str | None


class DetectorOut(Output, frozen=True, kw_only=True):
    """One detector. `state`: on | off | shadow (it looks and is never told) | silenced (on, and silent by what was
    learned); `muted`: a person silenced it; `own`: it is a person's, with this `command` (empty: of a package).
    `failing`: why its last look failed; `suggestion`: that its score in shadow has passed, and what to do.
    `learned`: here, that is in the repository asked for or everywhere; `places`: all that was learned of it, the widest
    first; `last`: its latest findings that taught something, the newest first."""

    detector: str
    version: int
    state: str
    muted: bool
    learned: LearnedPlaceOut
    places: list[LearnedPlaceOut]
    moments: list[MomentOut]
    last: list[TaughtOut]
    own: bool = False
    command: list[str] = []
    failing: str = ""
    suggestion: str = ""


class OwnDetectorOut(Output, frozen=True, kw_only=True):
    """A detector of a person's own, as it was declared. It is in shadow until it is promoted."""

    detector: str
    command: list[str]
    seconds: float
    memory_mb: int
    read_roots: list[str]
    position: int


class DetectorSwitchedOut(Output, frozen=True, kw_only=True):
    """`state`: on | shadow | off | removed; `waiting`: so many cards of it wait for a decision all the same."""

    detector: str
    state: str
    position: int
    waiting: int = 0


class DetectorResetOut(Output, frozen=True, kw_only=True):
    """What was learned of a detector is forgotten: everywhere (`repo` null), in a repository, or below `path` of it.
    `forgotten`: so many findings; `held`: so many that its silence held back are looked at again."""

    detector: str
    repo: str | None
    path: str
    position: int
    forgotten: float
    held: int
