"""Sealing old events, and folding old observations according to the configured retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kairos.clock import DAY, now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.records.log import CompactOut, FoldedOut
from kairos.errors import UsageError
from kairos.settings import Retention

if TYPE_CHECKING:
    from kairos.eventlog.cold.folding import Folded


def compact(desk: Desk, *, at_once: bool = False, dry_run: bool = False, fold_after: float | None = None) -> CompactOut:
    """Seals and retires, then folds if the configuration has a rule. `at_once`: also seals events younger than
    schedule.keep_hot_days. `fold_after`: overrides the rule (days), for a dry run only. UsageError."""
    if fold_after is not None and not dry_run:
        raise UsageError(
            "--fold-after needs --dry-run: it only tries a rule",
            f"To set it: `kairos config set retention.fold_after_days {fold_after:g}`.",
        )
    if not desk.has_log:
        return CompactOut(sealed=[], retired=0, hot_bytes=0, cold_bytes=0, dry_run=dry_run)
    retention = desk.config.retention if fold_after is None else Retention(fold_after_days=fold_after)
    sealing = _unsealed(desk) if dry_run else _sealed(desk, at_once)
    rule = retention.fold_before(now_us())
    return sealing if rule is None else _folded(desk, sealing, rule, dry=dry_run)


def _sealed(desk: Desk, at_once: bool) -> CompactOut:
    from kairos.daemon.all_views import kept_views
    from kairos.daemon.compacting import ended
    from kairos.eventlog.cold.compaction import compact as seal

    before = None if at_once else now_us() - round(desk.config.schedule.keep_hot_days * DAY)
    done = seal(desk.log, before=before, ended=ended(desk.config, desk.log), views=kept_views())
    return msgspec.convert(msgspec.to_builtins(done), CompactOut)


def _unsealed(desk: Desk) -> CompactOut:
    return CompactOut(sealed=[], retired=0, hot_bytes=desk.log.hot_bytes(), cold_bytes=_cold_bytes(desk), dry_run=True)


def _folded(desk: Desk, sealing: CompactOut, before: int, *, dry: bool) -> CompactOut:
    from kairos.eventlog.cold.folding import fold

    done: Folded = fold(desk.log, before, dry=dry)
    return msgspec.structs.replace(
        sealing,
        folded=msgspec.convert(msgspec.to_builtins(done.segments), list[FoldedOut]),
        fold_before=rfc3339(before), days=done.days, days_bytes=done.days_bytes,
        hot_bytes=desk.log.hot_bytes(), cold_bytes=_cold_bytes(desk),
    )  # fmt: skip


def _cold_bytes(desk: Desk) -> int:
    return sum(segment.size for segment in desk.log.reader().segments())
