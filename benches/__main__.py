"""`python -m benches`, from the checkout: every benchmark, peer beside ours, in one run of some minutes.

`--history GIT_DIR` adds co-change prediction on the history of a real repository.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

from benches import (
    agent_events,
    append,
    cochange,
    compaction,
    idle,
    long_log,
    noticing,
    opening,
    recall,
    replay,
    scan,
    start,
    turns,
)
from benches.table import show


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Every benchmark, peer beside ours.")
    parser.add_argument("--history", type=Path, help="a git directory whose history is predicted")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}; medians, measured in turns\n")
    begun = time.perf_counter()
    for number, bench in enumerate(
        (append, replay, agent_events, compaction, opening, scan, start, idle, turns, noticing, long_log)
    ):
        show(bench.rows(), head=number == 0)
    print()
    recall.main()
    if options.history:
        commits = cochange.history(options.history, None)
        print(f"\nco-change, {len(commits)} commits")
        models: tuple[tuple[str, cochange.Predictor], ...] = (
            ("rules", cochange.Rules()),
            ("kairos", cochange.Kairos()),
        )
        for name, model in models:
            cochange.measure(name, model, commits, 10)
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
