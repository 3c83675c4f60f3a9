"""Paths that differ only in case."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.case_collision import CaseCollision, collisions, folded
from kairos.detectors.scene import CommitFile, Facts

PATHS = st.lists(st.text("aAbB/", min_size=1, max_size=6).filter(lambda p: all(p.split("/"))), max_size=8)


def look(scene):
    return list(CaseCollision().look(scene))


def test_a_new_pair_is_said_and_a_rename_in_case_only_is_not(repo, see):
    repo.write("docs/Readme.md", "x\n")
    repo.commit()
    repo.git("mv", "docs/Readme.md", "docs/README.md")
    repo.commit()
    assert look(see("commit")) == []
    repo.write("docs/readme.md", "y\n")
    repo.commit()
    (found,) = look(see("commit"))
    assert found.title == "docs/README.md and docs/readme.md differ only in case"
    assert [f.key for f in look(see("baseline"))] == [found.key]


def test_directories_collide_as_a_whole_and_accents_in_two_forms(repo, see):
    repo.write("Src/a", "x")
    repo.write("Src/b", "x")
    repo.commit()
    repo.write("src/c", "x")
    repo.write("src/d", "x")
    repo.commit()
    assert [f.title for f in look(see("commit"))] == ["Src and src differ only in case"]
    assert collisions(["caf\u00e9", "cafe\u0301"])


def test_a_repository_that_holds_such_pairs_already_is_left_alone(repo, see):
    repo.write("a", "x")
    repo.write("A", "x")
    repo.commit()
    repo.write("b", "x")
    repo.write("B", "x")
    repo.commit()
    assert look(see("commit")) == []


@given(PATHS)
def test_pairs_are_exactly_the_names_that_fold_alike(paths):
    names = {"/".join(p.split("/")[: n + 1]) for p in paths for n in range(p.count("/") + 1)}
    found = collisions(paths)
    for one, two in found.items():
        assert one != two and folded(one) == folded(two) and {one, two} <= names
    alike = any(a != b and folded(a) == folded(b) for a in names for b in names)
    assert bool(found) == alike


def test_many_new_paths_among_many_pairs_take_linear_time(see, repo):
    """Nothing here measures time: what is not linear does not end within the time limit of a test."""
    repo.commit()
    pairs = [f"d/{'A' if i & 1 else 'a'}{i >> 1}" for i in range(60_000)]
    added = [*pairs, *(f"e/{i}" for i in range(60_000)), "x/" * 200_000 + "x", "X/" * 200_000 + "x"]
    scene = see("commit")
    commit = scene.commits[0]._replace(changes=[CommitFile(p, "A", None) for p in added])
    facts = Facts(scene.git)
    facts.__dict__["tracked"] = frozenset(added)
    (found,) = look(replace(scene, commits=[commit], shared=facts))
    assert found.claim.startswith("50 pairs of paths differ")
