"""RepoIDQ: how good decisions to speak or to be silent are, commit by commit: `python -m benches.repo_idq FOLDER`.

After the idea of insight decision quality (arXiv 2605.06717: a proactive assistant is judged by each decision to speak
or not, its grounds, and whether it learns); the definitions are ours and stand here, as they are computed. FOLDER
holds clones as `benches.detectors` takes them; `benches/repo_idq_commits.txt` lists the stretches: owner/name, the
newest commit, how many commits.

```
pool        what all detectors of this program find in a stretch (one backtest, kept in a journal)
reference   at each commit: speak of what people then did within 30 commits (or as many as its detector asks for), be
            silent of what they left and of all else
decision    what a system told, when: Kairos (the detectors that watch), always silent, always notify (all of the pool
            at once, and a word at every other commit), each detector alone
```
Of what was told, a matter that people did counts 1, told late (more than a day after it was found) or mistimed (amid
keystrokes or a rebase) ½, what they left 0: precision. Of what people did, the same points are the recall: what
was missed, or held back until they had done it, counts 0. Quality is their harmonic mean; of a system that never
speaks it is 0. What was taken back, or is undecided when history ends, counts for nobody.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import NamedTuple

from benches.detectors import MANNERS, clone_of
from benches.repo_idq_added import Added
from benches.repo_idq_claims import Trees, unproven
from benches.repo_idq_learning import Lift, lift_of
from kairos.backtest.journal import Journal, JournalEntry, LookSaid
from kairos.backtest.replay import Options, Replay, in_one_go
from kairos.backtest.result import BacktestResult, RaisedThen
from kairos.detectors.enabled import ENABLED
from kairos.detectors.looking import ALL
from kairos.detectors.protocol import Detector
from kairos.domain.attention import SPEAKING
from kairos.domain.events import CommitRecorded
from kairos.repo.git import Git, GitError
from kairos.sensing.commits import history

LIST = Path(__file__).parent / "repo_idq_commits.txt"
LATE = MISTIMED = 0.5
LATE_S = 86_400


class Stretch(NamedTuple):
    repository: str
    head: str
    commits: int


class Points(NamedTuple):
    """What one system did: how often it spoke, the points of it, how much there was to say, and what it did wrong."""

    told: int = 0
    points: float = 0.0
    wanted: int = 0
    false: int = 0
    missed: int = 0
    late: int = 0
    mistimed: int = 0

    def __add__(self, other: object) -> Points:
        assert isinstance(other, Points)
        return Points(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def quality(self) -> float:
        """The harmonic mean of precision and recall; 0 without a word or a point."""
        both = self.told + self.wanted
        return 2 * self.points / both if self.points else 0.0


class Measured(NamedTuple):
    """One stretch: its pool, what Kairos told of it, the commits, claims that do not follow, moments, and what learning
    adds: of this program's own detectors, and with one that a person added."""

    pool: BacktestResult
    kairos: BacktestResult
    commits: list[CommitRecorded]
    amid: frozenset[str]
    unproven: list[str]
    lift: Lift
    added: Lift


