"""Backtests: what the detectors would have raised in a repository's own history, and what people did about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from kairos._version import VERSION
from kairos.clock import SECOND, local_zone, now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.given import typed
from kairos.desk.records.backtest import BacktestDetectorOut, BacktestExampleOut, BacktestOut
from kairos.desk.registering import Progress
from kairos.desk.when import ago
from kairos.domain.inert import as_text
from kairos.errors import Locked, UsageError

OFFERED = 500
"""So many commits `init` offers to replay."""
_EARLIEST_S = 100_000_000
"""Smaller numbers are no times to git."""


class BacktestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay: `since` as typed (a time, or a duration back), `last` so many commits (0: all), only these
    `detectors` (empty: those that watch by default); `horizon`: see `Options`."""

    since: str | None = None
    last: int = 0
    detectors: Sequence[str] = ()
    horizon: int = 0


def backtest(desk: Desk, path: str, asked: BacktestRequest, progress: Progress) -> BacktestOut:
    """Replays the history of the repository that holds `path`. Reads only; what detectors said is kept in a file of the
    home, so that a run that was killed goes on. UsageError (2), Denied (6), Locked (11) while the same one runs."""
    from kairos.backtest.journal import Journal
    from kairos.backtest.replay import Options, Replay
    from kairos.daemon.manners import manners
    from kairos.desk.detecting import roster_of
    from kairos.durable import locked
    from kairos.repo.git import open_repository

    roster = roster_of(desk)
    wanted = asked.detectors or [d.name for d in roster.watching() if not roster.is_in_shadow(d.name)]
    chosen = [d for d in roster.detectors if d.name in wanted]
    unknown = sorted(set(asked.detectors) - set(roster.names))
    if unknown:
        raise UsageError(f"no detector is called `{unknown[0]}`", f"There are: {', '.join(roster.names)}.")
    since_s = max(_EARLIEST_S, ago(asked.since, now_us()) // SECOND) if asked.since else 0
    if since_s * SECOND > now_us():
        raise UsageError(f"`{asked.since}` is in the future", "Give a time in the past, such as 90d.")
    git = open_repository(Path(path))
    head = git.head()
    if head is None:
        raise UsageError(f"{git.root} has no commits yet", "There is nothing to replay.")
    options = Options(last=asked.last, since_s=since_s, horizon=asked.horizon)
    desk.home.prepare()
    salt = desk.home.salt()
    file = _journal_file(desk, str(git.root), head, options, [f"{d.name}@{d.version}" for d in chosen])

    def busy() -> Locked:
        return Locked(f"the same backtest of {git.root} is running", "Wait for it, or end it.")

    with locked(file.with_suffix(".lock"), busy):
        journal = Journal(file)
        try:
            found = Replay(git, chosen, options, manners(desk.config), local_zone(), journal, salt).run(head, progress)
        finally:
            journal.close()
    if not found.commits:
        raise UsageError(f"no commit of {git.root} was made since {asked.since}", "Give an earlier time.")
    versions = {d.name: d.version for d in chosen}
    return BacktestOut(
        repo=str(git.root), head=head, commits=found.commits,
        first=rfc3339(found.first_s * SECOND), last=rfc3339(found.last_s * SECOND), days=found.days,
        horizon=found.horizon, listed=found.listed, delivered=found.deliveries, busiest_day=found.busiest,
        repeats=found.repeats, failures=found.failures, seconds=round(found.seconds, 3),
        commits_per_second=round(found.per_second, 1), kept=found.kept,
        detectors=[
            BacktestDetectorOut(
                detector=s.detector, version=versions[s.detector], enabled=roster.states[s.detector] == "on",
                state=roster.states[s.detector], raised=s.raised,
                per_100_commits=round(100 * s.raised / found.commits, 3), per_day=round(s.raised / found.days, 3),
                done=s.done, left=s.left, moot=s.moot, unknown=s.unknown, delivered=s.told,
                precision=round(s.precision.share, 3) if s.precision else None,
                low=round(s.precision.low, 3) if s.precision else None,
                high=round(s.precision.high, 3) if s.precision else None, base_rate=round(s.chance, 3),
            )
            for s in found.sums()
        ],
        proposals=[
            BacktestExampleOut(
                detector=r.detector, commit=r.commit, at=rfc3339(r.at_s * SECOND), title=as_text(r.title),
                claim=as_text(r.claim), label=r.label, by=r.by, after=r.after, base_rate=round(r.chance, 3),
                delivered=r.told is not None,
            )
            for r in found.raised
        ],
    )  # fmt: skip


def write_page(done: BacktestOut, file: str) -> BacktestOut:
    """Writes the report as one HTML file, and returns the answer with its path. A file that exists is replaced only if
    it is such a report. UsageError."""
    from kairos.desk.backtest_page import MARK, page
    from kairos.durable import replace_file

    given = typed(file)
    path = given.parent.resolve() / given.name
    try:
        with path.open("rb") as present:
            if MARK not in present.read(200):
                raise UsageError(f"{file} exists and is no report of a backtest", "Name another file.")
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise UsageError(f"{file} cannot be written: its folder does not exist", "Name another file.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be written: {reason}", "Name another file.") from error
    replace_file(path, page(done).encode("utf-8", "replace"))
    return msgspec.structs.replace(done, html=as_text(str(path)))


def _journal_file(desk: Desk, root: str, head: str, options: msgspec.Struct, detectors: Sequence[str]) -> Path:
    """The file of this backtest, of this repository at this head by these detectors. Those of the same repository that
    are not running are removed."""
    from kairos.durable import is_locked
    from kairos.privacy import make_private

    folder = desk.home.backtests
    make_private(folder)
    repository = sha256(os.fsencode(root)).hexdigest()[:12]
    said = msgspec.json.encode([VERSION, head, options, list(detectors)])
    name = f"{repository}-{sha256(said).hexdigest()[:16]}"
    for old in folder.glob(f"{repository}-*.jsonl"):
        if old.stem != name and not is_locked(old.with_suffix(".lock")):
            for file in (old, old.with_suffix(".lock")):
                with suppress(FileNotFoundError):
                    file.unlink()
    return folder / f"{name}.jsonl"
