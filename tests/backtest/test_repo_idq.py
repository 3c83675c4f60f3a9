"""RepoIDQ: what a decision to speak counts, whether a claim follows from its commit, and what learning adds."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest

from benches import repo_idq
from benches.detectors import listed
from benches.repo_idq import Points, at_once, points_of, stretches
from benches.repo_idq_claims import Trees, unproven
from benches.repo_idq_learning import Lift, lift_of
from kairos.backtest.result import RaisedThen, ToldThen
from kairos.detectors.looking import ALL
from kairos.domain.events import CommitRecorded
from kairos.repo.git import Git, GitError

DAY = 86_400
TIMES = {"c0": 0, "c1": DAY // 2, "c2": 2 * DAY}
CONFLICT = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> side\n"


def raised(label="done", at="c0", told="c0", boundary="commit", urgent=False, **more):
    then = ToldThen(told, boundary, urgent) if told else None
    known = {"detector": "d", "commit": at, "at_s": TIMES.get(at, 0), "title": "t", "claim": "c", "boundary": "commit"}
    return RaisedThen(**known | more, label=label, told=then)


def points(*told, wanted=1, amid=()):
    return points_of(told, wanted, amid, TIMES)


def test_what_people_did_and_what_they_left_are_the_reference() -> None:
    assert points(raised()).quality == 1
    assert points(raised(), raised("left")) == Points(2, 1.0, 1, 1)
    assert points(raised(told="")) == Points(wanted=1, missed=1) and points(raised(told="")).quality == 0
    assert points(raised("moot"), raised("unknown")).told == 0, "what nobody can judge counts for nobody"


@pytest.mark.parametrize(
    ("one", "amid", "what"),
    [
        (raised(told="c1"), (), (1.0, 0, 0)),
        (raised(told="c2"), (), (0.5, 1, 0)),
        (raised(boundary="burst"), (), (0.5, 0, 1)),
        (raised(boundary="burst", urgent=True), (), (1.0, 0, 0)),
        (raised(), ("c0",), (0.5, 0, 1)),
    ],
)
def test_late_and_mistimed_words_count_half(one, amid, what) -> None:
    found = points(one, amid=amid)
    assert (found.points, found.late, found.mistimed) == what


def test_always_notify_is_wrong_at_every_other_commit() -> None:
    found = at_once([raised(), raised("left", at="c1")], 10, 1)
    assert (found.told, found.points, found.false) == (10, 1.0, 9) and found.quality < 0.2


def test_the_stretches_are_of_the_public_set_and_at_least_ten() -> None:
    known = stretches()
    assert len(known) >= 10 and {s.repository for s in known} <= set(listed())
    assert all(len(s.head) == 40 and s.commits > 0 for s in known) and len({s.repository for s in known}) == len(known)


@pytest.fixture
def cards(repo, replay):
    """A conflict that was left, a rename that a page does not follow, a file that no longer parses, a credential, an
    artifact, and two names that differ in case."""
    repo.write("src/pay.py", "def pay():\n    return 1\n" * 9)
    repo.write("docs/a.md", "[pay](../src/pay.py)\n")
    repo.write("docs/c.md", "Payments are in src; paying is not.\n")
    repo.write("config.json", "{}\n")
    repo.commit()
    repo.git("mv", "src/pay.py", "src/bill.py")
    repo.write("config.json", "{\n")
    repo.write("conflict.py", f"x = 1\n{CONFLICT}")
    repo.write("deploy.env", "AWS_KEY=AKIAQ3EGRT5HZX7WLMNP\n")
    repo.write(".DS_Store", b"\0x")
    repo.write("a/Name.txt", "x\n")
    repo.write("a/name.txt", "y\n")
    repo.commit()
    return {r.detector: r for r in replay().raised}


def test_every_claim_follows_from_the_commit_that_it_cites(repo, cards) -> None:
    assert set(cards) >= {"conflict-marker", "stale-reference", "unparsable", "secret", "ignore-artifact",
                          "case-collision"}  # fmt: skip
    with closing(Trees(Git(repo.root))) as trees:
        assert [f"{name}: {why}" for name, card in cards.items() for why in unproven(card, trees)] == []


@pytest.mark.parametrize(
    ("detector", "old", "new"),
    [
        ("conflict-marker", "2–6", "1–6"), ("conflict-marker", "conflict.py", "other.py"),
        ("stale-reference", "src/pay.py is", "src/may.py is"), ("stale-reference", "docs/a.md", "config.json"),
        ("stale-reference", "now src/bill.py", "now src/till.py"), ("stale-reference", "docs/a.md", "docs/c.md"),
        ("stale-reference", "src/bill.py;", "src/bill.py and 9 more;"), ("case-collision", "a/Name.txt", "a/Game.txt"),
        ("case-collision", "a/name.txt", "config.json"), ("unparsable", "config.json", "docs/a.md"),
        ("secret", "line 1", "line 2"), ("secret", "deploy.env", "docs/a.md"), ("ignore-artifact", ".DS_Store", "docs"),
    ],
)  # fmt: skip
def test_a_claim_that_says_something_else_does_not(repo, cards, detector, old, new) -> None:
    assert_unproven(repo, cards[detector], old, new)


def assert_unproven(repo, card, old, new) -> None:
    assert old in card.claim, card.claim
    wrong = msgspec.structs.replace(card, claim=card.claim.replace(old, new))
    with closing(Trees(Git(repo.root))) as trees:
        assert unproven(card, trees) == []
        assert unproven(wrong, trees)


@pytest.fixture
def notes(repo, replay):
    """A file that is deleted with two links to it left, one that nobody names, and a symbolic link that led to one."""
    for name in ("src/tax.py", "src/lone.py", "data/new.txt"):
        repo.write(name, f"{name} = 1\n".replace("/", "_").replace(".", "_"))
    repo.write("docs/a.md", "[tax](../src/tax.py)\n\nTaxes, syntax.\n\n[again](../src/tax.py)\n")
    (repo.root / "link.txt").symlink_to("data/new.txt")
    repo.commit()
    for gone in ("src/tax.py", "src/lone.py", "data/new.txt"):
        repo.git("rm", "-q", gone)
        repo.commit()
    return {r.claim.split()[0]: r for r in replay("stale-reference").raised}


@pytest.mark.parametrize(
    ("first", "old", "new"),
    [
        ("src/tax.py", "src/tax.py", "src/lone.py"), ("src/tax.py", "src/tax.py", "src/max.py"),
        ("src/tax.py", "src/tax.py", "docs/a.md"), ("src/tax.py", "2 places", "3 places"),
        ("link.txt", "link.txt", "docs/a.md"), ("link.txt", "link.txt", "other.txt"),
    ],
)  # fmt: skip
def test_of_what_was_deleted_the_places_are_looked_up(repo, notes, first, old, new) -> None:
    assert_unproven(repo, notes[first], old, new)


def test_a_tree_that_git_cannot_list_proves_nothing(repo) -> None:
    with closing(Trees(Git(repo.root))) as trees:
        assert trees.before(repo.git("rev-list", "--max-parents=0", "HEAD")) == frozenset(), "a root has no parent"
        with pytest.raises(GitError):
            trees.paths("0" * 40)
        with pytest.raises(GitError):
            trees.before("0" * 40)


def test_every_detector_of_this_program_has_facts() -> None:
    from benches.repo_idq_claims import _FACTS

    assert set(_FACTS) == {d.name for d in ALL}


def test_kairos_says_of_a_journal_of_all_what_it_says_alone(repo, cards, replay, tmp_path) -> None:
    stretch = repo_idq.Stretch("x/y", repo.git("rev-parse", "HEAD"), 9)
    found = repo_idq.measured(Git(repo.root), stretch)
    assert {r.detector for r in found.kairos.raised} == set(cards) & repo_idq.ENABLED
    assert found.kairos.kept == found.kairos.commits and not found.unproven
    assert "Claims that follow" in repo_idq.report([found])


def line(number: int) -> list[CommitRecorded]:
    return [
        CommitRecorded(
            repo="r", oid=f"c{n}", parents=[f"c{n - 1}"] if n else [], author="a", at_s=n, subject="", changes=[]
        )
        for n in range(number)
    ]  # fmt: skip


def test_learning_holds_back_what_a_maintainer_never_does_and_nothing_of_what_they_do() -> None:
    noise = [raised("left", at=f"c{n}", detector="noise", after=2) for n in range(0, 60, 3)]
    good = [raised("done", at=f"c{n}", detector="good", after=2) for n in range(0, 60, 3)]
    found = lift_of([*noise, *good], line(100))
    assert found.matters == 40 and found.gained == found.held == 15, "silent after five noes"
    assert lift_of(good, line(100)).held == 0


def test_a_detector_that_a_person_added_is_judged_by_what_people_did(repo, tmp_path) -> None:
    """A TODO that stood there, one that went, one that stayed, and one that the history leaves open."""
    repo.write("old.py", "# TODO: since ever\n")
    repo.commit()
    repo.write("old.py", "# TODO: since ever\nx = 1\n")
    repo.write("went.py", "# TODO\n")
    repo.write("stayed.py", "# TODO\n")
    repo.write("image.png", b"\xff TODO")
    repo.commit()
    repo.write("went.py", "x = 1\n")
    repo.commit()
    for n in range(30):
        repo.write("stayed.py", f"# TODO\nn = {n}\n")
        repo.commit()
    repo.write("open.py", "# TODO\n")
    stretch = repo_idq.Stretch("x/y", repo.commit(), 33)
    found = repo_idq.noisy(Git(repo.root), stretch, tmp_path / "j").raised
    labels = {r.claim.partition("(")[2].rstrip(")"): r.label for r in found}
    assert labels == {"went.py": "done", "stayed.py": "left", "open.py": "unknown"}
    assert {r.detector for r in found} == {"todo-came-in"}


def test_what_learning_adds_is_a_row_over_all_maintainers() -> None:
    said = repo_idq.learning("here", [Lift(4, 2, 3), Lift(2, -1, 1), Lift(0, 0, 0)])
    assert said == "| here | 1, 1, 1 | +1 of 6 | 4 |"


def test_learning_knows_only_what_was_decided_before() -> None:
    late = [raised("left", at=f"c{n}", detector="noise", after=80) for n in range(20)]
    assert lift_of(late, line(100)).held == 0
