"""An approved command runs once, confined, on a view of the tree; what it said is kept."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import confine, undo
from kairos.domain import deciding
from kairos.domain.action import CommandAction
from kairos.domain.events import ExecutionFinished
from kairos.errors import Stale
from kairos.eventlog.record import NewEvent


def commanded(bench: Any, *argv: str) -> Any:
    if confine.tier(bench.home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    return bench.approved(CommandAction(repo=bench.repo, argv=list(argv)))


def test_an_approved_command_runs_in_a_scratch_tree_and_its_output_is_kept(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    done = bench.execute(commanded(bench, "/bin/sh", "-c", "cat a.txt; echo two > a.txt"))
    assert done.state == "executed", done.why
    assert (repo.root / "a.txt").read_text() == "one\n"
    finished = bench.log.stream(done.stream)[-1].event
    assert isinstance(finished, ExecutionFinished)
    assert finished.output == "one\n"
    assert bench.topics(done).count("ExecutionStarted") == 1
    with pytest.raises(Stale):
        undo.undo(bench.log, bench.home, done.id)


def test_a_command_that_fails_is_failed(bench: Any) -> None:
    done = bench.execute(commanded(bench, "/bin/sh", "-c", "exit 3"))
    assert (done.state, done.why) == ("failed", "it ended with 3")


def test_a_command_that_a_crash_cut_off_is_unknown_and_never_rerun(bench: Any) -> None:
    approved = commanded(bench, "/bin/true")
    started = deciding.start_run(
        approved, "apply", execution="x", expect=[], before=[], store="", now=approved.changed_at
    )
    bench.log.append([NewEvent(approved.stream, e) for e in started])
    assert bench.execute(approved).state == "unknown"
    with pytest.raises(Stale):
        bench.execute(approved)
