"""`kairos replay`: the log folded anew."""

from __future__ import annotations

from collections import Counter

import click
import msgspec

from cli import render
from cli.card import row_of
from cli.context import Context, pass_context
from cli.given import whole
from cli.inbox import in_order
from cli.outputs import ReplayOut, ThenOut
from cli.reading import at_one_moment, position_before, standing_from
from cli.when import ago
from kairos.clock import local_zone, now_us, rfc3339
from kairos.domain.attention import local_day
from kairos.errors import IntegrityError, NotFound, UsageError
from kairos.eventlog.inbox import InboxView
from kairos.eventlog.views import LedgerView, RepositoriesView
from kairos.memory.claims import MemoryView


@click.command()
@click.option("--verify", is_flag=True, help="Exit 9 unless every fold equals the one that is kept.")
@click.option("--at", "moment", metavar="POSITION|TIME", help="Show inbox, memory and budget as they were then.")
@pass_context
def replay(context: Context, verify: bool, moment: str | None) -> None:
    """Fold the whole log from nothing and compare with the views that are kept."""
    if moment is not None:
        if verify:
            raise UsageError("--verify compares with what is kept now, --at shows what was", "Give one of them.")
        then = at_one_moment(context, lambda: as_of(context, moment))
        render.emit(context, "replay-at", then, then_text(then))
        return
    if not context.has_log:
        empty = ReplayOut(events=0, seconds=0.0, projections={}, identical=True)
        render.emit(context, "replay", empty, "the log is empty")
        return
    from kairos.daemon.kept import kept_views
    from kairos.eventlog.replay import replay_verify

    found = msgspec.convert(msgspec.to_builtins(replay_verify(context.log, kept_views())), ReplayOut)
    rows: list[list[render.Cell]] = [[name, value[:16]] for name, value in sorted(found.projections.items())]
    sign = render.paint("✓ identical", "green") if found.identical else render.paint("✗ different", "red")
    text = f"{render.table(rows)}\n  {render.number(found.events)} events in {found.seconds:.2f} s: {sign}"
    render.emit(context, "replay", found, text)
    if verify and not found.identical:
        raise IntegrityError(
            "a kept view differs from the fold of the log", "Views are disposable; run `kairos log verify` next."
        )


def as_of(context: Context, moment: str) -> ThenOut:
    """How things stood at a position, or at the last one recorded at or before a time."""
    if not context.has_log:
        raise NotFound("the log is empty", "There is no past to look at.")
    head = context.log.head()
    named = whole(moment)
    upto = named if named is not None else position_before(context, ago(moment, now_us()) + 1)
    if not 0 <= upto <= head:
        raise NotFound(f"the log has no position {upto}", f"It ends at {head}.")
    row = standing_from(context, upto) if upto else None
    inbox = InboxView().load(context.log, upto=upto)[0]
    known = RepositoriesView().load(context.log, upto=upto)[0]
    ledger = LedgerView().load(context.log, upto=upto)[0]
    claims = MemoryView().load(context.log, upto=upto)[0]
    zone = local_zone()
    at = row.at if row else 0
    if named is None:
        at = ago(moment, now_us())
    today = local_day(at, zone)
    calls = [micros for called, micros in ledger.calls if local_day(called, zone) == today]
    return ThenOut(
        position=upto,
        at=rfc3339(at) if at else None,
        pending=[row_of(p, known) for p in in_order(inbox.pending())],
        deferred=sum(p.state == "deferred" for p in inbox.live()),
        memories=dict(sorted(Counter(claim.memory.kind for claim in claims.open()).items())),
        model_calls=len(calls),
        spent_usd=round(sum(calls) / 1e6, 6),
        turns=sum(local_day(turn, zone) == today for turn in ledger.turns),
    )


def then_text(then: ThenOut) -> str:
    """The same for a person."""
    rows: list[list[render.Cell]] = [[p.id, p.risk, p.title] for p in then.pending]
    kinds = ", ".join(f"{render.number(n)} {kind}" for kind, n in then.memories.items()) or "none"
    return "\n".join(
        [
            f"at position {render.number(then.position)}" + (f", {then.at[:19]}" if then.at else ""),
            render.table(rows) if rows else "  Nothing waited for a decision.",
            f"  {len(then.pending)} pending · {then.deferred} deferred · memories: {kinds}",
            f"  that day {then.turns} turns, {then.model_calls} model calls, ${then.spent_usd:.2f}",
        ]
    )
