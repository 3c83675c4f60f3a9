"""A watched log from a real file to the card: once, with its commit, across rotation and a restart."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import log_command
from kairos.daemon import log_followed, log_heard
from kairos.daemon.folded import World
from kairos.daemon.log_findings import key_of
from kairos.daemon.log_kept import kept_of
from kairos.daemon.log_watching import LogWatching
from kairos.domain.events import DetectorMuted, LogWatchNamed, LogWatchRemoved, Paused, Resumed
from kairos.domain.logs.state import watch_stream
from kairos.eventlog.leases import Everything
from kairos.eventlog.opener import open_log
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.log_watches import LogWatchesView
from kairos.home import Home

linux = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
ERROR = "2026-12-02 10:00:00 ERROR app could not reach the database at 10.0.0.7: retrying in 5 s"


class Watched:
    """A log file with a past, named to be watched."""

    def __init__(self, others: Any, path: Path) -> None:
        self.others, self.path = others, path
        self.add(*(f"2026-12-01 10:00:00 INFO app GET /item/{n} took {n} ms" for n in range(300)))

    def add(self, *lines: str) -> None:
        with self.path.open("a") as out:
            out.writelines(f"{line}\n" for line in lines)

    def name(self, name: str = "app") -> None:
        event = LogWatchNamed(repo=self.others.repo, name=name, kind="file", path=str(self.path))
        self.others.say(event, watch_stream(self.others.repo, name), origin="user")

    def cards(self) -> list[Any]:
        return [p for p in InboxView().load(self.others.log)[0].proposals.values() if p.raised.detector == "log-watch"]

    def entries(self, name: str = "app") -> int:
        """How many entries were learnt when that was saved last."""
        watch = LogWatchesView().load(self.others.log)[0].of(self.others.repo)[name]
        kept = kept_of(self.others.log, self.others.repo, watch)
        return 0 if kept is None else kept.past.entries


@pytest.fixture
def watched(others: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(log_followed, "SETTLE_S", 0.1)
    monkeypatch.setattr(log_followed, "ENTRY_S", 0.05)
    (tmp_path / "logs").mkdir()
    return Watched(others, tmp_path / "logs" / "app.log")


@pytest.fixture
def component(others: Any, home: Home, world: World) -> Callable[[], LogWatching]:
    return lambda: LogWatching(home, others.config, open_log(home), world, Everything(), print)


@pytest.fixture
def learnt(watched: Watched, component: Any, running: Any, until: Any) -> Callable[[], AbstractContextManager[Any]]:
    """What watches the log, once it has learnt its past."""

    @contextmanager
    def begun() -> Iterator[LogWatching]:
        watched.name()
        part = component()
        with running(part):
            until(lambda: watched.entries() == 300, "learning")
            yield part

    return begun


def test_a_new_line_is_one_card_with_the_commit_that_wrote_it(
    watched: Watched, others: Any, repo: Any, learnt: Any
) -> None:
    repo.write("db.py", 'log.error("could not reach the database at %s: retrying in %d s", host, n)\n')
    wrote = repo.commit("retry when the database is away")
    with learnt():
        watched.add(ERROR, ERROR.replace("0.7", "0.8"))
        (told,) = others.until("LogLineTold")
        watched.add(*[ERROR] * 5)
        watched.add("2026-12-02 10:00:00 INFO app something else that is new")
        watched.add("2026-12-02 10:00:00 ERROR app the disk is full")
        (_, marker) = others.until("LogLineTold", 2)
    assert others.told("LogLineTold") == [told, marker]
    assert marker.template == "ERROR app the disk is full", "all before it was read"
    assert (told.news, told.level, told.count, told.commit, told.place) == ("new", "error", 2, wrote, "db.py:1")
    card, _ = watched.cards()
    assert "app: new error: app could not reach the database at *" in card.raised.title
    assert f"written in {wrote[:10]} “retry when the database is away”" in card.raised.claim
    assert "10.0.0.7" in card.raised.action.text
    assert watched.entries() >= 302, "what was learnt is saved with what is told"


def test_the_last_line_of_the_past_is_past_too(
    watched: Watched, others: Any, component: Any, running: Any, until: Any
) -> None:
    older = watched.path.with_name("app.log.1")
    older.write_text("".join(f"2026-12-01 09:00:00 INFO app old {n}\n" for n in range(100)) + f"{ERROR}\n")
    watched.add("2026-12-02 10:00:00 ERROR app the disk is full")
    watched.name()
    with running(component()):
        until(lambda: watched.entries() == 402, "learning")
        watched.add("2026-12-02 10:00:00 ERROR app the cache is gone for good")
        (told,) = others.until("LogLineTold")
    assert told.template == "ERROR app the cache is gone for good"


def test_what_was_told_is_not_told_again_after_a_restart_and_a_rotation_meanwhile_loses_nothing(
    watched: Watched, others: Any, component: Any, running: Any, learnt: Any
) -> None:
    with learnt():
        watched.add(ERROR)
        others.until("LogLineTold")
    watched.add(ERROR, "2026-12-02 10:00:00 ERROR app the disk is full")
    watched.path.rename(watched.path.with_name("app.log.1"))
    watched.add("2026-12-02 10:00:00 ERROR app the cache is gone for good")
    with running(component()):
        others.until("LogLineTold", 3)
        watched.path.rename(watched.path.with_name("app.log.2"))
        watched.add("2026-12-02 10:00:00 WARNING app no space left anywhere")
        others.until("LogLineTold", 4)
    assert sorted(e.template.partition(" app ")[2] for e in others.told("LogLineTold")) == [
        "could not reach the database at *: retrying in * s", "no space left anywhere", "the cache is gone for good",
        "the disk is full",
    ]  # fmt: skip
    assert len(watched.cards()) == 4


def test_news_that_waits_when_the_daemon_stops_is_told(
    watched: Watched, others: Any, until: Any, monkeypatch: pytest.MonkeyPatch, learnt: Any
) -> None:
    monkeypatch.setattr(log_followed, "SETTLE_S", 600.0)
    with learnt() as part:
        watched.add(ERROR)
        until(lambda: any(f._news for f in part._followed.values()), "the line")
        assert others.told("LogLineTold") == []
    assert len(others.told("LogLineTold")) == 1


def test_the_end_of_a_watch_closes_what_it_told_and_forgets_what_it_learnt(
    watched: Watched, others: Any, until: Any, learnt: Any
) -> None:
    with learnt():
        watched.name("other")
        until(lambda: watched.entries("other") == 300, "learning")
        watched.add(ERROR)
        others.until("LogLineTold", 2)
        others.say(LogWatchRemoved(repo=others.repo, name="app"), watch_stream(others.repo, "app"))
        ended = key_of("app", others.told("LogLineTold")[0].id)
        until(lambda: ("superseded", ended) in {(c.state, c.raised.key) for c in watched.cards()}, "closing")
        assert list(others.log.view(f"snapshot/log-watch/{others.repo}@1")) == [b"other"]
        watched.add("2026-12-02 10:00:00 ERROR app the disk is full")
        others.until("LogLineTold", 3)
    assert [t.watch for t in others.told("LogLineTold")][2:] == ["other"], "the line was read past, and told once"


def test_a_muted_watch_records_what_was_new_and_raises_nothing(watched: Watched, others: Any, learnt: Any) -> None:
    others.say(DetectorMuted(detector="log-watch"))
    with learnt():
        watched.add(ERROR)
        others.until("LogLineTold")
    assert watched.cards() == []


def test_a_file_that_is_not_there_yet_is_read_from_its_first_line_when_it_comes(
    watched: Watched, others: Any, component: Any, running: Any, until: Any
) -> None:
    watched.path.unlink()
    watched.path.parent.rmdir()
    watched.name()
    part = component()
    with running(part):
        until(lambda: any(f.why for f in part._followed.values()), "the look")
        watched.path.parent.mkdir()
        watched.add(*(f"INFO n {n}" for n in range(100)), ERROR)
        (told,) = others.until("LogLineTold")
    assert told.level == "error"


@pytest.fixture
def shell(others: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Names what a shell line prints as a log to be watched."""
    monkeypatch.setattr(log_heard, "BURST_S", 0.5)

    def name(line: str) -> None:
        event = LogWatchNamed(repo=others.repo, name="app", kind="command", command=["sh", "-c", line])
        others.say(event, watch_stream(others.repo, "app"), origin="user")

    return name


