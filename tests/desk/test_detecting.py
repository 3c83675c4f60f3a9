"""A person's own detectors: declared, shown with their state, promoted and taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.desk import detecting, doctoring, learning
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox
from kairos.desk.status import status, unheard
from kairos.domain import events as ev
from kairos.errors import NotFound, UsageError


def shown(name: str) -> Any:
    return next(d for d in learning.detectors(Desk()) if d.detector == name)


def test_a_detector_is_declared_promoted_and_taken_away(desk: Desk, seeded: Any, tmp_path: Path) -> None:
    script = tmp_path / "todo.py"
    script.write_text("")
    done = detecting.add(desk, "todo", ["python3", str(script), "{question}"], seconds=2, read_roots=[str(tmp_path)])
    assert done.command[1] == str(script) and done.read_roots == [str(tmp_path)]
    one = shown("todo")
    assert (one.state, one.own, one.command) == ("shadow", True, done.command)
    assert detecting.switch(Desk(), "todo", "on").state == "on" and shown("todo").state == "on"
    assert detecting.remove(Desk(), "todo").state == "removed"
    with pytest.raises(NotFound):
        detecting.remove(Desk(), "todo")
    with pytest.raises(UsageError):
        detecting.switch(Desk(), "todo", "on")


def test_cards_that_wait_are_counted_when_their_detector_falls_silent(desk: Desk, seeded: Any) -> None:
    seeded.raise_(seeded.note(), title="Something")
    name = next(iter(inbox(desk).live())).raised.detector
    assert [detecting.switch(desk, name, state).waiting for state in ("shadow", "off", "on")] == [1, 1, 0]


@pytest.mark.parametrize("name", ["secret", "check", "review-change", "To Do", "x", "../x", ""])
def test_a_name_that_is_taken_or_none_is_refused(desk: Desk, seeded: Any, name: str) -> None:
    with pytest.raises(UsageError):
        detecting.add(desk, name, ["true"])


@pytest.mark.parametrize("command", [[], [""], ["a\0b"], ["curl", "-H", "AWS=AKIAQ3EGRT5HZX7WLMNP"]])
def test_a_command_that_cannot_be_kept_is_refused(desk: Desk, seeded: Any, command: list[str]) -> None:
    with pytest.raises(UsageError):
        detecting.add(desk, "todo", command)


def test_a_folder_to_read_that_cannot_be_kept_is_refused(desk: Desk, seeded: Any) -> None:
    with pytest.raises(UsageError):
        detecting.add(desk, "todo", ["true"], read_roots=["/srv/AKIAQ3EGRT5HZX7WLMNP"])


def test_a_relative_file_is_kept_by_its_whole_path(
    desk: Desk, seeded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "todo.py").write_text("")
    assert detecting.add(desk, "todo", ["./todo.py", "a/b", "word"]).command == [
        str(tmp_path / "todo.py"),
        "a/b",
        "word",
    ]


def test_its_score_suggests_it_once_it_has_passed(desk: Desk, seeded: Any) -> None:
    detecting.add(desk, "todo", ["true"])
    for number in range(9):
        if number == 7:
            assert not shown("todo").suggestion and not status(Desk()).suggested
        seeded.append(
            ev.HindsightJudged(repo=seeded.id, detector="todo", subject=f"todo:{number}", of=1, label="done"), seeded.id
        )
    assert "kairos detectors promote todo" in shown("todo").suggestion
    assert [line for line in unheard(status(Desk())) if "promote todo" in line]
    detecting.switch(Desk(), "todo", "on")
    assert not status(Desk()).suggested and not shown("todo").suggestion
    detecting.add(Desk(), "todo", ["another"])
    assert shown("todo").learned.yes == 0, "another command is another detector"


def test_a_failing_one_is_named_by_the_doctor(desk: Desk, seeded: Any) -> None:
    detecting.add(desk, "todo", ["true"])
    assert doctoring.detectors(Desk(), False).state == "ok"
    seeded.append(ev.DetectorFailed(detector="todo", repo=seeded.id, why="it ended with 7"))
    found = doctoring.detectors(Desk(), False)
    assert found.state == "warning" and "todo: it ended with 7" in found.what
    assert shown("todo").failing == "it ended with 7"
