"""Own writes are told as own, by content while they are under way and by signature after; all else is foreign."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import content_sha
from kairos.domain.events import (
    ExecutionFinished,
    ExecutionStarted,
    ExecutionUnknown,
    Expected,
    FilesChanged,
    Signature,
)
from kairos.eventlog.record import NewEvent, Recorded
from kairos.sensing.provenance import PathState, Provenance, evolve, is_temporary, judge_closed, judge_open


class Own:
    """Writes files the way the executor does: announced, staged beside their place, renamed, signed."""

    def __init__(self, watch: Any) -> None:
        self.watch, self.root, self.count = watch, watch.root, 0

    def start(self, after: dict[str, bytes | None]) -> int:
        self.count += 1
        self.after = after
        started = ExecutionStarted(
            id="p", execution=f"p-{self.count}", run="apply", digest="", repo=self.watch.id, store="",
            expect=[self._expected(p, c) for p, c in after.items()],
            before=[self._expected(p, self._read(p)) for p in after],
        )  # fmt: skip
        self.position: int = self.watch.log.append([NewEvent("proposal-p", started)])[0]
        return self.position

    def _expected(self, path: str, content: bytes | None) -> Expected:
        return Expected(path=path) if content is None else Expected(path=path, sha=content_sha(content), mode=0o644)

    def _read(self, path: str) -> bytes | None:
        target = self.root / path
        return target.read_bytes() if target.exists() else None

    def stage(self, path: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".kairos-{self.count:020x}.tmp")
        temporary.write_bytes(self.after[path] or b"")
        return temporary

    def place(self, path: str) -> None:
        if self.after[path] is None:
            (self.root / path).unlink()
        else:
            self.stage(path).rename(self.root / path)

    def finish(self, outcome: str = "done") -> None:
        signatures = []
        for path in self.after:
            try:
                s = (self.root / path).lstat()
            except FileNotFoundError:
                signatures.append(Signature(path=path))
                continue
            signatures.append(
                Signature(path=path, ino=s.st_ino, size=s.st_size, mode=s.st_mode & 0o7777, mtime_ns=s.st_mtime_ns,
                          ctime_ns=s.st_ctime_ns)
            )  # fmt: skip
        done = ExecutionFinished(
            id="p", execution=f"p-{self.count}", run="apply", outcome=outcome, signatures=signatures
        )
        self.watch.log.append([NewEvent("proposal-p", done)])


def origins(told: list[Any]) -> dict[str, tuple[str, int | None]]:
    return {c.fs: (r.origin, r.caused_by) for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes}


@pytest.mark.parametrize("seen_while_open", [False, True])
def test_an_own_write_is_told_as_own_with_its_cause(watch: Any, repo: Any, seen_while_open: bool) -> None:
    watch.told(lambda: (repo.write("old", "o"), repo.write("edit", "e")))
    own, before = Own(watch), watch.log.head()
    position = own.start({"edit": b"edited", "new/dir/file": b"n", "old": None})
    for path in own.after:
        own.place(path)
        if seen_while_open:
            watch.settle()
    own.finish()
    watch.settle()
    mine = ("self", position)
    assert origins(watch.since(before)) == {
        "edit": mine, "new": mine, "new/dir": mine, "new/dir/file": mine, "old": mine
    }  # fmt: skip
    watch.check()


@pytest.mark.parametrize("seen_while_open", [False, True])
def test_another_name_of_a_file_that_is_rewritten_in_place_is_told_as_own(
    watch: Any, repo: Any, seen_while_open: bool
) -> None:
    repo.write("d/a", "1")
    os.link(repo.root / "d/a", repo.root / "twin")
    watch.settle()
    before, own = watch.log.head(), Own(watch)
    position = own.start({"d/a": b"22"})
    (repo.root / "d/a").write_bytes(b"22")  # in place
    if seen_while_open:
        watch.sensor.step(0.3)
    own.finish()
    watch.settle()
    assert origins(watch.since(before)) == {"d/a": ("self", position), "twin": ("self", position)}
    (repo.root / "twin").write_bytes(b"333")
    before = watch.log.head()
    watch.settle()
    assert {origin for origin, _ in origins(watch.since(before)).values()} == {"live"}


def test_the_users_edit_right_after_is_the_users(watch: Any, repo: Any) -> None:
    own, before = Own(watch), watch.log.head()
    own.start({"a": b"ours", "b": b"ours"})
    own.place("a")
    own.place("b")
    own.finish()
    repo.write("b", "user")
    repo.write("c", "user")
    watch.settle()
    found = origins(watch.since(before))
    assert found == {"a": ("self", own.position), "b": ("live", None), "c": ("live", None)}
    assert len({r.event.burst for r in watch.since(before) if r.topic == "FilesChanged"}) == 2


def test_other_content_while_the_intent_is_open_is_foreign(watch: Any, repo: Any) -> None:
    own, before = Own(watch), watch.log.head()
    own.start({"a": b"ours"})
    repo.write("a", "theirs")
    watch.settle()
    assert origins(watch.since(before)) == {"a": ("live", None)}


def test_the_same_content_written_by_hand_afterwards_is_foreign(watch: Any, repo: Any) -> None:
    own = Own(watch)
    own.start({"a": b"same"})
    own.place("a")
    own.finish()
    watch.settle()
    assert origins(watch.told(lambda: repo.write("a", "same"))) == {"a": ("live", None)}
    own.start({"a": None})
    own.place("a")
    own.finish()
    watch.settle()
    watch.told(lambda: repo.write("a", "again"))
    assert origins(watch.told(lambda: (repo.root / "a").unlink())) == {"a": ("live", None)}


def test_temporary_files_of_own_writes_are_never_told(watch: Any, repo: Any) -> None:
    own, before = Own(watch), watch.log.head()
    own.start({"d/a": b"ours"})
    temporary = own.stage("d/a")
    for _ in range(10):
        watch.sensor.step(0.03)
    temporary.rename(repo.root / "d" / "a")
    own.finish()
    watch.settle()
    assert origins(watch.since(before)) == {"d": ("self", own.position), "d/a": ("self", own.position)}
    told = watch.told(lambda: repo.write(".kairos-0a.tmp", "left behind"))
    assert origins(told) == {".kairos-0a.tmp": ("live", None)}


def test_a_rolled_back_write_is_not_the_users(watch: Any, repo: Any) -> None:
    watch.told(lambda: repo.write("a", "before"))
    own, before = Own(watch), watch.log.head()
    own.start({"a": b"after"})
    own.place("a")
    watch.settle()
    own.after["a"] = b"before"
    own.place("a")
    for _ in range(10):
        watch.sensor.step(0.03)
    own.finish("rolled_back")
    watch.settle()
    assert {r.origin for r in watch.since(before) if r.topic == "FilesChanged"} == {"self"}
    watch.check()


def test_own_writes_are_known_after_a_restart(watch: Any, repo: Any) -> None:
    own = Own(watch)
    position = own.start({"a": b"ours"})
    own.place("a")
    own.finish()
    repo.write("b", "user")
    assert origins(watch.start()) == {"a": ("self", position), "b": ("offline", None)}
    assert watch.start() == []


def test_own_and_user_writes_in_any_order_are_never_confused(watch: Any, repo: Any) -> None:
    """N18, in small: nothing of ours is foreign, nothing of the user's is swallowed."""
    own, dice = Own(watch), random.Random(7)
    for n in range(60):
        before = watch.log.head()
        names = dice.sample(["a", "b", "c", "d/x", "d/y", "e/z"], 4)
        ours, theirs = names[:2], names[2:]
        own.start({path: f"own {n} {path}".encode() for path in ours})
        steps = [("own", p) for p in ours] + [("user", p) for p in theirs]
        dice.shuffle(steps)
        for who, path in steps:
            if who == "own":
                own.place(path)
            else:
                repo.write(path, f"user {n} {path}")
            if dice.random() < 0.4:
                watch.sensor.step(0.02)
        own.finish()
        if dice.random() < 0.1:
            watch.start()
        watch.settle()
        found = {p: o for p, (o, _) in origins(watch.since(before)).items() if not (repo.root / p).is_dir()}
        assert {p for p, o in found.items() if o == "self"} == set(ours)
        assert {p for p, o in found.items() if o != "self"} == set(theirs)
    watch.check()


