"""The journal of a unit: each entry once, though `journalctl` begins again at whole seconds."""

from __future__ import annotations

from kairos.domain.logs.journal import JournalLines, JournalPlace, journal_argv

A1 = "2026-12-01T10:00:00+0000 host app[1]: one"
A2 = "2026-12-01T10:00:00+0000 host app[1]: two"
MORE = "                                       of two"
B1 = "2026-12-01T11:00:01+01:00 host app[1]: three"
AT = 1796119200


def test_the_first_time_it_asks_for_the_last_lines_then_for_what_is_of_the_place_on() -> None:
    assert journal_argv("/usr/bin/journalctl", "app", user=False, place=JournalPlace()) == [
        "/usr/bin/journalctl", "--unit=app", "--follow", "--output=short-iso", "--no-pager", "--lines=2000",
    ]  # fmt: skip
    later = journal_argv("journalctl", "app", user=True, place=JournalPlace(at=AT, same=2))
    assert later[1:2] + later[5:] == ["--user-unit=app", f"--since=@{AT}", "--no-tail"]


def test_what_was_read_of_the_last_second_is_not_read_again() -> None:
    lines = JournalLines(JournalPlace())
    assert lines.unread(["-- Journal begins at Tue --", A1, A2, MORE]) == [A1, A2, MORE]
    assert lines.place == JournalPlace(at=AT, same=2)
    again = JournalLines(lines.place)
    again.begin()
    assert again.unread([A1, A2, MORE, A2, B1, MORE]) == [A2, B1, MORE]
    assert again.place == JournalPlace(at=AT + 1, same=1)


def test_it_begins_again_in_the_same_run_and_after_a_rotation_that_took_the_second() -> None:
    lines = JournalLines(JournalPlace())
    assert lines.unread([A1]) == [A1]
    lines.begin()
    assert lines.unread([A1, A1]) == [A1], "one was read, and one came meanwhile"
    lines.begin()
    assert lines.unread([B1]) == [B1]


def test_a_stamp_that_is_no_time_loses_no_line() -> None:
    lines = JournalLines(JournalPlace())
    assert lines.unread([A1, A1.replace("12-01", "13-41")]) == [A1, A1.replace("12-01", "13-41")]
    assert lines.place.at == AT
