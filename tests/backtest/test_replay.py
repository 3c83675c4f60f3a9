"""Small histories of which a person can say what should be raised, and what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from kairos.domain.attention import Manners

CONFLICT = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
PAY = "def pay():\n    return 1\n\n\ndef more():\n    return 2\n"


@pytest.fixture(autouse=True)
def dates(monkeypatch):
    """Commits an hour apart."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1700000000 +0000")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1700000000 +0000")

    def at(hours):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1_700_000_000 + 3_600 * hours} +0000")

    return at


def quiet(repo, number, path="other.txt"):
    for n in range(number):
        repo.write(path, f"{os.urandom(4).hex()} {n}\n")
        repo.commit(f"quiet {n}")


def labels(result):
    return [(r.detector, r.label, r.after) for r in result.raised]


def test_a_marker_that_was_removed_is_done_and_one_that_stayed_is_left(repo, replay):
    repo.write("a.py", "a\n")
    repo.commit()
    repo.write("a.py", CONFLICT)
    repo.write("b.py", CONFLICT)
    repo.commit()
    quiet(repo, 2)
    repo.write("a.py", "a\nb\n")
    fix = repo.commit()
    quiet(repo, 9)
    found = replay("conflict-marker", horizon=8)
    assert labels(found) == [("conflict-marker", "done", 3), ("conflict-marker", "left", 8)]
    assert found.raised[0].by == fix and found.repeats == 0
    (sums,) = found.sums()
    assert (sums.done, sums.left, sums.precision.share) == (1, 1, 0.5)


def test_history_that_ends_first_tells_nothing(repo, replay):
    repo.write("a.py", CONFLICT)
    repo.commit()
    quiet(repo, 3)
    found = replay("conflict-marker")
    assert labels(found) == [("conflict-marker", "unknown", 0)] and found.sums()[0].precision is None


def test_what_was_there_before_the_first_commit_is_listed_and_never_raised(repo, replay):
    repo.write("a.py", CONFLICT)
    repo.commit()
    quiet(repo, 4)
    repo.write("a.py", CONFLICT + "x\n")
    repo.commit()
    found = replay("conflict-marker", last=3)
    assert found.raised == [] and found.listed == 1 and found.commits == 3


def test_stale_references_are_done_when_half_of_them_follow_and_moot_when_the_rename_is_taken_back(repo, replay):
    def layout():
        repo.write("src/pay.py", PAY)
        repo.write("src/pay2.py", PAY.replace("pay", "paid") * 2)
        repo.write("docs/one.md", "[pay](../src/pay.py)\n")
        repo.write("docs/two.md", "[pay](../src/pay2.py)\n")
        return repo.commit()

    layout()
    repo.git("mv", "src/pay.py", "src/billing.py")
    repo.commit("one")
    repo.write("docs/one.md", "[pay](../src/billing.py)\n")
    repo.commit("follow")
    repo.git("mv", "src/pay2.py", "src/billing2.py")
    repo.commit("two")
    repo.git("mv", "src/billing2.py", "src/pay2.py")
    repo.commit("back")
    assert labels(replay("stale-reference")) == [("stale-reference", "done", 1), ("stale-reference", "moot", 1)]


def test_only_commits_that_descend_from_a_finding_judge_it(repo, replay, dates):
    base = repo.commit("base")
    repo.write("a.py", CONFLICT)
    repo.commit("marker")
    main = repo.git("rev-parse", "--abbrev-ref", "HEAD")
    repo.git("checkout", "-q", "-b", "other", base)
    dates(1)
    quiet(repo, 6)  # as many as the horizon, on another branch
    repo.git("checkout", "-q", main)
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "other")
    dates(2)
    repo.write("a.py", "a\n")
    repo.commit("fix")
    assert labels(replay("conflict-marker", horizon=5)) == [("conflict-marker", "done", 2)]


def test_an_artifact_that_is_committed_is_seen_before_and_done_when_it_is_taken_out(repo, replay):
    repo.write("junk.pyc", b"\0x")
    repo.write(".DS_Store", b"\0y")
    repo.commit()
    repo.git("rm", "-q", "junk.pyc", ".DS_Store")
    repo.write(".gitignore", "*.pyc\n")
    repo.commit()
    found = replay("ignore-artifact")
    assert labels(found) == [("ignore-artifact", "done", 1)] and found.raised[0].boundary == "burst"


def test_delivery_keeps_quiet_hours_and_the_daily_cap_at_the_times_of_the_commits(repo, replay, dates):
    for n in range(8):
        dates(n / 10)
        repo.write(f"f{n}.py", CONFLICT)
        repo.commit()
    found = replay("conflict-marker")
    assert (len(found.raised), found.deliveries, found.busiest) == (8, 4, 4)
    assert replay("conflict-marker", journal="2", manners=Manners(quiet=(0, 23), per_day=4, idle=1)).deliveries == 0


def test_nothing_is_told_while_git_writes_one_commit_after_the_other(repo, replay, dates):
    """A rebase: three commits of one second, and a later one."""
    dates(5)
    made = []
    for n in range(3):
        repo.write(f"f{n}.py", CONFLICT)
        made.append(repo.commit())
    dates(6)
    repo.write("later.py", CONFLICT)
    made.append(repo.commit())
    found = replay("conflict-marker")
    assert [r.commit for r in found.raised] == made
    assert [r.told.commit for r in found.raised] == [made[2]] * 3 + [made[3]]


def test_a_second_run_says_the_same_from_the_journal(repo, replay):
    for n in range(6):
        repo.write(f"f{n}.py", CONFLICT)
        repo.commit()
        repo.write(f"f{n}.py", "done\n")
        repo.commit()
    first, again = replay(), replay()
    assert again.raised == first.raised and labels(first) == [("conflict-marker", "done", 1)] * 6
    assert again.kept > 0 and first.kept == 0
    assert (again.deliveries, again.busiest, again.days) == (first.deliveries, first.busiest, first.days)


def test_a_replay_that_was_killed_goes_on_and_says_the_same(repo, replay, tmp_path):
    for n in range(60):
        repo.write(f"f{n % 9}.py", CONFLICT if n % 2 else "clean\n")
        repo.commit()
    whole = replay("conflict-marker")
    for after in (1, 7, 25):
        journal = tmp_path / f"killed-{after}.jsonl"
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(repo.root), str(journal)])
        deadline = time.monotonic() + 60
        while journal_lines(journal) < after and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert journal_lines(journal) >= after
        resumed = replay("conflict-marker", journal=journal.name)
        assert resumed.raised == whole.raised and resumed.kept > 0


def journal_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


KILLED = """
import sys
from datetime import UTC
from pathlib import Path
from kairos.backtest.journal import Journal
from kairos.backtest.replay import Options, Replay
from kairos.detectors.looking import ALL
from kairos.domain.attention import Manners
from kairos.repo.git import Git
git = Git(Path(sys.argv[1]))
chosen = [d for d in ALL if d.name == "conflict-marker"]
journal = Journal(Path(sys.argv[2]))
Replay(git, chosen, Options(), Manners(quiet=None, per_day=4, idle=1), UTC, journal, b"salt").run(git.head(), print)
"""
