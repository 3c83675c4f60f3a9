"""Where everything lies: one home, private, found the same way by everybody."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from kairos.errors import UsageError
from kairos.home import Home, find_home, log_environment
from kairos.settings import set_value


def test_one_home_holds_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / "from-environment"))
    assert find_home().log.is_relative_to(tmp_path / "from-environment")
    chosen = find_home(str(tmp_path / "chosen"))
    found = [getattr(chosen, n) for n in vars(Home) if isinstance(vars(Home)[n], property) and n != "roots"]
    places = [place for place in found if isinstance(place, Path)]
    assert len(places) >= 8
    assert all(place.is_relative_to(tmp_path / "chosen") for place in (*places, *chosen.roots))


def test_a_home_is_private(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "h"))
    home.prepare()
    home.prepare()
    assert [stat.S_IMODE(folder.stat().st_mode) & 0o077 for folder in home.roots] == [0] * len(home.roots)


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be created"):
        find_home(str(tmp_path / "file" / "h")).prepare()


def test_without_a_home_the_platforms_folders_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAIROS_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    home = find_home()
    assert home.config_file == tmp_path / "config" / "kairos" / "config.toml"
    assert home.log.is_relative_to(tmp_path / "data" / "kairos")


def test_where_the_log_is_says_the_environment_first_and_then_the_configuration(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAIROS_LOG", raising=False)
    assert home.log_url == ""
    set_value(home, "log.url", "postgresql://ada@/work")
    assert home.log_url == "postgresql://ada@/work"
    monkeypatch.setenv("KAIROS_LOG", "postgresql://bob@/work")
    assert home.log_url == "postgresql://bob@/work"
    monkeypatch.setenv("KAIROS_LOG", "")
    assert home.log_url == "postgresql://ada@/work"


def test_two_homes_are_never_called_the_same(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "a"))
    home.prepare()
    known = home.identity()
    assert find_home(str(tmp_path / "a")).identity() == known
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert find_home(str(tmp_path / "b")).identity() != known


def test_a_child_is_led_to_the_same_log_and_told_nothing_else() -> None:
    environ = {
        "KAIROS_LOG": "postgresql://h/d",
        "PGPASSFILE": "/p",
        "AWS_KEY": "x",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "1",
    }
    assert log_environment(environ) == {k: v for k, v in environ.items() if k != "AWS_KEY"}
