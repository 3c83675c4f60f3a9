"""Being told of appends while a person looks at something else."""

from __future__ import annotations

from threading import Event
from typing import Any

from kairos.desk.listening import told_of_appends


def test_an_append_is_told_while_the_context_lasts_and_not_after_it(desk: Any, seeded: Any) -> None:
    told = Event()
    with told_of_appends(desk, told.set):
        seeded.raise_(seeded.note())
        assert told.wait(20)
    told.clear()
    seeded.raise_(seeded.note(), seed="b")
    assert not told.is_set()
