"""The ignore rules of a past tree are judged as git judges those of a checkout."""

from __future__ import annotations

import pytest

from kairos.repo.git import Git
from kairos.repo.past_rules import PastRules
from kairos.repo.past_tree import PastTree


@pytest.fixture
def rules(repo):
    tree = PastTree(Git(repo.root))
    found = PastRules(tree)
    yield tree, found
    found.close()
    tree.close()


def test_rules_of_each_commit_cover_what_they_covered_then(repo, rules):
    tree, found = rules
    bare = repo.commit()
    repo.write(".gitignore", "*.log\n!keep.log\nbuild/\n")
    repo.write("sub/.gitignore", "/only-here\n")
    some = repo.commit()
    paths = ["a.log", "keep.log", "build/x", "sub/only-here", "only-here", "x"]
    tree.move(some)
    assert found.covering(paths) == {
        "a.log": "*.log", "keep.log": "!keep.log", "build/x": "build/", "sub/only-here": "/only-here",
    }  # fmt: skip
    tree.move(bare)
    assert found.covering(paths) == {}
    tree.move(some)
    assert "a.log" in found.covering(paths)


def test_hostile_names_and_linked_rule_files_are_left_out(repo, rules):
    tree, found = rules
    (repo.root / ".gitignore").symlink_to("/etc/passwd")
    repo.write("d/.gitignore", b"\xff\xfe*\0\n*.o\n")
    tree.move(repo.commit())
    assert found.covering(["../x", ".git/config", "/etc/x", "a\0b", ""]) == {}
    assert found.covering(["d/a.o", "a.o"]) == {"d/a.o": "*.o"}


def test_attributes_of_each_commit_are_those_of_then(repo, rules):
    tree, found = rules
    repo.write(".gitattributes", "*.txt conflict-marker-size=9\n")
    repo.write("sub/.gitattributes", "b.txt conflict-marker-size=11\n")
    some = repo.commit()
    repo.git("rm", "-q", ".gitattributes")
    later = repo.commit()
    tree.move(some)
    asked = ["a.txt", "sub/b.txt", "c.md", "../x.txt"]
    assert found.attribute("conflict-marker-size", asked) == {"a.txt": "9", "sub/b.txt": "11"}
    tree.move(later)
    assert found.attribute("conflict-marker-size", asked) == {"sub/b.txt": "11"}
