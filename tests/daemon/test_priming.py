"""msgspec has learnt every struct before there are threads: two that learn one at the same moment crash the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EVENTS = Path(__file__).parents[1] / "golden" / "events"
TOGETHER = """
import pathlib, sys, threading
import msgspec
from kairos.daemon.priming import prime
from kairos.daemon import running
from kairos.domain.events.base import REGISTRY
prime()
sys.setswitchinterval(1e-6)
kept = [(REGISTRY[name.split(".")[0]], raw) for name, raw in
        sorted((p.name, p.read_bytes()) for p in pathlib.Path(sys.argv[1]).glob("*.json"))]
start, read = threading.Barrier(8), []
def work():
    for kind, raw in kept:
        start.wait()
        try:
            read.append(msgspec.json.decode(raw, type=kind))
        except msgspec.ValidationError:
            pass  # of an earlier version
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(kept), len(read))
"""
COUNTED = """
import msgspec
from kairos.daemon.priming import prime
from kairos.daemon import running
found = [msgspec.Struct]
for cls in found:
    found += cls.__subclasses__()
print(prime(), len(found) - 1)
"""


def said(code: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", code, str(EVENTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = map(int, done.stdout.split())
    return first, second


def test_threads_may_read_any_event_for_the_first_time_together() -> None:
    for _ in range(3):
        kept, read = said(TOGETHER)
        assert kept > 50 and read >= 8 * (kept - 10)


def test_it_learns_everything_that_the_daemon_imports() -> None:
    learnt, there = said(COUNTED)
    assert learnt == there > 100
