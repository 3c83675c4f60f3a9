"""Undo and redo on trees that were tampered with, that fail while they are written, and that others write to: all of it
or nothing, and what is outside of the tree is never touched."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import taking_back, undo
from kairos.acting.executor import execute
from kairos.acting.recovery import recover
from kairos.acting.worktree import WorkTree
from kairos.errors import KairosError, Stale, TryAgain
from kairos.eventlog.log import Log

LINES = "".join(f"line {n}\n" for n in range(20))
NAMES = ("a.txt", "d/b.txt", "gone.txt", "new.txt")
RUNS: dict[str, Callable[..., Any]] = {"undo": undo.undo, "redo": undo.redo}


def executed(bench: Any, repo: Any) -> Any:
    """An action that changed two files, removed one and made one."""
    for name in NAMES[:3]:
        repo.write(name, LINES)
    ours = LINES.replace("line 3\n", "ours\n")
    return bench.executed({"a.txt": ours, "d/b.txt": ours, "gone.txt": None, "new.txt": "new\n"})


def begun(bench: Any, repo: Any, run: str) -> tuple[Any, str]:
    """An action for a run, and the state in which the run finds it."""
    done = executed(bench, repo)
    if run == "redo":
        undo.undo(bench.log, bench.home, done.id)
    return done, "executed" if run == "undo" else "undone"


def to_link(path: Path, outside: Path) -> None:
    outside.write_text(path.read_text())
    path.unlink()
    path.symlink_to(outside)


def to_folder(path: Path, outside: Path) -> None:
    path.unlink()
    path.mkdir()


def to_full_folder(path: Path, outside: Path) -> None:
    to_folder(path, outside)
    (path / "x").write_text("mine\n")


def to_pipe(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_binary(path: Path, outside: Path) -> None:
    path.write_bytes(b"\0\xff" * 64)


REPLACED = [to_link, to_folder, to_full_folder, to_pipe, to_binary]


def seen(root: Path) -> dict[str, Any]:
    """Every path of the tree: what kind it is and what it holds."""
    out: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        if ".git" in path.relative_to(root).parts:
            continue
        held = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        out[str(path.relative_to(root))] = (path.lstat().st_mode, held)
    return out


@pytest.mark.timeout(60)
@pytest.mark.parametrize("replace", REPLACED, ids=lambda r: r.__name__)
@pytest.mark.parametrize("name", ["a.txt", "d/b.txt", "new.txt"])
def test_what_took_the_place_of_a_file_is_refused_whole(
    bench: Any, repo: Any, tmp_path: Path, replace: Any, name: str
) -> None:
    done = executed(bench, repo)
    outside = tmp_path / "outside"
    replace(repo.root / name, outside)
    left, head, kept = seen(repo.root), bench.log.head(), outside.read_bytes() if outside.exists() else None
    with pytest.raises(Stale) as told:
        undo.undo(bench.log, bench.home, done.id)
    assert name in told.value.message
    assert seen(repo.root) == left and bench.log.head() == head
    assert kept is None or outside.read_bytes() == kept
    assert bench.of(done.id).state == "executed"


@pytest.mark.parametrize("replace", [to_link, to_folder, to_binary], ids=lambda r: r.__name__)
@pytest.mark.parametrize("step", ["stored", "started", "staged a.txt", "placed a.txt"])
def test_what_is_swapped_in_while_it_is_undone_is_left_and_the_rest_put_back(
    bench: Any, repo: Any, tmp_path: Path, replace: Any, step: str
) -> None:
    done = executed(bench, repo)
    before = seen(repo.root)
    outside = tmp_path / "outside"

    def swap(at: str) -> None:
        if at == step:
            replace(repo.root / "d/b.txt", outside)

    ended = undo.undo(bench.log, bench.home, done.id, on_step=swap)
    assert ended.state == bench.of(done.id).state == "executed"
    after = seen(repo.root)
    assert {p: after[p] for p in before if p != "d/b.txt" and p in after} == {
        p: found for p, found in before.items() if p != "d/b.txt"
    }
    assert not [p for p in after if p.endswith(".tmp")]
    assert not outside.exists() or outside.read_text() == LINES.replace("line 3\n", "ours\n")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("call", ["stage", "put", "remove", "make_folder"])
def test_an_error_at_any_write_leaves_everything_as_it_was(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch, run: str, number: int, call: str
) -> None:
    done, state = begun(bench, repo, run)
    before = seen(repo.root)
    real = getattr(WorkTree, call)
    for limit in range(20):
        count = 0

        def failing(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == limit + 1:  # noqa: B023
                raise OSError(number, os.strerror(number))
            return real(*args, **kwargs)

        monkeypatch.setattr(WorkTree, call, failing)
        try:
            ended = RUNS[run](bench.log, bench.home, done.id)
        except TryAgain:  # everything was written, only what was set aside could not be removed: recovery does that
            monkeypatch.setattr(WorkTree, call, real)
            recover(bench.log, bench.home)
            ended = bench.of(done.id)
            assert call == "remove" and not list(repo.root.rglob(".kairos-*"))
            break
        monkeypatch.setattr(WorkTree, call, real)
        if count <= limit:
            break
        assert (ended.state, bench.of(done.id).state) == (state, state)
        assert seen(repo.root) == before, (call, limit)
    else:
        pytest.fail("never ended")
    assert ended.state == {"undo": "undone", "redo": "redone"}[run]
    assert limit > 0 or call == "make_folder"


def test_a_full_disk_is_said_before_anything_is_written(bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done = executed(bench, repo)
    before, head = seen(repo.root), bench.log.head()
    monkeypatch.setattr(WorkTree, "free_bytes", lambda self: 10)
    with pytest.raises(KairosError, match="is full: nothing was written") as told:
        undo.undo(bench.log, bench.home, done.id)
    assert told.value.code == 75
    assert seen(repo.root) == before and bench.log.head() == head


def test_a_repository_that_was_replaced_is_never_written_to(bench: Any, repo: Any, tmp_path: Path) -> None:
    done = executed(bench, repo)
    repo.root.rename(tmp_path / "moved")
    repo.root.mkdir()
    for name in NAMES[:2]:
        repo.write(name, (tmp_path / "moved" / name).read_text())
    before = seen(repo.root)
    with pytest.raises(KairosError, match="is not the directory that was trusted"):
        undo.undo(bench.log, bench.home, done.id)
    assert seen(repo.root) == before
    assert bench.of(done.id).state == "executed"


def at_once(*works: Callable[[Log], Any], home: Any) -> list[Any]:
    """The result, or the error, of each work; they start together, each on a log of its own."""
    start = threading.Barrier(len(works))
    out: list[Any] = [None] * len(works)

    def one(index: int) -> None:
        log = Log(home.log)
        try:
            start.wait(20)
            out[index] = works[index](log)
        except KairosError as error:
            out[index] = error
        finally:
            log.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return out


@pytest.mark.parametrize("run", RUNS)
def test_of_two_runs_at_once_one_is_done_and_one_refused(bench: Any, repo: Any, run: str) -> None:
    done, _ = begun(bench, repo, run)
    found = at_once(*[lambda log: RUNS[run](log, bench.home, done.id)] * 3, home=bench.home)
    assert sorted(type(f).__name__ for f in found) == ["Proposal", "Stale", "Stale"]
    assert bench.topics(done).count({"undo": "Undone", "redo": "Redone"}[run]) == 1


def test_an_undo_while_another_action_is_carried_out_waits_for_it(bench: Any, repo: Any) -> None:
    done = executed(bench, repo)
    repo.write("other.txt", "one\n")
    other = bench.approved(bench.patch({"other.txt": "two\n"}))
    first, second = at_once(
        lambda log: execute(log, bench.home, bench.config, other, bench.root),
        lambda log: undo.undo(log, bench.home, done.id),
        home=bench.home,
    )
    assert (first.state, second.state) == ("executed", "undone")
    assert (repo.root / "other.txt").read_text() == "two\n"
    assert (repo.root / "a.txt").read_text() == LINES
    rows = [(r.topic, r.event.id) for r in bench.log.read(topics={"ExecutionStarted", "ExecutionFinished"})]
    assert [id_ for _, id_ in rows[2:]] in ([other.id] * 2 + [done.id] * 2, [done.id] * 2 + [other.id] * 2)


def test_an_approval_is_either_taken_back_or_carried_out(bench: Any, repo: Any) -> None:
    outcomes = set()
    for n in range(12):
        repo.write(f"{n}.txt", "one\n")
        p = bench.approved(bench.patch({f"{n}.txt": "two\n"}))
        works = [
            lambda log, p=p: execute(log, bench.home, bench.config, p, bench.root),
            lambda log, p=p: taking_back.take_back(log, p.id, p.version).proposal,
        ]
        found = at_once(*(works if n % 2 else works[::-1]), home=bench.home)
        state = bench.of(p.id).state
        assert state in ("executed", "pending")
        assert (repo.root / f"{n}.txt").read_text() == ("two\n" if state == "executed" else "one\n")
        assert sum(isinstance(f, KairosError) for f in found) == 1
        outcomes.add(state)
    assert outcomes <= {"executed", "pending"}
