"""From a commit that renames one of 5 000 files to its finding: `python -m benches.noticing`.

A real daemon watches a repository in memory. The first number of a row is the goal. Beside the time on the wall stands
what the processor spent, the daemon and the git processes it started together: what is left of it on an idle machine.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benches.table import Row, show
from benches.turns import COMMAND, grow
from benches.week_home import WeekHome
from kairos.domain.events import ProposalRaised

FILES = 5_000
RENAMES = 9
GOAL_MS = 300.0


def rows() -> Iterator[Row]:
    """(what, unit, goal, ours, goal ÷ ours); 1 or more is the goal."""
    place = Path(tempfile.mkdtemp(prefix="kairos-noticing-", dir="/dev/shm")).resolve()
    home = WeekHome(place)
    try:
        root = place / "repo"
        grow(root, FILES)
        for number in range(RENAMES + 1):
            (root / f"docs/page{number}.md").write_text(f"[module](../{module(number, 'module')})\n")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "pages")
        home.call("init", str(root), "--yes")
        for key, value in (("schedule.dream", ""), ("schedule.compact", "")):
            home.call("config", "set", key, value)
        home.start()
        found = [noticed(home, root, number) for number in range(RENAMES + 1)][1:]
    finally:
        home.close()
        shutil.rmtree(place)
    what = f"a rename in {FILES} files, from commit to finding"
    for unit, ours in zip(
        ("ms", "ms of processor"), (statistics.median(f) for f in zip(*found, strict=True)), strict=True
    ):
        yield what, unit, GOAL_MS, ours, GOAL_MS / ours


def noticed(home: WeekHome, root: Path, number: int) -> tuple[float, float]:
    """(milliseconds from the end of a commit to its finding, those of the processor from its beginning). The finding is
    rejected, so that none waits at the next."""

    git(root, "mv", module(number, "module"), module(number, "renamed"))
    head, spent = home.log.head(), processor_ms(home)
    git(root, "commit", "-q", "-m", "rename")
    done = time.time()
    (raised,) = home.wait("the finding", lambda: list(home.log.read(head, topics={"ProposalRaised"})))
    took = raised.at / 1e6 - float((home.place / "clock").read_text()) - done
    spent = processor_ms(home) - spent
    assert isinstance(raised.event, ProposalRaised)
    home.call("reject", raised.event.id, "-m", "no")
    return took * 1e3, spent


def module(number: int, name: str) -> str:
    return f"pkg/part{number % 10}/{name}_{number + 20}.py"


def git(root: Path, *args: str) -> None:
    subprocess.run([*COMMAND, "-C", root, *args], check=True, capture_output=True)


def processor_ms(home: WeekHome) -> float:
    """What the daemon and its ended children spent so far."""
    assert home.process is not None
    fields = Path(f"/proc/{home.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * 1e3 / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    show(rows())
