"""`service`: the unit file of the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg"


def test_a_service_starts_this_program_on_this_home(kairos: Any, home: Any, config_home: Path) -> None:
    unit = config_home / "systemd" / "user" / "kairos.service"
    printed = kairos("service", "install", "--print").out
    assert not unit.exists()
    assert kairos("service", "install").code == 0
    assert unit.read_text() == printed
    start = next(line for line in printed.splitlines() if line.startswith("ExecStart="))
    assert f'"--home" "{home.data}" "daemon" "run"' in start and '"-P"' in start
    assert "up to date" in kairos("service", "status").out
    assert kairos("service", "uninstall").code == 0
    assert not unit.exists()
    assert kairos("service", "uninstall").code == 0
