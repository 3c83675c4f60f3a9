"""Facts about detectors: those of a person, their state, and what hindsight says of what they found in shadow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from kairos.domain.events.base import Cited, Event, FreeText, register
from kairos.domain.inert import as_text, shown

DetectorState = Literal["on", "shadow", "off"]


class Named(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What tells that people did something about a finding: its names (its key and the keys of its parts), the paths
    that it names, those that it asked to change where only their change told (`asks`, in earlier versions), what moved
    (`absent`) and where to (`present`), its places, and its words. Paths as text."""

    names: list[str]
    paths: list[str] = []
    asks: list[str] = []
    absent: list[str] = []
    present: list[str] = []
    places: list[str] = []
    words: FreeText = ""

    def concerns(self, changed: Iterable[str]) -> bool:
        """Whether a commit that changed these paths may have done something about it."""
        texts = [as_text(p) for p in changed]
        if self.asks:
            return not set(self.asks).isdisjoint(texts)
        known = {*self.paths, *self.absent, *self.present}
        return any(t in known or shown(t) in self.words for t in texts)

    def is_moot(self, exists: Callable[[str], bool]) -> bool:
        """Whether a finding about a move is gone because what it says moved on or back."""
        return bool(self.absent) and (any(map(exists, self.absent)) or not all(map(exists, self.present)))


@register
class DetectorAdded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person declared a command as a detector of their own, or changed it: it starts in shadow. `seconds` and
    `memory_mb` bound a look; `read_roots`: directories that it may read besides."""

    detector: str
    command: list[FreeText]
    seconds: float = 5.0
    memory_mb: int = 512
    read_roots: list[FreeText] = []


@register
class DetectorRemoved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person removed a detector of their own."""

    detector: str


@register
class DetectorSwitched(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person switched a detector on, into shadow (it looks and is never told), or off."""

    detector: str
    state: DetectorState


@register
class DetectorFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A detector of a person failed at a look, or with an empty `why` works again."""

    detector: str
    repo: str
    why: FreeText = ""


@register
class HindsightJudged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What people did about a finding that was held in shadow at position `of`. `label`: done (they did it, without
    being told) | left (so many commits followed, and it is still there) | moot (what it rests on was taken back).
    `by`: the commit, the one of `number` since then; `place`: the directory that it is in."""

    repo: str
    detector: str
    subject: str
    of: Cited
    label: Literal["done", "left", "moot"]
    by: str = ""
    number: int = 0
    place: str = ""
