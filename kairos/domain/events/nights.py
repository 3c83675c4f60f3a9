"""Facts about schedules, dreams and memory. Occurrences: stream `job-<name>`; dreams: `dream`; memory: `memory`."""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain.events.base import Cited, Event, FreeText, register

MemoryKind = Literal["co-change", "command", "convention", "rename", "revert", "fragile", "owner", "preference", "fact"]
Trust = Literal["user", "test", "git", "tool", "file", "web"]


@register
class OccurrenceDue(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The scheduled time of a job came. The key is (job, scheduled): each occurs once. `late` in us."""

    job: str
    scheduled: int
    late: int = 0


@register
class OccurrenceEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The one outcome of an occurrence: done | failed | skipped | unknown."""

    job: str
    scheduled: int
    outcome: str
    why: FreeText = ""
    seconds: float = 0.0


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a memory refers to and that may cease to exist: kind path | branch | symbol | command, and when it
    was last seen."""

    kind: str
    name: str
    checked: str


class Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A claim with the event positions that support it. valid_from/valid_to: when it was true in the world (us);
    `seen`: when it was last observed (us); subject: a file's identity across renames (its current path at record time),
    or another thing that the claim is about."""

    id: str
    repo: str
    kind: MemoryKind
    subject: str
    predicate: str
    value: str
    text: FreeText
    cites: list[Cited]
    support: float
    contra: float = 0.0
    confidence: float = 1.0
    trust: Trust = "git"
    valid_from: int = 0
    valid_to: int | None = None
    seen: int = 0
    refs: list[Ref] = []
    depends_on: list[str] = []
    pinned: bool = False
    quarantined: bool = False


@register
class DreamStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A consolidation run over (`after`, `upto`] began on `host`; its lease ends at `lease_until` (us)."""

    dream: str
    after: int
    upto: Cited
    lease_until: int
    host: str = ""


@register
class DreamFinished(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The run ended well; `digest` of memory and index after it."""

    dream: str
    after: int
    upto: Cited
    digest: str
    accepted: int = 0
    superseded: int = 0
    invalidated: int = 0
    spent_microusd: int = 0


@register
class DreamRejected(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The gate refused to publish the run; memory and index are unchanged."""

    dream: str
    why: FreeText


@register
class MemoryAccepted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A memory is recorded."""

    memory: Memory


@register
class MemorySuperseded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A memory was replaced by `by`; it stays readable as of its time."""

    id: str
    by: str
    why: FreeText


@register
class MemoryInvalidated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """why: dead_reference | contradicted | cascade | expired | user."""

    id: str
    why: str
    detail: FreeText = ""


@register
class IndexPublished(Event, frozen=True, kw_only=True, omit_defaults=True):
    """MEMORY.md was replaced atomically. `hash`: SHA-256 hex of its bytes."""

    hash: str
    bytes: int
    lines: int


@register
class MemoryFileEdited(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person changed a file of memory by hand. what: edited | deleted; `kept`: where their text is now."""

    file: str
    what: str
    kept: str = ""
