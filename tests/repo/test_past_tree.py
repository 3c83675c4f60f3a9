"""A tree of the past equals what a checkout would show, whatever way one comes to it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.repo.git import Git, GitError
from kairos.repo.past_tree import BlobReader, PastTree, TreeEntry

NAMES = ["a.txt", "d/b.txt", "d/e/c.txt", "a b\nend x", ":odd", "é"]


@pytest.fixture
def history(repo):
    """Commits on two branches, with deletions, modes, links and odd names."""
    oids = []
    for n in range(8):
        if n == 4:
            repo.git("checkout", "-q", "-b", "other", oids[1])
        repo.write(NAMES[n % len(NAMES)], f"{n}\n", 0o755 if n % 3 == 0 else 0o644)
        if n == 5:
            (repo.root / "link").symlink_to("a.txt")
        if n == 6:
            repo.git("rm", "-q", "--cached", NAMES[1])
        oids.append(repo.commit(f"c{n}"))
    return oids


def listed(repo, oid):
    out = repo.git("ls-tree", "-r", "-z", "--full-tree", oid)
    return {
        path: TreeEntry(head.split()[0], head.split()[2])
        for head, _, path in (r.partition("\t") for r in out.split("\0"))
        if path
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_any_way_through_history_shows_the_trees_that_git_has(repo, history, way):
    tree = PastTree(Git(repo.root))
    try:
        for step in way:
            before = dict(tree.entries)
            changes = tree.move(history[step])
            assert tree.entries == listed(repo, history[step])
            for path, was, now in changes:
                assert before.get(path) == was and tree.entries.get(path) == now
            assert all(tree.exists(p) for p in tree.entries) and tree.exists("") and not tree.exists("nothing")
    finally:
        tree.close()


def test_blobs_are_read_one_by_one_and_many_at_a_time_and_never_when_too_large(repo):
    repo.write("small", b"x\0y\n")
    repo.write("empty", b"")
    repo.write("large", b"z" * 5_000)
    head = repo.commit()
    oid = {n: repo.git("rev-parse", f"HEAD:{n}") for n in ("small", "empty", "large")}
    reader = BlobReader(Git(repo.root))
    try:
        reader.fetch([*oid.values(), "0" * 40, head], limit=1_000)
        assert [reader.read(oid[n]) for n in ("small", "empty")] == [b"x\0y\n", b""]
        assert reader.read(oid["large"], limit=1_000) is None and reader.size(oid["large"]) == 5_000
        assert reader.read(f"{head}:small") == b"x\0y\n"
        assert reader.read("nothing") is None and reader.read("a\nb") is None and reader.read(head) is None
    finally:
        reader.close()


def test_many_blobs_do_not_fill_the_pipe(repo):
    for n in range(900):
        repo.write(f"f/{n}", f"{n}\n" * 200)
    repo.commit()
    tree = PastTree(Git(repo.root))
    try:
        tree.move(repo.git("rev-parse", "HEAD"))
        tree.blobs.fetch(e.oid for e in tree.entries.values())
        assert tree.blobs.read(tree.entries["f/899"].oid) == b"899\n" * 200
    finally:
        tree.close()


def test_a_commit_that_is_not_there_is_an_error_and_no_hang(repo):
    tree = PastTree(Git(repo.root))
    try:
        with pytest.raises(GitError):
            tree.move("0" * 40)
    finally:
        tree.close()
