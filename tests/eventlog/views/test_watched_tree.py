"""The tree folded from the log, and how it is printed."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.events import Change, FilesChanged, Name
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.watched_tree import Entry, fold_tree, rows


@pytest.fixture
def log(any_log: Log) -> Log:
    """On either engine."""
    return any_log


def tell(log: Log, changes: list[Change], repo: str = "r") -> int:
    event = FilesChanged(repo=repo, burst="b", part=1, parts=1, changes=changes)
    return log.append([NewEvent(repo, event)])[0]


def made(**fields: Any) -> Change:
    return Change(**{"kind": "created", "size": 1, "mode": 0o644, "mtime_ns": 5, **fields})


def test_the_fold_follows_every_kind_of_change(log: Log) -> None:
    directory = Change(path="d", kind="created", type="dir", mode=0o755)
    first = tell(log, [made(path="a"), directory, made(path="d/x"), made(path="l", type="symlink")])
    tell(log, [made(path="other")], repo="another")
    tell(log, [made(path="a", kind="modified", size=9), Change(path="l", kind="deleted", type="symlink")])
    tell(log, [made(path="d/y", kind="moved", was=Name(path="d/x"))])
    assert fold_tree(log, "r") == {
        b"a": Entry("file", 9, 0o644, 5), b"d": Entry("dir", None, 0o755, None), b"d/y": Entry("file", 1, 0o644, 5)
    }  # fmt: skip
    assert set(fold_tree(log, "r", upto=first)) == {b"a", b"d", b"d/x", b"l"}


def test_rows_rise_bytewise_and_name_what_is_not_utf_8_in_base64(log: Log) -> None:
    tell(log, [made(path="é"), made(path_b64="/w=="), made(path="a b"), made(path="a"), made(path="a/b")])
    assert [r.get("path") or r["path_b64"] for r in rows(fold_tree(log, "r"))] == ["a", "a b", "a/b", "é", "/w=="]
    assert next(rows(fold_tree(log, "r"))) == {"path": "a", "kind": "file", "size": 1, "mode": 0o644, "mtime_ns": 5}


def test_an_empty_log_has_no_tree(log: Log) -> None:
    assert fold_tree(log, "r") == {}
