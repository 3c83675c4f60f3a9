"""A desk on the private home, commits and memories in its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest

from kairos.desk.desk import Desk
from kairos.domain.events import CommitChange, CommitRecorded, Memory, MemoryAccepted
from kairos.domain.memory import memory_id
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


@pytest.fixture
def remember(seeded: Any) -> Callable[..., str]:
    """Records a memory of a repository (`of`: another one than `seeded`) and returns its id."""

    def record(subject: str, value: str, kind: str = "co-change", *, support: float = 3.0, of: Any = seeded) -> str:
        memory = Memory(
            id="", repo=of.id, kind=kind, subject=subject, predicate="changes-with", value=value,  # type: ignore[arg-type]
            text=f"{subject} and {value} change together", cites=[of.cause], support=support, trust="git",
        )  # fmt: skip
        memory = msgspec.structs.replace(memory, id=memory_id(memory))
        of.append(MemoryAccepted(memory=memory), "memory")
        return memory.id

    return record
