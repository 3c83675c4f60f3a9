"""After forgetting, no byte of it is left and the chain still holds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kairos._native import blake3_hash
from kairos.domain.events import AttentionHeld, Change, Erased, FilesChanged, Name, Paused
from kairos.errors import IntegrityError, NotFound, TryAgain, UsageError
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.forgetting import forget_paths, forget_positions, forget_repository
from kairos.eventlog.cold.leftovers import UNFINISHED, finish_if_possible
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.replay import replay_verify
from kairos.eventlog.views.watched_tree import fold_tree

CANARY = "private/diary-of-an-owl.txt"
ODD = os.fsdecode(b"private/owl-\xff")


def told(*changes: Change) -> FilesChanged:
    return FilesChanged(repo="repo-1", burst="b", part=1, parts=1, changes=list(changes))


def made(path: str, size: int = 1) -> Change:
    return Change(path=path, kind="created", size=size, mode=0o644, mtime_ns=5)


def fill(log: Log) -> None:
    """Two files that stay and one to forget, in observations, free text and a view; the first half sealed."""
    held = AttentionHeld(repo="repo-1", subject="s", why=f"waits for {CANARY}, which is open", rule="x@1")
    log.append([NewEvent("repo-1", told(made("a.py"), made(CANARY), made("old.py")))])
    log.append([NewEvent("repo-1", held, 1), NewEvent("repo-1", told(Change(path="old.py", kind="deleted")))])
    for i in range(40):
        log.append([NewEvent("pause", Paused(until=i))])
    compact(log)
    log.append([NewEvent("repo-1", told(made("b.py"), made(CANARY, 2)))])
    log.append([NewEvent("repo-1", held, 1)])
    log.append([NewEvent("repo-1", told(made(f"x{CANARY}"), made("not-private")))])
    writes = [Put("tree/repo-1", b"private", b"..diary-of-an-owl.txt.."), Put("tree/repo-1", b"src", b"..a.py..")]
    log.append([], writes=[*writes, Put("snapshot/x@1", b"state", CANARY.encode())])


def traces(log: Log, text: str) -> list[str]:
    """Files of the home that hold a text; the longer name that contains it does not count."""
    found = []
    for path in log.path.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes().replace(b"x" + text.encode("utf-8", "surrogateescape"), b"")
            if text.encode("utf-8", "surrogateescape") in content:
                found.append(path.name)
    return found


def test_nothing_of_a_forgotten_path_is_left_and_the_rest_is_as_it_was(log: Log) -> None:
    fill(log)
    anchor = log.anchor()
    before = fold_tree(log, "repo-1")
    assert len(traces(log, CANARY)) >= 1
    done = forget_paths(log, "private/diary-*", "not yours", "user")
    assert done.positions == [1, 2, 45 + 1, 46 + 1]
    assert done.segments == 1
    assert traces(log, CANARY) == []
    assert verify_log(log, anchor).problems == []
    assert {p: e for p, e in before.items() if p != CANARY.encode()} == fold_tree(log, "repo-1")
    erased = log.at(done.position or 0).event
    assert erased == Erased(positions=done.positions, reason="not yours", by="user")
    with pytest.raises(NotFound, match="was erased"):
        log.at(1)
    assert log.at(48).event == told(made(f"x{CANARY}"), made("not-private"))
    assert log.view("tree/repo-1") == {b"src": b"..a.py.."}
    assert replay_verify(log, log_views()).identical
    compact(log)
    assert verify_log(log, anchor).problems == []
    assert traces(log, CANARY) == []
    with pytest.raises(NotFound):
        forget_paths(log, "private/diary-*", "again", "user")


def test_a_path_that_is_not_utf_8_is_forgotten_too(log: Log) -> None:
    odd = Change(path_b64="cHJpdmF0ZS9vd2wt/w==", kind="moved", was=Name(path="c"))
    log.append([NewEvent("repo-1", told(odd)), NewEvent("repo-1", told(made("d")))])
    assert forget_paths(log, ODD, "why", "user").positions == [1]
    assert traces(log, "cHJpdmF0ZS9vd2wt") == []


def test_one_position_is_forgotten_and_what_the_log_says_of_itself_stays(log: Log) -> None:
    log.append([NewEvent("a", AttentionHeld(repo="r", subject="s", why="owl", rule="x@1")), NewEvent("a", Paused())])
    done = forget_positions(log, [1], "slip", "user")
    assert traces(log, '"owl"') == []
    assert [r.topic for r in log.read()] == ["Paused", "Erased"]
    with pytest.raises(UsageError, match="cannot be forgotten"):
        forget_positions(log, [done.position or 0], "cover up", "user")
    with pytest.raises(NotFound):
        forget_positions(log, [99], "nothing", "user")
    assert forget_positions(log, [1], "twice", "user").positions == []


def test_a_repository_is_forgotten_with_all_that_names_it(log: Log) -> None:
    log.append([NewEvent("repo-1", told(made("a.py"))), NewEvent("b", Paused())])
    log.append([NewEvent("turn-1", AttentionHeld(repo="repo-1", subject="s", why="w", rule="x@1"))])
    log.append([NewEvent("turn-2", AttentionHeld(repo="repo-12", subject="s", why="w", rule="x@1"))])
    log.append([], writes=[Put("tree/repo-1", b"", b"a.py")])
    assert forget_repository(log, "repo-1", "/srv/one", "left", "user").positions == [1, 3]
    assert fold_tree(log, "repo-1") == {}
    assert log.view("tree/repo-1") == {}
    assert verify_log(log).ok


@pytest.mark.parametrize("cold", [False, True])
def test_a_payload_that_is_missing_without_a_word_is_a_damage(log: Log, cold: bool) -> None:
    log.append([NewEvent("a", Paused(until=i)) for i in range(9)])
    log.close()
    with sqlite3.connect(log.path) as db:
        leaf = blake3_hash(db.execute("SELECT state FROM events WHERE position = 4").fetchone()[0])
        db.execute("UPDATE events SET state = NULL, leaf = ? WHERE position = 4", (leaf,))
    db.close()
    if cold:
        compact(log)
    assert [p.position for p in verify_log(log).problems] == [4]


def test_a_damaged_segment_is_not_rewritten(log: Log) -> None:
    fill(log)
    segment = next(log.segments.glob("*.parquet"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 3] ^= 1
    segment.write_bytes(content)
    with pytest.raises(IntegrityError):
        forget_positions(log, [20], "why", "user")
    assert segment.read_bytes() == content


def test_on_a_shared_log_each_home_cleans_itself_and_no_other(postgres: Any, tmp_path: Path) -> None:
    url = postgres.url()

    def of_home(name: str, cleaned: list[bytes] | None) -> Log:
        def clean(_: Log, needles: Sequence[bytes]) -> None:
            if cleaned is None:
                raise TryAgain("a dream is running", "")
            cleaned.extend(needles)

        place = tmp_path / name / "log.db"
        return Log(place, url=url, owner=name, clean=clean, on_writing=finish_if_possible)

    ours = of_home("ours", None)
    ours.append([NewEvent("repo-1", told(made(CANARY), made("a.py")))])
    with pytest.raises(TryAgain):
        forget_paths(ours, CANARY, "not yours", "user")
    ours.close()
    theirs: list[bytes] = []
    other = of_home("theirs", theirs)
    other.append([NewEvent("a", Paused())])
    assert theirs == [] and list(other.view(UNFINISHED)) == [b"home/ours"]
    other.close()
    mine: list[bytes] = []
    again = of_home("ours", mine)
    again.append([NewEvent("a", Paused())])
    assert CANARY.encode() in mine
    assert again.view(UNFINISHED) == {} and verify_log(again).ok
    again.close()


def test_copies_of_segments_in_another_home_go_when_something_there_writes(postgres: Any, tmp_path: Path) -> None:
    url = postgres.url()
    ours, theirs = (Log(tmp_path / name / "log.db", url=url) for name in ("ours", "theirs"))
    ours.append([NewEvent("repo-1", told(made(CANARY), made("a.py")))])
    compact(ours)
    assert [r.topic for r in theirs.read(upto=1)] == ["FilesChanged"]
    (copy,) = theirs.segments.glob("*.parquet")
    forget_paths(ours, CANARY, "not yours", "user")
    assert copy.exists()
    again = Log(theirs.path, url=url, on_writing=finish_if_possible)
    again.append([NewEvent("a", Paused())])
    assert not copy.exists()
    assert verify_log(again).ok and list(theirs.read(upto=1)) == []
    for log in (ours, theirs, again):
        log.close()
