"""The checks of the doctor: what each finds, what it fixes, and what it leaves to a person."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from kairos.desk import doctoring
from kairos.desk.desk import Desk
from kairos.desk.doctoring import examine
from kairos.errors import TryAgain
from kairos.home import Home

USAGE = namedtuple("USAGE", "total used free")


@pytest.fixture(autouse=True)
def unguarded(desk: Desk) -> None:
    desk.lenient, desk.guarded = True, False


def states(desk: Desk, *, fix: bool = False) -> dict[str, str]:
    return {check.name: check.state for check in examine(desk, fix=fix)[0]}


def test_a_healthy_home_passes_every_check_and_each_says_what_it_looked_at(desk: Desk, seeded: Any) -> None:
    found, passing = examine(desk, fix=False)
    assert [check.name for check in found] == [name for name, _ in doctoring.CHECKS]
    assert [c.name for c in found if c.state == "problem"] == [] and passing == set()
    assert all(check.what for check in found)
    assert all(check.hint for check in found if check.state != "ok")


def test_looking_at_an_empty_home_makes_no_log(desk: Desk) -> None:
    assert states(desk)["log"] == "ok"
    assert not desk.has_log


def test_files_of_a_home_that_others_can_write_are_not_read(desk: Desk, home: Home) -> None:
    home.config_file.write_text("nonsense = 1\n")
    home.config.chmod(0o777)
    assert states(desk) == {"home": "problem"}
    assert states(desk, fix=True)["configuration"] == "problem", "tightened, it is read"
    assert home.config.stat().st_mode & 0o022 == 0


def test_a_nearly_full_disk_and_one_that_cannot_be_written_are_told(
    desk: Desk, home: Home, monkeypatch: pytest.MonkeyPatch, as_a_plain_user: None
) -> None:
    monkeypatch.setattr(doctoring.shutil, "disk_usage", lambda place: USAGE(1, 1, doctoring.LOW_SPACE - 1))
    said = doctoring.space(desk, False)
    assert said.state == "problem" and "512.0 MiB free" in said.what
    monkeypatch.setattr(doctoring.shutil, "disk_usage", lambda place: USAGE(1, 1, doctoring.LOW_SPACE))
    assert doctoring.space(desk, False).state == "ok"
    home.data.chmod(0o500)
    said = doctoring.space(desk, False)
    home.data.chmod(0o700)
    assert said.state == "problem" and str(home.data) in said.what


@pytest.mark.parametrize(
    ("use", "state"),
    [((3, 10), "ok"), ((3, 90), "ok"), ((3, 91), "warning"), ((13, 10), "ok"), ((14, 10), "warning")],
)
def test_inotify_is_told_before_it_runs_out(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: tuple[int, int], state: str
) -> None:
    (tmp_path / "max_user_watches").write_text("100\n")
    (tmp_path / "max_user_instances").write_text("16\n")
    monkeypatch.setattr(doctoring, "_INOTIFY", tmp_path)
    monkeypatch.setattr(doctoring, "inotify_use", lambda: use)
    assert doctoring.inotify(desk, False).state == state
    monkeypatch.setattr(doctoring, "_INOTIFY", tmp_path / "none")
    assert doctoring.inotify(desk, False).state == "ok", "another system"


def test_what_this_process_watches_is_counted(tmp_path: Path) -> None:
    from kairos._native import Watcher

    instances, watches = doctoring.inotify_use()
    watcher = Watcher()
    assert watcher.add([bytes(tmp_path)]) == []
    now = doctoring.inotify_use()
    watcher.close()
    assert now[0] >= max(instances, 1) and now[1] > watches


def test_a_machine_that_cannot_confine_is_warned_of_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kairos.acting import confine

    weak = confine.Tier("T1", (), ("landlock",), "the kernel is too old")
    monkeypatch.setattr(confine, "tier", lambda scratch: weak)
    said = doctoring.sandbox(desk, False)
    assert said.state == "warning" and "landlock" in said.what and "too old" in said.what


def test_a_check_that_fails_is_a_finding_and_the_others_are_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(desk: Desk, fix: bool) -> Any:
        raise TryAgain("the server does not answer", "Wait.")

    def barred(desk: Desk, fix: bool) -> Any:
        raise PermissionError(13, "no", "/place")

    monkeypatch.setattr(doctoring, "CHECKS", (("a", away), ("b", barred), ("git", doctoring.git)))
    found, passing = examine(desk, fix=False)
    assert [(c.name, c.state) for c in found] == [("a", "problem"), ("b", "problem"), ("git", "ok")]
    assert passing == {"a"}
    assert "/place" in found[1].what


def test_a_damaged_log_is_one_finding_among_others(desk: Desk, home: Home) -> None:
    home.log.parent.mkdir(parents=True, exist_ok=True)
    home.log.write_bytes(b"garbage" * 900)
    found = states(desk)
    assert (found["log"], found["git"], found["configuration"]) == ("problem", "ok", "ok")
