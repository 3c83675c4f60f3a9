"""Facts about the log itself and the processes around it."""

from __future__ import annotations

from kairos.domain.events.base import Cited, Event, FreeText, register


@register
class DaemonStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A daemon of this program version started on the home."""

    program: str
    pid: int


@register
class DaemonStopped(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The daemon finished its work and released the home."""

    pid: int


@register
class SegmentSealed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Positions first..last are in a segment file that is verified, fsynced and listed in the manifest."""

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
class SegmentFolded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Retention folded `events` observations older than `before` (us) out of the segment of positions first..last.

    `runs`: the removed positions, as pairs of numbers: how many positions remain before the run, and its length.
    `proof`: BLAKE3 (hex) over (first, last, link before, link after) of each run, with which the chain can be verified
    without the removed rows."""

    first: int
    last: int
    before: int
    events: int
    runs: list[int]
    proof: str


@register
class Erased(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The payloads at these positions were excised by a person; their hashes stay."""

    positions: list[Cited]
    reason: FreeText
    by: str
