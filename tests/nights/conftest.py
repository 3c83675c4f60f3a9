"""A shop whose module gets renamed: the smallest repository that makes Kairos propose something."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path
from typing import Any

import pytest


class Shop:
    """`rename` makes a stale reference; `proposal` waits until it is pending."""

    def __init__(self, kairos: Any, repo: Any) -> None:
        self.kairos = kairos
        self.repo = repo
        repo.write("shop/__init__.py", "")
        repo.write("shop/pay.py", "def total(items):\n    return sum(items)\n")
        repo.write("shop/cart.py", "from shop.pay import total\n\n\ndef checkout(items):\n    return total(items)\n")
        repo.commit("shop")
        kairos.run("init", str(repo.root), "--yes")

    def rename(self) -> None:
        self.repo.git("mv", "shop/pay.py", "shop/billing.py")
        self.repo.commit("rename pay to billing")

    def proposal(self, count: int = 1) -> Any:
        """The newest raised proposal, once `count` of them are verified."""
        self.kairos.until("ProposalVerified", count=count)
        return self.kairos.events("ProposalRaised")[-1].event

    def approve(self, proposal: Any, *, code: int = 0) -> Any:
        return self.kairos.run("approve", proposal.id, "--digest", proposal.digest, "--wait", "20", code=code)

    @property
    def cart(self) -> str:
        return (self.repo.root / "shop/cart.py").read_text()

    def topics(self) -> list[str]:
        return [r.topic for r in self.kairos.events()]


@pytest.fixture
def shop(kairos: Any, repo: Any) -> Shop:
    return Shop(kairos, repo)


@pytest.fixture
def tick() -> Any:
    """Has a daemon look what is due by now; returns when it has, and is at rest again."""

    def now(daemon: Any) -> None:
        daemon.process.send_signal(signal.SIGUSR1)
        before: dict[str, tuple[str, ...]] | None = None
        deadline = time.monotonic() + 60
        while before is None or before != (found := _threads(daemon.process.pid)) or _is_busy(found):
            assert time.monotonic() < deadline, f"it never comes to rest: {before}"
            before = _threads(daemon.process.pid)
            time.sleep(0.03)

    return now


def _threads(pid: int) -> dict[str, tuple[str, ...]]:
    """(state, times it went to sleep, its child processes) of each thread of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
            children = (task / "children").read_text().split()
            found[task.name] = (lines["State"].split()[0], lines["voluntary_ctxt_switches"].strip(), *children)
    return found


def _is_busy(threads: dict[str, tuple[str, ...]]) -> bool:
    """Whether one of them runs, or waits for a child. A signal makes its thread run at once."""
    return any(state != "S" or children for state, _, *children in threads.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "nights" in str(item.path):
            item.add_marker(pytest.mark.slow)
