"""What a backtest found: each proposal with its label, and the sums of a detector."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kairos.domain.hindsight import Interval, Label, wilson


class ToldThen(msgspec.Struct, frozen=True):
    """When a proposal would have been delivered: at which commit, and at which boundary."""

    commit: str
    boundary: str
    urgent: bool


class RaisedThen(msgspec.Struct, kw_only=True):
    """A proposal of a backtest: at which commit (time in seconds), what it said, and what became of it. `by`: the
    commit that did it; `chance`: how likely what it names changes within the horizon anyway; `place`: the directory
    that it is in; `told`: when it would have been delivered."""

    detector: str
    commit: str
    at_s: int
    title: str
    claim: str
    boundary: str
    label: Label = "unknown"
    by: str = ""
    after: int = 0
    chance: float = 0.0
    place: str = ""
    told: ToldThen | None = None


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """One detector. `precision`: done of done and left; `chance`: the mean base rate of the decided ones."""

    detector: str
    raised: int
    done: int
    left: int
    moot: int
    unknown: int
    told: int
    precision: Interval | None
    chance: float


class BacktestResult(msgspec.Struct, kw_only=True):
    """A whole backtest. `days`: local days with a commit;
    `busiest`: the most deliveries on one day; `kept`: commits that an earlier run had looked at."""

    head: str
    commits: int
    first_s: int
    last_s: int
    days: int
    detectors: list[str]
    horizon: int
    raised: list[RaisedThen] = []
    listed: int = 0
    failures: dict[str, int] = {}
    deliveries: int = 0
    busiest: int = 0
    repeats: int = 0
    seconds: float = 0.0
    kept: int = 0

    @property
    def per_second(self) -> float:
        """Commits looked at a second in this run."""
        return (self.commits - self.kept) / self.seconds if self.seconds > 0 else 0.0

    def sums(self) -> list[Sums]:
        """The sums of each detector, in the order in which they look."""
        return [sums_of(name, [r for r in self.raised if r.detector == name]) for name in self.detectors]


def sums_of(detector: str, raised: Sequence[RaisedThen]) -> Sums:
    """The sums over the proposals of one detector."""
    number = {label: sum(r.label == label for r in raised) for label in ("done", "left", "moot", "unknown")}
    decided = [r.chance for r in raised if r.label in ("done", "left")]
    return Sums(
        detector=detector, raised=len(raised), told=sum(r.told is not None for r in raised),
        precision=wilson(number["done"], len(decided)), chance=sum(decided) / len(decided) if decided else 0.0,
        **number,
    )  # fmt: skip
