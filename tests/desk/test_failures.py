"""Errors of the file system and of databases, as a person can act on them; a defect stays one."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest

from kairos.desk.desk import Desk
from kairos.desk.failures import known
from kairos.errors import IntegrityError, KairosError, TryAgain, UsageError


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, TryAgain), (errno.EDQUOT, TryAgain), (errno.EACCES, UsageError), (errno.EROFS, UsageError),
        (errno.ENOTDIR, UsageError), (errno.ENAMETOOLONG, UsageError), (errno.ELOOP, UsageError),
    ],
)  # fmt: skip
def test_an_error_of_a_file_says_which_and_what_to_do(desk: Desk, number: int, kind: type[KairosError]) -> None:
    said = known(desk, OSError(number, os.strerror(number), "/some/place"))
    assert type(said) is kind and said.hint
    assert kind is TryAgain or "/some/place" in said.message


@pytest.mark.parametrize("name", ["/some/place", b"/some/place", b"/\xff"])
def test_the_name_of_the_file_may_be_bytes(desk: Desk, name: str | bytes) -> None:
    said = known(desk, OSError(errno.EACCES, "no", name))
    assert said is not None and os.fsdecode(name) in said.message


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "bad"), OSError(errno.EACCES, "of no file"), ValueError("x")])
def test_what_is_not_known_is_a_defect(desk: Desk, error: Exception) -> None:
    assert known(desk, error) is None


def test_a_busy_database_passes_and_a_damaged_one_does_not(desk: Desk) -> None:
    busy, damaged = sqlite3.OperationalError("locked"), sqlite3.DatabaseError("malformed")
    busy.sqlite_errorcode, damaged.sqlite_errorcode = sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CORRUPT
    assert type(known(desk, busy)) is TryAgain
    assert type(known(desk, damaged)) is IntegrityError
