"""A room is its owner's while the owner lives, and is swept after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.acting.scratch_home import sweep, take_room


def test_a_sweep_takes_what_a_crash_left_and_spares_what_lives(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    living = take_room(scratch)
    crashed = take_room(scratch)
    (crashed.path / "layers/upper").mkdir(parents=True)
    (crashed.path / "layers/upper/closed").mkdir(mode=0)
    (scratch / "not-ours").mkdir()
    crashed._lock.close()  # what the end of its process does
    assert sweep(scratch) == 1
    assert {path.name for path in scratch.iterdir()} == {living.path.name, "not-ours"}
    living.leave()
    living.leave()
    assert not living.path.exists()
    assert sweep(tmp_path / "missing") == 0


def test_a_room_is_left_whatever_happens_in_it_and_holds_what_the_launcher_needs(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), take_room(tmp_path / "scratch") as room:
        room.prepare()
        room.prepare()
        assert sorted(p.name for p in room.path.iterdir()) == ["layers", "stage"]
        raise ZeroDivisionError
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (tmp_path / "scratch").stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_a_room_is_left_alone(tmp_path: Path) -> None:
    scratch, elsewhere = tmp_path / "scratch", tmp_path / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    scratch.mkdir()
    (scratch / "run-link").symlink_to(elsewhere)
    (scratch / "run-file").write_text("x")
    assert sweep(scratch) == 0
    assert (elsewhere / "kept").is_dir() and (scratch / "run-link").is_symlink()
