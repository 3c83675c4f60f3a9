"""kill -9 at every step of a patch over 20 files: after recovery it is all or nothing, and the log says which."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import recovery, undo
from kairos.acting.applying import temporary
from kairos.domain.events import ExecutionFinished, ExecutionUnknown

FILES = 20
STEPS = 44  # store, start, make 5 directories, stage 16 files, place 20, applied

# A clean process without threads forks one child for each step; the child kills itself there.
KILLER = """
import json, os, signal, sys
from pathlib import Path
from kairos.acting.executor import execute
from kairos.acting.recovery import recover
from kairos.acting import undo as undoing
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import InboxView
from kairos.home import find_home
from kairos.settings import Config

home, root = find_home(), Path(sys.argv[1])
id_, run, step, again = sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]

def dying(limit):
    count = 0
    def on_step(_):
        nonlocal count
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
    return on_step

def forked(work):
    child = os.fork()
    if child == 0:
        log = Log(home.log)
        try:
            work(log)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def do(log):
    if run == "apply":
        execute(log, home, Config(), InboxView().load(log)[0].find(id_), root, on_step=dying(step))
    else:
        undoing.undo(log, home, id_, on_step=dying(step))

died = forked(do) == -signal.SIGKILL
if again != "no":
    forked(lambda log: recover(log, home, on_step=dying(int(again))))
log = Log(home.log)
settled = recover(log, home)
print(json.dumps({"died": died, "settled": [p.state for p in settled]}))
"""


def killed(bench: Any, proposal: Any, run: str, step: int, again: str = "no") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", KILLER, str(bench.root), proposal.id, run, str(step), again],
        capture_output=True, text=True, check=False, cwd="/", env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def many(bench: Any, repo: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tree before, wanted changes): changes, creations in new directories and deletions, 20 files in all."""
    wanted: dict[str, Any] = {}
    for n in range(FILES):
        if n % 5 == 3:
            wanted[f"new/d{n}/f.txt"] = f"created {n}\n"
            continue
        repo.write(f"dir{n % 3}/f{n}.txt", f"old {n}\nsecond\n", 0o664)
        wanted[f"dir{n % 3}/f{n}.txt"] = None if n % 5 == 4 else f"new {n}\nsecond\n"
    return bench.tree(), wanted


@pytest.mark.timeout(400)
def test_a_kill_at_any_step_of_applying_leaves_all_or_nothing(bench: Any, repo: Any) -> None:
    before, wanted = many(bench, repo)
    after = None
    steps = [*range(STEPS), STEPS]
    seen = set()
    for step in steps:
        approved = bench.approved(bench.patch(wanted))
        answer = killed(bench, approved, "apply", step)
        now = bench.of(approved.id)
        seen.add(now.state)
        if now.state in ("approved", "failed"):
            assert bench.tree() == before, step
            if now.state == "approved":
                now = bench.execute(now)
        if now.state == "executed":
            after = after or bench.tree()
            assert bench.tree() == after, step
            assert undo.undo(bench.log, bench.home, now.id).state == "undone"
        assert bench.tree() == before
        assert answer["died"] == (step < STEPS)
        ends = [r for r in bench.log.stream(now.stream) if isinstance(r.event, ExecutionFinished)]
        assert len([e for e in ends if e.event.run == "apply"]) == 1  # type: ignore[union-attr]
    assert seen == {"approved", "failed", "executed"}


def test_a_kill_in_the_middle_of_recovery_is_recovered_from(bench: Any, repo: Any) -> None:
    before, wanted = many(bench, repo)
    for step, again in ((33, "0"), (33, "3"), (40, "1")):
        approved = bench.approved(bench.patch(wanted))
        killed(bench, approved, "apply", step, again)
        assert bench.of(approved.id).state == "executed"
        undo.undo(bench.log, bench.home, approved.id)
        assert bench.tree() == before


def test_a_kill_at_any_step_of_an_undo_leaves_all_or_nothing(bench: Any, repo: Any) -> None:
    before, wanted = many(bench, repo)
    done = bench.executed(wanted)
    after = bench.tree()
    for step in (0, 1, 5, 17, 18, 25, 36, 37, 38):
        killed(bench, done, "undo", step)
        now = bench.of(done.id)
        if now.state in ("executed", "redone"):
            assert bench.tree() == after, step
        else:
            assert now.state == "undone"
            assert bench.tree() == before, step
            assert undo.redo(bench.log, bench.home, done.id).state == "redone"
            assert bench.tree() == after


def crashed(bench: Any, repo: Any, wanted: dict[str, Any], step: str) -> Any:
    """A proposal whose run stopped at a step without any outcome, as after a crash."""
    approved = bench.approved(bench.patch(wanted))

    class Crash(BaseException):
        pass

    def stop(name: str) -> None:
        if name == step:
            raise Crash

    try:
        bench.execute(approved, on_step=stop)
    except Crash:
        return bench.of(approved.id)
    raise AssertionError("the step never came")


def test_a_foreign_edit_during_the_crash_is_unknown_and_untouched(bench: Any, repo: Any) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        repo.write(name, "old\n")
    p = crashed(bench, repo, dict.fromkeys(("a.txt", "b.txt", "c.txt"), "new\n"), "placed a.txt")
    repo.write("b.txt", "mine\n")
    left = bench.tree()
    assert [s.state for s in recovery.recover(bench.log, bench.home)] == ["unknown"]
    unknown = bench.log.stream(p.stream)[-1].event
    assert isinstance(unknown, ExecutionUnknown)
    assert unknown.paths == ["b.txt"]
    assert bench.tree() == {k: v for k, v in left.items() if "kairos" not in k}
    assert recovery.recover(bench.log, bench.home) == []


def test_only_temporary_files_of_the_run_itself_are_removed(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n")
    repo.write(".kairos-theirs.tmp", "not ours\n")
    p = crashed(bench, repo, {"a.txt": "new\n"}, "staged a.txt")
    assert p.execution is not None
    assert (repo.root / temporary(p.execution.execution, "a.txt")).exists()
    recovery.recover(bench.log, bench.home)
    assert not (repo.root / temporary(p.execution.execution, "a.txt")).exists()
    assert (repo.root / ".kairos-theirs.tmp").exists()


def test_a_mixture_whose_contents_are_lost_is_unknown(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n")
    repo.write("b.txt", "old\n")
    p = crashed(bench, repo, {"a.txt": "new\n", "b.txt": "other\n"}, "placed a.txt")
    assert p.execution is not None
    subprocess.run(["git", "--git-dir", bench.home.undo, "update-ref", "-d", p.execution.store], check=True)
    assert [s.state for s in recovery.recover(bench.log, bench.home)] == ["unknown"]
    assert (repo.root / "b.txt").read_text() == "old\n"


def test_a_run_whose_repository_is_away_stays_open_until_it_is_back(bench: Any, repo: Any, tmp_path: Path) -> None:
    repo.write("a.txt", "old\n")
    p = crashed(bench, repo, {"a.txt": "new\n"}, "started")
    repo.root.rename(tmp_path / "away")
    assert recovery.recover(bench.log, bench.home) == []
    (tmp_path / "away").rename(repo.root)
    assert [s.state for s in recovery.recover(bench.log, bench.home)] == ["failed"]
    assert bench.of(p.id).state == "failed"
