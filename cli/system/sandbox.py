"""`kairos sandbox`: runs a command confined, on a scratch view of a directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from cli import render
from cli.context import Context, F, pass_context
from cli.repos import one_path
from kairos.desk.confining import run_confined
from kairos.domain.names import Name

_DEFAULT_WALL = 60.0
_MOST_MB = 4 << 20


def _limit(name: str, kind: click.ParamType[Any], default: float, text: str) -> Callable[[F], F]:
    return click.option(name, type=kind, metavar="N", default=default, show_default=True, help=text)


@click.group()
def sandbox() -> None:
    """Run commands confined, on a scratch view of a directory."""


@sandbox.command(
    "run", short_help="Run CMD on a scratch view of a directory.", context_settings={"ignore_unknown_options": True}
)
@click.option("--root", type=click.Path(), help="The directory. Default: the current one, or that of --repo.")
@click.option("--export", "exported", is_flag=True, help="Apply what passes the gate to the directory.")
@click.option("--net", type=click.Choice(["none", "loopback"]), default="none", help="Network access.")
@_limit("--wall", click.FloatRange(0.1, 86_400), _DEFAULT_WALL, "Limit of time, in seconds.")
@_limit("--mem", click.IntRange(16, _MOST_MB), 1024, "Limit of memory, in MB.")
@_limit("--pids", click.IntRange(1, 4_194_304), 128, "Limit of processes.")
@_limit("--out", click.IntRange(0, 1 << 30), 512 * 1024, "Bytes kept of each output stream.")
@_limit("--disk", click.IntRange(1, _MOST_MB), 256, "Limit of data written, in MB.")
@click.argument("command", metavar="CMD…", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_context
def run_command(
    context: Context,
    root: str | None,
    exported: bool,
    net: Literal["none", "loopback"],
    wall: float,
    mem: int,
    pids: int,
    out: int,
    disk: int,
    command: tuple[str, ...],
) -> None:
    """Run CMD on a scratch view of a directory: nothing in it changes unless --export applies what passes the gate."""
    limits = {"wall": wall, "mem_mb": mem, "pids": pids, "out": out, "disk_mb": disk, "file_mb": max(256, disk)}
    data = run_confined(context.desk, Path(one_path(context, root)), command, limits=limits, net=net, exported=exported)
    render.emit(context, "sandbox", data, _text(data))


def _text(data: dict[str, Any]) -> str:
    parts = [render.inert(data[stream].rstrip("\n"), lines=True) for stream in ("stdout", "stderr") if data[stream]]
    ended = f"signal {data['signal']}" if data["exit"] is None else f"exit {data['exit']}"
    if data["stopped"]:
        ended += f", stopped: {data['stopped']}"
    parts.append(render.paint(f"{ended} · {data['seconds']} s · {data['tier']}", "dim"))
    for change in data["changes"]:
        parts.append(f"  {change['kind']:9}{render.inert(_name(change))}")
    for refusal in data["refused"]:
        parts.append(f"  {render.paint('refused', 'yellow')}  {render.inert(_name(refusal))}: {refusal['why']}")
    return "\n".join(parts)


def _name(entry: dict[str, Any]) -> str:
    return Name(path=entry.get("path"), path_b64=entry.get("path_b64")).fs
