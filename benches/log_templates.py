"""Templates behind log lines: ours beside drain3, on the 16 labelled logs of loghub, and the speed of a burst.

`python -m benches.log_templates CLONE`: a clone of logpai/loghub. `content` is the message alone, `line` the whole
line, as a watched log gives it. Right: lines whose group is exactly the labelled one. drain3 is measured if installed.
"""

from __future__ import annotations

import csv
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from kairos.domain.logs.entries import Entries, entry_of
from kairos.domain.logs.past import LogPast, LogPastState
from kairos.domain.logs.templates import Templates

Grouping = Callable[[Iterable[str]], list[Any]]


def ours(lines: Iterable[str]) -> list[Any]:
    templates = Templates()
    return [templates.match(line)[0].id for line in lines]


def drain3() -> Grouping | None:
    try:
        from drain3 import TemplateMiner
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        return None
    logging.disable(logging.CRITICAL)

    def group(lines: Iterable[str]) -> list[Any]:
        config = TemplateMinerConfig()
        config.drain_max_clusters = 1_000
        config.masking_instructions = [MaskingInstruction(r"[0-9]+(?:[.:,_][0-9]+)*", "NUM")]
        miner = TemplateMiner(config=config)
        return [miner.add_log_message(line)["cluster_id"] for line in lines]

    return group


def right(got: Sequence[Any], truth: Sequence[str]) -> float:
    """The share of lines whose group is exactly a labelled one."""
    groups, labels = defaultdict(set), defaultdict(set)
    for place, (group, label) in enumerate(zip(got, truth, strict=True)):
        groups[group].add(place)
        labels[label].add(place)
    return sum(len(g) for g in groups.values() if labels[truth[next(iter(g))]] == g) / len(got)


def main(clone: Path) -> None:
    peers: dict[str, Grouping] = {"ours": ours} | ({} if (peer := drain3()) is None else {"drain3": peer})
    sums: dict[tuple[str, str], float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    logs = sorted(clone.glob("*/*_2k.log_structured.csv"))
    for file in logs:
        with file.open(encoding="utf-8", errors="replace") as opened:
            rows = list(csv.DictReader(opened))
        raw = file.with_name(file.name.removesuffix("_structured.csv")).read_text("utf-8", "replace").splitlines()
        lines = [entry_of([line]).text for line in raw[: len(rows)]]
        truth = [row["EventId"] for row in rows]
        for name, group in peers.items():
            begun = time.process_time()
            sums[name, "content"] += right(group([row["Content"] for row in rows]), truth)
            seconds[name] += time.process_time() - begun
            sums[name, "line"] += right(group(lines), truth)
    for name in peers:
        content, line = (sums[name, what] / len(logs) for what in ("content", "line"))
        print(f"{name:8} content {content:6.1%}  line {line:6.1%}  {2_000 * len(logs) / seconds[name]:8,.0f} lines/s")
    burst()


def burst(lines: int = 200_000) -> None:
    """How fast lines of known templates are read, as in a burst."""
    past, entries = LogPast(LogPastState()), Entries()
    text = [f"2026-12-01 10:00:{n % 60:02} ERROR app.db could not open item {n} of user {n % 97}" for n in range(lines)]
    begun = time.process_time()
    for line in text:
        for whole in entries.take(line):
            past.see(whole, 0)
    spent = time.process_time() - begun
    print(f"burst    {lines / spent:,.0f} lines/s, {sum(map(len, text)) / spent / 1e6:.1f} MB/s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
