"""Single keys from a terminal: nothing that a terminal sends by itself is taken for a decision."""

from __future__ import annotations

import os
import pty
import sys
import termios
from collections.abc import Iterator

import pytest

from cli.decide.keys import QUIT, Keys


class Terminal:
    """A pseudo-terminal: `types` writes as a keyboard does, and the other side is stdin."""

    def __init__(self) -> None:
        self.keyboard, self.fd = pty.openpty()

    def fileno(self) -> int:
        return self.fd

    def types(self, what: bytes) -> None:
        os.write(self.keyboard, what)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal()
    monkeypatch.setattr(sys, "stdin", made)
    yield made
    os.close(made.keyboard)
    os.close(made.fd)


@pytest.mark.parametrize("typed", [b"y", b"q", b"?", b"\n"])
def test_a_key_comes_without_enter(terminal: Terminal, typed: bytes) -> None:
    with Keys() as keys:
        terminal.types(typed)
        assert keys.key() == typed.decode()


@pytest.mark.parametrize(
    "sequence", [b"\x1b[A", b"\x1bOP", b"\x1b[1;5C", b"\x1b[3~", b"\x1b[<0;10;20M", b"\x1by", b"\x1b[200~"]
)
def test_a_sequence_of_the_terminal_is_one_key_that_means_nothing(terminal: Terminal, sequence: bytes) -> None:
    with Keys() as keys:
        terminal.types(sequence + b"n")
        assert [keys.key(), keys.key()] == ["", "n"]


def test_escape_alone_means_nothing(terminal: Terminal) -> None:
    with Keys() as keys:
        terminal.types(b"\x1b")
        assert keys.key() == ""


def test_what_is_no_ascii_decides_nothing(terminal: Terminal) -> None:
    with Keys() as keys:
        terminal.types("é".encode() + b"n")
        assert [keys.key(), keys.key(), keys.key()] == ["", "", "n"]


def test_the_end_of_input_quits(terminal: Terminal) -> None:
    with Keys() as keys:
        terminal.types(b"\x04")
        assert keys.key() == QUIT


def test_keys_that_were_pressed_before_are_dropped(terminal: Terminal) -> None:
    with Keys() as keys:
        terminal.types(b"yyy")
        keys.forget()
        terminal.types(b"n")
        assert keys.key() == "n"


def test_a_line_is_typed_with_enter_and_then_single_keys_go_on(terminal: Terminal) -> None:
    with Keys() as keys:
        terminal.types("  un mot é\n".encode())
        assert keys.line() == "un mot é"
        terminal.types(b"j")
        assert keys.key() == "j"


def test_the_terminal_is_left_as_it_was(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.fd)
    with Keys():
        inside = termios.tcgetattr(terminal.fd)
        assert not inside[3] & (termios.ICANON | termios.ECHO)
        assert inside[3] & termios.ISIG, "Ctrl-C still interrupts"
    assert termios.tcgetattr(terminal.fd) == before
    with pytest.raises(ZeroDivisionError), Keys():
        raise ZeroDivisionError
    assert termios.tcgetattr(terminal.fd) == before
