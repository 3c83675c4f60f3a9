"""Rounds of checks: each tree once, the culprit named, one card for the life of a finding."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kairos.daemon import check_rounds
from kairos.daemon.check_rounds import CheckRounds, chain_of, commit_at
from kairos.daemon.turns import Looker
from kairos.domain.checks.state import check_stream
from kairos.domain.events import CheckRan, CheckRemoved, CheckStarted, DetectorMuted
from kairos.errors import TryAgain
from kairos.home import Home
from kairos.repo.git import Git
from tests.daemon.checked import TEXT, Checked


def test_one_tree_is_run_once(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    checked.settle()
    assert len(checked.runs()) == 1
    checked.repo.commit("the same tree")
    checked.settle()
    assert len(checked.runs()) == 1


def test_what_was_red_when_the_check_was_named_is_not_told(checked: Checked) -> None:
    checked.bad("a")
    checked.name("sh", "-c", TEXT)
    checked.settle()
    assert checked.runs()[-1][1] == "failed"
    assert checked.cards() == {}


def test_the_culprit_among_many_commits_is_named_and_green_closes_its_card(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    for n in range(6):
        checked.repo.write("other.txt", str(n))
        checked.repo.commit()
    culprit = checked.bad("ab")
    for n in range(4):
        checked.repo.write("other.txt", f"later {n}")
        checked.repo.commit()
    checked.settle()
    title = f"2 cases of `t` are red since {culprit[:10]}"
    assert checked.cards() == {title: "raised"}
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.verdict, judged.culprit, judged.cases) == ("new", culprit, ["a", "b"])
    checked.settle()
    assert len(checked.others.told("CheckJudged")) == 1
    checked.bad("b")
    checked.settle()
    assert checked.cards() == {title: "raised"}, "b is red still"
    checked.bad("")
    checked.settle()
    assert checked.cards() == {title: "superseded"}
    again = checked.bad("a")
    checked.settle()
    (card,) = checked.cards().items()
    assert card == (f"t: a is red since {again[:10]}", "raised"), "the same card is open again"


def test_each_culprit_has_its_card(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    first, second = checked.bad("a"), checked.bad("ac")
    checked.settle()
    assert set(checked.cards()) == {f"t: a is red since {first[:10]}", f"t: c is red since {second[:10]}"}


def test_what_the_surroundings_broke_is_blamed_on_no_commit(checked: Checked) -> None:
    checked.repo.write(".gitignore", "env/\n")
    checked.repo.commit()
    checked.name("sh", "-c", "test ! -e env/broken")
    checked.settle()
    checked.repo.write("env/broken", "")
    checked.bad("x")
    checked.settle()
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.verdict, judged.culprit) == ("older", "")


def test_a_check_that_cannot_be_run_is_said_once_and_closes_when_it_can(checked: Checked) -> None:
    checked.repo.write(".gitignore", "env/\n")
    checked.repo.commit()
    checked.name(f"{checked.repo.root}/env/tool")
    checked.settle()
    checked.settle()
    assert checked.cards() == {"`t` could not be tested": "raised"}
    assert len(checked.runs()) == 1
    checked.repo.write("env/tool", "#!/bin/sh\nexit 0\n", 0o755)
    checked.bad("y")
    checked.settle()
    assert checked.cards() == {"`t` could not be tested": "superseded"}


def test_a_removed_check_takes_its_cards_with_it(checked: Checked) -> None:
    for name in ("t", "u"):
        checked.name("sh", "-c", TEXT, name=name)
    checked.settle()
    checked.bad("a")
    checked.settle()
    checked.others.say(CheckRemoved(repo=checked.others.repo, name="t"), check_stream(checked.others.repo, "t"))
    checked.settle()
    assert sorted(checked.cards().values()) == ["raised", "superseded"]


def test_a_run_that_was_cut_off_is_made_again_but_not_for_ever(checked: Checked) -> None:
    checked.name("sh", "-c", TEXT)
    repo, at = checked.others.repo, commit_at(Git(checked.repo.root), "HEAD")
    assert at is not None
    begun = CheckStarted(repo=repo, check="t", tree=at.tree, commit=at.oid)
    for _ in range(2):
        checked.others.say(begun, check_stream(repo, "t"))
    checked.settle()
    assert checked.runs() == [(at.oid, "passed")]
    checked.bad("z")
    at = commit_at(Git(checked.repo.root), "HEAD")
    assert at is not None
    for _ in range(3):
        checked.others.say(CheckStarted(repo=repo, check="t", tree=at.tree, commit=at.oid), check_stream(repo, "t"))
    checked.settle()
    assert checked.runs()[1:] == [(at.oid, "broken")]


def test_a_run_that_was_stopped_in_order_is_made_again_however_often(checked: Checked) -> None:
    checked.name("sh", "-c", f"sleep 2; {TEXT}")
    for _ in range(4):
        with pytest.raises(TryAgain):
            checked.rounds.step(checked.others.repository, lambda: True)
    checked.settle()
    assert [outcome for _, outcome in checked.runs()] == ["stopped"] * 4 + ["passed"]


def test_after_a_crash_the_search_goes_on_where_it_was(checked: Checked, home: Home) -> None:
    checked.name("sh", "-c", TEXT)
    checked.settle()
    for n in range(5):
        checked.repo.write("other.txt", str(n))
        checked.repo.commit()
    culprit = checked.bad("a")
    checked.repo.write("other.txt", "x")
    checked.repo.commit()
    for _ in range(40):  # a new process for each step
        rounds = CheckRounds(
            home, checked.log, checked.world, Looker(home, checked.others.config, checked.log, checked.world)
        )
        if not rounds.step(checked.others.repository):
            break
    assert [e.culprit for e in checked.others.told("CheckJudged")] == [culprit]


@pytest.mark.parametrize("given_up", [False, True])
def test_a_case_that_depends_on_the_order_is_named_as_such(checked: Checked, given_up: bool) -> None:
    checked.repo.write("test_a.py", "def test_leaves(): pass\n")
    checked.repo.write("state.py", "left = []\n")
    checked.repo.write("test_b.py", "import state\ndef test_needs(): assert not state.left\n")
    checked.repo.commit()
    venv = Path(sys.executable).parent.parent
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:hypothesispytest", "-o", "pythonpath=."]
    checked.name(sys.executable, "-m", "pytest", *options, read_roots=[str(venv)])
    checked.settle()
    checked.repo.write("test_a.py", "import state\ndef test_leaves(): state.left.append(1)\n")
    checked.repo.commit()
    case = "test_b.py::test_needs"
    if given_up:  # the first run of it alone ended at a limit: no sign that it cannot be run alone
        assert checked.rounds.step(checked.others.repository)
        at = commit_at(Git(checked.repo.root), "HEAD")
        assert at is not None
        limit = CheckRan(
            repo=checked.others.repo, check="t", tree=at.tree, commit=at.oid, outcome="broken", cases=[case],
            why="stopped by the limit wall",
        )  # fmt: skip
        checked.others.say(limit, check_stream(checked.others.repo, "t"))
    checked.settle()
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.cases, judged.verdict) == ([case], "order")


def test_a_muted_check_is_judged_and_not_told(checked: Checked) -> None:

    checked.name("sh", "-c", TEXT)
    checked.settle()
    checked.others.say(DetectorMuted(detector="check"), origin="user")
    checked.bad("a")
    checked.settle()
    assert len(checked.others.told("CheckJudged")) == 1
    assert checked.cards() == {}


def test_the_chain_is_that_of_first_parents(checked: Checked) -> None:
    base = checked.repo.git("rev-parse", "HEAD")
    checked.repo.git("checkout", "-q", "-b", "side")
    checked.bad("a")
    checked.repo.git("checkout", "-q", "-")
    checked.repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert [c.oid for c in chain_of(Git(checked.repo.root))][1] == base
    assert commit_at(Git(checked.repo.root), "no-such") is None


def test_a_finding_of_many_cases_closes_only_when_all_are_green(checked: Checked) -> None:
    each = 'grep -qx $i bad.txt && echo "not ok $i" || echo "ok $i"'
    checked.name("sh", "-c", f"i=0; while [ $i -lt 70 ]; do {each}; i=$((i+1)); done; echo 1..70")
    checked.settle()
    cases = sorted(map(str, range(70)))
    checked.bad("\n".join(cases))
    checked.settle()
    (title,) = checked.cards()
    assert title.startswith("70 cases")
    for left in (cases[-3:], cases[-2:], cases[-1:]):  # beyond those that the finding names
        checked.bad("\n".join(left))
        checked.settle()
        assert checked.cards() == {title: "raised"}
    checked.bad("")
    checked.settle()
    assert checked.cards() == {title: "superseded"}


def test_a_commit_at_which_nothing_can_be_said_of_a_case_is_passed_over(checked: Checked) -> None:
    script = f"if grep -q Z bad.txt; then echo 1..9; echo ok 1 x; else {TEXT}; fi"
    checked.name("sh", "-c", script)
    checked.settle()
    checked.bad("Z")
    checked.bad("Z1")
    culprit = checked.bad("a")
    checked.settle()
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.verdict, judged.culprit) == ("new", culprit)
    assert judged.why == "2 commits right before it could not be tested; it may be there"


def test_of_too_many_red_cases_the_new_ones_are_kept(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_rounds, "MOST_FAILED", 2)
    checked.bad("ab")
    checked.name("sh", "-c", TEXT)
    checked.settle()
    checked.bad("abc")
    checked.settle()
    runs = checked.others.told("CheckRan")
    assert [{f.id for f in run.failed} for run in runs[:2]] == [{"a", "b"}, {"c", "a"}]
    assert [j.cases for j in checked.others.told("CheckJudged")] == [["c"]]


def test_a_problem_of_a_scanner_stays_the_same_while_lines_move_and_closes_when_it_is_gone(checked: Checked) -> None:
    scan = """python3 - <<'E'
