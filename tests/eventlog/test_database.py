"""What lies behind an error of an engine."""

from __future__ import annotations

import sqlite3

from kairos.eventlog.database import cause_of


def test_the_error_of_the_database_is_found_behind_those_that_wrap_it() -> None:
    inner = sqlite3.OperationalError("disk full")
    outer, between = RuntimeError("outer"), ValueError("between")
    outer.__cause__, between.__cause__ = between, inner
    assert cause_of(outer, sqlite3.Error) is inner
    assert cause_of(inner, (KeyError, sqlite3.Error)) is inner
    assert cause_of(outer, KeyError) is None
