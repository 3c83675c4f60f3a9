"""The recorder for eventsourcing's own consumers: an `Application`, its notification log, projections.

Such an application stores *foreign events*: their topics are not event types of Kairos, and their content is opaque to
it. They are in the chain, in segments and in exports like every other event, but Kairos does not act on them. The
application in turn reads every event of the log; the position is the id of the notification.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from threading import Lock, Thread
from typing import Any
from uuid import UUID

from eventsourcing import persistence as es
from eventsourcing.persistence import Notification, StoredEvent, Tracking

from kairos import errors
from kairos.clock import now_us
from kairos.domain.events import is_foreign
from kairos.eventlog.database import SHARED_FALLBACK_S, Engine, Listener, Unmade
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import FROM_ZERO, UPSTREAM, Advance, Draft, Origin, Put, Write

_ORIGIN: Origin = "foreign"
_MEANING: Mapping[type[Exception], type[es.PersistenceError]] = {
    errors.Conflict: es.IntegrityError,
    errors.IntegrityError: es.InternalError,
    errors.UsageError: es.ProgrammingError,
}


class StockRecorder(es.ProcessRecorder):
    """Mixin that precedes eventsourcing's recorder of an engine and overrides the methods whose SQL expects other
    tables."""

    datastore: Any
    _engine: Engine

    @abstractmethod
    def append(
        self,
        drafts: list[Draft],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        cold_root: Callable[[int], int],
    ) -> list[int]:
        """See `database.Recorder`."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Reader]:
        """A reader of the log, hot and cold, for one thread at a time."""

    def create_table(self) -> None:
        """Creates the log if there is none."""
        with self._told():
            self._engine.make()

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        """Appends foreign events, with `tracking` also the position in their upstream; returns the positions."""
        drafts, expected = drafted(stored_events)
        writes: list[Write] = [Put(FROM_ZERO, s.encode(), b"") for s, version in expected.items() if version < 0]
        tracking: Tracking | None = kwargs.get("tracking")
        if tracking is not None:
            writes.append(_advance(tracking))
        return self._record(drafts, expected, writes)

    def insert_tracking(self, tracking: Tracking) -> None:
        self._record([], {}, [_advance(tracking)])

    def _record(self, drafts: list[Draft], expected: Mapping[str, int], writes: Sequence[Write]) -> list[int]:
        if not drafts and not writes:
            return []
        with self._told():
            with self._reading():  # raises Unmade if there is no log
                pass
            positions = self.append(drafts, now_us(), expected, writes, lambda cause: cause)
            if positions:
                self._engine.ring()
        return positions

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream, hot and cold; forgotten ones are left out."""
        stream = str(originator_id)
        with self._told(), self._reading() as reader:
            begin = 1 if reader.view_row(FROM_ZERO, stream.encode()) is None else 0
            rows = reader.stream(stream, begin if gt is None else max(begin, gt + 1))
        found = [
            StoredEvent(originator_id, row.version, row.topic, row.payload)
            for row in rows
            if row.payload is not None and (lte is None or row.version <= lte)
        ]
        return (found[::-1] if desc else found)[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events of the whole log, hot and cold. Those that were forgotten or folded away are left out and do not
        count towards `limit`."""
        after = 0 if start is None else start - inclusive_of_start
        found: list[Notification] = []
        with self._told(), self._reading() as reader:
            while (left := limit - len(found)) > 0:
                rows = [row for chunk in reader.plain(after, limit=left, topics=topics, upto=stop) for row in chunk]
                found += [
                    Notification(self._id_of(stream), version, topic, payload, position)
                    for position, stream, version, topic, _, _, _, _, _, payload in (row[:10] for row in rows)
                    if payload is not None
                ]
                if len(rows) < left:
                    break
                after = rows[-1][0]
        return found

    def max_notification_id(self) -> int | None:
        with self._told(), self._reading() as reader:
            return reader.head()[0] or None

    def max_tracking_id(self, application_name: str) -> int | None:
        with self._told(), self._reading() as reader:
            return reader.trackings().get(UPSTREAM + application_name)

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LogSubscription:
        return LogSubscription(self, gt, topics, self._engine)

    def _id_of(self, stream: str) -> UUID | str:
        """The id of a stream as the application uses it: a UUID if the application uses UUIDs and the name is one."""
        if self.datastore.originator_id_type != "uuid":
            return stream
        try:
            found = UUID(stream)
        except ValueError:
            return stream
        return found if str(found) == stream else stream

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Translates errors into those of eventsourcing, which its consumers handle."""
        try:
            with self._engine.errors():
                yield
        except Unmade as error:
            raise es.OperationalError(f"there is no log in {self._engine.name}: create its tables first") from error
        except errors.KairosError as error:
            raise _MEANING.get(type(error), es.OperationalError)(f"{error.message}. {error.hint}") from error


class LogSubscription(es.ListenNotifySubscription[StockRecorder]):
    """Yields notifications as they arrive: a thread sleeps until something is appended."""

    def __init__(self, recorder: StockRecorder, gt: int | None, topics: Sequence[str], engine: Engine) -> None:
        self._listener: Listener | None = engine.listener()  # before the first read, so that no append is missed
        self._ending = Lock()
        super().__init__(recorder, gt, topics)
        self._listen_thread = Thread(target=self._listen, args=(self._listener,))
        self._listen_thread.start()

    def stop(self) -> None:
        super().stop()
        with self._ending:
            if self._listener is not None:
                self._listener.wake()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._listen_thread.join()

    def _listen(self, listener: Listener) -> None:
        while not self._has_been_stopped:
            listener.wait(SHARED_FALLBACK_S)
            self._has_been_notified.set()
        with self._ending:  # from here on `stop` does not wake it
            self._listener = None
            listener.close()


def drafted(stored_events: Sequence[StoredEvent]) -> tuple[list[Draft], dict[str, int]]:
    """(drafts to append, the version that each of their streams must be at).

    DataError for an event that a log cannot hold, IntegrityError if the versions of a stream are not consecutive."""
    versions: dict[str, Iterator[int]] = {}
    expected: dict[str, int] = {}
    drafts: list[Draft] = []
    for event in stored_events:
        stream, version = str(event.originator_id), event.originator_version
        if stream not in versions:
            versions[stream], expected[stream] = count(version), version - 1
        if version != next(versions[stream]):
            raise es.IntegrityError(f"version {version} of {stream} does not follow the one before it")
        _check(stream, version, event.topic)
        drafts.append((stream, event.topic, 0, bytes(event.state), None, _ORIGIN))
    return drafts, expected


def _check(stream: str, version: int, topic: str) -> None:
    if not is_foreign(topic):
        raise es.DataError(
            f"{topic!r} is reserved for the events of Kairos itself. Give the event"
            " another topic, for example its module and class, as it has without `TOPIC`"
        )
    if not stream or version < 0 or not all(map(_is_storable, (stream, topic))):
        raise es.DataError(f"a log cannot hold version {version} of {stream!r} with the topic {topic!r}")


def _is_storable(text: str) -> bool:
    """Whether both engines can hold a text: UTF-8 without NUL."""
    try:
        return "\0" not in text and bool(text.encode())
    except UnicodeEncodeError:
        return False


def _advance(tracking: Tracking) -> Advance:
    return Advance(UPSTREAM + tracking.application_name, tracking.notification_id)
