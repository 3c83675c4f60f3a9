"""Much at once, and nothing at all: a checkout of thousands of files is one trigger, an idle daemon costs nothing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RSS_KB = 60_000
IDLE_S = 5.0
WAKEUPS_A_SECOND = 2.0


def test_a_checkout_of_two_thousand_files_is_one_trigger(kairos: Any, repo: Any) -> None:
    repo.git("checkout", "-q", "-b", "many")
    for n in range(2_000):
        repo.write(f"src/d{n % 40}/f{n}.txt", f"{n}\n")
    repo.commit("many")
    repo.git("checkout", "-q", "main")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.git("checkout", "-q", "many")
    [moved] = kairos.until("GitMoved", what="checkout")
    kairos.until("TurnEnded")
    told = [r for r in kairos.events("FilesChanged") if r.origin == "live"]
    assert len({r.event.burst for r in told}) == 1
    assert [(r.event.part, r.event.parts) for r in told] == [(1, 3), (2, 3), (3, 3)]
    assert {(r.event.cause, r.caused_by) for r in told} == {("git", moved.position)}
    assert sum(len(r.event.changes) for r in told) == 2_000 + 40 + 1
    assert [(r.caused_by, r.event.boundary) for r in kairos.events("AttentionDue")] == [(moved.position, "switch")]
    assert [(r.caused_by, r.event.rule) for r in kairos.events("AttentionHeld")] == [(told[-1].position, "git-cause@1")]
    assert len(kairos.events("TurnStarted")) == 1

    repo.git("checkout", "-q", "main")
    kairos.until("TurnEnded", count=2)
    assert len(kairos.events("AttentionDue")) == 2
    assert kairos.lines("files", str(repo.root)) == [
        row for row in kairos.lines("files", str(repo.root)) if row["path"] == "README.md"
    ]


def wakeups(pid: int) -> int:
    """How often the threads of a process have gone to sleep so far."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        total += int(lines["voluntary_ctxt_switches"])
    return total


def test_an_idle_daemon_stays_small_writes_nothing_and_sleeps(kairos: Any, repo: Any) -> None:
    for n in range(300):
        repo.write(f"src/d{n % 20}/f{n}.py", f"value = {n}\n")
    repo.commit("some")
    kairos.run("init", str(repo.root), "--yes")
    daemon = kairos.daemon()
    repo.write("src/d0/f0.py", "value = 'edited'\n")
    repo.commit("edit")
    kairos.until("TurnEnded")
    files = [kairos.home / "log" / name for name in ("log.db", "log.db-wal")]
    calmest, grown = float("inf"), []
    for _ in range(3):
        before, sizes = wakeups(daemon.process.pid), [f.stat() for f in files]
        time.sleep(IDLE_S)
        calmest = min(calmest, (wakeups(daemon.process.pid) - before) / IDLE_S)
        grown = [f.name for f, s in zip(files, sizes, strict=True) if (f.stat().st_size, f.stat().st_mtime_ns)
                 != (s.st_size, s.st_mtime_ns)]  # fmt: skip
        if calmest <= WAKEUPS_A_SECOND and not grown:
            break
    assert calmest <= WAKEUPS_A_SECOND
    assert grown == []
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    rss = int(status.partition("VmRSS:")[2].split()[0])
    assert rss <= RSS_KB, f"{rss} kB"
