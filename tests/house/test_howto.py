"""What the how-tos print works as it is printed: the detector, and the scripts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_origin

from kairos.desk.schemas import DATA
from kairos.detectors.boundaries import COMMIT
from kairos.detectors.own.answers import read_answers
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


def test_a_reader_comes_from_an_empty_file_to_a_backtest_and_a_promotion(
    root: Path, repo: Any, home: Any, tmp_path: Path
) -> None:
    page = (root / "docs/how-to/detector.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    for n, text in enumerate(["# TODO(2020-01-01) long ago\n", "# TODO(2999-01-01) one day\n", "# done\n"]):
        repo.write("a.py" if n != 1 else "b.py", text)
        repo.commit(f"change {n}")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    said = []
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], env=env, cwd=repo.root, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    written, added, replayed, promoted = said
    assert written == "" and "in shadow" in added and "todo-deadline is on" in promoted
    assert "A TODO in a.py was due on 2020-01-01" in replayed and "2999" not in replayed
    row = next(line for line in replayed.splitlines() if line.split()[:1] == ["todo-deadline"])
    assert row.split()[1:3] == ["(shadow)", "1"] and "100%" in row, "raised once, and done"


def test_a_function_of_a_package_answers_as_the_how_to_says(root: Path) -> None:
    page = (root / "docs/how-to/detector.md").read_text("utf-8")
    source = next(b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def look(commit)" in b)
    module: dict[str, Any] = {}
    exec(compile(source, "detector.md", "exec"), module)  # our own documentation

    class Asked:
        paths = ("a.py", "b.py")

        def text(self, path: str) -> str | None:
            return "# FIXME\n" if path == "a.py" else None

    lines = "\n".join(json.dumps(found) for found in module["look"](Asked()))
    assert [(a.path, a.key) for a in read_answers(lines.encode())] == [("a.py", "fixme")]


def test_the_scripts_of_the_how_to_run_as_they_are_printed(root: Path, seeded: Any, home: Any) -> None:
    page = (root / "docs/how-to/scripts.md").read_text("utf-8")
    (script,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    raised = seeded.raise_(seeded.note())
    seeded.log.close()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env={**os.environ, "PATH": path}, cwd=home.data,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pending, following, approved, count = done.stdout.splitlines()
    assert (pending, following, int(count)) == ("1", "kairos review", 0)
    assert json.loads(approved)["data"]["id"] == raised.id


def test_the_page_on_scripts_names_every_answer_that_is_a_list(root: Path) -> None:
    page = (root / "docs/how-to/scripts.md").read_text("utf-8")
    sentence = page[page.index("a list where") : page.index("`approve`, `reject`")]
    listed = {name.replace(" ", "-") for name in re.findall(r"`([a-z -]+)`", sentence)}
    assert listed == {verb for verb, data in DATA.items() if get_origin(data) is list}
    bare = page[page.index("- `log` (with") : page.index("one bare object a line")]
    assert set(re.findall(r"`([a-z]+)`", bare)) == {"log", "files", "export"}
