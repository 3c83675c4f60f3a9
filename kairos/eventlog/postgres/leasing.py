"""Leases on a shared log: rows with a holder, an expiry time by the server's clock, and a token that only increases.

An expired lease remains valid until another holder takes it over: an append is fenced by the token, not by time.
"""

from __future__ import annotations

from kairos.eventlog.database import Lease
from kairos.eventlog.postgres.connecting import postgres_errors
from kairos.eventlog.postgres.pool import close_pool, open_pool

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
"""Settings of the lease connection. An append locks the rows of its leases; if it hangs, waiting for one of these must
not keep the other leases from being renewed."""


class LeaseTable:
    """The leases of the log at `url`; the tables must exist. All lease tables of a process share one connection,
    separate from the pool for appends: appends that wait for each other must not keep a lease from being renewed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = open_pool(url, 1, WAIT)

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        with postgres_errors(self._url):
            if self._pool.run(_OTHERS, (name, holder)):
                return None  # this query does not block; `_TAKE` would lock the row even if it fails
            found = self._pool.run(_TAKE, (name, holder, seconds))
        return int(found[0][0]) if found else None

    def renew(self, name: str, token: int, seconds: float) -> bool:
        with postgres_errors(self._url):
            return bool(self._pool.run(_RENEW, (seconds, name, token)))

    def give_up(self, name: str, token: int) -> None:
        with postgres_errors(self._url):
            self._pool.run(_GIVE_UP, (name, token))

    def current(self) -> list[Lease]:
        with postgres_errors(self._url):
            return [Lease(*row) for row in self._pool.run(_CURRENT)]

    def close(self) -> None:
        close_pool(self._pool)
