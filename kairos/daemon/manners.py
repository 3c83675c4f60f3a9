"""The configured manners of speaking, as the domain reads them."""

from __future__ import annotations

from kairos.domain.attention import Manners
from kairos.settings import Config, parse_hours


def manners(config: Config) -> Manners:
    """The configured manners, in the domain's units."""
    return Manners(
        quiet=parse_hours(config.attention.quiet_hours),
        per_day=config.attention.per_day,
        per_day_total=config.attention.per_day_total,
        idle=round(config.attention.idle_minutes * 60_000_000),
    )
