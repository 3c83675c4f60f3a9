"""Everything that a whole day leaves in the home is its owner's alone, even under umask 0."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_day_leaves_nothing_that_others_can_read(kairos: Any, repo: Any, no_umask: None) -> None:
    repo.write("pay.py", "def total(items):\n    return sum(items)\n")
    repo.write("cart.py", "from pay import total\n\n\ndef checkout(items):\n    return total(items)\n")
    repo.commit("shop")
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    kairos.run("config", "set", "attention.per_day", "9")
    daemon = kairos.daemon()
    repo.git("mv", "pay.py", "billing.py")
    repo.commit("rename")
    kairos.until("ProposalVerified", seconds=10)
    [found] = kairos.run("inbox")
    kairos.run("approve", found["id"], "--digest", found["digest"], "--wait", "20")
    kairos.run("undo", found["id"], "--yes")
    kairos.run("dream")
    assert daemon.stop() == 0
    kairos.run("compact", "--now")
    kairos.run("start")
    kairos.run("stop")

    left = [p for p in (kairos.home, *kairos.home.rglob("*")) if not p.is_symlink()]
    names = {p.relative_to(kairos.home).parts[:2] for p in left if p != kairos.home}
    for wanted in (("log", "log.db"), ("log", "segments"), ("undo", "objects"), ("memory", "MEMORY.md"), ("salt",),
                   ("config.toml",), ("run", "daemon.lock"), ("run", "daemon.log"), ("run", "exec.lock")):  # fmt: skip
        assert wanted in names
    assert [(str(p), oct(p.stat().st_mode)) for p in left if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
