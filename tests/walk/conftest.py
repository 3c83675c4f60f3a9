"""Kairos and a repository in memory, where fifty kills take a minute, and an oracle that walks the tree by itself."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.action import PatchAction
from kairos.domain.proposal import DONE
from kairos.eventlog.views.inbox import Inbox, InboxView

Row = tuple[str, int | None, int, int | None]
"""(kind, size, mode, mtime_ns) as `kairos files` tells them."""


@pytest.fixture
def memory() -> Iterator[Path]:
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=base, prefix="kairos-walk-") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def quick(memory: Path, kairos: Any, repo: Any) -> Iterator[tuple[Any, Any]]:
    """(Kairos, repository) like the fixtures of these names, in memory."""
    made = type(kairos)(memory)
    made.environment["PYTHONFAULTHANDLER"] = "1"
    made.clock("2026-06-01T12:00:00")
    root = memory / "repo"
    repo.git("clone", "-q", "--no-hardlinks", str(repo.root), str(root))
    yield made, type(repo)(root)
    made.close()


@pytest.fixture
def walked() -> Callable[[Path], dict[str, Row]]:
    """What the watched tree is, by os.walk alone; `*.log` and `build/` are ignored in these repositories."""

    def walk(root: Path) -> dict[str, Row]:
        found: dict[str, Row] = {}
        for folder, dirs, files in os.walk(root):
            dirs[:] = [d for d in dirs if d not in (".git", "build")]
            for name in [*dirs, *(f for f in files if not f.endswith(".log"))]:
                path = Path(folder, name)
                s = path.lstat()
                kind = "dir" if stat.S_ISDIR(s.st_mode) else "symlink" if stat.S_ISLNK(s.st_mode) else "file"
                is_dir = kind == "dir"
                found[str(path.relative_to(root))] = (
                    kind, None if is_dir else s.st_size, stat.S_IMODE(s.st_mode), None if is_dir else s.st_mtime_ns
                )  # fmt: skip
        return found

    return walk


USERS = [f"pkg/use{n}.py" for n in range(6)]


class Day:
    """What a person does in a day, one random thing at a time. Every user of a module is written alike, so that a patch
    over all of them shows at once if only half of it is there. `commits`: every commit since `begin`."""

    def __init__(self, kairos: Any, repo: Any, seed: int) -> None:
        self.kairos, self.repo, self.pick = kairos, repo, random.Random(seed)
        self.commits: list[str] = []
        self.count = self.nights = 0
        self.log = kairos.open_log()

    def begin(self) -> None:
        self.repo.write(".gitignore", "*.log\nbuild/\n")
        self.repo.write("pkg/__init__.py", "")
        self.repo.write("pkg/m0.py", "def total(items):\n    return sum(items)\n")
        for n, path in enumerate(USERS):
            self.repo.write(path, f"from pkg.m0 import total\n\n\ndef use{n}(items):\n    return total(items)\n")
        self.repo.commit("begin")
        self.kairos.run("init", str(self.repo.root), "--yes")

    def inbox(self) -> Inbox:
        return InboxView().load(self.log)[0]

    def quiet(self) -> bool:
        """No action is under way, and only this person says yes: what git now takes is whole."""
        return not any(p.state in ("approved", "executing") for p in self.inbox().proposals.values())

    def modules_used(self) -> set[str]:
        return {(self.repo.root / path).read_text().split(" import")[0] for path in USERS}

    def step(self) -> None:
        loose = [self.write] * 4 + [self.delete, self.rename, self.chmod, self.folder, self.ignored]
        loose += [self.decide] * 5
        if not self.quiet():
            self.pick.choice(loose)()
            return
        used = self.modules_used()
        assert len(used) == 1, f"half a patch: {used}"
        gits = [self.commit, *[self.rename_module] * 3, self.switch, self.merge, self.stash]
        self.pick.choice([*loose, *gits, self.append, self.undo, self.night])()

    def note(self) -> Path:
        return self.repo.root / "notes" / f"n{self.pick.randint(0, 9)}.txt"

    def write(self) -> None:
        self.count += 1
        self.repo.write(f"notes/n{self.pick.randint(0, 9)}.txt", f"{self.count}\n" * self.pick.randint(1, 9))

    def append(self) -> None:
        with (self.repo.root / self.pick.choice(USERS)).open("a") as file:
            file.write("# a word\n")

    def ignored(self) -> None:
        self.repo.write("build/out.bin", "x")
        self.repo.write("some.log", "x")

    def delete(self) -> None:
        self.note().unlink(missing_ok=True)

    def rename(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.note().rename(self.note())

    def chmod(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.note().chmod(self.pick.choice([0o644, 0o755, 0o600]))

    def folder(self) -> None:
        place = self.repo.root / "deep" / self.pick.choice("abc")
        if place.exists():
            shutil.rmtree(place)
        else:
            for n in range(self.pick.randint(1, 9)):
                self.repo.write(f"deep/{place.name}/d{n % 3}/f{n}", str(n))

    def commit(self, message: str = "work") -> None:
        self.commits.append(self.repo.commit(message))

    def rename_module(self) -> None:
        """Once the last renaming was followed up; sometimes that is done by hand."""
        found = next((self.repo.root / "pkg").glob("m*.py"))
        if self.modules_used() != {f"from pkg.{found.stem}"}:
            if self.pick.random() < 0.2:
                for path in USERS:
                    text = (self.repo.root / path).read_text()
                    self.repo.write(path, f"from pkg.{found.stem} import" + text.partition(" import")[2])
            return
        self.count += 1
        self.repo.git("add", "-A")
        self.repo.git("mv", f"pkg/{found.name}", f"pkg/m{self.count}.py")
        self.commit(f"{found.stem} is now m{self.count}")

    def switch(self) -> None:
        self.commit()
        here = self.repo.git("rev-parse", "--abbrev-ref", "HEAD")
        self.count += 1
        self.repo.git("checkout", "-q", "-b", f"side{self.count}")
        self.folder()
        self.commit("aside")
        self.repo.git("checkout", "-q", here)

    def merge(self) -> None:
        sides = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/side*").split()
        if not sides:
            return
        self.commit()
        self.repo.git("merge", "-q", "--no-ff", "-m", "merge", self.pick.choice(sides), check=False)
        self.repo.git("merge", "--abort", check=False)
        head = self.repo.git("rev-parse", "HEAD")
        if head != self.commits[-1]:
            self.commits.append(head)

    def stash(self) -> None:
        self.write()
        self.append()
        self.repo.git("stash", "-q", "-u")
        self.repo.git("stash", "pop", "-q")

    def decide(self) -> None:
        waiting = [p for p in self.inbox().proposals.values() if p.state == "pending"]
        if not waiting:
            return
        patches = [p for p in waiting if isinstance(p.raised.action, PatchAction)]
        chosen = self.pick.choice(patches or waiting)
        if self.pick.random() < 0.15:
            done = self.kairos.call("--json", "reject", chosen.id, "-m", "no")
        else:
            done = self.kairos.call("--json", "approve", chosen.id, "--digest", chosen.raised.digest)
        assert done.returncode in (0, 5, 75), (done.args, done.returncode, done.stderr)

    def undo(self) -> None:
        known = self.inbox().proposals.values()
        for p in known:
            if p.state in DONE and isinstance(p.raised.action, PatchAction):
                done = self.kairos.call("--json", "undo", p.id, "--yes")
                assert done.returncode in (0, 5, 75), (done.args, done.returncode, done.stderr)
                return

    def night(self) -> None:
        """The next day, late enough that dream and compaction are due."""
        if self.nights < 20:
            self.nights += 1
            self.kairos.clock(f"2026-06-{1 + self.nights:02}T09:00:00")


@pytest.fixture
def a_day(quick: tuple[Any, Any]) -> Iterator[Callable[[int], Day]]:
    """A Day by its seed, begun on the repository in memory."""
    made: list[Day] = []

    def begin(seed: int) -> Day:
        made.append(Day(*quick, seed))
        made[-1].begin()
        return made[-1]

    yield begin
    for day in made:
        day.log.close()
