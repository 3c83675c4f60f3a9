"""How an application of eventsourcing names a log on SQLite."""

from __future__ import annotations

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import ProgrammingError


@pytest.mark.parametrize("name", [":memory:", "file:log?mode=memory", "file:/tmp/log.db"])
def test_a_database_that_is_no_file_is_refused(on_sqlite: dict[str, str], name: str) -> None:
    with pytest.raises(ProgrammingError, match="SQLITE_DBNAME"):
        Application(env={**on_sqlite, "SQLITE_DBNAME": name})