@linux
def test_what_is_new_of_a_command_is_a_card_and_the_end_of_the_watch_ends_it(
    watched: Watched, others: Any, repo: Any, component: Any, running: Any, until: Any, shell: Any
) -> None:
    repo.write("app.log", "".join(f"INFO GET /item/{n}\n" for n in range(200)))
    shell("tail -n +1 -F app.log")
    part = component()
    with running(part):
        until(lambda: watched.entries() == 200, "learning")
        with (repo.root / "app.log").open("a") as out:
            out.write("ERROR the disk is full\n")
        others.until("LogLineTold")
        (command,) = [f._command for f in part._followed.values()]
        others.say(LogWatchRemoved(repo=others.repo, name="app"), watch_stream(others.repo, "app"))
        until(lambda: not part._followed and not command._thread.is_alive(), "the end")
        until(lambda: [c.state for c in watched.cards()] == ["superseded"], "closing")


@linux
def test_a_pause_ends_a_command_and_not_the_reading_of_a_file(
    watched: Watched, others: Any, component: Any, running: Any, until: Any, shell: Any
) -> None:
    watched.name("file")
    shell("echo up; exec sleep 7300")
    part = component()
    with running(part):
        until(lambda: watched.entries() == 1 and watched.entries("file") == 300, "learning")
        (command,) = [f._command for f in part._followed.values() if f.watch.kind == "command"]
        others.say(Paused(repo=others.repo))
        until(lambda: len(part._followed) == 1 and not command._thread.is_alive(), "the pause")
        watched.add(ERROR)
        others.until("LogLineTold")
        others.say(Resumed(repo=others.repo))
        until(lambda: watched.entries() == 2, "that it began again")


