"""The disk is full at any moment of an act: `PYTHONPATH=. unshare -Urm python -P -m full ACT`.

A small file system is filled but for so many pages, the act is done, and the space comes back; again and again with
one page more, until the act gets through. Prints at which steps it ended for want of space.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import logs
from acts import ACTS, Act, template
from logs import Place

from kairos.errors import TryAgain
from kairos.eventlog.cold.leftovers import UNFINISHED

PAGE = 4096
INDEX_PAGES = 9
SPARE = 24 << 20


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own in memory, of this process's namespace."""
    with tempfile.TemporaryDirectory(prefix="kairos-full-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SPARE}", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def leave(disk: Path, pages: int) -> Path:
    """Fills the disk but for some pages; returns the ballast."""
    free = os.statvfs(disk)
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - pages * PAGE))
    return ballast


def where(place: Place, said: str) -> str:
    """How far an act came that ended for want of space."""
    if "segment" in said:
        return "seal"
    try:
        with closing(place.open()) as log, log.errors():
            manifest = log.reader().segments()
            files = {p.name for p in log.segments.glob("*.parquet")} if log.segments.is_dir() else set()
            if log.view(UNFINISHED):
                return "cleaning"
            if files - {s[2] for s in manifest}:
                return "manifest"
            return "retire" if any(not s[7] for s in manifest) else "begin"
    except TryAgain:
        return "begin"  # not even read: an earlier layout is brought up to date first


def readable(act: Act, place: Place, pages: int) -> None:
    """All is there and can be read, on the full disk too, but for the index that every reader of SQLite needs."""
    try:
        with place.open().errors():
            act.after(place)
    except TryAgain:
        assert pages < INDEX_PAGES


def sweep(act: Act, disk: Path) -> Counter[str]:
    """Does an act with ever more space; returns at which steps it ended for want of it."""
    ended: Counter[str] = Counter()
    with template(act) as fresh:
        pages, through = 0, False
        while not through:
            made = fresh()
            place = replace(made, folder=disk / "home")
            shutil.rmtree(place.folder, ignore_errors=True)
            shutil.copytree(made.folder, place.folder)
            with closing(sqlite3.connect(place.home.log)) as db:  # so that no log lies ready to be written over
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            gc.collect()  # the log of an act that failed keeps its removed files, and their space, until it is gone
            ballast = leave(disk, pages)
            try:
                act.do(place)
                through = True
            except TryAgain as error:
                said = f"{error.message} {error.hint}".lower()
                assert error.code == 75 and ("full" in said or "space" in said), said
                ended[where(place, said)] += 1
                if act.repeats:
                    readable(act, place, pages)
            ballast.unlink()
            try:
                act.do(place) if act.repeats else None
                act.after(place)
                if act.then is not None:
                    act.then(place)
            except BaseException:
                sys.stderr.write(f"with {pages} pages\n")
                raise
            pages += 1
    return ended


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=sorted(ACTS))
    logs.sizes()
    with small_disk() as disk:
        ended = sweep(ACTS[parser.parse_args().act], disk)
    sys.stdout.write(" ".join(f"{step}={count}" for step, count in sorted(ended.items())) + "\n")


if __name__ == "__main__":
    main()
