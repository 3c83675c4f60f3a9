"""How long until a log is ready, young and old: open it, load every kept view, know the head. Whole processes.

The old log has a million events (`--events N` for more), most of them sealed, as a log that ran for years.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from benches.append import disk
from benches.observations import observations
from benches.table import Row, show
from kairos.daemon.all_views import kept_views
from kairos.eventlog import codec
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.record import Track
from kairos.eventlog.views.projection import keep_views

YOUNG = 10_000
OLD = int(sys.argv[sys.argv.index("--events") + 1]) if "--events" in sys.argv else 1_000_000
ROUND = 500_000
HOT = 200_000
REPEATS = 9
READY = """
import sys, time
from pathlib import Path
from kairos.daemon.all_views import kept_views
from kairos.eventlog.log import Log
begun = time.perf_counter()
log = Log(Path(sys.argv[1]))
for view in kept_views():
    view.load(log)
log.head()
print(time.perf_counter() - begun)
"""


def fill(log: Log, count: int) -> None:
    """Observations with causes of their own, sealed as it grows; the youngest stay hot."""
    source = observations(min(count, ROUND))
    batch = [(at, codec.draft(event.repo, event, None, origin)) for at, origin, event in source]  # type: ignore[arg-type]
    written = 0
    while written < count:
        some = batch[: count - written]
        for first in range(0, len(some), 1_000):
            chunk = some[first : first + 1_000]
            log.writer().append([draft for _, draft in chunk], chunk[0][0], {}, [], lambda position: position)
        written += len(some)
        log.append([], writes=[Track("bench", max(0, written - HOT))])
        keep_views(log, kept_views())
        if written > HOT:
            compact(log, views=kept_views())


def rows() -> list[Row]:
    """(what, unit, young, old, young ÷ old); 1 is flat."""
    place = disk()
    try:
        paths = [place / str(size) / "log.db" for size in (YOUNG, OLD)]
        for path, size in zip(paths, (YOUNG, OLD), strict=True):
            log = Log(path)
            fill(log, size)
            log.close()
        times: dict[Path, list[float]] = {path: [] for path in paths}
        for _ in range(REPEATS):
            for path in paths:
                out = subprocess.run([sys.executable, "-P", "-c", READY, path], check=True, capture_output=True)
                times[path].append(float(out.stdout) * 1e3)
        young, old = (statistics.median(times[path]) for path in paths)
        return [(f"ready with {YOUNG:,} and {OLD:,} events".replace(",", " "), "ms", young, old, young / old)]
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    show(rows())