# -- the fold alone ------------------------------------------------------------------------------------


def recorded(position: int, event: Any) -> Recorded:
    return Recorded(position, "proposal-p", position, type(event).__name__, 1, 0, None, position, "live", event)


def started(position: int, execution: str, path: str, content: bytes) -> Recorded:
    expect = [Expected(path=path, sha=content_sha(content), mode=0o644)]
    event = ExecutionStarted(
        id="p", execution=execution, run="apply", digest="", repo="r", expect=expect, before=[Expected(path=path)],
        store="",
    )  # fmt: skip
    return recorded(position, event)


SEEN = PathState("file", 0o644, 5, 4, 100, 200)


def test_an_execution_of_another_repository_owns_nothing_here() -> None:
    state = Provenance()
    evolve(state, started(1, "x", "a", b"ours"), "other")
    assert judge_open(state, b"a", SEEN, lambda p, s: content_sha(b"ours")) is None


def test_an_unknown_outcome_leaves_nothing_to_own() -> None:
    state = Provenance()
    evolve(state, started(1, "x", "a", b"ours"), "r")
    assert judge_open(state, b"a", SEEN, lambda p, s: content_sha(b"ours")) == 1
    evolve(state, recorded(2, ExecutionUnknown(id="p", execution="x", run="apply", paths=["a"])), "r")
    assert judge_open(state, b"a", SEEN, lambda p, s: content_sha(b"ours")) is None


