"""Bytes as lines, in whatever pieces they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.logs.entries import LONGEST_LINE
from kairos.domain.logs.lines import LogLines

WORDS = st.lists(st.sampled_from(["a", "bc", "é and more", "x" * 40]), max_size=20)


@given(WORDS, st.integers(1, 9))
def test_lines_are_the_same_in_whatever_pieces_they_come(words: list[str], size: int) -> None:
    data = "".join(f"{word}\n" for word in words).encode()
    lines = LogLines()
    found = [line for i in range(0, len(data), size) for line in lines.take(data[i : i + size])]
    assert (found, lines.rest) == (words, b"")


def test_of_a_huge_line_the_beginning_is_told_once_and_the_next_line_is_whole() -> None:
    lines = LogLines()
    found = [line for _ in range(100) for line in lines.take(b"x" * 100_000)]
    assert [len(line) for line in found] == [LONGEST_LINE]
    assert len(lines.rest) == 0
    assert lines.take(b"xx\nnext\n") == ["next"]


def test_a_line_has_its_number_among_all() -> None:
    lines = LogLines()
    huge = lines.numbered(b"\na\n\n" + b"x" * 100_000)
    assert [(line.number, line.text[:1]) for line in huge] == [(2, "a"), (4, "x")]
    assert lines.numbered(b"xx\n\nb\nc") == [(6, "b")]
    assert lines.numbered(b"\n") == [(7, "c")]


def test_binary_bytes_are_no_line_and_nuls_of_a_truncation_are_left_out() -> None:
    lines = LogLines()
    assert lines.take(bytes(range(128, 256)) + b"\n" + b"\0" * 5_000 + b"after\r\n" + b"caf\xe9 is text\n") == [
        "after", "caf\ufffd is text",
    ]  # fmt: skip


def test_within_a_line_that_is_not_told_nothing_is() -> None:
    lines = LogLines(inside=True)
    assert lines.take(b"tail of it") == []
    assert lines.take(b"\nwhole\n") == ["whole"]
