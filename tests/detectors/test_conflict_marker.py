"""Whole conflicts that git has forgotten are said; headings, examples and open merges are not."""

from __future__ import annotations

import pytest

from kairos.detectors.conflict_marker import ConflictMarker, conflicts
from kairos.domain.action import NoteAction

CONFLICT = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\nd\n"


def look(scene):
    return list(ConflictMarker().look(scene))


def test_a_committed_conflict_is_said_once_with_its_lines(repo, see):
    repo.write("src/a.py", CONFLICT)
    repo.commit("merge")
    (found,) = look(see("commit"))
    assert found.title == "Conflict markers left in src/a.py"
    assert isinstance(found.action, NoteAction)
    assert "lines 2–6" in found.action.text
    assert found.evidence == [100, 101]
    assert [f.key for f in look(see("baseline"))] == [found.key]


def test_diff3_style_and_windows_line_ends_count(repo, see):
    repo.write("a.py", "<<<<<<< HEAD\r\nb\r\n||||||| base\r\nx\r\n=======\r\nc\r\n>>>>>>> topic\r\n")
    repo.commit()
    assert len(look(see("commit"))) == 1


def test_an_open_merge_is_left_alone_until_the_path_is_added(repo, see):
    repo.write("a.txt", "one\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("a.txt", "two\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "three\n")
    repo.commit()
    repo.git("merge", "-q", "topic", check=False)
    assert "<<<<<<<" in (repo.root / "a.txt").read_text()
    assert look(see("burst", "a.txt")) == []
    repo.git("add", "a.txt")
    assert len(look(see("burst", "a.txt"))) == 1


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.rst", "Title\n=======\n\nText\n=======\n"),
        ("a.md", "Title\n=======\n"),
        ("a.py", "s = '''\n  <<<<<<< HEAD\n  =======\n  >>>>>>> x\n'''\n"),
        ("a.py", "<<<<<<< ours\n>>>>>>> x\n=======\n"),
        ("a.py", ">>>>>>> x\n=======\n<<<<<<< ours\n"),
        ("a.py", "<<<<<<<\n=======\n>>>>>>>\n"),
        ("a.txt", "======= \n<<<<<<< a\n======== \n>>>>>>> b\n"),
        ("a.md", "```diff\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n```\n"),
        ("a.bin", b"\0<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n"),
        ("a.lat", b"\xe9\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n"),
    ],
)
def test_what_is_no_conflict_is_left_alone(repo, see, path, content):
    repo.write(path, content)
    repo.commit()
    assert look(see("commit")) == []
    assert look(see("baseline")) == []


def test_untracked_files_and_markers_that_were_there_before_are_left_alone(repo, see):
    repo.write("new.txt", CONFLICT)
    assert look(see("burst", "new.txt")) == []
    repo.commit("a fixture")
    repo.write("new.txt", CONFLICT + "more\n")
    assert look(see("burst", "new.txt")) == []
    repo.commit("edit")
    assert look(see("commit")) == []
    repo.write("new.txt", CONFLICT + CONFLICT)
    assert len(look(see("burst", "new.txt"))) == 1


def test_a_symlink_to_a_conflict_outside_is_not_read(repo, see, tmp_path):
    (tmp_path / "outside").write_text(CONFLICT)
    (repo.root / "link").symlink_to(tmp_path / "outside")
    repo.commit()
    assert look(see("commit")) == []


def test_a_commit_of_a_thousand_files_and_ten_thousand_lines_is_looked_at_by_few_processes(repo, see, started):
    for i in range(1_000):
        repo.write(f"d{i % 100}/f{i}", f"{i}\n")
    repo.write("long", "=======\n<<<<<<< x\n" * 10_000)
    repo.write("z", CONFLICT)
    repo.commit("many")
    scene = see("commit")
    started.clear()
    assert len(look(scene)) == 1
    assert len(started) <= 4, f"the number of files does not count: {started}"


def test_conflicts_are_counted_in_order():
    found = conflicts(CONFLICT * 3)
    assert [(c.ours, c.middle, c.theirs) for c in found] == [(2, 4, 6), (9, 11, 13), (16, 18, 20)]
    assert found[0].labels == ("HEAD", "topic")


JJ = "<<<<<<< Conflict 1 of 1\n%%%%%%% Changes\n-a\n+b\n+++++++ Contents\nc\n>>>>>>> Conflict 1 of 1 ends\n"


def test_markers_of_jj_and_of_any_length_are_told_with_the_markers_that_stand_there(repo, see):
    repo.write("jj.txt", JJ)
    repo.write("long.py", "<<<<<<<<<<<< a\n1\n============\n2\n>>>>>>>>>>>> b\n")
    repo.commit()
    found = look(see("commit"))
    assert [f.title for f in found] == ["Conflict markers left in jj.txt", "Conflict markers left in long.py"]
    assert "(<<<<<<<, +++++++ and >>>>>>>)" in found[0].action.text
    assert [f.key for f in look(see("baseline"))] == [f.key for f in found]


def test_the_attribute_for_the_size_of_markers_is_heeded(repo, see):
    repo.write(".gitattributes", "*.txt conflict-marker-size=4\n")
    repo.write("a.txt", "<<<< a\n1\n====\n2\n>>>> b\n")
    repo.write("a.py", "<<<< a\n1\n====\n2\n>>>> b\n")
    repo.commit()
    (found,) = look(see("commit"))
    assert found.title == "Conflict markers left in a.txt"
    assert len(look(see("baseline"))) == 1


@pytest.mark.parametrize(
    "line", ["<<<<<<< HEAD", ">>>>>>> 3f2a1bc (a subject)", ">>>>>>> .r1204", "<<<<<<< Updated upstream"]
)
def test_a_lone_marker_that_a_program_wrote_is_said(repo, see, line):
    repo.write("a.py", "a\n")
    repo.commit()
    repo.write("a.py", f"a\n{line}\nb\n")
    repo.commit()
    (found,) = look(see("commit"))
    assert found.title == "A part of a merge conflict left in a.py" and "line 2" in found.claim
    assert [f.key for f in look(see("baseline"))] == [found.key]
    repo.write("a.py", f"a\n{line}\nb\nc\n")
    repo.commit()
    assert look(see("commit")) == []  # it was there before


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "<<<<<<< some_branch\n"), ("a.py", ">>>>>>> print(1)\n"), ("a.py", "  <<<<<<< HEAD\n"),
        ("a.md", "<<<<<<< HEAD\n"), ("a.py", ">>>>>>> decade of work\n"), ("a.txt", ">>>>>>> 1234567890\n"),
    ],
)  # fmt: skip
def test_a_line_that_may_be_anything_else_is_left_alone(repo, see, path, text):
    repo.write(path, text)
    repo.commit()
    assert look(see("commit")) == []


def test_a_conflict_in_a_fence_is_said_only_if_programs_wrote_both_of_its_labels(repo, see):
    example = "```\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n```\n"
    repo.write("a.md", example)
    repo.commit()
    assert look(see("commit")) == []
    repo.write("a.md", example.replace("topic", "3f2a1bc (a subject)"))
    repo.commit()
    assert len(look(see("commit"))) == 1


def test_the_input_of_tests_is_left_alone_and_tests_themselves_are_not(repo, see):
    repo.write("tests/resources/merged.txt", CONFLICT)
    repo.write("tests/test_a.py", CONFLICT)
    repo.commit()
    assert [f.title for f in look(see("commit"))] == ["Conflict markers left in tests/test_a.py"]
