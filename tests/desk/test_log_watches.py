"""Naming, listing and ending the watch of a log, and reading one as if live."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.log_followed import FollowedFile
from kairos.desk import log_watches
from kairos.desk.desk import Desk
from kairos.desk.doctoring import watched_logs
from kairos.desk.reading import repository_at
from kairos.desk.registering import Told, register
from kairos.desk.status import status, unheard
from kairos.domain.logs.state import kept_view
from kairos.errors import NotFound, UsageError
from kairos.eventlog.views.log_watches import LogWatchesView


@pytest.fixture
def at(desk: Desk, repo: Any) -> Any:
    told = Told(trusts=lambda _: None, progress=lambda _: nullcontext(lambda *_: None), warn=print)
    register(desk, str(repo.root), history=None, told=told)
    return repository_at(desk, repo.root)


def test_a_log_is_named_listed_changed_and_ended(desk: Desk, at: Any, tmp_path: Path) -> None:
    made = log_watches.add(desk, at, file=str(tmp_path / "My App.log"))
    assert (made.name, made.kind, made.state, made.source) == (
        "my-app", "file", "not read yet", str(tmp_path / "My App.log"),
    )  # fmt: skip
    again = log_watches.add(desk, at, file=str(tmp_path / "b.log"), name="my-app", every=True)
    assert (again.source, again.every) == (str(tmp_path / "b.log"), True)
    assert log_watches.add(desk, at, file="/x/my-app.log").name == "my-app-2"
    assert [w.name for w in log_watches.listed(desk, None)] == ["my-app", "my-app-2"]
    assert log_watches.remove(desk, at, "my-app").name == "my-app"
    with pytest.raises(NotFound):
        log_watches.remove(desk, at, "my-app")


def test_what_was_learnt_is_listed(desk: Desk, at: Any, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("a b\nc d e\n" * 10)
    log_watches.add(desk, at, file=str(path))
    watch = desk.view(LogWatchesView()).of(at.id)["app"]
    followed = FollowedFile(at.id, watch, None)
    while followed.work():
        pass
    desk.log.append([], writes=[followed.saving()])
    (listed,) = log_watches.listed(desk, at)
    assert (listed.state, listed.entries, listed.templates) == ("reading", 20, 2)
    assert desk.log.view(kept_view(at.id))
    log_watches.remove(desk, at, "app")
    assert desk.log.view(kept_view(at.id)) == {}, "no daemon is needed to forget it"


def test_what_cannot_be_watched_is_refused(desk: Desk, at: Any, tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRT5HZX7WLMNP"
    refused = (
        (str(tmp_path), None), (str(desk.home.daemon_log), None), ("a.log", "No Name"),
        (str(tmp_path / f"{key}.log"), "app"), ("a.log", "ghp-" + "x" * 60),
    )  # fmt: skip
    for file, name in refused:
        with pytest.raises(UsageError):
            log_watches.add(desk, at, file=file, name=name)
    assert log_watches.listed(desk, at) == []


def test_a_unit_and_a_command_are_named(desk: Desk, at: Any, tmp_path: Path) -> None:
    unit = log_watches.add(desk, at, unit="my app@1.service".replace(" ", "-"), user=True)
    assert (unit.name, unit.kind, unit.source) == ("my-app-1", "unit", "my-app@1.service (--user)")
    command = log_watches.add(desk, at, command="tail -F 'b c.log'", read_roots=[str(tmp_path)])
    assert (command.name, command.kind, command.source) == ("tail", "command", "tail -F 'b c.log'")
    kept = desk.view(LogWatchesView()).of(at.id)["tail"]
    assert (kept.command, kept.read_roots) == (("tail", "-F", "b c.log"), (str(tmp_path),))


@pytest.mark.parametrize(
    "given",
    [
        {}, {"file": "a.log", "unit": "app"}, {"unit": "-f"}, {"unit": "a b"}, {"unit": "app", "read_roots": ["/srv"]},
        {"command": ""}, {"command": "tail 'a"}, {"command": "tail a", "user": True}, {"file": "a", "user": True},
        {"command": "curl -H 'Authorization: Bearer ghp_" + "a1B2" * 9 + "'"}, {"unit": "AKIA" + "Q3EGRT5HZX7WLMNP"},
    ],
)  # fmt: skip
def test_what_cannot_be_run_later_as_it_was_typed_is_refused(desk: Desk, at: Any, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        log_watches.add(desk, at, **given)
    assert log_watches.listed(desk, at) == []


def test_a_log_that_cannot_be_read_is_said_by_status_and_doctor(desk: Desk, at: Any, tmp_path: Path) -> None:
    log_watches.add(desk, at, file=str(tmp_path / "none.log"))
    assert status(desk).unread_logs == []
    assert watched_logs(desk, fix=False).state == "ok"
    followed = FollowedFile(at.id, desk.view(LogWatchesView()).of(at.id)["none"], None)
    while followed.work():
        pass
    desk.log.append([], writes=[followed.saving()])
    (said,) = status(desk).unread_logs
    assert said == f"log watch none of {at.root}: no such file or directory"
    assert f"{said} (kairos watch-log ls)" in unheard(status(desk))
    assert watched_logs(desk, fix=False).state == "warning"


def test_a_backtest_says_what_would_have_been_told(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(f"INFO app GET /item/{n}\n" for n in range(400)) + "ERROR app broke down at 7\n")
    found = log_watches.backtest(path)
    assert [(n.template, n.line) for n in found.news] == [("ERROR app broke down at *", 401)]
    with pytest.raises(NotFound):
        log_watches.backtest(tmp_path / "none.log")
    with pytest.raises(UsageError):
        log_watches.backtest(tmp_path)
