"""A directory to watch, a watcher, and what a scanner lists."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kairos._native import Scanner, Watcher, unpack_listing


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, where storms are fastest."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="kairos-watch-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


def _seen(scanner: Scanner) -> dict[bytes, str]:
    listings, _, unreadable = scanner.walk()
    assert unreadable == []
    directories = [directory for directory, _ in listings]
    assert directories == sorted(set(directories))
    found: dict[bytes, str] = {}
    for directory, listing in listings:
        assert scanner.list_dir(directory) == listing
        rows = unpack_listing(listing)
        assert [row[0] for row in rows] == sorted({row[0] for row in rows})
        found |= {(directory + b"/" if directory else b"") + row[0]: row[1] for row in rows}
    assert {path for path, kind in found.items() if kind == "dir"} == set(directories) - {b""}
    return found


@pytest.fixture(scope="session")
def seen() -> Callable[[Scanner], dict[bytes, str]]:
    """Path → type of everything a walk lists; checks on the way that walk and list_dir agree."""
    return _seen
