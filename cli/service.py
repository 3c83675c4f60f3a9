"""`kairos service`: the daemon as a systemd user service."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.daemon import command
from cli.outputs import ServiceOut
from kairos.durable import replace_file

UNIT = "kairos.service"
ENABLE = "systemctl --user daemon-reload && systemctl --user enable --now kairos"
DISABLE = "systemctl --user disable --now kairos"


def unit_path() -> Path:
    """Where systemd looks for a user's units."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd" / "user" / UNIT


def _quoted(argument: str) -> str:
    """An argument as systemd's ExecStart wants it: quoted, with its own escapes doubled."""
    text = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def unit_text(context: Context) -> str:
    """The unit file: this very program on this very home, restarted on failure but not when another holds the home."""
    return f"""[Unit]
Description=Kairos, an assistant for your repositories

[Service]
Type=exec
ExecStart={" ".join(map(_quoted, command(context)))}
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


@click.group()
def service() -> None:
    """Run the daemon at login, as a systemd user service."""


@service.command(short_help="Write the unit file.")
@click.option("--print", "only_print", is_flag=True, help="Print the unit and change nothing.")
@pass_context
def install(context: Context, only_print: bool) -> None:
    """Write the unit file, and say the one command that enables it."""
    path, text = unit_path(), unit_text(context)
    if not only_print:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode("utf-8", "surrogateescape"))
    out = ServiceOut(path=str(path), installed=path.exists(), unit=text, enable=ENABLE)
    said = f"{render.paint('✓', 'green')} wrote {render.inert(str(path))}\nNext: {ENABLE}"
    render.emit(context, "service", out, render.inert(text.rstrip(), lines=True) if only_print else said)
    if os.environ.get("KAIROS_LOG") and not context.config.log.url and not only_print:
        render.message(
            context,
            "A service does not see your shell's KAIROS_LOG, and would begin another log: set `log.url` instead.",
        )
    key = context.config.model.key_env
    if key and not only_print:
        render.message(
            context, f"A service does not see your shell's {render.inert(key)}: `systemctl --user set-environment` it."
        )


@service.command()
@pass_context
def uninstall(context: Context) -> None:
    """Remove the unit file."""
    path = unit_path()
    there = path.exists()
    path.unlink(missing_ok=True)
    out = ServiceOut(path=str(path), installed=False, unit="", enable=ENABLE)
    said = f"removed {render.inert(str(path))}\nNext: {DISABLE}" if there else "no service was installed"
    render.emit(context, "service", out, said)


@service.command(short_help="Whether the unit file is there and up to date.")
@pass_context
def status(context: Context) -> None:
    """Whether the unit file is there, and whether it is the one this program would write."""
    path = unit_path()
    found = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    same = "up to date" if found == unit_text(context) else "differs: run `kairos service install`"
    out = ServiceOut(path=str(path), installed=bool(found), unit=found, enable=ENABLE)
    text = f"{render.inert(str(path))}: {same}" if found else "no service is installed"
    render.emit(context, "service", out, text)
