"""What forgetting finds and removes in the home, and what is a person's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.acting import preimages
from kairos.acting.scratch_home import _PREFIX
from kairos.desk import deciding
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox
from kairos.desk.traces import clean, remaining
from kairos.durable import locked
from kairos.errors import TryAgain
from kairos.eventlog.cold.mentions import betraying, needles
from kairos.home import Home
from kairos.repo.git import Git

TOLD = needles(["owl.txt"])


def keep(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_memory_files_that_name_it_go_with_the_index_and_the_others_stay(desk: Desk, home: Home, seeded: Any) -> None:
    gone = [
        keep(home.memory / "repo" / "a.md", "See owl.txt first."),
        keep(home.memory / "mine" / "c.md", "mine: `owl.txt`"),
        keep(home.memory / "MEMORY.md", "- repo/a.md"),
    ]
    stays = keep(home.memory / "repo" / "b.md", "See more/owl.txt.")
    clean(home, desk.log, TOLD)
    assert not any(path.exists() for path in gone) and stays.exists()
    assert not (home.memory / "mine").exists(), "a folder that is empty now"
    clean(home, desk.log, TOLD)
    assert stays.exists()


def test_the_index_stays_where_no_memory_file_goes(desk: Desk, home: Home, seeded: Any) -> None:
    index = keep(home.memory / "MEMORY.md", "- repo/a.md")
    clean(home, desk.log, TOLD)
    assert index.exists()


def test_status_scratch_trees_and_unfinished_files_go_and_what_a_person_wrote_is_told(
    desk: Desk, home: Home, seeded: Any
) -> None:
    passing = [keep(home.status_file, '{"why": "owl.txt"}'), keep(home.data / "export.new", "owl.txt")]
    mine = [keep(home.config_file, "# owl.txt\n"), keep(home.data / "export.jsonl", "owl.txt")]
    tree = keep(home.scratch / f"{_PREFIX}1" / "x", "anything")
    clean(home, desk.log, TOLD)
    assert not any(path.exists() for path in passing) and not tree.exists()
    assert all(path.exists() for path in mine)
    assert remaining(home, betraying(TOLD)) == sorted(mine)


def test_undo_contents_that_no_event_names_go(desk: Desk, home: Home, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    deciding.approve(desk, inbox(desk).proposals[raised.id], raised.digest)
    stray = preimages.keep(home, "stray", [b"nobody names it"], [])
    refs = Git(home.undo).text("for-each-ref", "--format=%(refname)").split()
    clean(home, desk.log, TOLD)
    assert stray in refs and Git(home.undo).text("for-each-ref", "--format=%(refname)").split() == [
        ref for ref in refs if ref != stray
    ]
    clean(home, desk.log, [b"# Demo"])
    assert not home.undo.exists(), "the file as it was before names it"


def test_nothing_is_touched_without_something_to_look_for(desk: Desk, home: Home, seeded: Any) -> None:
    tree = keep(home.scratch / f"{_PREFIX}1" / "x", "anything")
    clean(home, desk.log, [])
    assert tree.exists()


def test_a_dream_that_runs_is_waited_for(desk: Desk, home: Home, seeded: Any) -> None:
    told = keep(home.memory / "repo" / "a.md", "owl.txt")
    with locked(home.dream_lock, lambda: AssertionError()), pytest.raises(TryAgain, match="dream"):
        clean(home, desk.log, TOLD)
    assert told.exists(), "nothing is done by half"
    clean(home, desk.log, TOLD)
    assert not told.exists()
