"""Who broke it, with real suites: planted one-line regressions, flaky ranges and order-dependent tests.

`python -m benches.planted planted CLONE [COUNT] [--from N] [--tests DIR] [--source DIR] [--python PROGRAM]` mutates
one line of a real project at a random commit of a range. Each trial has a seed of its own: `--from` goes on where an
earlier run ended. `PROGRAM`: the interpreter of a virtual environment with what the suite needs. `flaky [COUNT]` and
`order [COUNT]` make their own repositories. Every run is a real one, in the sandbox, from the log of a private home.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile
from math import ceil, log2
from pathlib import Path
from typing import Any, NamedTuple

from kairos.daemon.check_rounds import CheckRounds, commit_at
from kairos.daemon.folded import World
from kairos.daemon.priming import prime
from kairos.daemon.turns import Looker
from kairos.domain.checks.state import check_stream
from kairos.domain.events import BaselineRecorded, CheckJudged, CheckNamed, CheckRan, Event, RepoTrusted
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import RepositoriesView, repository_id
from kairos.home import find_home
from kairos.repo.git import Git
from kairos.settings import Config

MUTATIONS = (
    (r" == ", " != "), (r" \+ ", " - "), (r" < ", " >= "), (r"\bTrue\b", "False"), (r"\bnot ", ""), (r" and ", " or "),
    (r"\bis None\b", "is not None"), (r"return (?!None)\S.*$", "return None"), (r" in ", " not in "),
)  # fmt: skip


class Trial:
    """A repository, its checks, and what the rounds say."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.git = root, Git(root)
        self.home = find_home(str(home))
        self.home.prepare()
        prime()
        self.log: Log = open_log(self.home)
        found = root.stat()
        self.id = repository_id(found.st_dev, found.st_ino, str(root))
        self.say(RepoTrusted(repo=self.id, root=str(root), dev=found.st_dev, ino=found.st_ino, by="user"), self.id)
        self.say(BaselineRecorded(repo=self.id, entries=1), self.id)
        self.repo = RepositoriesView().load(self.log)[0].by_id[self.id]
        world = World(open_log(self.home))
        world.load()
        self.rounds = CheckRounds(self.home, self.log, world, Looker(self.home, Config(), self.log, world))

    def say(self, event: Event, stream: str) -> None:
        self.log.append([NewEvent(stream, event, None, "user")])

    def name(self, command: list[str], read_roots: list[str]) -> None:
        event = CheckNamed(
            repo=self.id, name="t", kind="test", command=command, seconds=600, memory_mb=4096, read_roots=read_roots
        )  # fmt: skip
        self.say(event, check_stream(self.id, "t"))

    def run(self, *words: str) -> str:
        who = [
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "commit.gpgsign=false",
        ]
        return subprocess.run(["git", "-C", self.root, *who, *words], capture_output=True, check=True, text=True).stdout

    def commit(self, path: str, content: str) -> str:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        self.run("add", "-f", path)
        self.run("commit", "-q", "-m", "change")
        return self.run("rev-parse", "HEAD").strip()

    def settle(self) -> list[CheckJudged]:
        """Runs all rounds; the verdicts that came of them."""
        before = self.log.head()
        while self.rounds.step(self.repo):
            pass
        return [r.event for r in self.log.read(before, topics={"CheckJudged"}) if isinstance(r.event, CheckJudged)]

    def last(self) -> CheckRan | None:
        ran = [r.event for r in self.log.read(topics={"CheckRan"})]
        return ran[-1] if ran and isinstance(ran[-1], CheckRan) else None

    def told(self) -> list[str]:
        """Each run of the check in a few words, for a verdict that was wrong."""
        ran = [r.event for r in self.log.read(topics={"CheckRan"}) if isinstance(r.event, CheckRan)]
        return [
            f"{r.outcome} alone={bool(r.cases)} x{r.repeats} {[c.id for c in r.failed]} {r.seconds:.1f} s {r.why}"
            for r in ran
        ]

    def kills_tests(self, path: str, mutated: str) -> bool:
        """Whether a mutation makes a test red, tried at HEAD without recording it."""
        from kairos.acting.checking import run_check

        at = commit_at(self.git, "HEAD")
        assert at is not None
        (check,) = self.rounds.checks(self.id).values()
        result = run_check(self.home, self.root, check.named, at.oid, changes={path: (mutated.encode(), 0o644)})
        first = next(r.event for r in self.log.read(topics={"CheckRan"}))
        before = {case.id for case in first.failed} if isinstance(first, CheckRan) else set()
        newly = {case.id for case in result.report.failed} - before  # some are red in the sandbox from the start
        return result.outcome == "failed" and 0 < len(newly) <= 60


def mutations(root: Path, source: str, rng: random.Random) -> Any:
    """Endless (path, mutated text) of one changed line."""
    files = [p for p in (root / source).rglob("*.py") if "test" not in p.name and p.stat().st_size > 500]
    while True:
        path = rng.choice(files)
        lines = path.read_text().split("\n")
        at = rng.randrange(len(lines))
        found = [
            (o, n) for o, n in MUTATIONS if re.search(o, lines[at]) and not lines[at].lstrip().startswith(("#", '"'))
        ]
        if found:
            old, new = rng.choice(found)
            lines[at] = re.sub(old, new, lines[at], count=1)
            text = "\n".join(lines)
            with contextlib.suppress(SyntaxError):
                compile(text, str(path), "exec")
                yield str(path.relative_to(root)), text


