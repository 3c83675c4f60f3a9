"""`kairos replay` and `kairos compact`: the log folded anew, and old events sealed."""

from __future__ import annotations

import click
import msgspec

from cli import render
from cli.context import Context, pass_context
from cli.outputs import CompactOut, ReplayOut
from kairos.clock import DAY, now_us
from kairos.errors import IntegrityError


@click.command()
@click.option("--verify", is_flag=True, help="Exit 9 unless every fold equals the one that is kept.")
@pass_context
def replay(context: Context, verify: bool) -> None:
    """Fold the whole log from nothing and compare with the views that are kept."""
    if not context.has_log:
        empty = ReplayOut(events=0, seconds=0.0, projections={}, identical=True)
        render.emit(context, "replay", empty, "the log is empty")
        return
    from kairos.eventlog.replay import replay_verify

    found = msgspec.convert(msgspec.to_builtins(replay_verify(context.log)), ReplayOut)
    rows: list[list[render.Cell]] = [[name, value[:16]] for name, value in sorted(found.projections.items())]
    sign = render.paint("✓ identical", "green") if found.identical else render.paint("✗ different", "red")
    text = f"{render.table(rows)}\n  {render.number(found.events)} events in {found.seconds:.2f} s: {sign}"
    render.emit(context, "replay", found, text)
    if verify and not found.identical:
        raise IntegrityError(
            "a kept view differs from the fold of the log", "Views are disposable; run `kairos log verify` next."
        )


@click.command()
@click.option("--now", "at_once", is_flag=True, help="Also what is younger than schedule.keep_hot_days.")
@pass_context
def compact(context: Context, at_once: bool) -> None:
    """Seal old events into verified, compressed segments and retire their hot rows."""
    if not context.has_log:
        render.emit(context, "compact", CompactOut(sealed=[], retired=0, hot_bytes=0, cold_bytes=0), "the log is empty")
        return
    from kairos.daemon.compacting import ended
    from kairos.eventlog.compaction import compact as seal

    before = None if at_once else now_us() - round(context.config.schedule.keep_hot_days * DAY)
    found = msgspec.convert(
        msgspec.to_builtins(seal(context.log, before=before, ended=ended(context.config))), CompactOut
    )
    rows: list[list[render.Cell]] = [
        [f"{render.number(s.first)} to {render.number(s.last)}", s.file, render.size(s.bytes)] for s in found.sealed
    ]
    rows.append([f"{render.number(found.retired)} rows retired", "hot " + render.size(found.hot_bytes),
                 "cold " + render.size(found.cold_bytes)])  # fmt: skip
    render.emit(context, "compact", found, render.table(rows))