@linux
def test_one_that_cannot_run_is_reported_once(
    watched: Watched, others: Any, home: Home, world: World, running: Any, until: Any, shell: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(log_command, "AGAIN_S", 0.01)
    monkeypatch.setattr(log_command, "AGAIN_MOST_S", 0.01)
    said: list[str] = []
    part = LogWatching(home, others.config, open_log(home), world, Everything(), said.append)
    shell("n=$$; date +%s%N >&2; exit 4")
    starts = []
    with running(part):
        until(lambda: part._followed, "the start")
        (followed,) = part._followed.values()
        once = followed._command._once
        monkeypatch.setattr(followed._command, "_once", lambda at: (starts.append(at), once(at))[1])
        until(lambda: said, "the report")
        before = len(starts)
        until(lambda: len(starts) > before + 20, "that it was begun again")
    assert len(said) == 1 and said[0].startswith("log watch app: it ended (exit 4): ")


@linux
def test_with_nothing_printed_nothing_wakes(
    watched: Watched, component: Any, running: Any, until: Any, monkeypatch: pytest.MonkeyPatch, shell: Any
) -> None:
    shell("echo up; exec sleep 7300")
    part = component()
    steps = []
    monkeypatch.setattr(part, "step", lambda inner=part.step: (steps.append(inner()), steps[-1])[1])
    with running(part):
        until(lambda: watched.entries() == 1 and steps and steps[-1] is None, "rest")
        before = len(steps)
        threading.Event().wait(0.3)
        assert len(steps) == before


def test_with_nothing_written_nothing_wakes(
    watched: Watched, component: Any, running: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.name()
    part = component()
    steps = []
    monkeypatch.setattr(part, "step", lambda inner=part.step: (steps.append(inner()), steps[-1])[1])
    with running(part):
        until(lambda: watched.entries() == 300 and steps and steps[-1] is None, "rest")
        before = len(steps)
        threading.Event().wait(0.3)
        assert len(steps) == before
