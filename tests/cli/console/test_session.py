"""The terminal itself, on a pseudo-terminal of this process: what is pressed, typed and pasted."""

from __future__ import annotations

import os
import pty
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator

import pytest

from cli.console.presses import NEWS
from cli.console.session import Terminal, answer


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal as this process's standard input; what is written here is pressed there."""
    master, slave = pty.openpty()
    with open(slave, closefd=False) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setenv("TERM", "xterm")
        yield master
    os.close(master)
    os.close(slave)


def _flags(master: int) -> int:
    found: int = termios.tcgetattr(master)[3]
    return found & (termios.ICANON | termios.ECHO)


@pytest.fixture
def later(keyboard: int) -> Iterator[Callable[..., None]]:
    """Presses keys one after another, each so many seconds after the one before."""
    waiting: list[threading.Timer] = []

    def press(*keys: bytes, gap: float = 0.2) -> None:
        for n, key in enumerate(keys, 1):
            waiting.append(threading.Timer(n * gap, os.write, (keyboard, key)))
            waiting[-1].start()

    yield press
    for timer in waiting:
        timer.join()


def test_keys_come_one_by_one(keyboard: int) -> None:
    with Terminal() as terminal:
        assert _flags(keyboard) == 0
        for pressed, key in ((b"y", "y"), (b"\x1b[6~", "pgdn"), ("ü".encode(), "ü"), (b"\x04", "eof")):
            os.write(keyboard, pressed)
            assert terminal.key() == key
    assert _flags(keyboard) == termios.ICANON | termios.ECHO


def test_what_arrives_at_once_is_no_key(keyboard: int, later: Callable[..., None]) -> None:
    with Terminal() as terminal:
        later(b"yes please, and more", b"n")
        assert terminal.key() == "n"


def test_what_was_pressed_before_is_dropped(keyboard: int) -> None:
    with Terminal() as terminal:
        os.write(keyboard, b"y")
        terminal.forget()
        os.write(keyboard, b"n")
        assert terminal.key() == "n"


def test_a_key_that_decides_nothing_may_be_kept_if_nothing_else_was_pressed(keyboard: int) -> None:
    with Terminal() as terminal:
        os.write(keyboard, b"q")
        terminal.forget("q")
        assert terminal.key() == "q"
        os.write(keyboard, b"yq")
        terminal.forget("q")
        os.write(keyboard, b"n")
        assert terminal.key() == "n"


def test_what_is_told_wakes_who_asks_for_news_once_and_nobody_else(keyboard: int, later: Callable[..., None]) -> None:
    with Terminal() as terminal:
        terminal.tell()
        terminal.tell()
        later(b"n")
        assert terminal.key() == "n"
        assert terminal.key(news=True) == NEWS
        later(b"y")
        assert terminal.key(news=True) == "y"


def test_an_unfinished_paste_ends_by_itself(keyboard: int, later: Callable[..., None]) -> None:
    with Terminal() as terminal:
        later(b"\x1b[200~lost", b"y")
        later(b"n", gap=2.5)
        assert terminal.key() == "n"


def test_a_line_is_echoed_and_edited(
    keyboard: int, later: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    with Terminal() as terminal:
        later(b"n", b"o", b"x", b"\x7f", b"\r", gap=0.1)
        assert terminal.line() == "no"
    assert "nox\b \b\n" in capfd.readouterr().out


def test_an_answer_counts_only_after_its_question(keyboard: int) -> None:
    os.write(keyboard, b"y\n")
    assert answer(lambda: os.write(keyboard, b"n\n") and None) == "n"


def test_the_handlers_of_signals_come_back(keyboard: int) -> None:
    watched = (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)
    before = [signal.getsignal(number) for number in watched]
    with pytest.raises(RuntimeError), Terminal(full=True):
        assert [signal.getsignal(number) for number in watched] != before
        raise RuntimeError("anything")
    assert [signal.getsignal(number) for number in watched] == before
    assert _flags(keyboard) == termios.ICANON | termios.ECHO
