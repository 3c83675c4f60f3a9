"""One stack of decisions a repository: a random past of several repositories beside a simple model of it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kairos.clock import now_us
from kairos.desk import controlling, deciding
from kairos.desk.compacting import compact
from kairos.desk.desk import Desk
from kairos.desk.explaining import why
from kairos.desk.reading import attention, inbox, repositories
from kairos.desk.records.proposals import UndoneOut
from kairos.desk.replaying import replay
from kairos.desk.stacking import around, target
from kairos.desk.undoing import TakingBack, take_back
from kairos.domain.events import TurnEnded
from kairos.errors import NotFound, Stale
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.record import NewEvent, Track
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.projection import keep_views
from tests.seeded import Seeded

HOUR = 3_600_000_000


def yes(plan: TakingBack) -> bool:
    return True


class Made(NamedTuple):
    """The model's entry: scope ("" all), subject (proposal id or control), state before and after, and the step of the
    decision itself."""

    scope: str
    subject: str
    before: str
    after: str
    at: int


class Deciding(RuleBasedStateMachine):
    """Two repositories with three proposals each, no daemon. The model: a list of what is done and one of what is
    undone, each entry with the step at which it came there."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="stack-"))
        self.desk = Desk(str(self.base / "home"))
        self.desk.home.prepare()
        self.repos: list[str] = []
        self.states: dict[str, str] = {"mute": "heard", "pause": "running"}
        self.files: dict[str, Path] = {}
        self.scopes: dict[str, str] = {}
        for name in ("a", "b"):
            root = self.base / name
            root.mkdir()
            seeded = Seeded(self.desk.log, root)
            self.repos.append(seeded.id)
            for n in range(3):
                (root / f"{n}.txt").write_bytes(b"before\n")
                action: Any = seeded.patch(f"{n}.txt", b"after\n") if n < 2 else seeded.note()
                id_ = seeded.raise_(action, seed=f"{name}{n}").id
                self.states[id_], self.scopes[id_] = "pending", seeded.id
                if n < 2:
                    self.files[id_] = root / f"{n}.txt"
        self.done: list[tuple[int, Made]] = []
        self.undone: list[tuple[int, Made]] = []
        self.newest: dict[str, int] = {}
        self.step = 0

    def teardown(self) -> None:
        self.desk.close()
        shutil.rmtree(self.base)

    def decided(self, subject: str, after: str) -> None:
        scope = self.scopes.get(subject, "")
        self.step += 1
        self.done.append((self.step, Made(scope, subject, self.states[subject], after, self.step)))
        self.undone = [(n, m) for n, m in self.undone if m.subject != subject]
        self.newest[scope] = self.step
        self.states[subject] = after

    def top(self, side: list[tuple[int, Made]], scope: str | None) -> tuple[int, Made] | None:
        return max(((n, m) for n, m in side if scope is None or m.scope == scope), default=None)

    def slip(self, side: list[tuple[int, Made]]) -> tuple[int, Made] | None:
        """A mute or a pause of all repositories after which nothing was decided."""
        last = max(self.newest.values(), default=0)
        return next(((n, m) for n, m in side if m.at == last and m.after in ("muted", "paused")), None)

    def cut(self, scope: str | None) -> int:
        return max((n for repo, n in self.newest.items() if scope is None or repo == scope), default=0)

    def open_ones(self) -> list[str]:
        return sorted(i for i in self.scopes if self.states[i] in ("pending", "deferred"))

    @precondition(lambda self: self.open_ones())
    @rule(data=st.data(), how=st.sampled_from(["approve", "reject", "never", "defer", "defer"]))
    def decide(self, data: st.DataObject, how: str) -> None:
        id_ = data.draw(st.sampled_from(self.open_ones()))
        if how == "approve":
            if self.states["pause"] == "paused" and id_ in self.files:
                return
            p = inbox(self.desk).proposals[id_]
            self.decided(id_, deciding.approve(self.desk, p, p.raised.digest).state)
        elif how == "defer":
            deciding.defer(self.desk, id_, now_us() + HOUR)
            self.decided(id_, "deferred")
        else:
            deciding.reject(self.desk, id_, "wrong", "", never=how == "never")
            self.decided(id_, "rejected")

    @rule()
    def toggle_mute(self) -> None:
        muted = self.states["mute"] == "heard"
        controlling.mute(self.desk, "secret", None, muted=muted)
        self.decided("mute", "muted" if muted else "heard")

    @rule()
    def toggle_pause(self) -> None:
        if self.states["pause"] == "running":
            controlling.pause(self.desk, None)
            self.decided("pause", "paused")
        else:
            controlling.resume(self.desk)
            self.decided("pause", "running")

    def moved(self, run: str, found: tuple[int, Made], out: UndoneOut | None) -> None:
        assert out is not None
        entry = found[1]
        here, there = (self.done, self.undone) if run == "undo" else (self.undone, self.done)
        here.remove(found)
        self.step += 1
        now = self.states[entry.subject]
        there.append((self.step, entry if run == "undo" else entry._replace(before=now)))
        if run == "undo":
            self.states[entry.subject] = "undone" if now in ("executed", "redone") else entry.before
        else:
            self.states[entry.subject] = "redone" if now == "undone" else entry.after
        assert out.id == (entry.subject if entry.subject in self.scopes else "")
        assert out.state == self.states[entry.subject]

    @rule(run=st.sampled_from(["undo", "undo", "redo"]), scope=st.sampled_from([None, 0, 1]))
    def walk(self, run: str, scope: int | None) -> None:
        repo = None if scope is None else repositories(self.desk).by_id[self.repos[scope]]
        found = self.top(self.done if run == "undo" else self.undone, None if repo is None else repo.id)
        if found is not None and run == "redo" and found[0] < self.cut(None if repo is None else repo.id):
            found = None
        found = self.slip(self.done if run == "undo" else self.undone) or found
        if found is None:
            with pytest.raises(NotFound):
                take_back(self.desk, run, None, yes, scope=repo)
        else:
            self.moved(run, found, take_back(self.desk, run, None, yes, scope=repo))

    @rule(data=st.data(), run=st.sampled_from(["undo", "redo"]))
    def walk_by_id(self, data: st.DataObject, run: str) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.scopes)))
        side = self.done if run == "undo" else self.undone
        found = max(((n, m) for n, m in side if m.subject == id_), default=None)
        if found is None:
            with pytest.raises(Stale):
                take_back(self.desk, run, id_, yes)
        else:
            self.moved(run, found, take_back(self.desk, run, id_, yes))

    @rule()
    def refuse_every_plan(self) -> None:
        head = self.desk.log.head()
        for run in ("undo", "redo"):
            try:
                assert take_back(self.desk, run, None, lambda plan: False) is None
            except NotFound:
                pass
        assert self.desk.log.head() == head

    @rule()
    def save_and_start_over(self) -> None:
        keep_views(self.desk.log, [InboxView()])
        self.desk.close()
        self.desk = Desk(str(self.base / "home"))

    @invariant()
    def the_log_and_the_files_say_what_the_model_says(self) -> None:
        seen = {i: p.state for i, p in inbox(self.desk).proposals.items()}
        controls = attention(self.desk)
        seen["mute"] = "muted" if controls.is_muted("secret", "x") else "heard"
        seen["pause"] = "paused" if controls.paused else "running"
        assert seen == self.states
        for id_, file in self.files.items():
            assert file.read_bytes() == (b"after\n" if self.states[id_] in ("executed", "redone") else b"before\n")


