"""The watched tree comes from the log alone."""

from __future__ import annotations

import os
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.files import files
from kairos.domain import events as ev
from kairos.domain.names import name_fields
from kairos.errors import NotFound


def test_only_the_root_of_a_known_repository_has_files(desk: Desk, seeded: Any) -> None:
    (seeded.root / "inner").mkdir()
    for path in (seeded.root.parent, seeded.root / "inner", seeded.root / "none"):
        with pytest.raises(NotFound):
            files(desk, str(path))
    assert list(files(desk, str(seeded.root))) == []
    assert list(files(desk, os.path.relpath(seeded.root))) == []


def test_files_are_what_the_log_told_and_the_disk_is_not_asked(desk: Desk, seeded: Any) -> None:
    strange = os.fsdecode(b"\xff")
    changes = [ev.Change(**name_fields(name), kind="created", size=3, mode=0o644) for name in ("b", "a", strange)]
    seeded.append(ev.FilesChanged(repo=seeded.id, burst="1", part=1, parts=1, changes=changes), seeded.id)
    gone = [ev.Change(path="b", kind="deleted")]
    seeded.append(ev.FilesChanged(repo=seeded.id, burst="2", part=1, parts=1, changes=gone), seeded.id)
    found = list(files(desk, str(seeded.root)))
    assert [(row.get("path"), row.get("path_b64"), row["kind"], row["size"]) for row in found] == [
        ("a", None, "file", 3), (None, "/w==", "file", 3)
    ]  # fmt: skip