def stretches() -> list[Stretch]:
    """The committed list."""
    rows = (line.split() for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return [Stretch(name, head, int(commits)) for name, head, commits in rows]


def measured(git: Git, stretch: Stretch) -> Measured:
    """Backtests a stretch with all detectors, then what Kairos says of it, from the same journal. GitError."""
    with tempfile.TemporaryDirectory(prefix="kairos-idq-") as folder:
        whole, own = Path(folder) / "pool", Path(folder) / "kairos"
        pool = replayed(git, stretch, [d.name for d in ALL], whole)
        reduced(whole, own, ENABLED, pool.commits)
        kairos = replayed(git, stretch, sorted(ENABLED), own)
        also = noisy(git, stretch, Path(folder) / "added")
    commits = list(history(git, "bench", stretch.head, stretch.commits))
    amid = frozenset(commit.oid for commit, is_amid in in_one_go(commits) if is_amid)
    with closing(Trees(git)) as trees:
        wrong = [
            f"{stretch.repository} {card.commit[:10]} {card.title}: {why}" for card in pool.raised
            for why in unproven(card, trees)
        ]  # fmt: skip
    lifts = lift_of(pool.raised, commits), lift_of([*pool.raised, *also.raised], commits)
    return Measured(pool, kairos, commits, amid, wrong, *lifts)


def noisy(git: Git, stretch: Stretch, file: Path) -> BacktestResult:
    """The backtest of a stretch by the detector that a person added."""
    with closing(Added(git)) as added:
        return of_detectors(git, stretch, [added.detector], file)


def replayed(git: Git, stretch: Stretch, names: Collection[str], file: Path) -> BacktestResult:
    """The backtest of a stretch by some detectors of this program."""
    return of_detectors(git, stretch, [d for d in ALL if d.name in names], file)


def of_detectors(git: Git, stretch: Stretch, chosen: Sequence[Detector], file: Path) -> BacktestResult:
    """The backtest of a stretch; what its journal has is not looked at again."""
    journal = Journal(file)
    try:
        made = Replay(git, chosen, Options(last=stretch.commits), MANNERS, zone_of(git, stretch), journal, b"bench")
        return made.run(stretch.head, lambda done, total: None)
    finally:
        journal.close()


def zone_of(git: Git, stretch: Stretch) -> tzinfo:
    """The time zone in which most commits of a stretch were written, for quiet hours and days."""
    out = git.run("log", f"--max-count={stretch.commits}", "--format=%ad", "--date=format:%z", stretch.head, "--")
    zones = Counter(out.decode("ascii").split())
    most = max(sorted(zones), key=lambda zone: zones[zone])
    offset = timedelta(hours=int(most[1:3]), minutes=int(most[3:5]))
    return timezone(-offset if most.startswith("-") else offset)


def reduced(whole: Path, own: Path, names: Collection[str], commits: int) -> None:
    """Writes the part of a journal that some detectors said."""
    source, target = Journal(whole), Journal(own)
    for number in range(commits):
        entry = source.kept.get(number, JournalEntry(number))
        looks = [
            LookSaid(s.boundary, [f for f in s.findings if f.detector in names], [n for n in s.failures if n in names])
            for s in entry.looks
        ]
        keys = tuple(f"{name}:" for name in names)
        again = [a for a in entry.again if a.key.startswith(keys)]
        target.add(JournalEntry(number, [s for s in looks if s.findings or s.failures], again), always=True)
    source.close()
    target.close()


def decided(raised: Sequence[RaisedThen]) -> list[RaisedThen]:
    """The matters that count."""
    return [r for r in raised if r.label in ("done", "left")]


def points_of(told: Sequence[RaisedThen], wanted: int, amid: Collection[str], times: Mapping[str, int]) -> Points:
    """The points of what was told; `wanted`: how many matters people did; `times`: commit → when it was made (s)."""
    spoken = [r for r in decided(told) if r.told is not None]
    found = Points(wanted=wanted)
    for r in spoken:
        assert r.told is not None
        late = times[r.told.commit] - r.at_s > LATE_S
        mistimed = is_mistimed(r, amid)
        point = 0.0 if r.label == "left" else 1.0 * (LATE if late else 1) * (MISTIMED if mistimed else 1)
        found += Points(1, point, 0, r.label == "left", 0, late, mistimed)
    return found._replace(missed=wanted - sum(r.label == "done" for r in spoken))


def is_mistimed(r: RaisedThen, amid: Collection[str]) -> bool:
    """Whether a card was told between keystrokes (unless it is urgent) or while git was at work."""
    assert r.told is not None
    return r.told.commit in amid or (r.told.boundary not in SPEAKING and not r.told.urgent)


def at_once(pool: Sequence[RaisedThen], commits: int, wanted: int) -> Points:
    """Always notify: all of the pool when it is found, and a word at every commit of which there is none."""
    matters = decided(pool)
    done = sum(r.label == "done" for r in matters)
    quiet = commits - len({r.commit for r in matters})
    return Points(len(matters) + quiet, float(done), wanted, len(matters) - done + quiet)


def systems(one: Measured) -> dict[str, Points]:
    """The points of each system in one stretch."""
    wanted = sum(r.label == "done" for r in decided(one.pool.raised))
    times = {commit.oid: commit.at_s for commit in one.commits}
    found = {
        "Kairos": points_of(one.kairos.raised, wanted, one.amid, times),
        "always silent": Points(wanted=wanted, missed=wanted),
        "always notify": at_once(one.pool.raised, len(one.commits), wanted),
    }
    for detector in ALL:
        source = one.kairos if detector.name in ENABLED else one.pool
        own = [r for r in source.raised if r.detector == detector.name]
        found[f"{detector.name} alone"] = points_of(own, wanted, one.amid, times)
    return found


def report(every: Sequence[Measured]) -> str:
    """The table, and the other figures."""
    total: dict[str, Points] = {}
    for one in every:
        for name, points in systems(one).items():
            total[name] = total.get(name, Points()) + points
    out = [
        "| system | quality | told | right | false | missed | late | mistimed |", "|---|---|---|---|---|---|---|---|"
    ]  # fmt: skip
    out += [
        f"| {name} | {p.quality:.2f} | {p.told} | {p.told - p.false} | {p.false} | {p.missed} | {p.late} "
        f"| {p.mistimed} |"
        for name, p in total.items()
    ]
    cards = sum(len(one.pool.raised) for one in every)
    wrong = [text for one in every for text in one.unproven]
    failed = len({text.split(": ")[0] for text in wrong})
    told = [(r, one.amid) for one in every for r in one.kairos.raised if r.told is not None]
    out += [
        "",
        f"{sum(len(one.commits) for one in every)} commits of {len(every)} repositories.",
        f"Claims that follow from the commit they cite: {cards - failed} of {cards}.",
        f"Told amid keystrokes: {sum(r.told.boundary not in SPEAKING and not r.told.urgent for r, _ in told)}, "  # type: ignore[union-attr]
        f"amid a rebase: {sum(r.told.commit in amid for r, amid in told)} of {len(told)}; "  # type: ignore[union-attr]
        f"most told on one day: {max((one.kairos.busiest for one in every), default=0)}, "
        f"told twice: {sum(one.kairos.repeats for one in every)}.",
        "",
        "| learned of | better, worse, the same | made right less made wrong | held back |",
        "|---|---|---|---|",
        learning("its own detectors", [one.lift for one in every]),
        learning("and one that a person added", [one.added for one in every]),
        "",
        "Maintainer by maintainer, with the added one: " + ", ".join(each(one.added) for one in every) + ".",
    ]
    return "\n".join([*out, *wrong])


def learning(whose: str, lifts: Sequence[Lift]) -> str:
    """A row of what learning adds: for how many maintainers, in all, and what it held back for that."""
    better, worse = sum(x.gained > 0 for x in lifts), sum(x.gained < 0 for x in lifts)
    total = Lift(*(sum(column) for column in zip(*lifts, strict=True)))
    return f"| {whose} | {better}, {worse}, {len(lifts) - better - worse} | {each(total)} | {total.held} |"


def each(lift: Lift) -> str:
    """The decisions that learning made right less those it made wrong, of all."""
    return f"{lift.gained:+d} of {lift.matters}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.repo_idq", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="only these repositories")
    options = parser.parse_args()
    every = []
    for stretch in stretches():
        git = clone_of(options.folder, stretch.repository)
        if git is None or (options.only and stretch.repository not in options.only):
            continue
        try:
            every.append(measured(git, stretch))
        except GitError as error:
            print(f"{stretch.repository}: {error.message}", file=sys.stderr)
            continue
        own = systems(every[-1])["Kairos"]
        print(f"{stretch.repository}: {len(every[-1].pool.raised)} raised, {own}", file=sys.stderr, flush=True)
    print(report(every))


if __name__ == "__main__":
    main()
