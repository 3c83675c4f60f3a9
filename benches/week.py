"""A week of a person and a daemon on clones of real projects: `python -m benches.week REPO REPO REPO`.

Each REPO is a git directory, or the work tree of one; it is cloned into memory and not touched. In each clone 300
commits are made, with renames, hand fixes, amends, rebases, stashes, merges, switches, saves mid-edit, planted
credentials, approvals, rejections and undos, all chosen by a seed. One daemon watches them all, with a check command,
and is restarted and killed meanwhile. The clock of the home is moved on, nothing waits for time to pass.

Prints for each project what was told, and how much of it was wrong: found from git, from the files and from the log.
Every number with a goal of 0 that is not 0 is followed by what it counts. Exit 1 then.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from benches import week_truth as truth
from benches.week_home import WeekHome
from benches.week_person import Person, plan

DAYS = 5
HOURS = 8
RESTARTS, KILLS = 4, 4
AWAY = 4
"""Things done while no daemon runs."""
CHECK = '["/bin/sh", "-c", "test -d ."]'
Count = Callable[[WeekHome, Person], list[str]]
NONE: dict[str, Count] = {
    "repeats": truth.repeats_of,
    "lost": truth.lost_of,
    "disappeared without explanation": truth.vanished_of,
    "applied without basis": lambda _, person: person.unfounded,
    "false": lambda _, person: person.untrue,
    "paths missed": truth.missed_of,
}
"""What must not occur, and how it is counted."""


class Week:
    """One home, one daemon, a person in each repository."""

    def __init__(self, place: Path, sources: Sequence[Path], commits: int, seed: int) -> None:
        self.pick = random.Random(seed)
        self.watching = WeekHome(place)
        roots = [_clone(source, place / _name(source)) for source in sources]
        for root in roots:
            self.watching.call("init", str(root), "--yes", "--history", "200")
            self.watching.call("config", "set", f'check."{root}".command', CHECK)
        self.persons = [Person(self.watching, root, seed) for root in roots]
        self.plans = [plan(commits, person.pick) for person in self.persons]

    def live(self, say: Callable[[str], None]) -> None:
        """Lives the week, day by day."""
        steps = [(n, what) for n, plan in enumerate(self.plans) for what in plan]
        turns = [n for n, _ in steps]
        self.pick.shuffle(turns)
        queues = [iter(plan) for plan in self.plans]
        ends = set(self.pick.sample(range(len(turns)), min(len(turns), RESTARTS + KILLS)))
        kills = set(self.pick.sample(sorted(ends), len(ends) // 2))
        minutes, night = timedelta(hours=HOURS * DAYS) / len(turns), -(-len(turns) // DAYS)
        self.watching.start()
        back = 0
        for at, n in enumerate(turns):
            if self.watching.process is None and at >= back:
                self.watching.start()
            if at in ends and self.watching.process is not None:
                self.watching.end(kill=at in kills)
                back = at + self.pick.randint(0, AWAY)
            person, what = self.persons[n], next(queues[n])
            self.watching.move(minutes)
            person.do(what)
            if at % night == night - 1:
                self._night(say)
        if self.watching.process is None:
            self.watching.start()
        for person in self.persons:
            person.settle()
            person.untrue += truth.false_of(self.watching, person)

    def _night(self, say: Callable[[str], None]) -> None:
        """The next morning; what waits is compared with the tree first."""
        for person in self.persons:
            if self.watching.process is not None:
                person.settle()
                person.untrue += truth.false_of(self.watching, person)
        self.watching.move(timedelta(hours=24 - HOURS))
        say(f"{self.watching.now:%A}, {self.watching.log.head()} events")

    def report(self, person: Person) -> tuple[list[str], int]:
        """(the lines of a project, how many things in it must not be)."""
        told = truth.days_of(self.watching, person)
        commits = person.made()
        checks = truth.checks_of(self.watching, person)
        lines = [
            f"{person.root.name}: {commits} commits, {len(person.renames)} renames, {len(person.planted)} credentials",
            f"  {'deliveries':<34}{sum(told):>6}   a day {told}, cap 4",
            f"  {'checks run':<34}{checks:>6}   {checks / max(1, commits):.2f} a commit, goal ≤ 1",
        ]
        wrong = int(max(told, default=0) > 4) + int(checks > commits)
        for name, count in NONE.items():
            found = list(dict.fromkeys(count(self.watching, person)))
            lines.append(f"  {name:<34}{len(found):>6}   goal 0")
            lines += [f"      {line}" for line in found]
            wrong += len(found)
        return lines, wrong

    def footer(self) -> list[str]:
        now, peak = self.watching.memory_kib()
        size = sum(f.stat().st_size for f in (self.watching.home / "log").rglob("*") if f.is_file())
        lines = [
            f"daemon: {now / 1024:.0f} MiB resident, {peak / 1024:.0f} MiB at its peak, {self.watching.starts} starts",
            f"log: {self.watching.log.head()} events, {size / 1e6:.1f} MB",
        ]
        said = self.watching.errors.read_text().replace("ready\n", "").strip()
        return [*lines, *(f"refused: {r}" for r in self.watching.refusals), *([f"daemon said: {said}"] if said else [])]


def _name(source: Path) -> str:
    return source.resolve().parent.name if source.name in ("repo", ".git") else source.name


def _clone(source: Path, root: Path) -> Path:
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(source.resolve()), str(root)], check=True)
    return root.resolve()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.week", description="A week on clones of real projects.")
    parser.add_argument("repos", nargs="+", type=Path, metavar="REPO")
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the home and the clones")
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="kairos-week-", dir="/dev/shm")).resolve()
    week = Week(place, given.repos, given.commits, given.seed)
    begun = time.monotonic()
    try:
        week.live(lambda text: print(f"… {text}", file=sys.stderr, flush=True))
        wrong = 0
        for person in week.persons:
            lines, found = week.report(person)
            print("\n".join(lines))
            wrong += found
        print("\n".join(week.footer()))
        load = os.getloadavg()[0]
        print(f"seed {given.seed}, {time.monotonic() - begun:.0f} s, load {load:.1f}; {wrong} that must not be")
        return int(wrong > 0)
    finally:
        week.watching.close()
        if given.keep:
            print(place)
        else:
            with suppress(OSError):
                shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main())
