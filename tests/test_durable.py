"""What must outlast a crash or be done by one process at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.durable import is_locked, locked, replace_file
from kairos.errors import Locked, TryAgain


def test_a_replaced_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    synced: list[bytes] = []
    real = os.fsync

    def fsync(number: int) -> None:
        if stat.S_ISREG(os.fstat(number).st_mode):
            synced.append(file.read_bytes())  # durable under its temporary name, while the old one still stands
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    replace_file(file, b"new")
    assert synced == [b"old"]
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    (target / "inside").write_text("kept")
    with pytest.raises(TryAgain, match="cannot be written"):
        replace_file(target, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (target / "inside").read_text() == "kept"


HOLDER = """
import sys
from pathlib import Path
from kairos.durable import locked
with locked(Path(sys.argv[1]), folder=len(sys.argv) > 2):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path, *more: str) -> subprocess.Popen[str]:
    """A process that holds the lock until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def busy() -> Locked:
    return Locked("somebody has it", "Wait.")


@pytest.mark.parametrize("folder", [False, True])
def test_a_lock_is_held_by_one_process_and_let_go_when_it_is_killed(tmp_path: Path, folder: bool) -> None:
    path = tmp_path / "lock"
    if folder:
        path.mkdir()
    with holder(path, *(["folder"] if folder else [])) as process:
        with pytest.raises(Locked, match="somebody has it"), locked(path, busy, folder=folder):
            pass
        process.kill()
    with locked(path, busy, folder=folder):
        assert folder or is_locked(path)
    with locked(path, busy, folder=folder):  # and let go when it is left
        pass


def test_patience_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as process:
        assert process.stdin is not None
        process.stdin.close()
        with locked(tmp_path / "lock", busy, wait_s=60.0):
            pass


def test_without_anything_to_say_it_is_waited_for(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as process:
        assert process.stdin is not None
        process.stdin.close()
        with locked(tmp_path / "lock"):
            assert process.wait() == 0


def test_asking_for_a_lock_makes_nothing_and_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    assert not path.exists()
    with locked(path):
        assert is_locked(path)
    assert not is_locked(path)
    with locked(path, busy):
        pass


def test_an_error_inside_lets_the_lock_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock"):
        _ = 1 / 0
    assert not is_locked(tmp_path / "lock")


def test_a_folder_that_is_gone_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "gone", folder=True):
        pass
    assert not (tmp_path / "gone").exists()
