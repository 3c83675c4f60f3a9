from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.memory.cochange import LARGEST, Learner
from kairos.memory.counts import Commit

DAY = 86_400
PATHS = [f"{folder}{name}" for folder in ("", "src/") for name in ("a.py", "b.py", "c.py", "test_a.py")]


def learned(*groups: str, every: int = DAY, start: int = 1_700_000_000) -> Learner:
    """A learner of commits, each given as a string of one-letter paths."""
    learner = Learner()
    for i, group in enumerate(groups, 1):
        learner.learn(Commit(at_s=start + i * every, position=i, paths=list(group)))
    return learner


def sure(learner: Learner, path: str, other: str) -> float:
    found = learner.estimate(path, other)
    return found.confidence if found is not None else 0.0


def test_files_that_always_change_together_are_surely_related() -> None:
    learner = learned(*["ab"] * 10, "c")
    [found] = learner.related(["a"], guess=False)
    assert (found.path, found.support) == ("b", 10)
    assert found.confidence > 0.85


def test_confidence_is_the_share_of_commits_that_changed_both() -> None:
    learner = learned(*["ab", "a"] * 20)
    assert 0.3 < sure(learner, "a", "b") < 0.55
    assert sure(learner, "b", "a") > 0.85


def test_one_shared_commit_is_no_certainty() -> None:
    assert sure(learned("ab"), "a", "b") < sure(learned("ab", "ab", "ab"), "a", "b") < 0.9


def test_evidence_fades_with_a_half_life_of_half_a_year() -> None:
    evidence = learned("ab", "cd", every=180 * DAY).evidence
    older, newer = evidence.pair(1, 2), evidence.pair(4, 3)
    assert older is not None and newer is not None
    assert newer.weight == pytest.approx(2 * older.weight)
    assert evidence.file(3).weight == pytest.approx(2 * evidence.file(1).weight)


def test_what_was_once_together_and_then_apart_is_hardly_related() -> None:
    recent = learned(*["a"] * 8, *["ab"] * 4, every=90 * DAY)
    long_ago = learned(*["ab"] * 4, *["a"] * 8, every=90 * DAY)
    assert sure(recent, "a", "b") > 2 * sure(long_ago, "a", "b") > 0


def test_sleeping_forgets_nothing() -> None:
    learner = learned("ab", "ab", "ab")
    before = sure(learner, "a", "b")
    assert sure(Learner(learner.evidence), "a", "b") == before


def test_a_commit_over_thirty_files_says_nothing_about_pairs() -> None:
    learner = Learner()
    many = [f"f{i}" for i in range(LARGEST + 1)]
    learner.learn(Commit(at_s=1, position=1, paths=many))
    assert learner.related(["f0"], guess=False) == []
    learner.learn(Commit(at_s=2, position=2, paths=many[:LARGEST]))
    assert len(learner.related(["f0"], 100, guess=False)) == LARGEST - 1


def test_a_renamed_file_keeps_its_evidence_under_its_new_name() -> None:
    learner = learned("ab", "ab", "ab")
    before = sure(learner, "a", "b")
    learner.learn(Commit(at_s=1_700_000_000 + 4 * DAY, position=4, paths=["z"], renames={"z": "a"}))
    assert learner.estimate("a", "b") is None
    assert sure(learner, "z", "b") > before / 2
    assert [e.path for e in learner.related(["b"], guess=False)] == ["z"]


def test_a_deleted_file_is_never_an_answer_and_its_successor_starts_anew() -> None:
    learner = learned("ab", "ab")
    learner.learn(Commit(at_s=1_700_500_000, position=3, paths=[], removed=["b"]))
    assert [e.path for e in learner.related(["a"])] == []
    learner.learn(Commit(at_s=1_700_600_000, position=4, paths=["b"]))
    assert learner.estimate("a", "b") is None


def test_a_rename_onto_a_living_file_replaces_it() -> None:
    learner = learned("ab", "cd")
    learner.learn(Commit(at_s=1_700_500_000, position=3, paths=["c"], renames={"c": "a"}))
    assert learner.paths() == ["b", "c", "d"]
    assert learner.estimate("c", "b") is not None
    assert learner.estimate("c", "d") is None


def test_the_newest_eight_commits_are_cited() -> None:
    [found] = learned(*["ab"] * 12).related(["a"], guess=False)
    assert found.cites == list(range(5, 13))


def test_a_guess_is_marked_and_less_sure_than_what_commits_showed() -> None:
    learner = learned("a", "b", "ac", "ac")
    found = {e.path: e for e in learner.related(["a"])}
    assert found["c"].support == 2 and found["b"].support == 0
    assert found["b"].confidence < found["c"].confidence


def test_several_paths_are_asked_about_at_once() -> None:
    learner = learned(*["ab"] * 3, *["cd"] * 3, "ac")
    assert {e.path for e in learner.related(["a", "c"], guess=False)} == {"b", "d"}


@pytest.mark.parametrize("at_s", [-(10**15), 0, 2**60])
def test_a_commit_from_any_time_breaks_nothing(at_s: int) -> None:
    learner = learned("ab", "ab")
    learner.learn(Commit(at_s=at_s, position=3, paths=["a", "b"]))
    learner.learn(Commit(at_s=1_700_900_000, position=4, paths=["a", "b"]))
    assert 0 <= sure(learner, "a", "b") <= 1


commits = st.lists(
    st.tuples(
        st.lists(st.sampled_from(PATHS), max_size=4, unique=True),
        st.lists(st.sampled_from(PATHS), max_size=1),
        st.none() | st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)),
        st.integers(0, 300 * DAY),
    ),
    max_size=25,
)


def walk(history: list[tuple[list[str], list[str], tuple[str, str] | None, int]]) -> list[Commit]:
    out, at = [], 0
    for position, (paths, removed, rename, gap) in enumerate(history, 1):
        at += gap
        renames = {rename[1]: rename[0]} if rename and rename[0] != rename[1] else {}
        alive = [p for p in (*paths, *renames) if p not in removed and p not in renames.values()]
        out.append(Commit(at_s=at, position=position, paths=alive, removed=removed, renames=renames))
    return out


@given(commits)
@settings(max_examples=150, deadline=None)
def test_answers_are_living_files_with_honest_confidence(
    history: list[tuple[list[str], list[str], tuple[str, str] | None, int]],
) -> None:
    learner, alive = Learner(), set[str]()
    for commit in walk(history):
        learner.learn(commit)
        alive = (alive | set(commit.paths)) - set(commit.removed) - set(commit.renames.values())
    for path in PATHS:
        found = learner.related([path], 50)
        assert path not in [e.path for e in found]
        assert [e.confidence for e in found] == sorted((e.confidence for e in found), reverse=True)
        for e in found:
            assert e.path in learner.paths()
            assert 0 <= e.confidence <= 1
            assert e.cites and all(1 <= p <= len(history) for p in e.cites)
    assert alive >= set(learner.paths())


def test_twenty_thousand_commits_are_folded_in_seconds() -> None:
    started = time.process_time()
    learner = Learner()
    for i in range(20_000):
        paths = [f"src/{(i * 7 + j * j) % 900}.py" for j in range(1 + i % 6)]
        learner.learn(Commit(at_s=1_500_000_000 + i * 7_200, position=i + 1, paths=paths))
    assert time.process_time() - started < 8
    assert learner.related(["src/7.py"], 10, guess=False)
