"""`kairos sandbox`: runs a command confined, on a scratch view of a directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from cli import render
from cli.context import Context, pass_context
from kairos.domain.names import Name

_DEFAULT_WALL = 60.0


@click.group()
def sandbox() -> None:
    """Run commands confined, on a scratch view of a directory."""


@sandbox.command(
    "run", short_help="Run CMD on a scratch view of a directory.", context_settings={"ignore_unknown_options": True}
)
@click.option("--root", type=click.Path(path_type=Path), default=Path(), help="The directory; the current one.")
@click.option("--export", "exported", is_flag=True, help="Apply what passes the gate to the directory.")
@click.option("--net", type=click.Choice(["none", "loopback"]), default="none", help="Network inside.")
@click.option("--wall", type=click.FloatRange(min=0.1), default=_DEFAULT_WALL, help="Seconds until it is ended.")
@click.option("--mem", type=click.IntRange(min=16), default=1024, help="Memory in MB.")
@click.option("--pids", type=click.IntRange(min=1), default=128, help="Processes at once.")
@click.option("--out", type=click.IntRange(min=0), default=512 * 1024, help="Bytes kept of each output stream.")
@click.option("--disk", type=click.IntRange(min=1), default=256, help="MB that it may write.")
@click.argument("command", metavar="CMD…", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_context
def run_command(
    context: Context,
    root: Path,
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
    from kairos.acting.confine import Limits

    limits = Limits(wall=wall, mem_mb=mem, pids=pids, out=out, disk_mb=disk, file_mb=max(256, disk))
    data = sandbox_run(root, command, context.home.scratch, limits=limits, net=net, exported=exported)
    render.emit(context, "sandbox", data, _text(data))


def sandbox_run(
    root: Path,
    command: tuple[str, ...],
    scratch_home: Path,
    *,
    limits: Any = None,
    net: Literal["none", "loopback"] = "none",
    exported: bool = False,
) -> dict[str, Any]:
    """Runs `command` and returns `data` as the contract words it. Raises SandboxUnavailable, UsageError."""
    from kairos.acting.confine import run
    from kairos.acting.exporting import export
    from kairos.domain.events.base import name_fields

    with run(root, command, scratch_home=scratch_home, limits=limits, net=net) as done:
        refused = [*done.refused, *(export(done) if exported else ())]
        return {
            "exit": done.exit,
            "signal": done.signal,
            "timed_out": done.timed_out,
            "stopped": done.stopped,
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
            "truncated": done.truncated,
            "tier": done.tier,
            "layers": list(done.layers),
            "missing": list(done.missing),
            "seconds": round(done.seconds, 3),
            "changes": [
                {**name_fields(change.path), "kind": change.kind, "mode": _octal(change.mode)}
                for change in done.changes
            ],
            "refused": [{**name_fields(refusal.path), "why": refusal.why} for refusal in refused],
        }


def _octal(mode: int | None) -> str | None:
    """A mode as git writes it: 100644 or 100755; None for what is gone."""
    return None if mode is None else f"{mode:o}"


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
