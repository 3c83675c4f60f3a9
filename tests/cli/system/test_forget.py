"""`forget`, `log export`, `log import` and `replay --at` at the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kairos.domain import events as ev


def observed(seeded: Any, *paths: str) -> int:
    changes = [ev.Change(path=path, kind="created") for path in paths]
    position: int = seeded.append(
        ev.FilesChanged(repo=seeded.id, burst="b", part=1, parts=1, changes=changes), seeded.id
    )
    return position


def data(said: Any) -> Any:
    assert said.code == 0, said.err
    return json.loads(said.out)["data"]


def test_a_path_is_forgotten_and_the_log_still_verifies(kairos: Any, seeded: Any) -> None:
    observed(seeded, "a.py", "owl.txt")
    done = data(kairos("forget", "--path", "owl.*", "-m", "private", "--yes", "--json"))
    assert len(done["positions"]) == 1
    assert data(kairos("log", "verify", "--json"))["ok"]
    assert "owl.txt" not in kairos("log", "--json").out
    assert "a.py" in kairos("log", "--json").out, "the other path of the same burst is told again"
    assert kairos("forget", "--path", "owl.*", "-m", "again", "--yes").code == 4


def test_what_to_forget_is_said_one_way_and_never_of_a_watched_repository(kairos: Any, seeded: Any) -> None:
    assert kairos("forget", "-m", "x", "--yes").code == 2
    assert kairos("forget", "--path", "a", "--position", "1", "-m", "x", "--yes").code == 2
    assert kairos("forget", "--repo", str(seeded.root), "-m", "x", "--yes").code == 6
    assert kairos("forget", "--position", "1", "-m", "x", "--no-input").code == 2


def test_a_log_moves_to_another_home(kairos: Any, seeded: Any, tmp_path: Path) -> None:
    file, home = tmp_path / "log.ndjson", tmp_path / "elsewhere"
    sent = data(kairos("log", "export", str(file), "--json"))
    assert data(kairos("--home", str(home), "log", "import", str(file), "--json")) == sent
    assert kairos("--home", str(home), "log", "--json").out == kairos("log", "--json").out
    assert kairos("--home", str(home), "log", "import", str(file)).code == 2


def test_the_past_is_shown_as_it_was(kairos: Any, seeded: Any) -> None:
    now = data(kairos("replay", "--at", "5", "--json"))
    assert now["position"] == 5
    then = data(kairos("replay", "--at", "1", "--json"))
    assert (then["position"], then["pending"], then["memories"]) == (1, [], {})
    assert data(kairos("replay", "--at", "2000-01-01", "--json"))["position"] == 0
    assert kairos("replay", "--at", "99").code == 4
    assert kairos("replay", "--at", "1", "--verify").code == 2
