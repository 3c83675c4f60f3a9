"""The daemon as a systemd user service."""

from __future__ import annotations

import os
from pathlib import Path

from kairos.desk.desk import Desk
from kairos.desk.records.system import ServiceOut
from kairos.desk.starting import command
from kairos.durable import replace_file

UNIT = "kairos.service"
ENABLE = "systemctl --user daemon-reload && systemctl --user enable --now kairos"
DISABLE = "systemctl --user disable --now kairos"


def install(desk: Desk, *, write: bool = True) -> ServiceOut:
    """Writes the unit file, or with `write` false only returns its text."""
    _ = desk.config  # a wrong configuration would keep the service from starting
    path, text = unit_path(), unit_text(desk)
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode("utf-8", "surrogateescape"))
    return ServiceOut(path=str(path), installed=path.exists(), unit=text, enable=ENABLE)


def unseen(desk: Desk) -> list[str]:
    """The parts of this shell's environment that the service will not have, as sentences."""
    found = []
    if os.environ.get("KAIROS_LOG") and not desk.config.log.url:
        found.append(
            "A service does not see your shell's KAIROS_LOG, and would begin another log: set `log.url` instead."
        )
    key = desk.config.model.key_env
    if key:
        found.append(f"A service does not see your shell's {key}: `systemctl --user set-environment` it.")
    return found


def uninstall() -> tuple[ServiceOut, bool]:
    """Removes the unit file; (the answer, whether there was one)."""
    path = unit_path()
    there = path.exists()
    path.unlink(missing_ok=True)
    return ServiceOut(path=str(path), installed=False, unit="", enable=ENABLE), there


def installed(desk: Desk) -> tuple[ServiceOut, bool]:
    """(The installed unit file, whether it equals the one this program would write.)"""
    path = unit_path()
    found = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    return ServiceOut(path=str(path), installed=bool(found), unit=found, enable=ENABLE), found == unit_text(desk)


def unit_path() -> Path:
    """The path of the unit file, in systemd's directory of user units."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd" / "user" / UNIT


def unit_text(desk: Desk) -> str:
    """The unit file: runs this program on this home, restarted on failure but not if another daemon holds the home."""
    return f"""[Unit]
Description=Kairos, an assistant for your repositories

[Service]
Type=exec
ExecStart={" ".join(map(_quoted, command(desk)))}
WorkingDirectory=~
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 6 9 11
TimeoutStopSec=15
OOMPolicy=continue
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(argument: str) -> str:
    """An argument in the syntax of systemd's ExecStart: quoted, with its own escapes doubled."""
    text = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'
