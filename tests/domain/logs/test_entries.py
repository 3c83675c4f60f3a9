"""Lines as entries: stamps, levels, what belongs together, and lines that nobody expects."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.logs.entries import LONGEST_LINE, Entries, entry_of


def joined(text: str) -> list[list[str]]:
    entries = Entries()
    found = [whole for line in text.splitlines() for whole in entries.take(line)]
    return found + entries.flush()


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("2026-12-01 10:00:00,123 ERROR app.db: request 41 failed", "error", "ERROR app.db: request 41 failed"),
        ("[Sun Dec 04 04:47:44 2005] [warn] mod_jk in state 6", "warning", "warn] mod_jk in state 6"),
        ("Dec  1 10:00:00 host sshd[12]: error: bad", "error", "host sshd[12]: error: bad"),
        ("E1201 12:00:00.123 1 x.go:3] boom", "error", "1 x.go:3] boom"),
        ('{"level":50,"msg":"no db","err":{"type":"Error","message":"refused"}}', "error", "no db Error refused"),
        ('{"level":"info","message":"up"}', "quiet", "up"),
        ('time="2026-12-01T10:00:00Z" level=warning msg="slow"', "warning", 'time=" " level=warning msg="slow"'),
        ("2026/12/01 10:00:00 [error] 12#12: open() failed", "error", "error] 12#12: open() failed"),
        ("10:00:00.123 [main] INFO  c.e.App - hi", "quiet", "main] INFO  c.e.App - hi"),
        ("[2026-12-01 10:00:00] production.ERROR: foo", "error", "production.ERROR: foo"),
        ("error: could not compile", "error", "error: could not compile"),
        ("GET /index.html 200", "", "GET /index.html 200"),
        ("\x1b[31mERROR\x1b[0m red", "error", "ERROR red"),
    ],
)
def test_an_entry_says_how_bad_it_is_and_what_it_says_without_its_stamp(line: str, level: str, text: str) -> None:
    ((lines,),) = [joined(line)]
    found = entry_of(lines)
    assert (found.level, found.text) == (level, text)


def test_a_stamp_is_read_as_a_moment() -> None:
    moments = [entry_of([f"{stamp} x"]).at for stamp in ("1970-01-02 00:00:01", "1970/01/02 00:00:02", "1600000000.5")]
    assert moments == [86_401, 86_402, 1_600_000_000]
    assert entry_of(["9999-99-99 00:00:01 x"]).at is None


def test_what_has_no_stamp_belongs_to_the_entry_before_it() -> None:
    text = """2026-12-01 10:00:00 ERROR app: request 41 failed
Traceback (most recent call last):
  File "db.py", line 9, in get
ConnectionError: refused
2026-12-01 10:00:01 INFO app: fine"""
    first, second = joined(text)
    assert entry_of(first).text == "ERROR app: request 41 failed ConnectionError: refused"
    assert entry_of(first).example == "\n".join(text.splitlines()[:4])
    assert second == ["2026-12-01 10:00:01 INFO app: fine"]


def test_a_traceback_in_a_log_without_stamps_is_one_entry() -> None:
    text = 'start\nTraceback (most recent call last):\n  File "x"\nValueError: 3\nnext\n'
    assert [entry_of(lines).text for lines in joined(text)] == ["start", "ValueError: 3", "next"]
    java = 'Exception in thread "main" a.B: no\n\tat a.b(D.java:3)\nCaused by: a.C: 5\n\tat x\nend'
    assert [len(lines) for lines in joined(java)] == [4, 1]


def test_an_entry_of_any_length_is_bounded_and_ends_with_what_it_was() -> None:
    frames = "\n".join(f"  frame {n} " + "x" * 300 for n in range(10_000))
    (lines, _) = joined(f"2026-12-01 10:00:00 ERROR deep\n{frames}\nRecursionError: too deep\n2026-12-01 10:00:01 a")
    assert sum(map(len, lines)) < 30_000
    assert lines[-1] == "RecursionError: too deep"


@given(st.lists(st.text(st.characters(exclude_characters="\n\x1b"), max_size=40), max_size=40))
def test_every_line_with_text_is_in_exactly_one_entry(lines: list[str]) -> None:
    entries = Entries()
    found = [whole for line in lines for whole in entries.take(line)] + entries.flush()
    assert [line for whole in found for line in whole] == [line.rstrip() for line in lines if line.rstrip()]
    assert not entries.waiting
    for whole in found:
        entry = entry_of(whole)
        assert len(entry.text) <= 2 * LONGEST_LINE
        assert entry.example.replace("\n", "").replace("\t", "").isprintable()


def test_hostile_lines_take_no_longer_than_others() -> None:
    begun = time.process_time()
    for line in ("[" * 9_000, "{" * 9_000, "a=" * 9_000, "'" * 9_000, "0" * 9_000, " 12:" * 3_000, "\x1b[" * 5_000):
        for whole in joined(line):
            entry_of(whole)
    assert time.process_time() - begun < 5
