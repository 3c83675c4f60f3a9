"""Which files change together: the product's learner behind the interface of a co-change benchmark.

usage: python benches/cochange.py GIT_DIR [--max-files 10] [--limit N]

History is walked oldest first without merges; the newest fifth is asked before it is learned. Printed: hit@1/3/5,
recall@10, mean reciprocal rank, dead paths among the answers, for plain association rules and for ours.
`Kairos` is also a plug-in: learn(commit: dict(time, files=[dict(status, path, old)])), related(path, k).
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Protocol

from kairos.memory.cochange import Learner
from kairos.memory.counts import Commit


class Predictor(Protocol):
    def learn(self, commit: dict[str, Any]) -> None: ...
    def related(self, path: str, k: int) -> list[tuple[str, float]]: ...


class Kairos:
    """The learner that the dream uses."""

    def __init__(self) -> None:
        self.learner = Learner()
        self.position = 0

    def learn(self, commit: dict[str, Any]) -> None:
        self.position += 1
        files = commit["files"]
        self.learner.learn(
            Commit(
                at_s=commit["time"],
                position=self.position,
                paths=[f["path"] for f in files if f["status"] != "D"],
                removed=[f["path"] for f in files if f["status"] == "D"],
                renames={f["path"]: f["old"] for f in files if f["status"] == "R" and f["old"]},
            )
        )

    def related(self, path: str, k: int) -> list[tuple[str, float]]:
        return [(e.path, e.confidence) for e in self.learner.related([path], k)]


class Rules:
    """The peer: plain association rules, confidence(a → b) = commits with both / commits with a."""

    def __init__(self) -> None:
        self.pairs: dict[str, Counter[str]] = defaultdict(Counter)
        self.single: Counter[str] = Counter()

    def learn(self, commit: dict[str, Any]) -> None:
        names = [f["path"] for f in commit["files"]]
        if len(names) <= 30:
            self.single.update(names)
            for one in names:
                self.pairs[one].update(n for n in names if n != one)

    def related(self, path: str, k: int) -> list[tuple[str, float]]:
        return [(p, n / self.single[path]) for p, n in self.pairs[path].most_common(k)]


def history(git_dir: Path, limit: int | None) -> list[dict[str, Any]]:
    """Commits oldest first, renames as git finds them."""
    raw = subprocess.run(
        ["git", "--git-dir", git_dir, "log", "--no-merges", "--reverse", "-M", "--name-status", "-z",
         "--format=%x01%ct%x02", "HEAD"],
        capture_output=True, check=True,
    ).stdout.decode("utf-8", "surrogateescape")  # fmt: skip
    commits = []
    for block in raw.split("\x01")[1:]:
        when, rest = block.split("\x02", 1)
        parts = iter(p for p in rest.replace("\n", "").split("\0") if p)
        files: list[dict[str, Any]] = []
        for status in parts:
            if status[0] in "RC":
                old, path = next(parts), next(parts)
                files.append({"status": "R" if status[0] == "R" else "A", "path": path, "old": old})
                if status[0] == "C":
                    files[-1]["old"] = None
            else:
                files.append({"status": status[0], "path": next(parts), "old": None})
        commits.append({"time": int(when), "files": files})
    return commits[-limit:] if limit else commits


def measure(name: str, model: Predictor, commits: list[dict[str, Any]], max_files: int) -> None:
    """Walks the history, asks in the newest fifth, prints one line."""
    started, live = time.perf_counter(), set[str]()
    asked = given = dead = 0
    hits: Counter[int] = Counter()
    recall = rank = 0.0
    for i, commit in enumerate(commits):
        names = [f["old"] or f["path"] for f in commit["files"] if (f["old"] or f["path"]) in live]
        if i >= len(commits) * 4 // 5 and 2 <= len(names) <= max_files:
            for name_ in names:
                gold = set(names) - {name_}
                top = [p for p, _ in model.related(name_, 10)]
                right = [r for r, p in enumerate(top) if p in gold]
                asked, given, dead = asked + 1, given + len(top), dead + sum(p not in live for p in top)
                hits.update(k for k in (1, 3, 5) if right and right[0] < k)
                recall += len(set(top) & gold) / len(gold)
                rank += 1 / (right[0] + 1) if right else 0
        model.learn(commit)
        for f in commit["files"]:
            live.discard(f["old"] or "")
            (live.discard if f["status"] == "D" else live.add)(f["path"])
    n = max(1, asked)
    print(
        f"{name:8} n={asked} hit@1 {hits[1] / n:.3f} hit@3 {hits[3] / n:.3f} hit@5 {hits[5] / n:.3f} "
        f"recall@10 {recall / n:.3f} MRR {rank / n:.3f} dead {dead / max(1, given):.2%} "
        f"{time.perf_counter() - started:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("--max-files", type=int, default=10)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    commits = history(options.git_dir, options.limit)
    print(options.git_dir, len(commits), "commits")
    models: list[tuple[str, Predictor]] = [("rules", Rules()), ("kairos", Kairos())]
    for name, model in models:
        measure(name, model, commits, options.max_files)


if __name__ == "__main__":
    main()
