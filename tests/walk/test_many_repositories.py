"""A daemon with many repositories on a shared log: few connections to the server, whatever happens at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

MANY = 20
ALLOWED = 12


class Counted:
    """Samples how many connections a program of ours has open; the test's own have no name."""

    def __init__(self, postgres: Any) -> None:
        self._postgres = postgres
        self.samples: list[int] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Counted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        print("connections:", max(self.samples), sorted(set(self.samples)))

    def _sample(self) -> None:
        with self._postgres.admin() as db:
            while not self._end.wait(0.01):
                [(count,)] = db.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kairos'"
                ).fetchall()
                self.samples.append(count)


@pytest.fixture
def shared(kairos: Any, postgres: Any) -> Any:
    """A home whose log is on the server."""
    kairos.environment["KAIROS_LOG"] = postgres.url()
    return kairos


@pytest.fixture
def repos(repo: Any, tmp_path: Path) -> list[Any]:
    """Small repositories, each with a history of its own."""
    found = [repo]
    for n in range(1, MANY):
        root = tmp_path / f"repo{n}"
        root.mkdir()
        made = type(repo)(root)
        made.git("init", "-q", "-b", "main")
        made.write("README.md", f"# {n}\n")
        made.commit("first")
        found.append(made)
    return found


def until_told(postgres: Any, url: str, commits: int) -> None:
    """Waits until so many commits were told live, each once."""
    end = time.monotonic() + 120
    with postgres.admin(url) as db:
        while True:
            [(told,)] = db.execute(
                "SELECT count(*) FROM events WHERE topic = 'CommitRecorded' AND origin <> 'history'"
            ).fetchall()
            if told == commits:
                return
            assert told < commits, "a commit was told twice"
            assert time.monotonic() < end, f"only {told} commits were told"
            time.sleep(0.05)


def commit_at_once(repos: list[Any], name: str) -> None:
    def commit(repo: Any) -> None:
        repo.write(name, "1\n")
        repo.commit(name)

    with ThreadPoolExecutor(len(repos)) as threads:
        list(threads.map(commit, repos))


def test_a_daemon_with_twenty_repositories_has_few_connections_whatever_happens_at_once(
    shared: Any, postgres: Any, repos: list[Any]
) -> None:
    for repo in repos:
        shared.run("init", str(repo.root), "--yes")
    url = shared.environment["KAIROS_LOG"]
    with Counted(postgres) as counted:
        daemon = shared.daemon()
        commit_at_once(repos, "first.txt")
        until_told(postgres, url, MANY)
        with postgres.admin() as db:
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kairos'")
        commit_at_once(repos, "after a cut.txt")
        until_told(postgres, url, 2 * MANY)
        assert daemon.stop() == 0
    assert 2 < max(counted.samples) <= ALLOWED
    assert shared.run("log", "verify")["ok"]
