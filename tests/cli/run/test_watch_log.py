"""`kairos watch-log`: named by a person, listed, tried on a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_log_from_its_backtest_to_its_end(kairos: Any, repo: Any, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(f"INFO app GET /item/{n}\n" for n in range(400)) + "ERROR app broke \x1b[2J down\n")
    assert kairos("init", str(repo.root), "--yes").code == 0
    at = ("--repo", str(repo.root))
    tried = kairos("watch-log", "backtest", str(path))
    assert (tried.code, "ERROR app broke down" in tried.out, "401" in tried.out) == (0, True, True)
    assert "No log is watched" in kairos("watch-log", "ls", *at).out
    added = kairos("watch-log", "add", "--file", str(path), *at)
    assert (added.code, f"`app` is watched: {path}" in added.out) == (0, True)
    listed = kairos("watch-log", "ls", *at).out
    assert ("not read yet" in listed, "KIND" in listed) == (True, False)
    assert kairos("watch-log", "rm", "app", *at).code == 0
    assert kairos("watch-log", "rm", "app", *at).code == 4


def test_what_a_log_tells_is_muted_by_its_name(kairos: Any, repo: Any) -> None:
    assert kairos("init", str(repo.root), "--yes").code == 0
    assert kairos("mute", "log-watch").code == 0
    assert kairos("unmute", "log-watch").code == 0
    assert kairos("detectors", "add", "log-watch", "--", "true").code == 2, "the name is taken"


def test_nothing_to_watch_is_a_wrong_call_with_an_example(kairos: Any, repo: Any) -> None:
    assert kairos("init", str(repo.root), "--yes").code == 0
    said = kairos("watch-log", "add", "--repo", str(repo.root))
    assert said.code == 2
    assert "kairos watch-log add --file" in said.err
    assert kairos("watch-log", "backtest", "/no/such/file").code == 4
