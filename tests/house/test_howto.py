"""The detector of the how-to works as it is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kairos.detectors.boundaries import COMMIT
from kairos.detectors.scene import scene_of
from kairos.domain import events as ev
from kairos.domain.events import CommitChange, name_fields
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.objects import Objects

LONG_AFTER_US = 2**51


def test_the_detector_of_the_how_to_finds_what_it_says_and_nothing_else(root: Path, repo: Any) -> None:
    page = (root / "docs/how-to/detector.md").read_text("utf-8")
    source = next(b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "class TodoDeadline" in b)
    module: dict[str, Any] = {"__name__": "todo_deadline"}
    exec(compile(source, "detector.md", "exec"), module)  # our own documentation
    repo.write("over.py", "# TODO(2020-01-01) long ago\n")
    repo.write("later.py", "# TODO(2999-01-01) one day\n# TODO: undated\n")
    repo.commit("todos")
    git = Git(repo.root)
    (commit,) = Objects(git).latest(1)
    changes = [CommitChange(status=status, **name_fields(path)) for path, status, _ in commit.files]
    event = ev.CommitRecorded(
        repo="r", oid=commit.oid, parents=list(commit.parents), author="", at_s=0, subject="", changes=changes
    )
    trigger = [Recorded(1, "r", 1, "CommitRecorded", 1, 0, None, 1, "live", event)]
    known = Repository(id="r", root=str(repo.root), dev=0, ino=0, trusted_at=1)
    found = list(module["TodoDeadline"]().look(scene_of(known, git, trigger, COMMIT, LONG_AFTER_US, salt=b"s")))
    assert [f.title for f in found] == ["A TODO in over.py was due on 2020-01-01"]
