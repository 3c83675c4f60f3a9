"""Backtests of the desk: what is refused, what is kept, and that the log of the home stays as it is."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from kairos.desk.backtesting import BacktestRequest, backtest, write_page
from kairos.errors import Locked, UsageError

CONFLICT = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"


@pytest.fixture
def marked(repo):
    for n in range(3):
        repo.write(f"<b>{n}.py", CONFLICT)
        repo.commit()
        repo.write(f"<b>{n}.py", "clean\n")
        repo.commit()
    return repo


def test_a_backtest_says_what_was_raised_and_writes_nothing_into_the_log(desk, marked):
    found = backtest(desk, str(marked.root), BacktestRequest(), lambda done, total: None)
    (markers,) = [d for d in found.detectors if d.detector == "conflict-marker"]
    assert (markers.raised, markers.done, markers.left, markers.precision) == (3, 3, 0, 1.0)
    assert markers.low is not None and 0.4 < markers.low < 1 and found.repeats == 0
    assert not desk.has_log
    assert datetime.fromisoformat(found.first) <= datetime.fromisoformat(found.last)


def test_one_journal_is_kept_for_a_repository_and_another_run_uses_it(desk, marked):
    asked = BacktestRequest(detectors=["conflict-marker"])
    first = backtest(desk, str(marked.root), asked, lambda done, total: None)
    again = backtest(desk, str(marked.root), asked, lambda done, total: None)
    assert again.proposals == first.proposals and again.kept > 0
    marked.write("x", "y")
    marked.commit()
    backtest(desk, str(marked.root), asked, lambda done, total: None)
    assert len(list(desk.home.backtests.glob("*.jsonl"))) == 1
    assert all(f.stat().st_mode & 0o077 == 0 for f in desk.home.backtests.iterdir())


def test_the_same_backtest_runs_once_at_a_time(desk, marked):
    asked = BacktestRequest(detectors=["conflict-marker"])

    def again(done, total):
        with pytest.raises(Locked):
            backtest(desk, str(marked.root), asked, lambda done, total: None)

    backtest(desk, str(marked.root), asked, again)


def test_what_cannot_be_replayed_is_refused(desk, repo, tmp_path, monkeypatch):
    def quiet(done, total):
        pass

    with pytest.raises(UsageError, match="no detector is called `nobody`"):
        backtest(desk, str(repo.root), BacktestRequest(detectors=["nobody"]), quiet)
    with pytest.raises(UsageError, match="in the future"):
        backtest(desk, str(repo.root), BacktestRequest(since="9999-01-01"), quiet)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1000000000 +0000")
    repo.git("commit", "-q", "--amend", "--no-edit")
    with pytest.raises(UsageError, match="no commit"):
        backtest(desk, str(repo.root), BacktestRequest(since="30d"), quiet)
    with pytest.raises(UsageError):
        backtest(desk, str(tmp_path), BacktestRequest(), quiet)


def test_a_page_replaces_only_a_page(desk, marked, tmp_path):
    found = backtest(desk, str(marked.root), BacktestRequest(), lambda done, total: None)
    file = tmp_path / "report.html"
    for _ in range(2):
        assert write_page(found, str(file)).html == str(file)
    assert "<!doctype html>" in file.read_text("utf-8")
    other = tmp_path / "notes.html"
    other.write_text("mine")
    for bad in (other, tmp_path, tmp_path / "none" / "x.html"):
        with pytest.raises(UsageError):
            write_page(found, str(bad))
    assert other.read_text() == "mine"
    assert msgspec.structs.replace(found, html=None) == found
