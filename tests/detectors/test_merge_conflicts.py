"""Conflict markers of git and jj in every style and length; what only looks like one is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.merge_conflicts import SIZE, conflicts, is_made, lone_markers

JJ_DIFF = """\
<<<<<<< Conflict 1 of 1
%%%%%%% Changes from base to side #1
-a
+b
+++++++ Contents of side #2
c
>>>>>>> Conflict 1 of 1 ends
"""
JJ_SNAPSHOT = """\
<<<<<<< conflict 1 of 1
+++++++ side #1
b
------- base
a
+++++++ side #2
c
>>>>>>> conflict 1 of 1 ends
"""
JJ_NEWER = """\
<<<<<<< conflict 1 of 2
%%%%%%% diff from: base "first"
\\\\\\\\\\\\\\        to: side "second"
 a
-b
+c
+++++++ side "third"
d
>>>>>>> conflict 1 of 2 ends
"""
JJ_GIT = "<<<<<<< Side #1 (Conflict 1 of 1)\nb\n||||||| Base\na\n=======\nc\n>>>>>>> Side #2 (Conflict 1 of 1 ends)\n"
THREE_SIDES = (
    "<<<<<<< Conflict 1 of 1\n%%%%%%% 1\n-a\n+b\n%%%%%%% 2\n-a\n+c\n+++++++ 3\nd\n>>>>>>> Conflict 1 of 1 ends\n"
)
GIT = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n"
DIFF3 = "<<<<<<< HEAD\na\n||||||| 1234567\no\n=======\nb\n>>>>>>> topic\n"
ZDIFF3 = "same\n<<<<<<< HEAD\n|||||||\n=======\nb\n>>>>>>> topic\n"


def longer(text: str, size: int) -> str:
    """The text with its markers `size` long."""
    return "".join(
        line[0] * size + line[7:] if len(set(line[:7])) == 1 and len(line) > 7 else line
        for line in text.splitlines(keepends=True)
    )


@pytest.mark.parametrize("text", [JJ_DIFF, JJ_SNAPSHOT, JJ_NEWER, JJ_GIT, THREE_SIDES, GIT, DIFF3, ZDIFF3])
@pytest.mark.parametrize("size", [7, 8, 12, 25])
def test_a_conflict_of_any_style_and_length_is_found(text, size):
    (found,) = conflicts("x\n" + longer(text, size) + "y\n")
    assert found.theirs == text.count("\n") + 1 and found.ours < found.middle < found.theirs


def test_a_size_of_the_attributes_is_found_and_a_shorter_one_without_it_is_not():
    assert len(conflicts(longer(GIT, 4), size=4)) == 1
    assert conflicts(longer(GIT, 4)) == []
    assert conflicts(longer(GIT, 5), size=4) == []


def test_of_nested_conflicts_the_outer_one_is_told():
    inner = longer(DIFF3, 9).replace("HEAD", "Temporary merge branch 1")
    text = "<<<<<<< HEAD\na\n||||||| base\n" + inner + "=======\nb\n>>>>>>> topic\n"
    (found,) = conflicts(text)
    assert (found.ours, found.theirs) == (1, text.count("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< a\n%%%%%%% b\n>>>>>>> c\n",  # one side only
        "<<<<<<< a\n------- b\n------- c\n>>>>>>> d\n",  # no contents of a side
        "<<<<<<< a\n>>>>>>> b\n",
        "<<<<<<<\n=======\n>>>>>>>\n",
        "<<<<<<<< a\n=======\n>>>>>>>> b\n",  # lengths differ
        "<<<<<<< a\n======= b\n>>>>>>> c\n",
        " <<<<<<< a\n =======\n >>>>>>> b\n",
        "Heading\n=======\n\n%%%%%%% latex comment\n+++++++ b\n",
        "<<<<<<< a\n=======\n=======\n>>>>>>> b\n",
    ],
)
def test_what_is_no_conflict_is_none(text):
    assert conflicts(text) == []


@given(
    st.lists(
        st.sampled_from([*GIT.splitlines(True), *JJ_DIFF.splitlines(True), *DIFF3.splitlines(True), "\n", "x\r\n"])
    )
)
def test_conflicts_never_overlap_and_lie_in_the_text(lines):
    text = "".join(lines)
    found = conflicts(text)
    edges = [edge for c in found for edge in (c.ours, c.middle, c.theirs)]
    assert edges == sorted(set(edges)) and all(1 <= edge <= len(lines) for edge in edges)


@given(st.text("<=>|ab \n", max_size=200))
def test_lone_markers_belong_to_no_conflict_and_are_made_by_programs(text):
    whole = conflicts(text)
    for mark in lone_markers(text):
        assert not any(c.ours <= mark.line <= c.theirs for c in whole)
        assert is_made(mark.text[SIZE + 1 :])


@given(st.lists(st.sampled_from(["<<<<<<< HEAD", "=======", ">>>>>>> 3f2a1bc", "a", "```"]), max_size=14))
def test_every_whole_conflict_or_lone_marker_of_lines_is_found_once(lines):
    text = "\n".join(lines)
    lone = [m.line for m in lone_markers(text)]
    inside = {n for c in conflicts(text) for n in range(c.ours, c.theirs + 1)}
    marks = [n for n, line in enumerate(lines, 1) if line[:7] in ("<<<<<<<", ">>>>>>>")]
    assert lone == [n for n in marks if n not in inside]


def test_a_file_of_nothing_but_conflicts_takes_linear_time():
    """Nothing here measures time: what is not linear does not end within the time limit of a test."""
    one = "<<<<<<< a\n=======\n>>>>>>> b\n"
    assert len(conflicts(one * 37_000)) == 37_000
    assert conflicts("<<<<<<< a\n" * 100_000) == conflicts(">>>>>>> a\n" * 100_000) == []
    longer = "<<<<<<<< a\n" + one * 1_000 + "========\n>>>>>>>> b\n"
    assert [c.ours for c in conflicts(longer)] == [1]


HG = """\
<<<<<<< working copy: 0f8b4d6a2c31 tip - ada: more
a
||||||| common ancestor: 4d6a2c310f8b - ada: start
o
=======
b
>>>>>>> merge rev: 6a2c310f8b4d - bob: other
"""
FOSSIL = """\
<<<<<<< BEGIN MERGE CONFLICT: local copy shown first <<<<<<<<<<<<<<<
a
||||||| COMMON ANCESTOR CONTENT FOLLOWS ||||||||||||||||||||||||||||
o
======= MERGED IN CONTENT FOLLOWS ==================================
b
>>>>>>> END MERGE CONFLICT >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>
"""
JJ_GIT = """\
<<<<<<< Side #1 (Conflict 1 of 1)
a
||||||| Base
o
=======
b
>>>>>>> Side #2 (Conflict 1 of 1 ends)
"""


@pytest.mark.parametrize("text", [HG, FOSSIL, JJ_GIT, HG.replace("\n", "\r\n"), JJ_DIFF, JJ_SNAPSHOT, JJ_NEWER])
def test_conflicts_of_other_systems_are_found_whole_and_what_is_left_of_them_alone(text):
    (found,) = conflicts(text)
    assert (found.ours, found.theirs) == (1, text.count("\n")) and all(map(is_made, found.labels))
    assert lone_markers(text) == []
    lines = text.split("\n")
    assert [m.line for m in lone_markers("\n".join(lines[1:]))] == [len(lines) - 2]
    assert [m.line for m in lone_markers("\n".join(lines[:-2]))] == [1]


@pytest.mark.parametrize(
    "label", ["local: 12", "source: of truth", "conflict 1", "END of the story", "Side #1", "other things"]
)
def test_labels_that_a_person_may_write_are_none_of_a_program(label):
    assert not is_made(label)


def test_a_heading_of_seven_with_text_does_not_divide_a_conflict():
    assert conflicts("<<<<<<< a\n======= Heading =======\n>>>>>>> b\n") == []


@pytest.mark.parametrize(("search", "replace"), [("SEARCH", "REPLACE"), ("ORIGINAL", "UPDATED")])
def test_the_edits_that_a_program_asks_for_are_no_conflicts(search, replace):
    edit = f"<<<<<<< {search}\nold\n=======\nnew\n>>>>>>> {replace}\n"
    assert conflicts(edit) == [] and lone_markers(edit) == []
    assert [c.ours for c in conflicts(edit + "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n")] == [6]
