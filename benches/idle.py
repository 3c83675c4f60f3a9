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
REPOSITORIES = (1, 3, 10)
REST_S = 10
"""So long both have to come to rest."""
WATCHDOG = """
import sys, threading
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
observer = Observer()
for path in sys.argv[1:]:
    observer.schedule(FileSystemEventHandler(), path, recursive=True)
observer.start()
print("ready", flush=True)
threading.Event().wait()
"""


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, watchdog's wakes, ours, the ratio of the two with one more each: ours may be none), for each number
    of watched repositories. No sweep is due within the time measured: each repository has one every ten minutes."""
    place = disk()
    started: list[tuple[subprocess.Popen[str], subprocess.Popen[str]]] = []
    try:
        for count in REPOSITORIES:
            (place / str(count)).mkdir()
            environment, repository = prepare(place / str(count))
            others = [clone(repository, number, environment) for number in range(1, count)]
            peer = begin([sys.executable, "-c", WATCHDOG, repository, *others], environment, place)
            started.append((peer, begin([KAIROS, "daemon", "run"], environment, place)))
        time.sleep(REST_S)
        before = [(sleeps(peer.pid), sleeps(ours.pid)) for peer, ours in started]
        time.sleep(SECONDS)
        found = []
        for count, (peer, ours), (peer_before, ours_before) in zip(REPOSITORIES, started, before, strict=True):
            theirs, mine = sleeps(peer.pid) - peer_before, sleeps(ours.pid) - ours_before
            what = f"wakes of an idle process in {SECONDS} s, repositories watched: {count}"
            found.append((what, "wakes", theirs, mine, (theirs + 1) / (mine + 1)))
        return found
    finally:
        for one in (process for pair in started for process in pair):
            one.terminate()
            one.communicate()
        shutil.rmtree(place)


def clone(repository: Path, number: int, environment: dict[str, str]) -> Path:
    """A further watched repository."""
    made = repository.with_name(f"{repository.name}-{number}")
    for command in (["git", "clone", "-q", repository, made], [KAIROS, "init", made, "--yes"]):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return made


def begin(command: list[str | Path], environment: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """Starts a process that says when it is ready; returns it then."""
    one = subprocess.Popen(
        command, env=environment, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert one.stdout is not None and one.stdout.readline() == "ready\n"
    return one


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
