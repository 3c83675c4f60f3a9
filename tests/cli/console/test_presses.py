"""What bytes from a terminal mean: a key, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.console.presses import Decoded, Typed, decode, typed, unfinished


@pytest.mark.parametrize(
    ("arrived", "keys"),
    [
        (b"y", ["y"]), (b"\r", ["enter"]), (b"\n", ["enter"]), (b" ", ["space"]), (b"\x04", ["eof"]),
        (b"\x1b", ["esc"]), (b"\x7f", ["backspace"]), ("é".encode(), ["é"]), (b"\x1b[A", ["up"]), (b"\x1bOB", ["down"]),
        (b"\x1b[5~", ["pgup"]), (b"\x1b[6~", ["pgdn"]), (b"\x1b[H", ["home"]), (b"\x1b[4~", ["end"]),
        (b"\x1b[B\x1b[B", ["down", "down"]), (b"\x1b[1;5C", []), (b"\x1b[15~", []), (b"\x1bOP", []), (b"\x01", []),
        (b"\xff", []), (b"yn", []), (b"y\r", []), (b"\x1by", []), (b"\x1b[Ay", []), (b"y\x1b[A", []),
    ],
)  # fmt: skip
def test_one_byte_one_character_or_a_known_sequence_is_a_key(arrived: bytes, keys: list[str]) -> None:
    assert decode(arrived).keys == keys


@given(st.binary(min_size=2, max_size=60))
def test_of_several_bytes_only_escape_sequences_are_keys(arrived: bytes) -> None:
    for pasting in (False, True):
        assert set(decode(arrived, pasting).keys) <= {"up", "down", "pgup", "pgdn", "home", "end", *_character(arrived)}


def _character(arrived: bytes) -> list[str]:
    try:
        text = arrived.decode()
    except UnicodeDecodeError:
        return []
    return [text] if len(text) == 1 else []


@given(st.text(max_size=30), st.integers(0, 40))
def test_a_marked_paste_is_no_key_however_it_is_cut(text: str, at: int) -> None:
    arrived = b"\x1b[200~" + text.encode("utf-8", "replace").replace(b"\x1b", b"") + b"\x1b[201~"
    cut = 6 + min(at, len(arrived) - 12)
    first = decode(arrived[:cut])
    assert first.keys == [] and first.pasting
    second = decode(arrived[cut:], first.pasting)
    assert second.keys == [] and not second.pasting


@pytest.mark.parametrize(
    ("arrived", "waits"),
    [(b"\x1b", True), (b"\x1b[", True), (b"\x1b[20", True), (b"\x1bO", True), (b"\x1b[A", False), (b"y", False)],
)  # fmt: skip
def test_the_rest_of_a_sequence_is_waited_for(arrived: bytes, waits: bool) -> None:
    assert unfinished(arrived) is waits


def _line(*parts: bytes, pasteable: bool = False) -> Typed:
    line = Typed()
    for part in parts:
        if not line.done:
            line = typed(line, decode(part), pasteable=pasteable)
    return line


def test_a_line_is_typed_corrected_and_ended() -> None:
    assert _line(b"a", b"b", b"\x7f", b"c", b" ", b"d", b"\r") == Typed("ac d", done=True)
    assert _line(b"a", b" ", b"b", b"\x17", b"c", b"\r").text == "ac"
    assert _line(b"a", b"\x15", b"b", b"\r").text == "b"
    assert _line(b"a", b"\x1b") == Typed("", done=True, cancelled=True)
    assert _line(b"a", b"\x04").cancelled
    assert _line(b"\x7f", b"\x1b[A") == Typed()


@pytest.mark.parametrize(
    "pasted",
    [b"\x1b[200~y\n\x1b[201~", b"y\nrm -rf\n", b"y\ny\n", b"\x1b[200~y\x1b[201~", b"yes", b"y\x00\n", b"\ny\n"],
)
def test_a_paste_answers_no_question(pasted: bytes) -> None:
    assert _line(pasted) == Typed()


def test_one_line_with_its_enter_is_an_answer_where_pastes_are_not_marked() -> None:
    assert _line(b"y\n") == Typed("y", done=True)


def test_free_text_may_be_pasted_and_stays_on_one_line() -> None:
    assert _line(b"\x1b[200~two\nlines\x1b[201~", pasteable=True) == Typed("two lines")
    assert _line(b"too many words", b"\r", pasteable=True) == Typed("too many words", done=True)


def test_nothing_means_nothing() -> None:
    assert typed(Typed("a"), Decoded([]), pasteable=True) == Typed("a")