@given(st.tuples(*[st.integers(0, 3)] * 5), st.tuples(*[st.integers(0, 3)] * 5))
def test_after_the_end_only_the_exact_signature_is_own_and_only_once(
    left: tuple[int, int, int, int, int], now: tuple[int, int, int, int, int]
) -> None:
    state = Provenance()
    evolve(state, started(1, "x", "a", b"ours"), "r")
    signature = Signature(path="a", ino=left[0], size=left[1], mode=left[2], mtime_ns=left[3], ctime_ns=left[4])
    done = ExecutionFinished(id="p", execution="x", run="apply", outcome="done", signatures=[signature])
    evolve(state, recorded(2, done), "r")
    seen = PathState("file", now[2], now[0], now[1], now[3], now[4])
    assert judge_closed(state, b"a", seen) == (1 if now == left else None)
    assert judge_closed(state, b"a", seen) is None


def test_what_ends_were_seen_is_forgotten_with_absences() -> None:
    state = Provenance()
    evolve(state, started(1, "x", "d/a", b"ours"), "r")
    done = ExecutionFinished(id="p", execution="x", run="apply", outcome="done", signatures=[Signature(path="d/a")])
    evolve(state, recorded(2, done), "r")
    assert state.closed and state.made
    state.look()
    state.look()
    assert not state.closed and not state.made


@pytest.mark.parametrize(
    ("name", "is_one"),
    [(b"d/.kairos-0af.tmp", True), (b".kairos-12-ff.tmp", True), (b".kairos-.tmp", False), (b".kairos-xyz.tmp", False),
     (b"a.kairos-0.tmp", False), (b".kairos-0.tmp.txt", False), (os.fsencode("d\n/.kairos-0.tmp"), True)],
)  # fmt: skip
def test_temporary_names_are_ours_alone(name: bytes, is_one: bool) -> None:
    assert is_temporary(name) is is_one
