"""`kairos review` on screens of several sizes: what is shown, how it scrolls, and that the terminal comes back."""

from __future__ import annotations

import os
import signal
import termios
import time
from typing import Any

import pytest

SIZES = [(40, 10), (60, 15), (80, 24), (200, 50)]
LONG = "".join(f"line {n} of the demo\n" for n in range(120)).encode()


def mode(screen: Any) -> int:
    found: int = termios.tcgetattr(screen.master)[3]
    return found & (termios.ICANON | termios.ECHO)


@pytest.mark.parametrize("size", SIZES)
def test_a_long_card_starts_at_its_top_and_is_approved_only_after_its_end_was_seen(
    state_of: Any, seeded: Any, terminal: Any, size: tuple[int, int]
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\n" + LONG))
    screen = terminal("review", size=size)
    lines = screen.shows("more lines below")
    assert lines[0].startswith(raised.id)
    assert all(len(line) <= size[0] for line in lines)
    assert lines[-1].endswith("?]")
    screen.press("y")
    screen.shows("not approved")
    assert state_of(raised.id) == "pending"
    screen.press("\x1b[F")  # the end alone, with a gap before it
    screen.shows("the end")
    screen.press("y")
    screen.shows("not approved")
    screen.press("\x1b[H")
    screen.shows(raised.id)
    to_the_end(screen)
    assert "digest" in "\n".join(screen.shown)
    assert state_of(raised.id) == "pending"
    screen.press("y")
    screen.shows("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "executed"


def to_the_end(screen: Any) -> None:
    """Pages down until the end of the card is shown."""
    for _ in range(400):
        if "the end" in "\n".join(screen.shown):
            return
        before = screen.shown
        screen.press(" ")
        deadline = time.monotonic() + 20
        while screen.shown == before and time.monotonic() < deadline:
            screen.shows("")
    raise AssertionError("the end did not come")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("folds", [1, 2])
def test_a_fold_never_approves_lines_that_were_not_shown(
    state_of: Any, seeded: Any, terminal: Any, size: tuple[int, int], folds: int
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\n" + LONG), risk="medium")
    screen = terminal("review", size=size)
    screen.shows("below: space")
    for _ in range(folds):
        screen.press("d")
        screen.pause()
    to_the_end(screen)
    for again in ("y", "d", " ", "\x1b", "\r"):
        screen.press("y")
        screen.shows("in 1 file were never shown")
        screen.press(again)
        screen.shows("not approved")
        assert state_of(raised.id) == "pending"
    screen.press("y")
    screen.shows("Press Y (capital)")
    screen.press("Y")
    screen.shows("executed")
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "executed"


def test_high_risk_and_a_fold_are_said_in_one_question(kairos: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\n" + LONG), risk="high")
    screen = terminal("review", size=(80, 40))
    screen.shows("below: space")
    screen.press("d")
    screen.shows("not shown yet")
    screen.press("y")
    screen.shows("high risk, and")
    screen.press("Y\r")
    screen.shows("not approved")
    screen.press("y")
    screen.shows("were never shown: type")
    screen.press(f"{raised.id[:4]}\n")
    screen.shows("executed")
    screen.press("q")
    assert screen.end() == 0


def test_after_the_last_decision_u_takes_it_back(state_of: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    screen = terminal("review", size=(80, 40))
    screen.shows("the end")
    screen.press("y")
    screen.shows("Nothing is left to decide")
    assert any(f"{raised.id} executed · undo: kairos undo {raised.id[:4]}" in line for line in screen.shown)
    for key in "ynd\r\x1b":
        screen.press(key)
        screen.pause()
    assert screen.process.poll() is None and state_of(raised.id) == "executed"
    screen.press("u")
    screen.shows("undone in")
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "undone"


def test_after_the_last_decision_u_shows_the_card_of_a_rejection_again(
    state_of: Any, seeded: Any, terminal: Any
) -> None:
    raised = seeded.raise_(seeded.note())
    screen = terminal("review", size=(80, 40))
    screen.shows("the end")
    screen.press("n")
    screen.shows("why?")
    screen.press("1")
    screen.shows("[u q]")
    screen.press("u")
    screen.shows("1 of 1 · the end")
    assert screen.shown[-1].endswith("?]") and state_of(raised.id) == "pending"
    screen.press("q")
    assert screen.end() == 0


def test_a_marked_file_folds_and_what_it_hides_is_asked_for(state_of: Any, seeded: Any, terminal: Any) -> None:
    (seeded.root / "a.md").write_text("a\n")
    (seeded.root / "b.md").write_text("b\n")
    action = seeded.patch("a.md", LONG)
    other = seeded.patch("b.md", b"b\nsmall\n")
    raised = seeded.raise_(type(action)(repo=action.repo, edits=[*action.edits, *other.edits]))
    screen = terminal("review", size=(80, 24))
    screen.shows("--- a/a.md")
    screen.press("m")
    lines = screen.shows("▸ a.md")
    assert any("+small" in line for line in lines)
    screen.press("y")
    screen.shows("in 1 file were never shown")
    screen.press("Y")
    screen.shows("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "executed"


def test_the_screen_is_drawn_anew_after_a_change_of_size(kairos: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\n" + LONG))
    screen = terminal("review", size=(80, 24))
    screen.shows("below: space")
    for columns, lines in ((40, 10), (120, 40), (60, 15)):
        screen.resize(columns, lines)
        deadline = time.monotonic() + 20
        while not (screen.shown[0].startswith(raised.id) and screen.shown[-1].endswith("?]")):
            assert time.monotonic() < deadline, screen.shown
            screen._read(0.1)
        assert len(screen.shown) == lines
    screen.press("q")
    assert screen.end() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)  # fmt: skip
def test_the_terminal_comes_back_after_every_signal(
    seeded: Any, terminal: Any, number: signal.Signals, code: int
) -> None:
    seeded.raise_(seeded.note())
    screen = terminal("review", size=(80, 24))
    screen.shows("?]")
    assert mode(screen) == 0
    assert b"\x1b[?1049h" in screen.raw and b"\x1b[?2004h" in screen.raw
    screen.process.send_signal(number)
    assert screen.end() == code
    assert mode(screen) == termios.ICANON | termios.ECHO
    assert screen.raw.rindex(b"\x1b[?2004l") > screen.raw.rindex(b"\x1b[?2004h")
    assert screen.raw.rindex(b"\x1b[?1049l") > screen.raw.rindex(b"\x1b[?1049h")


def test_ctrl_z_gives_the_terminal_back_and_going_on_draws_it_anew(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.note())
    screen = terminal("review", size=(80, 24))
    screen.shows("?]")
    screen.raw = b""
    screen.press("\x1a")
    _until(lambda: screen._read(0.05) and b"\x1b[?1049l" in screen.raw)
    os.kill(screen.process.pid, signal.SIGCONT)
    _until(lambda: screen._read(0.05) and b"\x1b[?1049h" in screen.raw and raised.id.encode() in screen.raw)
    screen.shows("?]")
    assert mode(screen) == 0

    def quits() -> bool:
        screen.press("q")  # a key that comes before the second drawing is dropped
        screen._read(0.2)
        return screen.process.poll() is not None

    _until(quits)


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline


def test_why_and_help_are_pages_of_their_own(seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.note())
    screen = terminal("review", size=(60, 15))
    screen.shows(raised.id)
    screen.press("w")
    screen.shows("TurnStarted")
    screen.press("q")
    screen.shows("?]")
    screen.press("?")
    screen.shows("any other key goes back")
    screen.press("y")
    screen.shows("?]")
    assert screen.process.poll() is None
    screen.press("q")
    assert screen.end() == 0


def test_a_receipt_stays_on_the_terminal_after_the_screen_is_gone(kairos: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.note())
    screen = terminal("review", size=(80, 24))
    screen.shows("the end")
    screen.press("y")
    screen.shows("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert f"{raised.id} acknowledged".encode() in screen.raw.rpartition(b"\x1b[?1049l")[2]


def test_a_paste_in_a_question_answers_nothing(state_of: Any, seeded: Any, terminal: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"), risk="high")
    screen = terminal("review", size=(80, 24))
    screen.shows("the end")
    screen.press("y")
    screen.shows("and Enter to approve:")
    screen.press(f"\x1b[200~{raised.id[:4]}\n\x1b[201~")
    screen.pause()
    screen.press("\r")
    screen.shows("not approved")
    assert state_of(raised.id) == "pending"
    for question, paste in (("n", "6 and more"), ("l", "1\n1\n")):
        screen.press(question)
        screen.shows("why?" if question == "n" else "when?")
        screen.press(paste)
        screen.pause()
        screen.press("\x1b")
        screen.shows("not rejected" if question == "n" else "not deferred")
    assert state_of(raised.id) == "pending"
    screen.press("q")
    assert screen.end() == 0
