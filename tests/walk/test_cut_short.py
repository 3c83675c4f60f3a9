"""What takes long is cut short by kill -9: the first look at a repository, a dream, a compaction. The next goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged
from kairos.eventlog.log import Log

pytestmark = pytest.mark.slow

PROGRAM = str(Path(sys.executable).with_name("kairos"))
COMMITS = 1_500


def with_history(repo: Any) -> None:
    """A repository of many commits, each of which changes a few of its files together."""
    dice = random.Random(5)
    lines = []
    for n in range(COMMITS):
        lines.append(f"commit refs/heads/long\ncommitter Ada <ada@example.invalid> {1_700_000_000 + n * 3_600} +0000\n")
        lines.append(f"data <<E\nchange {n}\nE\n")
        for k in {(n % 30) * 3 + dice.randint(0, 2) for _ in range(3)}:
            lines.append(f"M 100644 inline src/d{k % 9}/f{k}.py\ndata <<E\nvalue = {n}\nE\n")
    subprocess.run(
        ["git", "-C", repo.root, "fast-import", "--quiet"], input="".join(lines).encode(), check=True, timeout=60
    )
    repo.git("checkout", "-q", "long")


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process and to its children, which have groups of their own."""
    groups = [process.pid]
    for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
        groups += [int(pid) for pid in children.read_text().split()]
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    process.wait()


def check_told_once(kairos: Any) -> set[str]:
    """No path is created twice; returns the paths there are."""
    known: set[str] = set()
    for r in kairos.events("FilesChanged"):
        assert isinstance(r.event, FilesChanged)
        for change in r.event.changes:
            assert change.kind == "created" and change.fs not in known
            known.add(change.fs)
    return known


HALF_MADE = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size=2")
db.execute("BEGIN IMMEDIATE")
db.execute("CREATE TABLE t (x)")
for n in range(200):
    db.execute("INSERT INTO t VALUES (zeroblob(2000))")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_log_whose_making_was_cut_short_is_made_by_the_next_reader(tmp_path: Path) -> None:
    path = tmp_path / "log" / "log.db"
    path.parent.mkdir()
    subprocess.run([sys.executable, "-c", HALF_MADE, str(path)], check=False)
    assert path.with_name("log.db-journal").stat().st_size > 0
    log = Log(path)
    assert log.head() == 0
    log.close()


def test_init_killed_at_any_moment_is_completed_by_the_next(
    kairos: Any, repo: Any, walked: Callable[[Path], dict[str, Any]]
) -> None:
    with_history(repo)
    repo.write("left.py", "a = 1\n<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> other\n")
    repo.commit("a marker left behind")
    command = [PROGRAM, "--json", "init", str(repo.root), "--yes", "--history", "all"]
    cut, delay = 0, 0.1
    errors = kairos.root / "init.err"
    while True:
        with errors.open("wb") as sink:
            process = subprocess.Popen(
                command, env=kairos.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sink,
                cwd=kairos.root, start_new_session=True,
            )  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert process.wait(delay) == 0, errors.read_text()
            break
        kill_family(process)
        cut, delay = cut + 1, delay * 1.15
    assert cut > 5
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    topics = Counter(r.topic for r in kairos.events())
    assert topics["RepoTrusted"] == topics["BaselineRecorded"] == 1
    told = Counter(r.event.oid for r in kairos.events("CommitRecorded"))
    assert told == Counter(repo.git("rev-list", "HEAD").split()) and len(told) == COMMITS + 1
    listed = Counter(r.event.key for r in kairos.events("FindingListed"))
    assert listed and max(listed.values()) == 1
    assert check_told_once(kairos) == set(walked(repo.root))
    assert kairos.run("log", "verify")["ok"]
    daemon = kairos.daemon()
    assert daemon.stop() == 0
    assert not kairos.events("TurnStarted", "GitMoved", "ProposalRaised")


def test_nights_killed_at_any_moment_are_made_up_for(kairos: Any, repo: Any) -> None:
    with_history(repo)
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    kairos.daemon().stop()
    dice = random.Random(9)
    for night in range(1, 9):
        kairos.clock(f"2026-06-{night + 10}T09:00:00")
        count = len(kairos.events("OccurrenceDue"))
        daemon = kairos.daemon()
        kairos.until("OccurrenceDue", count=count + 1)
        if night % 2:
            kairos.until("OccurrenceDue", count=count + 2)
        time.sleep(dice.uniform(0, 0.8))
        kill_family(daemon.process)
    kairos.clock("2026-06-30T09:00:00")
    daemon = kairos.daemon()
    for job in ("dream", "compact"):
        kairos.until("OccurrenceEnded", job=job, scheduled=max(r.event.scheduled for r in kairos.until(
            "OccurrenceDue", job=job, count=1)))  # fmt: skip
    assert daemon.stop() == 0
    for job in ("dream", "compact"):
        history = [r for r in kairos.events("OccurrenceDue", "OccurrenceEnded") if r.event.job == job]
        assert [r.topic for r in history] == ["OccurrenceDue", "OccurrenceEnded"] * (len(history) // 2)
        assert len({r.event.scheduled for r in history}) == len(history) // 2
        assert {"unknown", "done"} <= {r.event.outcome for r in history[1::2]}
    sealed = [r.event for r in kairos.events("SegmentSealed")]
    assert sealed and all(s.first == (sealed[n - 1].last if n else 0) + 1 for n, s in enumerate(sealed))
    told = Counter(r.event.oid for r in kairos.events("CommitRecorded"))
    assert told == Counter(repo.git("rev-list", "HEAD").split())
    assert kairos.run("log", "verify")["ok"]
    assert kairos.run("replay", "--verify")["identical"]
    assert kairos.run("memory", "ls")
