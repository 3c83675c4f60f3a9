"""How long a person waits for `kairos status --json`, beside an empty Python program and `git status`.

Each is a whole process, started in turns, in a watched repository of some hundred files and with a log that knows it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benches.append import change, disk
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import find_home

TIMES = 20
FILES = 400
KAIROS = Path(sys.executable).with_name("kairos")


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, peer, ours, peer ÷ ours), medians of `TIMES` starts in ms."""
    place = disk()
    try:
        environment, repository = prepare(place)
        commands: dict[str, list[str | Path]] = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "git status": ["git", "status", "--porcelain"],
            "kairos": [KAIROS, "status", "--json"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(TIMES + 2):
            for name, command in commands.items():
                took = milliseconds(command, repository, environment)
                if turn > 1:  # the first two turns fill caches
                    times[name].append(took)
        ours = statistics.median(times.pop("kairos"))
        medians = {name: statistics.median(found) for name, found in times.items()}
        return [(f"kairos status --json, against {name}", "ms", m, ours, m / ours) for name, m in medians.items()]
    finally:
        shutil.rmtree(place)


def prepare(place: Path) -> tuple[dict[str, str], Path]:
    """(environment, repository): trusted, with a thousand events in the log."""
    repository = place / "repository"
    repository.mkdir()
    for number in range(FILES):
        (repository / f"module_{number:03}.py").write_text(f"VALUE = {number}\n")
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    environment = {**os.environ, "KAIROS_HOME": str(place / "home"), **dict.fromkeys(names, "ada")}
    for command in (["git", "init", "-q"], ["git", "add", "-A"], ["git", "commit", "-q", "-m", "first"]):
        subprocess.run(command, cwd=repository, env=environment, check=True)
    subprocess.run(
        [KAIROS, "init", repository, "--yes"], cwd=repository, env=environment, check=True, capture_output=True
    )
    log = Log(find_home(str(place / "home")).log)
    log.append([NewEvent(e.repo, e) for e in map(change, range(1_000))])
    log.close()
    return environment, repository


def milliseconds(command: list[str | Path], cwd: Path, environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    from benches.table import show

    show(rows())
