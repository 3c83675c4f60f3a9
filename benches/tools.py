"""The reading tools beside ripgrep, fd and git, on a tree of 16 000 and one of 78 000 files.

Everything is timed in turns, as a caller has it: the peer as a process whose output is read, ours as a call in this
process on a tree that was looked at before. Both look at hidden files and leave out what git ignores. The tree is a
clone of the repository that is named, and five copies of it in one repository.

    python -m benches.tools GIT_DIRECTORY     (libgit2 has 15 606 files)
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benches.table import Row, show
from kairos.agent.repository_files import PRIVATE, PUBLIC, Files
from kairos.agent.tools.reading import Tools
from kairos.repo.git import Git
from kairos.repo.tree_search import LineQuestion, TreeSearch

REPEATS = 9
RARE, NONE, COMMON = r"git_merge_file_\w+\(", r"no_such_name_\w+_anywhere", r"\bint\b"
READ_GOAL_MS = 5.0
QUIET = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-c", "gc.auto=0")


def grown(git_directory: Path, root: Path, copies: int) -> None:
    """A repository with so many copies of the files of another."""
    root.mkdir()
    subprocess.run([*QUIET, "init", "-q", str(root)], check=True)
    for number in range(copies):
        place = root if copies == 1 else root / f"copy{number}"
        place.mkdir(exist_ok=True)
        archive = subprocess.Popen(["git", "--git-dir", str(git_directory), "archive", "HEAD"], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", str(place)], stdin=archive.stdout, check=True)
        archive.wait()
    subprocess.run([*QUIET, "-C", str(root), "add", "-A", "-f"], check=True)
    subprocess.run([*QUIET, "-C", str(root), "commit", "-q", "-m", "files"], check=True)


def said(command: str, root: Path) -> Callable[[], int]:
    """Runs a peer in a shell and counts the lines that it says."""
    return lambda: subprocess.run(command, shell=True, cwd=root, capture_output=True).stdout.count(b"\n")


def compare(what: str, peer: Callable[[], int], ours: Callable[[], int]) -> Row:
    """(what, unit, peer, ours, peer ÷ ours), medians in turns; at least 0.83 (within 1.2 ×) is the goal."""
    times: tuple[list[float], list[float]] = ([], [])
    found = (peer(), ours())
    assert found[0] == found[1], (what, found)
    for _ in range(REPEATS):
        for side, run in enumerate((peer, ours)):
            begun = time.perf_counter()
            run()
            times[side].append((time.perf_counter() - begun) * 1e3)
    one, other = map(statistics.median, times)
    return what, "ms", one, other, one / other


def rows_of(root: Path) -> Iterator[Row]:
    search = TreeSearch(Git(root), PRIVATE, PUBLIC)
    files = search.paths("*", 0, 1, 60).files
    size = f"{files:,} files".replace(",", " ")
    rg = "rg --no-config --hidden --glob '!.git' --line-number --no-heading"
    hidden = " ".join(f"--glob '!{name}'" for name in ("*.pem", "*.key", "id_rsa*", ".gitconfig.env"))

    def lines(pattern: str, limit: int = 1_000_000) -> Callable[[], int]:
        def run() -> int:
            page = search.lines(LineQuestion(pattern, limit=limit), 60)
            assert not page.late
            return sum(file.hits for file in page.found)

        return run

    yield compare(f"grep with hits, {size}", said(f"{rg} {hidden} '{RARE}'", root), lines(RARE))
    yield compare(f"grep without hits, {size}", said(f"{rg} {hidden} '{NONE}'", root), lines(NONE))
    yield compare(
        f"the first 100 hits, {size}", said(f"{rg} {hidden} '{COMMON}' | head -n 100", root), lines(COMMON, 100)
    )
    fd = "fdfind --hidden --exclude .git --type f --glob"
    yield compare(
        f"glob beside fd, {size}", said(f"{fd} '*.c'", root), lambda: len(search.paths("*.c", 0, 100_000, 60).paths)
    )
    yield compare(
        f"glob beside git ls-files, {size}", said("git ls-files -- '*.c'", root),
        lambda: len(search.tracked("*.c", 0, 100_000).paths),
    )  # fmt: skip


def read_row(root: Path) -> Row:
    """200 lines out of the middle of 500 KB; the goal stands in the place of a peer."""
    line = "static int read_one(struct source *from, size_t at); /* as the others */\n"
    (root / "large.c").write_text(line * (500_000 // len(line)))
    tools = Tools(Files(Git(root)))
    times = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        out = tools.run("read_file", {"path": "large.c", "start": 3_000, "lines": 200})
        times.append((time.perf_counter() - begun) * 1e3)
        assert "lines 3000-3199" in out
    (root / "large.c").unlink()
    ours = statistics.median(times[1:])
    return "read 200 lines out of 500 KB, beside the goal", "ms", READ_GOAL_MS, ours, READ_GOAL_MS / ours


def rows(git_directory: Path) -> Iterator[Row]:
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="kairos-tools-", dir=memory if memory.is_dir() else None))
    try:
        for copies in (1, 5):
            root = place / f"tree{copies}"
            grown(git_directory, root, copies)
            yield from rows_of(root)
            if copies == 5:
                yield read_row(root)
            shutil.rmtree(root)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    show(rows(Path(sys.argv[1])))
