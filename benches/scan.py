"""Scanning 100 000 entries: `os.scandir` recursion with `stat` (the peer) against the native walk.

Both read the same tree in memory, in turns, and both end with every entry's type, mode, inode, size and
times in hand. `python benches/scan.py` prints the medians.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kairos._native import Scanner, unpack_listing

ENTRIES = 100_000
PER_DIRECTORY = 40
REPEATS = 5
RULES = b"*.o\n*.py[cod]\n__pycache__/\nnode_modules/\n/build\n/dist\ndocs/_build/\n.venv\n*.log\n!keep.log\n"


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, peer, ours, peer ÷ ours), medians of `REPEATS` runs in turns."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="kairos-scan-", dir=memory if memory.is_dir() else None))
    try:
        plain, ruled = place / "plain", place / "ruled"
        for root in (plain, ruled):
            grow(root, ENTRIES)
        (ruled / ".gitignore").write_bytes(RULES)
        found = [
            compare("scan of 100 000 entries", plain),
            compare("the same with ten ignore patterns", ruled),
        ]
        scanner = Scanner(os.fsencode(plain))
        listings = [listing for _, listing in scanner.walk()[0]]
        entries = sum(len(unpack_listing(listing)) for listing in listings)
        stored = sum(map(len, listings)) / entries
        # What a row of a table with one row an entry would hold: name and six numbers of eight bytes.
        naive = sum(len(row[0]) + 48 for listing in listings for row in unpack_listing(listing)) / entries
        found.append(("packed listing against fixed fields", "bytes/entry", naive, stored, naive / stored))
        return found
    finally:
        shutil.rmtree(place)


def grow(root: Path, entries: int) -> None:
    """Makes `entries` directories and files below `root`, `PER_DIRECTORY` files to a directory, in a tree
    five wide."""
    root.mkdir()
    directories = [root]
    made = 0
    while made < entries:
        if made:
            directories.append(directories[(len(directories) - 1) // 5] / f"part{len(directories):05}")
            directories[-1].mkdir()
            made += 1
        for number in range(min(PER_DIRECTORY, entries - made)):
            (directories[-1] / f"module_{number:02}.py").touch()
            made += 1


def scandir(path: str) -> int:
    """The entries below `path`, each with its stat."""
    count = 0
    below = []
    with os.scandir(path) as entries:
        for entry in entries:
            entry.stat(follow_symlinks=False)
            count += 1
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
    return count + sum(map(scandir, below))


def compare(what: str, root: Path) -> tuple[str, str, float, float, float]:
    scanner = Scanner(os.fsencode(root))
    peer, ours = [], []
    for _ in range(REPEATS):
        peer.append(milliseconds(lambda: scandir(str(root))))
        ours.append(milliseconds(scanner.walk))
    median_peer, median_ours = statistics.median(peer), statistics.median(ours)
    return what, "ms", median_peer, median_ours, median_peer / median_ours


def milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    print(f"{'what':<40} {'unit':>12} {'peer':>10} {'ours':>10} {'ratio':>7}")
    for what, unit, peer, ours, ratio in rows():
        print(f"{what:<40} {unit:>12} {peer:>10.1f} {ours:>10.1f} {ratio:>6.1f}×")
