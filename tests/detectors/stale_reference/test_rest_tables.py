"""The lines of a drawn table are known, with the column up to which its text may not change its length."""

from __future__ import annotations

from kairos.detectors.stale_reference.rest_tables import fixed_columns


def test_grid_and_simple_tables_are_found():
    grid = "+---+---+\n| a | b |\n+===+===+\n| c | d |\n+---+---+\n"
    simple = "===  ==\na    b\n===  ==\n1    2\n\n3    4\n===  ==\n"
    assert fixed_columns(f"Text\n\n{grid}\nText\n") == dict.fromkeys(range(2, 7), 1 << 30)
    assert fixed_columns(f"{simple}\nText\n") == dict.fromkeys(range(6), 5)


def test_titles_rules_and_line_blocks_are_no_tables():
    assert fixed_columns("=====\nTitle\n=====\n\n-----\n\n| a line |\n| another |\n") == {}
