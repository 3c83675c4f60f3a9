"""Leases on a shared log: rows with a holder, an end by the server's clock, and a token that only rises.

A lease that ran out still is its holder's until somebody takes it over: what fences an append is the token, not time.
"""

from __future__ import annotations

from kairos.eventlog.database import Lease
from kairos.eventlog.postgres.session import Session, postgres_errors

_UNTIL = "clock_timestamp() + ? * interval '1 second'"
_TAKE = (
    f"INSERT INTO leases AS kept (name, holder, token, until) VALUES (?, ?, 1, {_UNTIL})"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = kept.token + 1, until = excluded.until"
    " WHERE kept.until <= clock_timestamp() OR kept.holder = excluded.holder RETURNING token"
)
_OTHERS = "SELECT 1 FROM leases WHERE name = ? AND holder <> ? AND until > clock_timestamp()"
_RENEW = f"UPDATE leases SET until = {_UNTIL} WHERE name = ? AND token = ? RETURNING token"
_GIVE_UP = "UPDATE leases SET until = clock_timestamp(), token = token + 1 WHERE name = ? AND token = ?"
_CURRENT = "SELECT name, holder, token FROM leases WHERE until > clock_timestamp() ORDER BY name"
WAIT = "SET lock_timeout = '2s'"
"""An append locks the leases that it rests on: one that hangs must not keep the others from being renewed."""


class LeaseTable:
    """The leases of the log at `url`, over a connection of its own; the tables must be there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = Session(url, WAIT)

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        with postgres_errors(self._url):
            if self._session.run(_OTHERS, (name, holder)).fetchone() is not None:
                return None  # looking waits for nobody: an attempt would lock the row, even in vain
            found = self._session.run(_TAKE, (name, holder, seconds)).fetchone()
        return None if found is None else int(found[0])

    def renew(self, name: str, token: int, seconds: float) -> bool:
        with postgres_errors(self._url):
            return self._session.run(_RENEW, (seconds, name, token)).fetchone() is not None

    def give_up(self, name: str, token: int) -> None:
        with postgres_errors(self._url):
            self._session.run(_GIVE_UP, (name, token))

    def current(self) -> list[Lease]:
        with postgres_errors(self._url):
            return [Lease(*row) for row in self._session.run(_CURRENT).fetchall()]

    def close(self) -> None:
        self._session.close()
