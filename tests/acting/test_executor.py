"""Carrying out: exactly what was approved, all or nothing, and nothing of the user's git touched."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import decisions, recovery, undo
from kairos.acting.worktree import WorkTree
from kairos.domain.events import ExecutionFinished, ExecutionStarted, Paused, Resumed
from kairos.errors import Stale, TryAgain
from kairos.eventlog.record import NewEvent


def test_an_approved_patch_walks_from_raised_to_redone(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\ntwo\nthree\n")
    before = bench.tree()
    done = bench.executed({"a.txt": "one\n2\nthree\n", "new/deep/b.txt": "hello\n", "README.md": None})
    after = bench.tree()
    assert repo.root.joinpath("a.txt").read_text() == "one\n2\nthree\n"
    assert repo.root.joinpath("new/deep/b.txt").read_text() == "hello\n"
    assert not repo.root.joinpath("README.md").exists()
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert bench.tree() == before
    assert undo.redo(bench.log, bench.home, done.id).state == "redone"
    assert bench.tree() == after
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert bench.tree() == before
    assert bench.topics(done) == [
        "ProposalRaised", "ProposalVerified", "ProposalApproved", "ExecutionStarted", "ExecutionFinished",
        "ExecutionStarted", "ExecutionFinished", "Undone", "ExecutionStarted", "ExecutionFinished", "Redone",
        "ExecutionStarted", "ExecutionFinished", "Undone",
    ]  # fmt: skip


def test_every_event_of_a_walk_is_caused_by_the_one_before_it(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    done = bench.executed({"a.txt": "two\n"})
    undo.undo(bench.log, bench.home, done.id)
    events = bench.log.stream(done.stream)
    assert [e.caused_by for e in events] == [bench.cause, *(e.position for e in events[:-1])]
    assert {e.correlation for e in events} == {bench.cause}


def test_started_names_before_and_after_and_finished_what_lstat_shows(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n", 0o664)
    done = bench.executed({"a.txt": "two\n", "b.sh": ("#!/bin/sh\n", 0o755)})
    started, finished = (
        next(r.event for r in bench.log.stream(done.stream) if isinstance(r.event, kind))
        for kind in (ExecutionStarted, ExecutionFinished)
    )
    assert [e.mode for e in started.before] == [0o664, None]
    assert started.expect[0].mode == 0o664
    assert started.expect[1].mode & 0o100
    for signature in finished.signatures:
        shown = os.lstat(repo.root / signature.fs)
        assert (signature.ino, signature.size, signature.mode) == (shown.st_ino, shown.st_size, shown.st_mode & 0o7777)
        assert (signature.mtime_ns, signature.ctime_ns) == (shown.st_mtime_ns, shown.st_ctime_ns)


def test_index_head_refs_and_stash_of_the_user_stay_as_they_are(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    repo.commit("add")
    repo.write("a.txt", "two\n")
    repo.git("stash")
    repo.write("b.txt", "staged\n")
    repo.git("add", "b.txt")

    def state() -> tuple[bytes, str, str]:
        return (repo.root / ".git/index").read_bytes(), repo.git("for-each-ref"), repo.git("count-objects", "-v")

    before = state()
    done = bench.executed({"a.txt": "three\n"})
    undo.undo(bench.log, bench.home, done.id)
    assert state() == before


def test_no_temporary_file_is_left(bench: Any, repo: Any) -> None:
    repo.write("d/a.txt", "one\n")
    bench.executed({"d/a.txt": "two\n", "d/b.txt": "x\n"})
    assert not [p for p in bench.tree() if "kairos" in p]


def test_executing_twice_does_it_once(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    done = bench.executed({"a.txt": "two\n"})
    again = bench.execute(done)
    assert again.state == "executed"
    assert bench.topics(done).count("ExecutionStarted") == 1


def test_an_unapproved_proposal_is_not_carried_out(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale):
        bench.execute(pending)
    assert (repo.root / "a.txt").read_text() == "one\n"


def test_a_pause_stops_executions_until_resumed(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    bench.log.append([NewEvent("control", Paused())])
    with pytest.raises(TryAgain, match="paused"):
        bench.execute(approved)
    bench.log.append([NewEvent("control", Resumed())])
    assert bench.execute(approved).state == "executed"


def test_an_edit_between_gate_and_rename_rolls_everything_back(bench: Any, repo: Any) -> None:
    for n in range(4):
        repo.write(f"f{n}.txt", "old\n")
    approved = bench.approved(bench.patch({f"f{n}.txt": "new\n" for n in range(4)}))

    def meddle(step: str) -> None:
        if step == "placed f1.txt":
            repo.write("f2.txt", "mine\n")

    ended = bench.execute(approved, on_step=meddle)
    assert ended.state == "failed"
    assert "f2.txt" in ended.why
    assert [(repo.root / f"f{n}.txt").read_text() for n in range(4)] == ["old\n", "old\n", "mine\n", "old\n"]
    assert not [p for p in bench.tree() if "kairos" in p]


def test_a_file_that_appears_at_a_path_to_be_created_is_never_overwritten(bench: Any, repo: Any) -> None:
    approved = bench.approved(bench.patch({"a.txt": "new\n", "b.txt": "new\n"}))

    def meddle(step: str) -> None:
        if step == "placed a.txt":
            repo.write("b.txt", "mine\n")

    assert bench.execute(approved, on_step=meddle).state == "failed"
    assert (repo.root / "b.txt").read_text() == "mine\n"
    assert not (repo.root / "a.txt").exists()


def test_a_rollback_that_would_overwrite_a_foreign_edit_is_reported_unknown(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n")
    repo.write("b.txt", "old\n")
    approved = bench.approved(bench.patch({"a.txt": "new\n", "b.txt": "new\n"}))

    def meddle(step: str) -> None:
        if step == "placed a.txt":
            repo.write("a.txt", "mine\n")
            repo.write("b.txt", "mine too\n")

    ended = bench.execute(approved, on_step=meddle)
    assert ended.state == "unknown"
    assert (repo.root / "a.txt").read_text() == "mine\n"
    assert (repo.root / "b.txt").read_text() == "mine too\n"
    assert recovery.recover(bench.log, bench.home) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to read-only directories")
def test_a_directory_that_cannot_be_written_fails_and_leaves_nothing(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n")
    repo.write("d/b.txt", "old\n")
    approved = bench.approved(bench.patch({"a.txt": "new\n", "d/b.txt": "new\n"}))
    (repo.root / "d").chmod(0o555)
    try:
        assert bench.execute(approved).state == "failed"
    finally:
        (repo.root / "d").chmod(0o755)
    assert (repo.root / "a.txt").read_text() == "old\n"


def test_approval_and_rejection_race_in_the_log_and_not_in_the_tree(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    decisions.reject(bench.log, pending.id, "wrong")
    with pytest.raises(Stale, match="rejected"):
        decisions.approve(bench.log, bench.home, bench.config, pending.id)
    with pytest.raises(Stale):
        bench.execute(pending)
    assert (repo.root / "a.txt").read_text() == "one\n"


def test_a_disk_that_fails_at_any_step_leaves_everything_as_it_was(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n", 0o600)
    repo.write("gone.txt", "old\n")
    before = bench.tree()
    wanted = {"a.txt": "new\n", "gone.txt": None, "x/y/new.txt": "new\n"}
    failed = 0
    for step in ("folder x", "folder x/y", "staged a.txt", "staged x/y/new.txt", "placed a.txt", "placed gone.txt",
                 "placed x/y/new.txt"):  # fmt: skip

        def full(name: str, step: str = step) -> None:
            if name == step:
                raise OSError(errno.ENOSPC, "No space left on device")

        ended = bench.execute(bench.approved(bench.patch(wanted)), on_step=full)
        assert (ended.state, ended.why) == ("failed", "No space left on device")
        assert bench.tree() == before, step
        assert bench.topics(ended)[-2:] == ["ExecutionStarted", "ExecutionFinished"]
        failed += 1
    assert failed == 7


def test_a_home_that_cannot_be_written_starts_nothing(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    bench.home.undo.write_text("in the way")
    with pytest.raises(TryAgain, match="undo store"):
        bench.execute(approved)
    assert (repo.root / "a.txt").read_text() == "one\n"
    assert "ExecutionStarted" not in bench.topics(approved)


def test_a_creation_through_a_linked_directory_is_refused(bench: Any, repo: Any, tmp_path: Path) -> None:
    (repo.root / "d").mkdir()
    approved = bench.approved(bench.patch({"d/new.txt": "x\n"}))
    (repo.root / "d").rmdir()
    (tmp_path / "outside").mkdir()
    (repo.root / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(Stale):
        bench.execute(approved)
    assert list((tmp_path / "outside").iterdir()) == []


def test_names_that_are_no_text_are_carried_out_and_undone(bench: Any, repo: Any) -> None:
    """N33."""
    names = [os.fsdecode(b"caf\xe9.txt"), "a\nb.txt", "\u202etxt.exe", "n" * 240]
    for name in names:
        repo.write(name, "one\n")
    before = bench.tree()
    done = bench.executed(dict.fromkeys(names, "two\n"))
    assert all((repo.root / n).read_text() == "two\n" for n in names)
    undo.undo(bench.log, bench.home, done.id)
    assert bench.tree() == before


def test_a_full_disk_is_noticed_before_anything_starts_and_the_yes_stands(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    with monkeypatch.context() as full:
        full.setattr(WorkTree, "free_bytes", lambda self: 4000)
        with pytest.raises(TryAgain, match="full"):
            bench.execute(approved)
        assert (bench.of(approved.id).state, (repo.root / "a.txt").read_text()) == ("approved", "one\n")
    assert bench.execute(approved).state == "executed"
