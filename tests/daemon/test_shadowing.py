"""A detector in shadow looks and is never told; what people did then is its score, and a person's word promotes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kairos.domain import events as ev
from kairos.domain.hindsight import HORIZON
from kairos.domain.learning.learned import judged
from kairos.eventlog.record import NewEvent
from tests.daemon.kept import Kept

PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin") or "python3"
SCRIPT = """
import json, sys
for path in json.load(open(sys.argv[1]))["paths"]:
    for number, line in enumerate(open(path), 1):
        if line.startswith("TODO"):
            print(json.dumps({"path": path, "line": number, "key": line.strip(), "title": line.strip()}))
"""


@pytest.fixture
def todo(kept: Kept, tmp_path: Path) -> Kept:
    """A repository with a detector of a person's own."""
    script = tmp_path / "todo.py"
    script.write_text(SCRIPT)
    say(kept, ev.DetectorAdded(detector="todo", command=[PYTHON, str(script), "{question}"], seconds=30))
    return kept


def say(kept: Kept, event: ev.Event) -> None:
    kept.log.append([NewEvent("control", event, None, "user")])
    kept.world.catch_up()


def commit(kept: Kept, path: str, text: str) -> None:
    kept.repo.write(path, text)
    kept.commit()


def labels(kept: Kept) -> list[str]:
    return [r.event.label for r in kept.log.read(topics={"HindsightJudged"})]  # type: ignore[union-attr]


def held(kept: Kept) -> list[ev.AttentionHeld]:
    found = (r.event for r in kept.log.read(topics={"AttentionHeld"}))
    return [e for e in found if isinstance(e, ev.AttentionHeld) and e.rule == "shadow@1"]


def test_what_it_finds_is_recorded_once_and_never_raised(todo: Kept) -> None:
    commit(todo, "docs/a.txt", "TODO one\n")
    commit(todo, "docs/a.txt", "TODO one\nmore\n")
    (one,) = held(todo)
    assert one.shadow is not None and one.shadow.paths == ["docs/a.txt"] and one.detector == "todo"
    assert "TODO one: todo is in shadow" in one.why and todo.all() == [] and todo.told() == 0


def test_what_people_did_is_its_score(todo: Kept) -> None:
    commit(todo, "docs/a.txt", "TODO one\n")
    commit(todo, "docs/a.txt", "TODO one\nstill there\n")
    assert labels(todo) == []
    commit(todo, "docs/a.txt", "done\n")
    assert labels(todo) == ["done"]
    commit(todo, "docs/b.txt", "TODO two\n")
    for number in range(HORIZON):
        commit(todo, "other.txt", f"{number}\n")
    assert labels(todo) == ["done", "left"]
    with todo.world.reading() as views:
        found = judged(views.inbox.learned, "todo", todo.id, "docs")
        assert (found.tally.yes, found.tally.no) == (1, 1) and not views.shadows.open


def test_a_person_s_word_promotes_it_from_then_on(todo: Kept) -> None:
    commit(todo, "docs/a.txt", "TODO one\n")
    say(todo, ev.DetectorSwitched(detector="todo", state="on"))
    commit(todo, "docs/b.txt", "TODO two\n")
    assert [p.raised.title for p in todo.all()] == ["TODO two"] and todo.told() == 1
    assert todo.one().raised.detector == "todo" and todo.one().raised.risk == "low"
    commit(todo, "docs/b.txt", "done\n")
    assert todo.one().state == "superseded" and todo.one().done, "it is looked at again, as any finding"
    say(todo, ev.DetectorRemoved(detector="todo"))
    commit(todo, "docs/c.txt", "TODO three\n")
    assert len(todo.all()) == 1


def test_a_detector_of_this_program_can_be_tried_in_shadow(kept: Kept) -> None:
    say(kept, ev.DetectorSwitched(detector="unparsable", state="shadow"))
    commit(kept, "config.json", '{"a": 1}\n')
    commit(kept, "config.json", '{"a": \n')
    assert [e.detector for e in held(kept)] == ["unparsable"] and kept.all() == []
    commit(kept, "config.json", '{"a": 2}\n')
    assert labels(kept) == ["done"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["sh", "-c", "exit 7"], "it ended with 7"),
        (["sh", "-c", "echo nonsense"], "line 1 of its answer is no finding"),
        (["/nowhere"], "it ended with 127"),
        (["sleep", "60"], "limit wall"),
    ],
)
def test_one_that_fails_is_said_and_ends_no_turn(kept: Kept, command: list[str], why: str) -> None:
    say(kept, ev.DetectorAdded(detector="bad", command=command, seconds=1))
    kept.repo.git("mv", "src/pay.py", "src/bill.py")
    kept.commit()
    kept.world.catch_up()
    assert kept.one().raised.detector == "stale-reference"
    with kept.world.reading() as views:
        assert why in views.roster.failing["bad"].why
    ended = [r.event for r in kept.log.read(topics={"TurnEnded"})][-1]
    assert "bad: " in ended.why and ended.outcome == "proposed"  # type: ignore[union-attr]
    say(kept, ev.DetectorAdded(detector="bad", command=["true"]))
    commit(kept, "other.txt", "1\n")
    with kept.world.reading() as views:
        assert not views.roster.failing


def test_a_patch_of_it_passes_the_same_gates(todo: Kept, tmp_path: Path) -> None:
    script = tmp_path / "fix.py"
    script.write_text(
        "import json, sys\n"
        "for p in json.load(open(sys.argv[1]))['paths']:\n"
        "    if 'teh' in open(p).read():\n"
        "        edits = [{'path': p, 'old': 'teh', 'new': 'the'}]\n"
        "        print(json.dumps({'path': p, 'title': 'a typo', 'edits': edits}))\n"
    )
    say(todo, ev.DetectorAdded(detector="typo", command=[PYTHON, str(script), "{question}"], seconds=30))
    say(todo, ev.DetectorSwitched(detector="typo", state="on"))
    commit(todo, "docs/a.txt", "teh end\n")
    proposal = todo.one()
    assert proposal.state == "pending" and proposal.verified is not None and proposal.verified.ok
    assert proposal.raised.action.edits[0].fs == "docs/a.txt"  # type: ignore[union-attr]


def test_a_restart_judges_what_was_left_open(todo: Kept) -> None:
    commit(todo, "docs/a.txt", "TODO one\n")
    todo.restart()
    commit(todo, "docs/a.txt", "done\n")
    todo.restart()
    assert labels(todo) == ["done"]
