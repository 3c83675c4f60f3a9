"""Folding the log anew: to compare with the saved views, or to show the state at an earlier moment."""

from __future__ import annotations

from collections import Counter

import msgspec

from kairos.clock import local_zone, now_us, rfc3339
from kairos.desk.cards import row_of
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import whole
from kairos.desk.reading import in_order, position_before, standing_from
from kairos.desk.records.log import ReplayOut, ThenOut
from kairos.desk.when import ago
from kairos.domain.attention import local_day
from kairos.errors import NotFound
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.eventlog.views.usage import UsageView
from kairos.memory.claims import MemoryView


def replay(desk: Desk) -> ReplayOut:
    """Folds the whole log from the start and compares the result with the saved views."""
    if not desk.has_log:
        return ReplayOut(events=0, seconds=0.0, projections={}, identical=True)
    from kairos.daemon.all_views import kept_views
    from kairos.eventlog.views.replay import replay_verify

    return msgspec.convert(msgspec.to_builtins(replay_verify(desk.log, kept_views())), ReplayOut)


@of_one_moment
def as_of(desk: Desk, moment: str) -> ThenOut:
    """The state at a position, or at the last one recorded at or before a time."""
    if not desk.has_log:
        raise NotFound("the log is empty", "Nothing was recorded yet.")
    head = desk.log.head()
    named = whole(moment)
    upto = named if named is not None else position_before(desk, ago(moment, now_us()) + 1)
    if not 0 <= upto <= head:
        raise NotFound(f"the log has no position {upto}", f"It ends at {head}.")
    row = standing_from(desk, upto) if upto else None
    inbox = InboxView().load(desk.log, upto=upto)[0]
    known = RepositoriesView().load(desk.log, upto=upto)[0]
    ledger = UsageView().load(desk.log, upto=upto)[0]
    claims = MemoryView().load(desk.log, upto=upto)[0]
    zone = local_zone()
    at = row.at if row else 0
    if named is None:
        at = ago(moment, now_us())
    today = local_day(at, zone)
    spent = [*ledger.calls, *ledger.open.values()]
    calls = [micros for called, micros in spent if local_day(called, zone) == today]
    return ThenOut(
        position=upto,
        at=rfc3339(at) if at else None,
        pending=[row_of(p, known) for p in in_order(inbox.pending())],
        deferred=sum(p.state == "deferred" for p in inbox.live()),
        memories=dict(sorted(Counter(claim.memory.kind for claim in claims.open()).items())),
        model_calls=len(calls),
        spent_usd=round(sum(calls) / 1e6, 6),
        turns=sum(count for turn, count in ledger.turns if local_day(turn, zone) == today),
    )