class Planting(NamedTuple):
    """What `planted` works on: trials `first` to `count` - 1 in a clone."""

    clone: Path
    first: int
    count: int
    tests: str
    source: str
    python: str
    seed: int


def planted(given: Planting, place: Path) -> None:
    clone, source = given.clone, given.source
    root = place / "repo"
    subprocess.run(["git", "clone", "-q", clone, root], check=True)
    trial = Trial(root, place / "home")
    venv = str(Path(given.python).parent.parent)
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    path = "src" if source.startswith("src") else "."
    command = ["env", f"PYTHONPATH={path}", given.python, "-m", "pytest", *options, *given.tests.split(",")]
    trial.name(command, [venv])
    trial.settle()
    first = trial.last()
    assert first is not None
    print(
        f"{clone.name}: {first.outcome} {first.why}, {first.passed} green, {len(first.failed)} red, "
        f"{first.seconds:.1f} s"
    )
    base = trial.run("rev-parse", "HEAD").strip()
    right = runs = goal = tried = 0
    for number in range(given.first, given.count):
        rng = random.Random(f"{given.seed} {number}")
        trial.run("reset", "-q", "--hard", base)
        n = rng.choice([4, 8, 16, 32])
        at = rng.randint(1, n)
        path, text = next(m for m in mutations(root, source, rng) if trial.kills_tests(*m))
        culprit = ""
        for i in range(1, n + 1):
            if i == at:
                culprit = trial.commit(path, text)
            else:
                trial.commit(f"notes/{i % 3}.txt", f"{number} {i}")
        judged = trial.settle()
        good = bool(judged) and all(j.verdict == "new" and j.culprit == culprit for j in judged)
        tried, right = tried + 1, right + good
        runs += max((j.runs for j in judged), default=0)
        goal += ceil(log2(n)) + 3
        said = "" if good else f"  WRONG: {path} at {at} of {n}: {[(j.verdict, j.cases[:2]) for j in judged]}"
        print(
            f"  {number:3}: {right} of {tried} right, {runs / tried:4.1f} runs (goal {goal / tried:.1f}){said}",
            flush=True,
        )


FLAKY = "r=$(od -An -N2 -tu2 /dev/urandom); echo 1..1; [ $r -ge {edge} ] && echo 'ok 1 t' || echo 'not ok 1 t'"


def flaky(count: int, seed: int, place: Path) -> None:
    rng = random.Random(seed)
    blamed = named = runs = 0
    for number in range(count):
        root = place / f"flaky{number}"
        root.mkdir()
        subprocess.run(["git", "init", "-q", root], check=True)
        trial = Trial(root, place / f"home{number}")
        rate = rng.uniform(0.05, 0.5)
        trial.commit("a.txt", "0")
        trial.name(["sh", "-c", FLAKY.format(edge=round(rate * 65_536))], [])
        judged: list[CheckJudged] = []
        for step in range(200):
            judged = trial.settle()
            if judged:
                break
            for i in range(rng.choice([1, 4, 8])):
                trial.commit("a.txt", f"{step} {i}")
        blamed += any(j.verdict in ("new", "older") for j in judged)
        named += any(j.verdict == "flaky" for j in judged)
        runs += sum(j.runs for j in judged)
        trial.log.close()
        print(
            f"  {number + 1:3}: {blamed} innocent blamed, {named} named flaky, {runs / (number + 1):.1f} runs",
            flush=True,
        )


def order(count: int, seed: int, place: Path) -> None:
    named = runs = 0
    venv = str(Path(sys.executable).parent.parent)
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        root = place / f"order{number}"
        root.mkdir()
        subprocess.run(["git", "init", "-q", root], check=True)
        trial = Trial(root, place / f"home{number}")
        for i in range(3):
            trial.commit(f"test_{i}.py", "import state\ndef test_x(): pass\ndef test_y(): pass\n")
        trial.commit("state.py", "left = []\n")
        trial.commit("test_z.py", "import state\ndef test_needs(): assert not state.left\n")
        options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", "pythonpath=."]
        trial.name([sys.executable, "-m", "pytest", *options], [venv])
        trial.settle()
        for i in range(rng.randint(1, 8)):
            trial.commit("notes.txt", str(i))
        trial.commit(f"test_{rng.randrange(3)}.py", "import state\ndef test_x(): state.left.append(1)\n")
        judged = trial.settle()
        good = [j.verdict for j in judged] == ["order"]
        named += good
        runs += sum(j.runs for j in judged)
        said = "" if good else f"  WRONG: {[(j.verdict, j.cases[:2], j.why) for j in judged]}, {trial.told()}"
        trial.log.close()
        print(f"  {number + 1:3}: {named} named order-dependent, {runs / (number + 1):.1f} runs{said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.planted")
    parser.add_argument("what", choices=["planted", "flaky", "order"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--tests", default="tests")
    parser.add_argument("--source", default="src")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    os.nice(5)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
        if given.what == "planted":
            count = int(given.rest[1]) if len(given.rest) > 1 else 20
            planted(
                Planting(
                    Path(given.rest[0]), given.first, count, given.tests, given.source, given.python, given.seed
                ),
                Path(place),
            )  # fmt: skip
        else:
            run = flaky if given.what == "flaky" else order
            run(int(given.rest[0]) if given.rest else 20, given.seed, Path(place))


if __name__ == "__main__":
    main()
