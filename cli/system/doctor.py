"""`kairos doctor`: finds what keeps Kairos from working, and how to fix it."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk.doctoring import examine
from kairos.desk.records.system import DoctorOut
from kairos.errors import KairosError, TryAgain

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@click.option("--fix", is_flag=True, help="Fix what can be fixed safely.")
@pass_context
def doctor(context: Context, fix: bool) -> None:
    """Find what keeps Kairos from working. Exit 1 if a check fails, 75 if the cause is temporary."""
    context.desk.lenient, context.desk.guarded = True, False
    with render.progress(context, "verifying the log"):
        checks, passing = examine(context.desk, fix=fix, only=context.only())
    rows: list[list[render.Cell]] = []
    for check in checks:
        sign, style = _SIGNS[check.state]
        rows.append([render.Styled(sign, style), check.name, check.what + (" (fixed)" if check.fixed else "")])
        if check.hint:
            rows.append(["", "", f"→ {check.hint}"])
    bad = [check for check in checks if check.state == "problem" and not check.fixed]
    render.emit(context, "doctor", DoctorOut(ok=not bad, checks=checks), render.table(rows))
    if bad:
        names = ", ".join(check.name for check in bad)
        kind = TryAgain if passing.issuperset(check.name for check in bad) else KairosError
        raise kind(f"{len(bad)} of {len(checks)} checks failed: {names}", bad[0].hint)
