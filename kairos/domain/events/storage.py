"""Facts about the log itself and the processes around it."""

from __future__ import annotations

from kairos.domain.events.base import Event, FreeText, register


@register
class DaemonStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A daemon of this program version took the home."""

    program: str
    pid: int


@register
class DaemonStopped(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The daemon drained and let the home go."""

    pid: int


@register
class SegmentSealed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Positions first..last are in a verified, fsynced, manifested segment file."""

    first: int
    last: int
    file: str
    bytes: int
    root: str


@register
class SegmentRetired(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The hot rows of a sealed range were removed."""

    first: int
    last: int


@register
class Erased(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The payloads at these positions were excised by a person; their hashes stay."""

    positions: list[int]
    reason: FreeText
    by: str