TestDeciding = Deciding.TestCase
TestDeciding.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def rejected(desk: Desk, seeded: Any, seed: str = "a") -> str:
    id_ = seeded.raise_(seeded.note(), seed=seed).id
    deciding.reject(desk, id_, "wrong", "")
    return str(id_)


def test_an_event_names_the_decision_too(desk: Desk, seeded: Any) -> None:
    id_ = rejected(desk, seeded)
    decided = desk.log.head()
    muted = controlling.mute(desk, "secret", None).position
    assert target(desk, "undo", str(decided), None).proposal == inbox(desk).proposals[id_]
    done = take_back(desk, "undo", f"{muted}", yes)
    assert done is not None and (done.what, done.title, done.state, done.repo) == ("mute", "secret", "heard", None)
    for wrong in (muted, 1, decided + 2):
        with pytest.raises(Stale, match="is no decision"):
            target(desk, "undo", str(wrong), None)


def test_the_repository_around_a_folder(desk: Desk, seeded: Any, tmp_path: Path) -> None:
    inner = seeded.root / "deep/er"
    inner.mkdir(parents=True)
    for folder in (seeded.root, inner):
        found = around(desk, folder)
        assert found is not None and found.id == seeded.id
    assert around(desk, tmp_path) is None
    foreign = seeded.root / "vendor"
    subprocess.run(["git", "init", "-q", foreign], check=True)
    with pytest.raises(NotFound, match="vendor"):
        around(desk, foreign)
    link = tmp_path / "link"
    link.symlink_to(inner)
    found = around(desk, link)
    assert found is not None and found.id == seeded.id


