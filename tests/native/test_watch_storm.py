"""The native watcher in storms: whatever happens, hints and looks add up to the tree."""

import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kairos._native import Scanner, Watcher, diff_listings, unpack_listing

DEADLINE = 60.0


class Mirror:
    """The least a caller does: listings kept by hints, as the watcher's documentation says."""

    def __init__(self, root: Path, watcher: Watcher) -> None:
        self.top = bytes(root)
        self.scanner = Scanner(self.top)
        self.watcher = watcher
        self.listings: dict[bytes, bytes] = {}
        self.losses: list[str] = []
        self.rescans = 0
        self.walk(b"")

    def absolute(self, path: bytes) -> bytes:
        return self.top + b"/" + path if path else self.top

    def relative(self, path: bytes) -> bytes | None:
        if path == self.top:
            return b""
        return path[len(self.top) + 1 :] if path.startswith(self.top + b"/") else None

    def forget(self, path: bytes) -> None:
        prefix = path + b"/" if path else b""
        for known in [known for known in self.listings if known == path or known.startswith(prefix)]:
            del self.listings[known]

    def walk(self, path: bytes) -> None:
        self.forget(path)
        self.listings.update(self.scanner.walk(path, watcher=self.watcher)[0])

    def step(self, timeout_ms: int) -> bool:
        dirty, losses = self.watcher.wait(timeout_ms)
        assert dirty == sorted(set(dirty))
        if losses:
            self.losses += losses
            self.rescans += 1
            self.walk(b"")
            return True
        for absolute in dirty:
            path = self.relative(absolute)
            if path is not None and path in self.listings:
                self.look(path)
        return bool(dirty)

    def look(self, path: bytes) -> None:
        old = self.listings[path]
        new = self.scanner.list_dir(path)
        if new is None:
            self.forget(path)
            self.watcher.remove_tree(self.absolute(path))
            return
        self.listings[path] = new
        for name, before, after in diff_listings(old, new):
            child = path + b"/" + name if path else name
            if before is not None and before[0] == "dir":
                self.forget(child)
                if after is None or after[0] != "dir":
                    self.watcher.remove_tree(self.absolute(child))
        children = [path + b"/" + row[0] if path else row[0] for row in unpack_listing(new) if row[1] == "dir"]
        for lost in self.watcher.missing([self.absolute(child) for child in children]):
            anew = self.relative(lost)
            assert anew is not None
            self.walk(anew)
        for child in children:
            if child not in self.listings:
                self.walk(child)

    def settle(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while self.step(50):
            assert time.monotonic() < deadline, "the storm is over, the hints are not"

    def is_true(self) -> None:
        """A fresh look finds what the hints led to, and each directory has its watch under its own name."""
        fresh = dict(Scanner(self.top).walk()[0])
        assert fresh.keys() == self.listings.keys()
        for path, listing in fresh.items():
            assert diff_listings(self.listings[path], listing) == [], path
        assert self.watcher.missing([self.absolute(path) for path in fresh]) == []
        assert self.watcher.watched == len(fresh)


def storm(root: Path, seed: int, until: Callable[[], bool]) -> None:
    """Creates, writes, renames and deletes files and directories below root; whatever fails, fails."""
    chance = random.Random(seed)
    known = [root]
    while not until():
        directory = chance.choice(known)
        other = chance.choice(known)
        name = f"{chance.choice('abcdefgh')}{chance.randint(0, 9)}"
        dice = chance.random()
        try:
            if dice < 0.25:
                (directory / name).mkdir()
                known.append(directory / name)
            elif dice < 0.5:
                (directory / name).write_bytes(b"x" * chance.randint(0, 9))
            elif dice < 0.7:
                (directory / name).rename(other / name)
                known.append(other / name)
            elif dice < 0.76 and directory != root:
                # Away and back again, under the watcher's nose.
                away = root.parent / f"away-{seed}-{name}"
                directory.rename(away)
                (away / name).write_bytes(b"while away")
                away.rename(directory)
            elif dice < 0.82 and directory != root:
                shutil.rmtree(directory)
            elif dice < 0.9:
                (directory / name).unlink()
            elif dice < 0.95:
                (directory / name).chmod(chance.choice([0o700, 0o755]))
            else:
                (directory / name).symlink_to("nowhere")  # never a way out of root
        except OSError:
            known = [path for path in known if path.is_dir() and not path.is_symlink()] or [root]


@pytest.mark.parametrize("seed", range(6))
def test_after_a_storm_the_hints_add_up_to_the_tree(place: Path, watcher: Watcher, seed: int) -> None:
    root = place / "root"
    root.mkdir()
    mirror = Mirror(root, watcher)
    over = threading.Event()
    threads = [threading.Thread(target=storm, args=(root, seed * 10 + n, over.is_set)) for n in range(3)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        mirror.step(20)
    over.set()
    for thread in threads:
        thread.join()
    mirror.settle()
    mirror.is_true()


def test_every_single_change_is_a_hint(place: Path, watcher: Watcher) -> None:
    mirror = Mirror(place, watcher)
    file, directory = place / "file", place / "directory"
    changes: list[Callable[[], object]] = [
        file.touch,
        lambda: file.write_bytes(b"x"),
        lambda: file.chmod(0o600),
        lambda: os.utime(file, ns=(1, 1)),
        lambda: os.truncate(file, 9),
        lambda: file.rename(place / "moved"),
        (place / "moved").unlink,
        lambda: (place / "link").symlink_to("nowhere"),
        directory.mkdir,
        (directory / "inner").touch,
        lambda: directory.chmod(0o700),
        lambda: directory.rename(place / "elsewhere"),
        lambda: (place / "elsewhere/inner").write_bytes(b"after the move"),
        lambda: shutil.rmtree(place / "elsewhere"),
    ]
    for change in changes:
        change()
        assert mirror.step(10_000)
        mirror.settle()
        mirror.is_true()
    assert mirror.losses == []


def test_a_full_queue_is_told_and_the_watches_live_on(place: Path, watcher: Watcher) -> None:
    for number in range(40):
        (place / f"d{number}").mkdir()
    mirror = Mirror(place, watcher)
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    # Equal events in a row are joined by the kernel, so take turns.
    for number in range(queue // 2 + 100):
        path = place / f"d{number % 40}" / f"f{number // 80}"
        path.touch()
        path.unlink()
    dirty, losses = watcher.wait(0)
    assert losses == ["overflow"]
    assert bytes(place / "d7") in dirty
    (place / "d3/late").touch()
    assert mirror.step(10_000)
    mirror.walk(b"")
    mirror.settle()
    mirror.is_true()


def test_a_directory_that_moves_takes_its_watches_along_under_its_new_name(place: Path, watcher: Watcher) -> None:
    (place / "a/b/c").mkdir(parents=True)
    (place / "ab").mkdir()
    mirror = Mirror(place, watcher)
    (place / "a").rename(place / "z")
    mirror.settle()
    mirror.is_true()
    (place / "z/b/c/file").touch()
    assert watcher.wait(10_000) == ([bytes(place / "z/b/c")], [])


def test_a_directory_that_left_is_no_longer_heard_of(place: Path, watcher: Watcher) -> None:
    (place / "root/a/b").mkdir(parents=True)
    mirror = Mirror(place / "root", watcher)
    (place / "root/a").rename(place / "gone")
    mirror.settle()
    mirror.is_true()
    (place / "gone/b/file").touch()
    assert watcher.wait(100) == ([], [])


def test_a_directory_that_left_and_came_back_between_two_waits_is_watched_again(place: Path, watcher: Watcher) -> None:
    (place / "root/a/b").mkdir(parents=True)
    mirror = Mirror(place / "root", watcher)
    (place / "root/a").rename(place / "away")
    (place / "away/b/meanwhile").touch()
    (place / "away").rename(place / "root/a")
    mirror.settle()
    mirror.is_true()
    assert b"meanwhile" in [row[0] for row in unpack_listing(mirror.listings[b"a/b"])]
