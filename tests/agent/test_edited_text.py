from __future__ import annotations

import pytest

from kairos.agent.edited_text import replaced


def test_what_is_there_once_is_replaced_and_nothing_else() -> None:
    assert replaced("one\ntwo\nthree\n", "two\n", "2\n") == "one\n2\nthree\n"
    assert replaced("a a a", "a", "b", every=True) == "b b b"


def test_what_is_there_more_often_is_refused_with_its_lines() -> None:
    with pytest.raises(ValueError, match=r"occurs 3 times in it \(lines 1, 3, 3\)"):
        replaced("x\ny\nx x\n", "x", "z")


def test_what_is_not_there_is_refused_with_the_line_where_it_begins() -> None:
    with pytest.raises(ValueError, match="does not occur in it; its first line is line 2, and what follows it differs"):
        replaced("def f():\n    return 1\n", "  return 1\n    print()\n", "")
    with pytest.raises(ValueError, match=r"does not occur in it$"):
        replaced("a\n", "b", "c")
    with pytest.raises(ValueError, match="does not occur"):
        replaced("a\n", "b", "c", every=True)
    with pytest.raises(ValueError, match="empty"):
        replaced("a\n", "", "c")


def test_a_text_keeps_its_line_ends() -> None:
    assert replaced("one\r\ntwo\r\n", "one\ntwo\n", "one\nzwei\n") == "one\r\nzwei\r\n"
