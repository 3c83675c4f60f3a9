"""A small week of a person beside a daemon, on a generated repository; `python -m benches.week` lives others."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benches.week import Week

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=base, prefix="kairos-week-") as folder:
        yield Path(folder).resolve()


def grow(repo: Any) -> None:
    """A package whose modules import each other, with pages that name them."""
    repo.write("shop/__init__.py", "")
    for n in range(8):
        other = (n + 1) % 8
        repo.write(f"shop/part{n}.py", f"from shop import part{other}\n\n\ndef f{n}():\n    return part{other}\n" * 3)
        repo.write(f"docs/part{n}.md", f"# Part {n}\n\nSee [it](../shop/part{n}.py) and [more](part{other}.md).\n")
        repo.write(f"notes/n{n}.txt", f"note {n}\n" * 9)
    repo.write("README.md", "# Shop\n\n" + "".join(f"- [part {n}](docs/part{n}.md)\n" for n in range(8)))
    repo.commit("shop")


@pytest.mark.timeout(400)
def test_nothing_is_lost_repeated_false_or_unexplained_in_a_week(place: Path, repo: Any) -> None:
    grow(repo)
    week = Week(place, [repo.root], commits=30, seed=7)
    try:
        week.live(lambda _: None)
        lines, wrong = week.report(week.persons[0])
        assert wrong == 0, "\n".join([*lines, *week.footer()])
        assert week.watching.refusals == []
        assert week.watching.starts > 3 and len(week.persons[0].renames) >= 3
    finally:
        week.watching.close()
