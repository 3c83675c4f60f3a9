"""A look runs what fits, in order, and survives a detector that stumbles."""

from __future__ import annotations

from kairos.detectors.boundaries import EVERY
from kairos.detectors.looking import ALL, look
from kairos.detectors.roster import BUILT_IN
from kairos.errors import KairosError

CONFLICT = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n"


class Stumbling:
    name, version, boundaries = "stumbling", 1, EVERY

    def __init__(self, error):
        self.error = error

    def look(self, scene):
        raise self.error
        yield


def test_a_stumbling_detector_is_reported_and_the_others_still_look(repo, see):
    repo.write("a.txt", CONFLICT)
    repo.commit()
    errors = [
        KairosError("x\x1b[31m"),
        OSError("y"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "z"),
        ValueError("v"),
        RecursionError(),
    ]
    findings, problems = look(see("baseline"), (), [*map(Stumbling, errors), *ALL])
    assert [f.detector for f in findings] == ["conflict-marker"]
    assert len(problems) == len(errors)
    assert all(p.detector == "stumbling" and p.why.isprintable() for p in problems)


def test_muted_and_unfitting_detectors_do_not_look(repo, see):
    repo.write("a.txt", CONFLICT)
    repo.write("x.pyc", b"")
    repo.git("add", "a.txt")
    assert {f.detector for f in look(see("baseline"))[0]} == {"conflict-marker", "ignore-artifact"}
    assert {f.detector for f in look(see("baseline"), {"conflict-marker"})[0]} == {"ignore-artifact"}
    assert "stale-reference" not in BUILT_IN.fitting("burst")
    assert BUILT_IN.fitting("commit") == [
        "secret", "conflict-marker", "stale-reference", "ignore-artifact", "lock-file", "unparsable",
    ]  # fmt: skip


def test_the_same_scene_gives_the_same_findings_twice(repo, see):
    repo.write("a.txt", CONFLICT)
    repo.write("b.txt", CONFLICT)
    repo.write("x.pyc", b"")
    repo.write("y.env", "AWS=AKIAQ3EGRT5HZX7WLMNP\n")
    repo.git("add", "a.txt", "b.txt")
    assert look(see("baseline")) == look(see("baseline"))
    assert len(look(see("baseline"))[0]) == 4


def test_an_empty_repository_is_looked_at_without_a_problem(repo, see):
    repo.git("update-ref", "-d", "HEAD")
    repo.git("rm", "-q", "--cached", "README.md")
    assert look(see("baseline")) == ([], [])
