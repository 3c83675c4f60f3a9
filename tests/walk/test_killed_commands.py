"""kill -9 of the daemon amid a command of a model's turn: no process and no scratch tree stays behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.home import find_home
from tests.processes import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SECONDS = 100_000 + os.getpid()
"""A sleep that no other process of this machine sleeps, not even one of these tests in another process."""
COMMAND = f"echo x > x; (sleep {SECONDS} & setsid sleep {SECONDS} & sleep {SECONDS}); wait"


def left_behind() -> list[str]:
    """The processes of the command that are alive."""
    return [" ".join(words) for words in running(str(SECONDS)).values()]


@pytest.fixture
def asked(kairos: Any, repo: Any, server: Any) -> Any:
    """A model that runs the command after the next commit; makes that commit and waits until the command runs."""
    for key, value in (
        ("model.name", "scripted"), ("model.base_url", server.base_url), ("model.key_env", "SCRIPTED_KEY"),
    ):  # fmt: skip
        kairos.run("config", "set", key, f'"{value}"')
    kairos.environment["SCRIPTED_KEY"] = "k-" + "1" * 20
    kairos.run("init", str(repo.root), "--yes")
    if confine.tier(find_home(str(kairos.home)).scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    server.calls(("bash", {"command": COMMAND}))

    def run() -> Any:
        daemon = kairos.daemon()
        repo.write("a.txt", "a\n")
        repo.commit("add a")
        kairos.wait(lambda: f"sleep {SECONDS} " in left_behind(), seconds=90)
        return daemon

    return run


def rooms(kairos: Any) -> list[Path]:
    return list(find_home(str(kairos.home)).scratch.glob("run-*"))


def test_killed_amid_a_command_nothing_stays_behind(kairos: Any, repo: Any, server: Any, asked: Any) -> None:
    daemon = asked()
    assert rooms(kairos) != []
    daemon.kill()
    kairos.wait(lambda: not left_behind())
    kairos.wait(lambda: not rooms(kairos))
    kairos.daemon()
    kairos.until("TurnEnded", engine="model", outcome="interrupted")
    assert len(server.received) == 1 and repo.git("status", "--porcelain") == ""


def test_stopped_amid_a_command_the_daemon_ends_at_once_with_all_of_it(kairos: Any, server: Any, asked: Any) -> None:
    daemon = asked()
    assert daemon.stop() == 0
    assert not left_behind() and rooms(kairos) == []
    assert len(server.received) == 1


def test_a_pause_amid_a_command_ends_it_and_the_turn(kairos: Any, server: Any, asked: Any) -> None:
    daemon = asked()
    kairos.run("pause")
    kairos.wait(lambda: not left_behind())
    kairos.until("TurnEnded", engine="model", outcome="stopped")
    assert rooms(kairos) == [] and len(server.received) == 1
    assert daemon.stop() == 0
