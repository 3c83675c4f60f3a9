"""Being told of appends while a person looks at something else."""

from __future__ import annotations

import threading
from typing import Any

from kairos.desk.listening import told_of_appends


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_an_append_is_told_while_the_context_lasts_and_not_after_it(desk: Any, seeded: Any) -> None:
    told = threading.Event()
    with told_of_appends(desk, told.set):
        seeded.raise_(seeded.note())
        assert told.wait(20)
        assert "appends" in names_of_threads()
    assert "appends" not in names_of_threads()
