"""What moved and what is gone, from the tree before to the tree now."""

from __future__ import annotations

from kairos.detectors.stale_reference.moves import Moves, moves_of


def moves(moved=None, gone=(), now=()):
    moved = moved or {}
    return Moves(moved, frozenset(gone), frozenset([*moved.values(), *now]))


def test_the_tree_before_is_the_tree_now_with_the_moves_taken_back():
    known = moves({"a.py": "b.py"}, ["c.py"], ["d.py"])
    assert [p for p in ("a.py", "b.py", "c.py", "d.py", "e.py") if known.was(p)] == ["a.py", "c.py", "d.py"]
    assert (known.former("b.py"), known.former("d.py")) == ("a.py", "d.py")
    assert list(known.stale) == ["a.py", "c.py"] and known.is_stale("c.py") and not known.is_stale("b.py")
    assert known and not moves(now=["a"])


def test_a_directory_moved_when_all_its_files_went_the_same_way():
    assert moves({"old/a.py": "new/a.py", "old/in/b.py": "new/in/b.py"}).directories == {
        "old": "new",
        "old/in": "new/in",
    }
    assert moves({"x/old/a": "x/new/a"}).directories == {"x/old": "x/new"}


def test_a_directory_did_not_move_when_something_stayed_went_elsewhere_or_is_gone():
    assert moves({"old/a": "new/a"}, now=["old/b"]).directories == {}
    assert moves({"old/a": "new/a", "old/b": "other/b"}).directories == {}
    assert moves({"old/a": "new/a"}, gone=["old/b"]).directories == {}
    assert moves({"old/a": "new/renamed"}).directories == {}
    assert moves({"old/a": "old/deeper/a"}).directories == {}


def test_directories_are_those_of_tracked_files_now_and_before():
    known = moves({"old/in/a": "b"}, now=["x/y/z"])
    assert known.directories_now == {"", "x", "x/y"}
    assert known.directories_before == {"", "x", "x/y", "old", "old/in"}


def test_each_name_that_a_file_had_in_several_commits_leads_to_where_it_is(repo, see):
    repo.write("a.py", "content\n" * 5)
    repo.commit()
    for old, new in (("a.py", "b.py"), ("b.py", "c.py")):
        repo.git("mv", old, new)
        repo.commit()
    known, makers = moves_of(see("commit", commits=2))
    assert known.moved == {"a.py": "c.py", "b.py": "c.py"} and len(makers) == 2
    assert known.former("c.py") == "a.py"
    repo.git("rm", "-q", "c.py")
    repo.commit()
    assert moves_of(see("commit", commits=3))[0].gone == {"a.py", "b.py", "c.py"}


def test_what_is_there_again_did_not_move(repo, see):
    repo.write("a.py", "content\n" * 5)
    repo.commit()
    repo.git("mv", "a.py", "b.py")
    repo.commit()
    repo.write("a.py", "another\n")
    known, _ = moves_of(see("commit"))
    assert not known
    (repo.root / "a.py").unlink()
    assert moves_of(see("commit"))[0].moved == {"a.py": "b.py"}
    (repo.root / "b.py").unlink()
    assert not moves_of(see("commit"))[0], "where it went is not there"


def test_a_deleted_file_is_gone_until_it_is_there_again(repo, see):
    repo.write("a.py", "x")
    repo.commit()
    (repo.root / "a.py").unlink()
    repo.commit()
    assert moves_of(see("commit"))[0].gone == {"a.py"}
    repo.write("a.py", "y")
    assert not moves_of(see("commit"))[0]
