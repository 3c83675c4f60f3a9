"""Whatever a path holds, what is shown of it prints and encodes."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.wording import counted, evidence, listed, places, shown


@given(st.binary(min_size=1, max_size=60))
def test_any_name_is_shown_inert(raw):
    text = shown(os.fsdecode(raw))
    assert text.isprintable()
    text.encode("utf-8")


def test_control_bidi_and_undecodable_characters_are_escaped():
    assert shown("a\x1b[31m\n\u202e\u200b\udce9\\") == "a\\x1b[31m\\n\\u202e\\u200b\\xe9\\\\"
    assert shown("plain name é.py") == "plain name é.py"
    assert len(shown("x" * 5000)) < 200


def test_lists_say_what_they_leave_out():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert places([("a", 1)] * 22).endswith("and 2 more")
    assert counted(1, "file") == "1 file"
    assert counted(12_000, "file") == "12 000 files"


def test_evidence_begins_with_the_cause_and_names_each_position_once():
    assert evidence(9, [12, 3, 9, 3, 0]) == [9, 3, 12]
    assert evidence(0, [4]) == [4]
