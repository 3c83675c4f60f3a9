"""Child processes: their outcome, and that stopping one does not depend on its good will."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from kairos.errors import TryAgain
from kairos.schedule.children import Child, ChildFailed, child_environment

STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""


def _module(folder: Path, source: str) -> dict[str, str]:
    """The environment in which `python -m errand` runs the source."""
    (folder / "errand.py").write_text(source)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_a_child_gives_its_output(tmp_path: Path) -> None:
    environment = _module(tmp_path, "import sys; print(sys.argv[1] + sys.stdin.read())")
    out = Child().run("errand", ["a"], cwd=tmp_path, environment=environment, seconds=30, stdin=b"b")
    assert out == b"ab\n"


@pytest.mark.parametrize(("code", "error"), [(1, ChildFailed), (75, TryAgain)])
def test_a_child_that_fails_is_told_by_its_last_words(tmp_path: Path, code: int, error: type[Exception]) -> None:
    environment = _module(tmp_path, f"import sys; print('no more', file=sys.stderr); sys.exit({code})")
    with pytest.raises(error, match="no more"):
        Child().run("errand", [], cwd=tmp_path, environment=environment, seconds=30)


def test_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    environment = _module(tmp_path, STUBBORN)
    with pytest.raises(ChildFailed, match="took longer"):
        Child().run("errand", [str(tmp_path / "up")], cwd=tmp_path, environment=environment, seconds=1)


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    child, failures = Child(), []
    environment = _module(tmp_path, STUBBORN)

    def work() -> None:
        try:
            child.run("errand", [str(tmp_path / "up")], cwd=tmp_path, environment=environment, seconds=600)
        except ChildFailed as error:
            failures.append(error.message)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert failures == ["errand was stopped together with the daemon"]


def test_what_is_started_after_the_stop_does_not_live(tmp_path: Path) -> None:
    child = Child()
    child.stop()
    environment = _module(tmp_path, "import time; time.sleep(600)")
    with pytest.raises(ChildFailed, match="stopped"):
        child.run("errand", [], cwd=tmp_path, environment=environment, seconds=600)


def test_a_child_is_handed_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("KAIROS_HOME", "/somewhere")
    found = child_environment()
    assert "OPENAI_API_KEY" not in found and found["KAIROS_HOME"] == "/somewhere"
