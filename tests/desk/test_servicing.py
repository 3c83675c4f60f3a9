"""The unit file of the service, in the syntax of systemd."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

import pytest

from kairos.desk import servicing, starting
from kairos.desk.desk import Desk
from kairos.errors import UsageError


@pytest.fixture(autouse=True)
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "systemd" / "user"


def exec_start(text: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    return line.removeprefix("ExecStart=")


def test_a_unit_is_shown_written_compared_and_removed(desk: Desk, units: Path) -> None:
    shown = servicing.install(desk, write=False)
    assert not shown.installed and not units.exists()
    assert not servicing.installed(desk)[0].installed
    assert servicing.install(desk).installed
    assert Path(shown.path).read_text() == shown.unit == servicing.installed(desk)[0].unit
    assert servicing.installed(desk)[1]
    Path(shown.path).write_text(shown.unit + "# mine\n")
    assert not servicing.installed(desk)[1]
    assert [servicing.uninstall()[1], servicing.uninstall()[1]] == [True, False]
    assert not Path(shown.path).exists()


def test_nothing_is_installed_that_could_not_start(desk: Desk, units: Path) -> None:
    desk.home.config_file.write_text("nonsense = 1\n")
    with pytest.raises(UsageError):
        servicing.install(desk)
    assert not units.exists()


def test_the_service_runs_this_program_on_this_home(desk: Desk) -> None:
    assert shlex.split(exec_start(servicing.unit_text(desk))) == starting.command(desk)


@pytest.mark.parametrize("name", ["a b", 'q"q', "back\\slash", "per%cent", "doll$ar", "quote's"])
def test_a_home_of_any_name_is_one_argument_to_systemd(tmp_path: Path, name: str) -> None:
    """Inside double quotes systemd takes a backslash as an escape, `%%` as `%` and `$$` as `$` (systemd.service(5))."""
    with closing(Desk(str(tmp_path / name))) as desk:
        desk.home.prepare()
        text = exec_start(servicing.unit_text(desk)).replace("%%", "\0")
        assert "%" not in text
        text = text.replace("\0", "%").replace("$$", "\0")
        assert "$" not in text
        assert shlex.split(text.replace("\0", "$"))[4:6] == ["--home", str(tmp_path / name)]


def test_what_a_service_would_not_see_of_this_shell_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Desk()) as plain:
        assert servicing.unseen(plain) == []
    monkeypatch.setenv("KAIROS_LOG", "postgresql://h/d")
    desk.home.config_file.write_text('[model]\nkey_env = "SOME_KEY"\n')
    said = servicing.unseen(desk)
    assert ["KAIROS_LOG" in text for text in said] == [True, False] and "SOME_KEY" in said[1]
