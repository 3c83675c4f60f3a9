from __future__ import annotations

import os
from typing import Any

from kairos.repo.git import Git
from kairos.repo.search import files_naming, files_with_lines


def test_tracked_text_files_that_hold_one_of_the_strings_are_found(repo: Any) -> None:
    repo.write("b.txt", "see old/name.py here\n")
    repo.write("a.txt", "other\nneedle\n")
    repo.write("no.txt", "nothing\n")
    repo.write("binary", b"needle\0")
    repo.commit()
    repo.write("untracked.txt", "needle\n")
    git = Git(repo.root)
    assert files_naming(git, ["needle", "old/name.py"]) == ["a.txt", "b.txt"]
    assert files_naming(git, ["needle"], ["b*"]) == []
    assert files_naming(git, ["absent"]) == []


def test_strings_are_taken_as_they_are_and_as_whole_words(repo: Any) -> None:
    repo.write("a.txt", "pay.service\n")
    repo.write("b.txt", "payXservice and repay.services\n")
    repo.commit()
    git = Git(repo.root)
    assert files_naming(git, ["pay.service"]) == ["a.txt"]
    assert files_naming(git, ["pay.service"], words=False) == ["a.txt", "b.txt"]
    assert files_naming(git, ["-e"]) == []


def test_a_string_that_no_line_can_hold_finds_nothing(repo: Any) -> None:
    repo.write("a.txt", "one\ntwo\n")
    repo.commit()
    git = Git(repo.root)
    assert files_naming(git, ["", "one\ntwo", "a\0b", "a\rb"]) == []
    assert files_naming(git, ["one\ntwo", "two"]) == ["a.txt"]


def test_names_that_are_no_text_are_searched_for_and_found(repo: Any) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    repo.write(name, b"speaks of caf\xe9.txt\n")
    repo.commit()
    assert files_naming(Git(repo.root), [name], words=False) == [name]


def test_what_the_work_tree_holds_counts_and_not_what_was_committed(repo: Any) -> None:
    repo.write("a.txt", "needle\n")
    repo.commit()
    repo.write("a.txt", "gone\n")
    assert files_naming(Git(repo.root), ["needle"]) == []


def test_files_with_a_line_that_begins_with_each_of_the_starts(repo: Any) -> None:
    repo.write("all.txt", "<<<<<<< a\n=======\n>>>>>>> b\n")
    repo.write("some.txt", "<<<<<<< a\n=======\n")
    repo.write("inside.txt", "x <<<<<<< a\n=======\n>>>>>>> b\n")
    repo.commit()
    assert files_with_lines(Git(repo.root), ["<<<<<<< ", "=======", ">>>>>>> "]) == ["all.txt"]
