"""A desk on the private home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.domain.events import CommitChange, CommitRecorded
from kairos.home import Home


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with closing(Desk()) as opened:
        yield opened


@pytest.fixture
def commit(seeded: Any, repo: Any) -> Callable[..., str]:
    """Edits files, commits them a day after the last time (first on 2023-11-14), and records the commit."""
    made: list[str] = []

    def change(*names: str) -> str:
        for name in names:
            repo.write(name, f"{len(made)}\n" * 9)
        oid = str(repo.commit("c"))
        event = CommitRecorded(
            repo=seeded.id, oid=oid, parents=made[-1:], author="a", at_s=1_700_000_000 + len(made) * 86_400,
            subject="c", changes=[CommitChange(status="M", path=name) for name in names],
        )  # fmt: skip
        seeded.append(event, seeded.id)
        made.append(oid)
        return oid

    return change
