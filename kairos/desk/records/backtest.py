"""The answer of a backtest."""

from __future__ import annotations

from kairos.desk.records.base import Output
from kairos.domain.events import DetectorState


class BacktestExampleOut(Output, frozen=True, kw_only=True):
    """A proposal of a backtest. label: done | left | moot | unknown; `by`: the commit that did it, `after` so many
    commits; `base_rate`: the chance that what it names changes within the horizon anyway."""

    detector: str
    commit: str
    at: str
    title: str
    claim: str
    label: str
    by: str
    after: int
    base_rate: float
    delivered: bool


class BacktestDetectorOut(Output, frozen=True, kw_only=True):
    """One detector. `precision`: `done` of `done` and `left`, with the ends of its 95 % interval (Wilson); null if
    nothing can be judged. `moot`: what the finding rests on was taken back; `unknown`: history ends first. `base_rate`:
    how often such files change within the horizon anyway. `enabled`: whether it watches; `state`: on, shadow
    or off."""

    detector: str
    version: int
    enabled: bool
    state: DetectorState = "on"
    raised: int
    per_100_commits: float
    per_day: float
    done: int
    left: int
    moot: int
    unknown: int
    delivered: int
    precision: float | None
    low: float | None
    high: float | None
    base_rate: float


class BacktestOut(Output, frozen=True, kw_only=True):
    """`days`: local days with a commit; `horizon`: after so
    many later commits a finding is decided; `kept`: commits that an earlier run of this backtest had looked at;
    `failures`: how often a detector could not finish; `html`: the report that was written."""

    repo: str
    head: str
    commits: int
    first: str
    last: str
    days: int
    horizon: int
    detectors: list[BacktestDetectorOut]
    proposals: list[BacktestExampleOut]
    listed: int
    delivered: int
    busiest_day: int
    repeats: int
    failures: dict[str, int]
    seconds: float
    commits_per_second: float
    kept: int
    html: str | None = None
