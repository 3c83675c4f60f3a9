"""A watched file: what was written while nobody read is no burst, and news waits until it was saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.clock import now_us
from kairos.daemon import log_followed
from kairos.daemon.log_followed import FollowedFile, FollowedLog
from kairos.daemon.log_kept import LogKept
from kairos.domain.logs.past import LogPast, LogPastState
from kairos.domain.logs.state import WatchedLog
from kairos.sensing.log_file import LogFile

FULL = "ERROR app queue is full\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def followed(path: Path) -> FollowedLog:
    """A log that was read to its end two days ago."""
    path.write_text("INFO app GET /item/7\n" * 300 + FULL)
    past, file, more = LogPast(LogPastState()), LogFile(path), True
    while more:
        read = file.read()
        more = read.more
        for line in read.lines:
            past.see([line], now_us() - 2 * 86_400_000_000)
    file.close()
    watch = WatchedLog(name="app", kind="file", named=1, path=str(path))
    return FollowedFile("r", watch, LogKept(source=watch.source, past=past.state(), place=file.place))


def add(path: Path, text: str) -> None:
    with path.open("a") as out:
        out.write(text)


def read(followed: FollowedLog) -> None:
    while followed.work():
        pass


def test_a_backlog_is_no_burst_and_what_is_new_in_it_is_told(path: Path, followed: FollowedLog) -> None:
    add(path, FULL * 100 + "ERROR app the disk is full\n" + FULL)
    read(followed)
    assert [n.template.text for n in followed.due(ending=True)[0]] == ["ERROR app the disk is full"]
    followed.saved()
    add(path, FULL * 30)
    read(followed)
    assert [(n.kind, n.template.text) for n in followed.due(ending=True)[0]] == [("more", FULL.strip())]


def test_what_was_written_while_the_file_could_not_be_read_is_a_backlog(path: Path, followed: FollowedLog) -> None:
    away = path.parent / "elsewhere" / "app.log"
    away.parent.mkdir()
    path.rename(away)
    read(followed)
    assert followed.why
    add(away, FULL * 100)
    away.rename(path)
    read(followed)
    assert (followed.why, followed.due(ending=True)[0]) == ("", [])


def test_news_waits_until_it_was_saved(path: Path, followed: FollowedLog) -> None:
    add(path, "ERROR app the disk is full\n")
    read(followed)
    (news,), _ = followed.due(ending=True)
    assert followed.due(ending=True)[0] == [news], "its append failed"
    assert not followed.unsaved(ending=True)
    followed.saved()
    assert followed.due(ending=True)[0] == []


def test_a_log_that_never_rests_is_saved_and_asks_again_only_for_a_reason(
    path: Path, followed: FollowedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_followed, "SAVE_S", 0.0)
    add(path, FULL * 2)
    read(followed)
    assert (followed.due()[1], followed.unsaved()) == (0.0, True), "one entry is whole and one may go on"
    followed.saved()
    assert (followed.due()[1] or 0.0) > 0.0
    add(path, "ERROR app the disk is full\n" + FULL)
    read(followed)
    assert ((followed.due()[1] or 0.0) > 0.0, followed.unsaved()) == (True, False), "it is saved with the news"


def test_the_directory_that_tells_of_a_file_is_the_nearest_that_there_is(tmp_path: Path) -> None:
    watch = WatchedLog(name="app", kind="file", named=1, path=str(tmp_path / "a" / "b" / "app.log"))
    followed = FollowedFile("r", watch, None)
    assert followed.directory == str(tmp_path).encode()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert followed.directory == str(tmp_path / "a" / "b").encode()


def test_a_directory_that_cannot_be_looked_at_ends_nothing(tmp_path: Path) -> None:
    watch = WatchedLog(name="app", kind="file", named=1, path=str(tmp_path / ("x" * 300) / "app.log"))
    followed = FollowedFile("r", watch, None)
    assert followed.directory == str(tmp_path).encode()
    read(followed)
    assert followed.why == "file name too long"
