"""What eventsourcing's own consumers ask of an application recorder, over our table, for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

NO_LIMIT = 2**62


class StockReads:
    """Comes before the engine's recorder of eventsourcing, whose statements know another table. Positions are the ids
    of notifications."""

    def query(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Every row of a query in the portable SQL of this package."""
        raise TypeError(f"{type(self).__name__} defines no query")

    def max_notification_id(self) -> int:
        position: int = self.query("SELECT position FROM head", ())[0][0]
        return position

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self.query(
            "SELECT originator_version, topic, state FROM events WHERE originator_id = ? AND originator_version > ?"
            f" AND originator_version <= ? ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT ?",
            (str(originator_id), gt or 0, _or_none(lte), _or_none(limit)),
        )
        return [StoredEvent(originator_id, *row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = 0 if start is None else start if inclusive_of_start else start + 1
        among = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        rows = self.query(
            "SELECT originator_id, originator_version, topic, state, position FROM events"
            f" WHERE position >= ? AND position <= ?{among} ORDER BY position LIMIT ?",
            (first, _or_none(stop), *topics, limit),
        )
        return [Notification(*row) for row in rows]


def _or_none(bound: int | None) -> int:
    return NO_LIMIT if bound is None else bound
