"""`kairos replay`: the log folded anew."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import replaying
from kairos.desk.records.log import ThenOut
from kairos.desk.units import count, number
from kairos.errors import IntegrityError, UsageError


@click.command()
@click.option("--verify", is_flag=True, help="Exit 9 unless every fold equals the saved view.")
@click.option("--at", "moment", metavar="POSITION|TIME", help="Show inbox, memory and budget as they were then.")
@pass_context
def replay(context: Context, verify: bool, moment: str | None) -> None:
    """Fold the whole log from the start and compare with the saved views."""
    if moment is not None:
        if verify:
            raise UsageError("--verify compares with the present views, --at shows a past state", "Give one of them.")
        then = replaying.as_of(context.desk, moment)
        render.emit(context, "replay-at", then, then_text(then))
        return
    found = replaying.replay(context.desk)
    rows: list[list[render.Cell]] = [[name, value[:16]] for name, value in sorted(found.projections.items())]
    sign = render.paint("✓ identical", "green") if found.identical else render.paint("✗ different", "red")
    text = f"{render.table(rows)}\n  {count(found.events, 'event')} in {found.seconds:.2f} s: {sign}"
    render.emit(context, "replay", found, text if found.projections else "the log is empty")
    if verify and not found.identical:
        raise IntegrityError(
            "a saved view differs from the fold of the log",
            "Run `kairos log verify` to check the log; views can be rebuilt from it.",
        )


def then_text(then: ThenOut) -> str:
    """The state at a moment, as text for a person."""
    rows: list[list[render.Cell]] = [[p.id, p.risk, p.title] for p in then.pending]
    kinds = ", ".join(f"{number(n)} {kind}" for kind, n in then.memories.items()) or "none"
    return "\n".join(
        [
            f"at position {number(then.position)}" + (f", {then.at[:19]}" if then.at else ""),
            render.table(rows) if rows else "  Nothing waited for a decision.",
            f"  {len(then.pending)} pending · {then.deferred} deferred · memories: {kinds}",
            f"  that day {count(then.turns, 'turn')}, {count(then.model_calls, 'model call')}, ${then.spent_usd:.2f}",
        ]
    )
