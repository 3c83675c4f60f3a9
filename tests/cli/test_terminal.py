"""What is asked on a terminal, and how a command is interrupted."""

from __future__ import annotations

import signal
import termios
from typing import Any

import pytest

AFTER = b"# Demo\nmore\n"


def test_approve_shows_the_card_and_asks(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    screen = terminal("approve", raised.id[:5])
    assert "+more" in screen.until("Approve exactly this? [y/N] ")
    screen.press("\n")
    screen.until("stays undecided")
    assert screen.end() == 0
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"
    screen = terminal("approve", raised.id[:5])
    screen.until("[y/N] ")
    screen.press("y\n")
    screen.until("executed")
    assert screen.end() == 0
    assert (seeded.root / "README.md").read_bytes() == AFTER


def test_high_risk_is_approved_by_typing_the_id(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER), risk="urgent")
    for typed, expected in (("y", "stays undecided"), (raised.id[:4], "executed")):
        screen = terminal("approve", raised.id)
        screen.until(f"urgent risk: type {raised.id[:4]} to approve: ")
        screen.press(f"{typed}\n")
        screen.until(expected)
        assert screen.end() == 0


def test_undo_says_what_it_would_do_and_asks(kairos: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    screen = terminal("undo")
    assert f"Undo {raised.id}" in screen.until("1 file, 1 hunk.  Proceed? [y/N] ")
    screen.press("n\n")
    screen.until("nothing was changed")
    screen.end()
    assert (seeded.root / "README.md").read_bytes() == AFTER
    screen = terminal("undo")
    screen.until("[y/N] ")
    screen.press("y\n")
    screen.until("undone")
    assert screen.end() == 0
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"


def test_init_asks_for_trust_on_a_terminal(kairos: Any, repo: Any, terminal: Any) -> None:
    screen = terminal("init", repo.root)
    screen.until("Trust and watch it? [y/N] ")
    screen.press("n\n")
    screen.until("was not trusted: nothing was recorded")
    assert screen.end() == 2
    assert kairos("status", "--json").data["repos"] == []
    screen = terminal("init", repo.root)
    screen.until("[y/N] ")
    screen.press("y\n")
    screen.until("Next: kairos start")
    screen.until("Replay its last 500 commits, to see what would have been raised? [y/N] ")
    screen.press("y\n")
    screen.until("On 1 commit it would have raised nothing.")
    assert screen.end() == 0


def test_no_input_never_asks(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    screen = terminal("approve", raised.id, "--no-input")
    screen.until("--digest")
    assert screen.end() == 2


def test_ctrl_c_is_130(seeded: Any, terminal: Any) -> None:
    screen = terminal("log", "--follow")
    screen.until("TurnStarted")
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130


def test_review_leaves_the_terminal_as_it_was(seeded: Any, terminal: Any) -> None:
    def mode(screen: Any) -> int:
        found: int = termios.tcgetattr(screen.master)[3]
        return found & (termios.ICANON | termios.ECHO)

    seeded.raise_(seeded.note())
    for leave in (lambda screen: screen.press("q"), lambda screen: screen.process.send_signal(signal.SIGINT)):
        screen = terminal("review")
        screen.until("j k q ?] ")
        assert mode(screen) == 0
        leave(screen)
        assert screen.end() in (0, 130)
        assert mode(screen) == termios.ICANON | termios.ECHO


def test_what_is_longer_than_the_terminal_goes_through_the_pager(
    seeded: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER * 40))
    monkeypatch.setenv("PAGER", "head -n 1")
    screen = terminal("show", raised.id)
    screen.until(raised.id)
    assert screen.end() == 0
    assert "digest" not in screen.seen
    monkeypatch.setenv("PAGER", "")
    screen = terminal("show", raised.id)
    screen.until("digest")
    assert screen.end() == 0
