"""Answers about repositories and the daemon that watches them."""

from __future__ import annotations

from kairos.desk.records.base import Output
from kairos.desk.records.detectors import LearnedPlaceOut
from kairos.desk.records.system import ModelOut, MutedOut


class DaemonOut(Output, frozen=True, kw_only=True):
    running: bool
    pid: int | None


class DaemonLogOut(Output, frozen=True, kw_only=True):
    """The daemon's own log: its file, and its last lines, oldest first."""

    path: str
    lines: list[str]


class RepoOut(Output, frozen=True, kw_only=True):
    """state: watching | degraded | lost | stopped; the rest counts directories. `held_by`: on a shared log, the other
    home whose daemon holds the repository; its state is then `stopped` here. `why`: the reason that it is degraded or
    lost, and what to do about it. `repo`: its id. `paused`, `paused_until`: a pause of this one repository."""

    path: str
    state: str
    directories: int
    watched: int
    polled: int
    ignored: int
    held_by: str | None = None
    why: str | None = None
    repo: str | None = None
    paused: bool = False
    paused_until: str | None = None


class LogOut(Output, frozen=True, kw_only=True):
    head: int
    sealed_upto: int
    bytes: int
    events: int


class InboxCount(Output, frozen=True, kw_only=True):
    """`parked`: proposals whose basis is not in the tree now; they come back with it."""

    pending: int
    deferred: int = 0
    parked: int = 0


class TodayOut(Output, frozen=True, kw_only=True):
    """`told`: findings that a person was told of, in all repositories or the one asked for; at most `per_day` are told
    of one repository and `per_day_total` of all; `untold`: those that wait and were not told. `reserved_usd`: the part
    of `spent_usd` that is reserved for calls of which nobody knows yet what they cost."""

    model_calls: int
    spent_usd: float
    turns: int
    told: int = 0
    per_day: int = 0
    per_day_total: int = 0
    untold: int = 0
    reserved_usd: float = 0.0


class ByRuleOut(Output, frozen=True, kw_only=True):
    """A proposal that a person's rule approved: what became of its run (`state`), when (RFC 3339), and the command that
    takes it back."""

    id: str
    title: str
    repo: str
    rule: str
    state: str
    at: str
    undo: str


class StatusOut(Output, frozen=True, kw_only=True):
    """`paused_until`: when a pause of everything ends; null if that is not known. `policy_error`: what is wrong with
    policy.toml; nothing is carried out until it is corrected. `muted`: the mutes in force; `parked_for`: what parked
    proposals wait for, each reason once; `unwatched`: how many undecided proposals rest because their repository is
    not watched, by its root; `silent`: where a detector is silent by what was learned of it; `suggested`: what may
    be promoted; `by_rule`: what rules approved in the last day, the last one first; `model`: the configured model,
    null without one; `unread_logs`: the watched logs of which nothing can be read, and why; `next`: the command to type
    next."""

    daemon: DaemonOut
    repos: list[RepoOut]
    log: LogOut
    inbox: InboxCount
    today: TodayOut
    paused: bool = False
    paused_until: str | None = None
    policy_error: str | None = None
    muted: list[MutedOut] = []
    parked_for: list[str] = []
    unwatched: dict[str, int] = {}
    model: ModelOut | None = None
    next: str = ""
    silent: list[LearnedPlaceOut] = []
    suggested: list[str] = []
    by_rule: list[ByRuleOut] = []
    unread_logs: list[str] = []


class InboxMoreOut(Output, frozen=True, kw_only=True):
    """What stands beside the list of `inbox`: the counts of what is deferred and parked, what the parked proposals wait
    for, the mutes in force, how many repositories are watched, whether a daemon runs, how many proposals rest because
    their repository is not watched (by its root), the configured model (null without one), the command to type next,
    and what rules approved in the last day."""

    deferred: int
    parked: int
    parked_for: list[str]
    muted: list[MutedOut]
    watched: int
    running: bool
    next: str
    unwatched: dict[str, int] = {}
    model: ModelOut | None = None
    by_rule: list[ByRuleOut] = []


class InitOut(Output, frozen=True, kw_only=True):
    """`commits`: imported by this call; `findings`: problems that existed before the repository was registered; listed
    and never raised; `left_out`: what of the imported history this clone does not hold, a sentence each."""

    path: str
    repo: str
    new: bool
    entries: int
    commits: int
    findings: list[str]
    left_out: list[str] = []


class UnwatchOut(Output, frozen=True, kw_only=True):
    path: str
    repo: str
    position: int


class RunningOut(Output, frozen=True, kw_only=True):
    running: bool
    pid: int | None
