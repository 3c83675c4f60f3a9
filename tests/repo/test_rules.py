"""What git says of paths, and that no path makes it refuse all of them."""

from __future__ import annotations

from kairos.repo.git import Git
from kairos.repo.rules import attribute, covered


def test_a_path_that_git_refuses_does_not_cost_the_answer_for_the_others(repo):
    repo.write(".gitignore", "*.log\n!keep.log\nlink\n")
    (repo.root / "link").symlink_to("/usr")
    (repo.root / "sub").mkdir()
    (repo.root / "sub/link").symlink_to("..")
    asked = [
        "a.log",
        "keep.log",
        "link",
        "link/x.log",
        "sub/link/a.log",
        "../x.log",
        "/x.log",
        "",
        ".git/x.log",
        "b//c.log",
    ]
    assert covered(Git(repo.root), asked) == {"a.log": "*.log", "keep.log": "!keep.log", "link": "link"}
    assert covered(Git(repo.root), ["../x"]) == covered(Git(repo.root), []) == {}


def test_attributes_are_those_of_the_work_tree(repo):
    repo.write(".gitattributes", "*.txt conflict-marker-size=9\n")
    asked = ["a.txt", "sub/b.txt", "c.md", "../d.txt", ""]
    assert attribute(Git(repo.root), "conflict-marker-size", asked) == {"a.txt": "9", "sub/b.txt": "9"}
    assert attribute(Git(repo.root), "conflict-marker-size", []) == {}
