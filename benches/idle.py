"""How often a process wakes while nothing happens for a minute: the whole daemon, beside watchdog's observer alone.

Counted by the kernel, over all threads: each time one of them goes to sleep again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from benches.append import disk
from benches.start import KAIROS, prepare

SECONDS = 60
REST_S = 10
"""So long both have to come to rest."""
WATCHDOG = """
import sys, threading
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
observer = Observer()
observer.schedule(FileSystemEventHandler(), sys.argv[1], recursive=True)
observer.start()
print("ready", flush=True)
threading.Event().wait()
"""


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, watchdog's wakes, ours, the ratio of the two with one more each: ours may be none)."""
    place = disk()
    started: list[subprocess.Popen[str]] = []
    try:
        environment, repository = prepare(place)
        for command in ([sys.executable, "-c", WATCHDOG, repository], [KAIROS, "daemon", "run"]):
            one = subprocess.Popen(
                command, env=environment, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            started.append(one)
            assert one.stdout is not None and one.stdout.readline() == "ready\n"
        time.sleep(REST_S)
        before = [sleeps(one.pid) for one in started]
        time.sleep(SECONDS)
        peer, ours = (sleeps(one.pid) - earlier for one, earlier in zip(started, before, strict=True))
        return [(f"wakes of an idle process in {SECONDS} s", "wakes", peer, ours, (peer + 1) / (ours + 1))]
    finally:
        for one in started:
            one.terminate()
            one.communicate()
        shutil.rmtree(place)


def sleeps(pid: int) -> int:
    """How often the threads of a process have gone to sleep by themselves."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return found


if __name__ == "__main__":
    from benches.table import show

    show(rows())