import json, re
found = [
    {"ruleId": "R1", "message": {"text": f"line {n}: {line} is bad"}, "locations": [{"physicalLocation": {
        "artifactLocation": {"uri": "a.txt"}, "region": {"startLine": n}}}]}
    for n, line in enumerate(open("a.txt").read().split(), 1) if line.startswith("bad")
]
print(json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}, "results": found}]}))
raise SystemExit(1 if found else 0)
E"""
    checked.repo.write("a.txt", "fine badold fine")
    checked.repo.commit()
    checked.name("sh", "-c", scan, kind="lint")
    checked.settle()
    checked.repo.write("a.txt", "more more fine badold")
    checked.repo.commit()
    checked.settle()
    assert checked.cards() == {}, "it was there before, elsewhere"
    checked.repo.write("a.txt", "badold badnew")
    culprit = checked.repo.commit()
    checked.settle()
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.verdict, judged.culprit, len(judged.cases)) == ("new", culprit, 1)
    for text, state in (("x x badnew x badold", "raised"), ("badold", "superseded"), ("x badnew", "raised")):
        checked.repo.write("a.txt", text)
        checked.repo.commit()
        checked.settle()
        assert list(checked.cards().values()) == [state], text
    assert len(checked.others.told("CheckJudged")) == 2, "the last time it was another commit"


def test_a_search_that_is_given_up_blames_nobody_and_says_so(checked: Checked) -> None:
    checked.repo.write(".gitignore", "env/\n")
    checked.repo.commit()
    checked.name("sh", "-c", f"test ! -e env/slow || sleep 60; {TEXT}", seconds=1)
    checked.settle()
    checked.bad("a")
    assert checked.rounds.step(checked.others.repository)
    checked.repo.write("env/slow", "")
    checked.settle()
    (judged,) = checked.others.told("CheckJudged")
    assert (judged.verdict, judged.cases, judged.culprit) == ("untested", ["a"], "")
    assert "a limit" in judged.why
    assert checked.cards() == {"t: a could not be tested": "raised"}
    (checked.repo.root / "env/slow").unlink()
    checked.bad("")
    checked.settle()
    assert checked.cards() == {"t: a could not be tested": "superseded"}
