"""Random days on a real repository: after each the log equals the tree, whatever was lost in between."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged
from kairos.eventlog.views.watched_tree import fold_tree

NAMES = ["a", "b", "c.txt", "d.log", "sub", "deep", "x.tmp", "é", "with space"]


@pytest.fixture
def shm() -> Iterator[Path]:
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=base, prefix="kairos-storm-") as folder:
        yield Path(folder).resolve()


class Storm:
    """Does one random thing to a repository at a time."""

    def __init__(self, repo: Any, other: Any, seed: int) -> None:
        self.repo, self.other, self.pick = repo, other, random.Random(seed)
        self.counter = 0

    def path(self) -> Path:
        return self.repo.root.joinpath(*self.pick.choices(NAMES, k=self.pick.randint(1, 3)))

    def existing(self) -> Path | None:
        found = [p for p in self.repo.root.rglob("*") if ".git" not in p.relative_to(self.repo.root).parts]
        return self.pick.choice(sorted(found)) if found else None

    def write(self) -> None:
        path = self.path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * self.pick.randint(0, 50))
        except OSError:
            return  # a file stands where a directory would be, or the other way round

    def mkdir(self) -> None:
        try:
            self.path().mkdir(parents=True, exist_ok=True)
        except OSError:
            return

    def symlink(self) -> None:
        path = self.path()
        if path.parent.is_dir() and not os.path.lexists(path):
            path.symlink_to(self.pick.choice(["..", "nowhere", "a", "/"]))

    def chmod(self) -> None:
        path = self.existing()
        if path is not None and not path.is_symlink():
            path.chmod(self.pick.choice([0o755, 0o700]) if path.is_dir() else self.pick.choice([0o644, 0o755, 0o600]))

    def rename(self) -> None:
        source, target = self.existing(), self.path()
        if source is not None and target.parent.is_dir():
            try:
                source.rename(target)
            except OSError:
                return

    def delete(self) -> None:
        path = self.existing()
        if path is None:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def ignore(self) -> None:
        folder = self.pick.choice([self.repo.root, self.repo.root / "sub"])
        folder.mkdir(exist_ok=True) if not os.path.lexists(folder) else None
        if folder.is_dir() and not folder.is_symlink():
            rules = self.pick.sample(["*.log", "*.tmp", "sub/", "deep", "!d.log", "/a", "c.*"], k=2)
            target = folder / ".gitignore"
            if not target.is_dir():
                target.write_text("\n".join(rules) + "\n")

    def exclude(self) -> None:
        exclude = self.repo.root / ".git/info/exclude"
        exclude.parent.mkdir(exist_ok=True)
        exclude.write_text(self.pick.choice(["", "*.txt\n", "b\n"]))

    def git(self, *args: str) -> None:
        self.repo.git(*args, check=False)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "storm")

    def force_add(self) -> None:
        path = self.existing()
        if path is not None:
            self.git("add", "-f", str(path.relative_to(self.repo.root)))

    def untrack(self) -> None:
        self.git("rm", "-r", "-q", "--cached", "--ignore-unmatch", self.pick.choice(NAMES))

    def branch(self) -> None:
        self.counter += 1
        self.git("checkout", "-q", "-b", f"b{self.counter}")

    def switch(self) -> None:
        names = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        self.git("checkout", "-q", "-f", self.pick.choice(names))

    def tag(self) -> None:
        self.counter += 1
        self.git("tag", f"t{self.counter}")

    def stash(self) -> None:
        self.git("stash", *self.pick.choice([["-q"], ["-u", "-q"], ["pop", "-q"]]))

    def merge(self) -> None:
        names = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        self.git("merge", "-q", "-m", "m", self.pick.choice(names))
        if self.pick.random() < 0.7:
            self.git("merge", "--abort")

    def rebase(self) -> None:
        names = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        self.git("rebase", "-q", self.pick.choice(names))
        if self.pick.random() < 0.8:
            self.git("rebase", "--abort")

    def reset(self) -> None:
        self.git("reset", "-q", self.pick.choice(["--hard", "--mixed", "--soft"]), self.pick.choice(["HEAD", "HEAD~1"]))

    def fetch(self) -> None:
        self.other.write(f"other{self.counter}", "o")
        self.other.commit()
        self.git("fetch", "-q", str(self.other.root), "main:refs/remotes/o/main")

    def clean(self) -> None:
        self.git("clean", "-q", "-f", "-d", *self.pick.choice([[], ["-x"]]))

    def any(self) -> Callable[[], None]:
        often = [self.write] * 5 + [self.rename] * 3 + [self.delete] * 2 + [self.mkdir, self.chmod, self.symlink]
        rules = [self.ignore, self.exclude, self.force_add, self.untrack]
        gits = [self.commit, self.commit, self.branch, self.switch, self.tag, self.stash, self.merge, self.rebase]
        return self.pick.choice(often + rules + gits + [self.reset, self.fetch, self.clean])


def check_each_change_is_news(watch: Any) -> None:
    """No change is told that the log had told already: nothing twice."""
    known: set[bytes] = set()
    for recorded in watch.log.read(topics={"FilesChanged"}):
        event = recorded.event
        assert isinstance(event, FilesChanged)
        for change in event.changes:
            path = os.fsencode(change.fs)
            if change.kind == "created":
                assert path not in known, (recorded.position, path)
            elif change.kind == "moved":
                assert path not in known and change.was is not None
                known.discard(os.fsencode(change.was.fs))
            else:
                assert path in known, (recorded.position, change)
            known.add(path)
            if change.kind == "deleted":
                known.discard(path)
    assert known == set(fold_tree(watch.log, watch.id))


@pytest.mark.parametrize("seed", range(int(os.environ.get("KAIROS_STORMS", "4"))))
def test_after_any_day_the_log_equals_the_tree(seed: int, shm: Path, watch_at: Any, repo: Any) -> None:
    stormy = type(repo)(shm / "repo")
    repo.git("clone", "-q", "--no-hardlinks", str(repo.root), str(stormy.root))
    storm = Storm(stormy, repo, seed)
    for _ in range(15):
        storm.any()()
    watch = watch_at(stormy.root)
    watch.baseline(history=0)
    watch.check()
    watch.start()
    dice = random.Random(seed)
    for _ in range(30):
        for _ in range(dice.choice([1, 1, 2, 5])):
            storm.any()()
            if dice.random() < 0.3:
                watch.sensor.step(0.0)
        if dice.random() < 0.15:
            storm.any()()  # nobody is watching: the sensor is dropped as by kill -9
            watch.start()
        watch.settle()
        watch.check()
    assert watch.start() == []
    check_each_change_is_news(watch)


def test_a_flood_of_files_is_told_whole(shm: Path, watch_at: Any, repo: Any) -> None:
    stormy = type(repo)(shm / "repo")
    repo.git("clone", "-q", str(repo.root), str(stormy.root))
    watch = watch_at(stormy.root)
    watch.baseline()
    watch.start()

    def flood() -> None:
        for n in range(4_000):
            stormy.write(f"d{n % 50}/e{n % 3}/f{n}", "x")
            if n % 400 == 0:
                watch.sensor.step(0.0)
        for n in range(0, 4_000, 2):
            (stormy.root / f"d{n % 50}/e{n % 3}/f{n}").unlink()
        shutil.rmtree(stormy.root / "d7")
        (stormy.root / "d8").rename(stormy.root / "d7")

    told = watch.told(flood)
    watch.check()
    check_each_change_is_news(watch)
    assert all(len(r.event.changes) <= 1_000 for r in told if r.topic == "FilesChanged")


def while_stepping(watch: Any, act: Callable[[], None]) -> list[Any]:
    """What is told of an act that runs beside the sensor."""
    before = watch.log.head()
    thread = threading.Thread(target=act)
    thread.start()
    while thread.is_alive():
        watch.sensor.step(0.005)
    thread.join()
    watch.settle()
    found: list[Any] = watch.since(before)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_a_storm_beside_the_sensor_is_told_whole(seed: int, shm: Path, watch_at: Any, repo: Any) -> None:
    stormy = type(repo)(shm / "repo")
    repo.git("clone", "-q", "--no-hardlinks", str(repo.root), str(stormy.root))
    storm = Storm(stormy, repo, 1_000 + seed)
    watch = watch_at(stormy.root)
    watch.baseline(history=0)
    watch.start()

    def act() -> None:
        for _ in range(150):
            storm.any()()

    while_stepping(watch, act)
    watch.check()
    check_each_change_is_news(watch)
    assert watch.start() == []


def test_a_checkout_beside_the_sensor_is_one_burst_that_git_caused(shm: Path, watch_at: Any, repo: Any) -> None:
    stormy = type(repo)(shm / "repo")
    repo.git("clone", "-q", "--no-hardlinks", str(repo.root), str(stormy.root))
    stormy.git("checkout", "-q", "-b", "big")
    for n in range(5_000):
        stormy.write(f"d{n % 40}/f{n}", str(n))
    stormy.commit("big")
    watch = watch_at(stormy.root)
    watch.baseline()
    watch.start()
    for branch in ("main", "big"):
        told = while_stepping(watch, lambda branch=branch: stormy.git("checkout", "-q", branch))  # type: ignore[misc]
        assert [r.topic for r in told] == ["GitMoved"] + ["FilesChanged"] * 6
        assert {r.event.cause for r in told[1:]} == {"git"} and len({r.event.burst for r in told[1:]}) == 1
        assert {r.caused_by for r in told[1:]} == {told[0].position}
        watch.check()