def test_nothing_to_undo_names_the_repository(desk: Desk, seeded: Any) -> None:
    scope = repositories(desk).by_id[seeded.id]
    with pytest.raises(NotFound, match=f"nothing to undo in {seeded.root.name}"):
        target(desk, "undo", None, scope)


def test_the_top_is_found_without_reading_what_is_settled(home: Any, seeded: Any) -> None:
    """What is read for `undo` is the same with 20 settled decisions and with 400."""
    reads = []
    for count in (20, 400):
        for n in range(count):
            id_ = seeded.raise_(seeded.note(), seed=f"{count}-{n}").id
            if n in (0, count - 1):
                with closing(Desk()) as desk:
                    deciding.reject(desk, id_, "wrong", "")
            else:
                seeded.log.append(_expired(id_))
        keep_views(seeded.log, [InboxView()])
        with closing(Desk()) as desk:
            reads.append(_rows_read(desk))
    assert reads[0] == reads[1]


def test_sealing_and_forgetting_keep_the_stack(desk: Desk, seeded: Any) -> None:
    """Decisions are taken back after they were sealed into a segment; one whose event was forgotten is not there."""
    kept, forgotten = rejected(desk, seeded, "a"), rejected(desk, seeded, "b")
    muted = controlling.mute(desk, "secret", None).position
    out = take_back(desk, "undo", str(muted), yes)
    assert out is not None
    ended = TurnEnded(turn="turn-1", repo=seeded.id, engine="rules", outcome="quiet")
    seeded.log.append([NewEvent("turn-1", ended)], writes=[Track(f"reactor/{seeded.id}", seeded.log.head() + 1)])
    assert compact(desk, at_once=True).retired >= muted
    assert verify_log(desk.log).ok
    rejection = next(r.position for r in desk.log.stream(f"proposal-{forgotten}") if r.topic == "ProposalRejected")
    forget_positions(desk.log, [rejection], "a slip", "user")
    redone = take_back(desk, "redo", None, yes)
    assert redone is not None and (redone.what, redone.state) == ("mute", "muted")
    assert take_back(desk, "undo", None, yes) is not None
    undone = take_back(desk, "undo", None, yes)
    assert undone is not None and (undone.id, undone.state) == (kept, "pending")
    with pytest.raises(Stale, match="nothing to undo"):
        take_back(desk, "undo", forgotten, yes)
    assert replay(desk).identical
    assert why(desk, kept)[-1].summary.startswith("the rejection at ")


def _rows_read(desk: Desk) -> int:
    """How many rows of views are read to find what `undo` acts on."""
    rows: list[bytes] = []
    view_row = desk.log.view_row

    def counted(view: str, key: bytes) -> bytes | None:
        rows.append(key)
        return view_row(view, key)

    desk.log.view_row = counted  # type: ignore[method-assign]
    assert target(desk, "undo", None, None).proposal is not None
    return len(rows)


def _expired(id_: str) -> list[Any]:
    from kairos.domain.events import ProposalExpired
    from kairos.eventlog.record import NewEvent

    return [NewEvent(f"proposal-{id_}", ProposalExpired(id=id_), None, "system")]
