"""The event log: reading and following it, verifying that it was not changed, exporting and importing it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from functools import cache
from typing import IO

import msgspec

from kairos.clock import now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.given import whole
from kairos.desk.reading import position_before, repository_of
from kairos.desk.records.log import AnchorOut, EventOut, MovedOut, ProblemOut, VerifyOut
from kairos.desk.summary import summary
from kairos.desk.when import ago
from kairos.domain.events import REGISTRY, Event
from kairos.errors import IntegrityError, UsageError
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository

_NO_HASH = "0" * 64


class LogEntry:
    """One event of the log, converted to a record or a line on demand."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self.position = recorded.position
        self.at = recorded.at
        self.type = recorded.topic

    def out(self) -> EventOut:
        """The record for a program; fields omitted from storage because they have their default are filled in."""
        return event_out(self._recorded)

    def summary(self) -> str:
        """One line for a person. Not escaped yet."""
        return summary(self._recorded)


def read(
    desk: Desk,
    *,
    after: int = 0,
    types: Collection[str] = (),
    since: str | None = None,
    limit: int | None = None,
    last: int | None = None,
    only: Repository | None = None,
    follow: bool = False,
) -> Iterator[LogEntry]:
    """Events above a position, oldest first: all, the first `limit` or the `last`; with `follow` it continues with new
    events. UsageError for an unknown
    type; types of other applications contain a colon."""
    unknown = sorted(topic for topic in set(types) - set(REGISTRY) if ":" not in topic)
    if unknown:
        raise UsageError(f"there is no event type `{unknown[0]}`", f"Types are {', '.join(sorted(REGISTRY))}.")
    if not desk.has_log and not follow:
        return iter(())
    if since is not None:
        after = max(after, position_before(desk, ago(since, now_us())))
    if last is not None and not types and only is None:
        after = max(after, desk.log.head() - last)
    source = _follow(desk, after, types) if follow else desk.log.read(after, topics=types)
    if only is not None:
        source = (r for r in source if only.id in (r.stream, repository_of(desk, r.event)))
    if last is not None:
        return iter([LogEntry(recorded) for recorded in deque(source, maxlen=last)])
    return map(LogEntry, source if limit is None else _first(source, limit))


def _first(source: Iterator[Recorded], limit: int) -> Iterator[Recorded]:
    """The first `limit`, without waiting for one more."""
    for count, recorded in enumerate(source, 1):
        if count > limit:
            return
        yield recorded
        if count == limit:
            return


def _follow(desk: Desk, after: int, types: Collection[str]) -> Iterator[Recorded]:
    from kairos.eventlog.follow import Follower

    return (r for r in Follower(desk.log, after) if not types or r.topic in types)


def event_out(recorded: Recorded) -> EventOut:
    """One line of the log for a script; fields omitted from storage because they have their default are filled in."""
    return EventOut(
        position=recorded.position,
        type=recorded.topic,
        v=recorded.v,
        at=rfc3339(recorded.at),
        stream=recorded.stream,
        version=recorded.version,
        caused_by=recorded.caused_by,
        correlation=recorded.correlation,
        origin=recorded.origin,
        data=_defaults(type(recorded.event)) | msgspec.to_builtins(recorded.event),
    )


@cache
def _defaults(cls: type[Event]) -> dict[str, object]:
    return {
        f.encode_name: msgspec.to_builtins(f.default_factory() if f.default is msgspec.NODEFAULT else f.default)
        for f in msgspec.structs.fields(cls)
        if not f.required
    }


def _parse_anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    position, colon, link = text.partition(":")
    noted = whole(position)
    if not colon or noted is None or len(link) != 64 or set(link.lower()) - set("0123456789abcdef"):
        raise UsageError(f"`{text}` is not an anchor", "Give POSITION:HASH as `kairos log anchor` printed it.")
    return noted, link.lower()


def verify(desk: Desk, anchor: str | None) -> VerifyOut:
    """Walks the whole hash chain, hot and cold. `anchor`: POSITION:HASH as `anchor` gave it. UsageError, IntegrityError
    if an anchor is given and there is no log."""
    noted = _parse_anchor(anchor)
    if not desk.has_log:
        if noted is not None:
            raise IntegrityError(
                f"there is no log in {desk.home.data}, but the anchor names one", "Restore the log from a backup."
            )
        return VerifyOut(ok=True, head=0, hash=_NO_HASH, problems=[])
    from kairos.desk.verifying import verified

    try:
        with desk.errors():
            return msgspec.convert(msgspec.to_builtins(verified(desk, noted)), VerifyOut)
    except IntegrityError as error:  # not even the database can be read
        return VerifyOut(ok=False, head=0, hash=_NO_HASH, problems=[ProblemOut(what=error.message)])


def anchor(desk: Desk) -> AnchorOut:
    """The position and hash of the last event, to keep elsewhere."""
    position, link = desk.log.anchor() if desk.has_log else (0, _NO_HASH)
    return AnchorOut(position=position, hash=link)


def export(desk: Desk, out: IO[bytes]) -> MovedOut:
    """Writes the whole log as lines of JSON, positions and hashes kept."""
    from kairos.eventlog.cold.carrying import export_all

    events = export_all(desk.log, out) if desk.has_log else 0
    return MovedOut(events=events, hash=desk.log.anchor()[1] if events else _NO_HASH)


def import_(desk: Desk, lines: IO[bytes]) -> MovedOut:
    """Reads an exported log into an empty one: all of it, verified, or nothing."""
    from kairos.eventlog.cold.carrying import import_all

    events = import_all(desk.log, lines)
    return MovedOut(events=events, hash=desk.log.anchor()[1])
