"""Random lives of a finding over a small model of a repository: edits, commits, branches, resets, stashes, hand fixes,
decisions, restarts and the clock. The rules are the real ones; only git and the detector are a model.

CI runs KAIROS_LIVES lives (default 400). For 10 000: `KAIROS_LIVES=10000 pytest tests/domain/test_keeping.py -n 0`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.action import NoteAction, PatchAction, apply_edit, edit
from kairos.domain.basis import BasisMissing, missing, oids_of, paths_of
from kairos.domain.events import AttentionHeld, Event, ExecutionStarted, ProposalDelivered, ProposalRaised
from kairos.domain.events import ProposalRevised as Revised
from kairos.domain.finding import Finding
from kairos.domain.keeping import AWAY, not_found, to_follow, without_look
from kairos.domain.policy import Policy
from kairos.domain.proposal import LAPSED, LASTING, RAN, REVISITED, Proposal, evolve
from kairos.domain.raising import is_same, raise_findings
from kairos.errors import KairosError, Stale
from tests.domain.repository_model import NEW, OLD, REPO, ModelRepo

LIVES = int(os.environ.get("KAIROS_LIVES", "400"))
DOCS = ("a.md", "b.md", "c.md")
HOUR = 3_600_000_000
EXPIRE = 14 * 24 * HOUR


class Life:
    """A repository, the proposals folded from the events, and the person."""

    def __init__(self) -> None:
        self.repo = ModelRepo()
        self.now = 1_000 * HOUR
        self.log: list[tuple[int, Event]] = []
        self.known: dict[str, Proposal] = {}
        self.seen: set[str] = set(self.repo.commits)
        self.away = False
        self.after_run: dict[str, str] = {}

    # -- the daemon

    def tell(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, AttentionHeld):
                continue
            before = self.known.get(event.id)
            after = evolve(before, event, self.now)
            assert after is not None
            self.log.append((self.now, event))
            self.known[event.id] = after
            if isinstance(event, ProposalRaised):
                others = [p for p in self.known.values() if p.id != event.id]
                assert all(p.state in RAN for p in others), "one finding has one proposal until it was carried out"
            if before is not None and before.state in proposals.OPEN and after.state in (*LAPSED, "parked", "expired"):
                words = getattr(event, "why", "") or getattr(event, "paths", "") or after.state == "expired"
                assert words, f"{before.state} became {after.state} without a reason"

    def raising(self, found: list[Finding]) -> list[Any]:
        return list(
            raise_findings(
                found, known=list(self.known.values()), taken=self.known, listed=(), repo=REPO, turn="t",
                boundary="commit", policy=Policy(), now=self.now, expire_us=EXPIRE,
            )
        )  # fmt: skip

    def boundary(self, speaking: bool = True) -> None:
        """What the daemon does when the world moved: a turn over new commits, keeping, trials, delivery."""
        reachable = {o for h in self.repo.branches.values() for o in self.repo.history(h)}
        fresh = sorted(reachable - self.seen)
        self.seen |= reachable
        self.tell(self.raising(self.repo.look(fresh)))
        self.keep(committed=bool(fresh))
        self.verify()
        if speaking:
            for p in list(self.known.values()):
                if p.state == "pending" and not p.delivered:
                    self.tell([ProposalDelivered(id=p.id, boundary="commit")])

    def keep(self, *, committed: bool) -> None:
        tree = self.repo.tree()
        looked = LASTING | (REVISITED if committed else LAPSED)
        for p in [p for p in self.known.values() if p.state in looked]:
            p = self.known[p.id]
            amiss = missing(p.raised.basis, tree)
            drift, moved = self.drift(p) if amiss is None else ("same", [])
            oids = sorted(oids_of(p.raised.basis) & tree.in_head)
            if to_follow(p.raised.basis, tree):
                oids += [o for o in self.repo.history(self.repo.head.oid) if self.repo.renames(o)][:1]
            decided = without_look(
                p, amiss, drift, done=("by hand", ""), moved=moved, followed=amiss is not None and bool(oids),
                can_look=True, taken_away=self.away, expires_at=self.now + EXPIRE,
            )  # fmt: skip
            if decided is not None:
                self.tell(decided)
                continue
            found = [f for f in self.repo.look(oids) if is_same(f, p)]
            if found:
                self.tell([e for e in self.raising(found) if not isinstance(e, ProposalRaised)])
            else:
                done = ("by hand", "") if drift == "done" else None
                self.tell(not_found(p, amiss, taken_away=self.away, resolved="nothing names it", done=done))
        self.away = False

    def drift(self, p: Proposal) -> tuple[Any, list[str]]:
        action = p.raised.action
        assert isinstance(action, PatchAction)
        moved = []
        done = 0
        for e in action.edits:
            content = self.repo.work.get(e.fs)
            state = edit(e.fs, None, (content.encode(), 0o644)).after if content is not None else None
            done += state == e.after
            if state != e.before:
                moved.append(e.fs)
        return ("done" if done == len(action.edits) else "moved" if moved else "same"), moved

    def verify(self) -> None:
        for p in list(self.known.values()):
            if p.state == "raised":
                self.tell(deciding.verified(p, ok=True))

    # -- the person

    def person(self, decide: Callable[[Proposal], list[Event]]) -> None:
        for p in list(self.known.values()):
            try:
                self.tell(decide(p))
            except KairosError:
                pass

    def approve(self) -> None:
        for p in list(self.known.values()):
            try:
                amiss = missing(p.raised.basis, self.repo.tree())
                if amiss is not None:
                    raise Stale(amiss.why)
                given = deciding.approve(p, p.raised.digest, now=self.now, valid_us=HOUR)
                if not given or isinstance(p.raised.action, NoteAction):
                    continue
                self.tell(given)
                self.execute(self.known[p.id])
            except KairosError:
                continue

    def execute(self, p: Proposal) -> None:
        assert missing(p.raised.basis, self.repo.tree()) is None, "applied without its basis"
        assert p.approved is not None
        assert p.approved.digest == p.raised.digest
        action = p.raised.action
        assert isinstance(action, PatchAction)
        _, moved = self.drift(p)
        if moved:
            self.tell(proposals.mark_stale(p, moved))
            return
        self.tell(deciding.start_run(p, "apply", execution="x", expect=[], before=[], store="s", now=self.now))
        for e in action.edits:
            after = apply_edit(e, self.repo.work[e.fs].encode())
            assert after is not None
            self.repo.work[e.fs] = after.decode()
        self.tell(deciding.finish_run(self.known[p.id], "done", signatures=[]))

    def undo(self) -> None:
        for p in [p for p in self.known.values() if p.state in proposals.DONE]:
            action = p.raised.action
            assert isinstance(action, PatchAction)
            texts = {e.fs: self.repo.work.get(e.fs, "") for e in action.edits}
            if not all(NEW in text for text in texts.values()):
                continue  # not in this tree: refused
            self.tell(deciding.start_run(p, "undo", execution="u", expect=[], before=[], store="s", now=self.now))
            self.repo.work |= {path: text.replace(NEW, OLD) for path, text in texts.items()}
            self.tell(deciding.finish_run(self.known[p.id], "done", signatures=[]))

    def restart(self) -> None:
        again: dict[str, Proposal] = {}
        for at, event in self.log:
            folded = evolve(again.get(event.id), event, at)  # type: ignore[attr-defined]
            assert folded is not None
            again[folded.id] = folded
        assert again == self.known
        self.boundary(speaking=False)

    def clock(self, hours: int) -> None:
        self.now += hours * HOUR
        for p in list(self.known.values()):
            self.tell(proposals.expire(p, self.now) or proposals.give_back(p, self.now))

    # -- the world

    def do(self, what: str, n: int) -> None:
        repo, doc = self.repo, DOCS[n % 3]
        if what == "edit":
            repo.work["x.txt"] = f"{n}\n"
        elif what == "save" and doc in repo.work:
            repo.work[doc] = f"line {n}\n{repo.work[doc]}"
        elif what == "name":
            repo.work[doc] = repo.work.get(doc, "") + f"see {OLD}\n"
        elif what == "fix" and doc in repo.work:
            repo.work[doc] = repo.work[doc].replace(OLD, NEW)
        elif what == "unfix" and doc in repo.work:
            repo.work[doc] = repo.work[doc].replace(NEW, OLD)
        elif what == "rename" and OLD in repo.work:
            repo.work[NEW] = repo.work.pop(OLD)
            repo.branches[repo.branch] = repo.make(repo.head.oid, repo.work)
        elif what == "commit":
            repo.branches[repo.branch] = repo.make(repo.head.oid, repo.work)
        elif what == "amend":
            repo.branches[repo.branch] = repo.make(repo.head.parent, repo.work)
        elif what == "branch":
            repo.branches[f"b{n % 3}"] = repo.head.oid
        elif what in ("checkout", "stash-checkout"):
            target = sorted(repo.branches)[n % len(repo.branches)]
            if repo.work != repo.head.files:
                if what == "checkout":
                    return  # git refuses, or the changes stay: the model refuses
                repo.stash = dict(repo.work)
            repo.branch, repo.work = target, dict(repo.commits[repo.branches[target]].files)
            self.away = True
        elif what == "stash":
            repo.stash, repo.work = dict(repo.work), dict(repo.head.files)
            self.away = True
        elif what == "pop" and repo.stash is not None:
            repo.work, repo.stash = repo.stash, None
        elif what == "reset" and repo.head.parent is not None:
            repo.saved = repo.head.oid
            repo.branches[repo.branch] = repo.head.parent
            repo.work = dict(repo.head.files)
            self.away = True
        elif what == "reset-back" and repo.saved is not None:
            repo.branches[repo.branch], repo.saved = repo.saved, repo.head.oid
            repo.work = dict(repo.head.files)
            self.away = True
        elif what == "merge":
            target = repo.branches[sorted(repo.branches)[n % len(repo.branches)]]
            if repo.head.oid in repo.history(target) and repo.work == repo.head.files:
                repo.branches[repo.branch], repo.saved = target, repo.head.oid
                repo.work = dict(repo.head.files)
        elif what in ("cherry-pick", "rebase"):
            target = repo.commits[repo.branches[sorted(repo.branches)[n % len(repo.branches)]]]
            if repo.renames(target.oid) and OLD in repo.head.files and repo.work == repo.head.files:
                files = {p: t for p, t in repo.head.files.items() if p != OLD}
                files |= {NEW: target.files[NEW]}
                made = repo.make(repo.head.oid, files)
                if what == "rebase":
                    name = next(b for b, o in repo.branches.items() if o == target.oid)
                    repo.saved, repo.branches[name], repo.branch = target.oid, made, name
                else:
                    repo.branches[repo.branch] = made
                repo.work = dict(files)

    def step(self, what: str, n: int) -> None:
        if what == "approve":
            self.approve()
        elif what == "reject":
            self.person(lambda p: deciding.reject(p, "wrong"))
        elif what == "defer":
            self.person(lambda p: deciding.defer(p, None if n % 2 else self.now + HOUR, now=self.now))
        elif what == "undo":
            self.undo()
        elif what == "restart":
            self.restart()
            return
        elif what == "clock":
            self.clock(n)
            return
        else:
            self.do(what, n)
        self.boundary(speaking=what in SPEAKING)
        self.check(committed=what in ("commit", "amend"))

    # -- what must hold

    def check(self, *, committed: bool = False) -> None:
        for p in self.known.values():
            mine = [e for _, e in self.log if getattr(e, "id", "") == p.id]
            told = sum(isinstance(e, ProposalDelivered) for e in mine)
            worse = sum(isinstance(e, Revised) and e.worse for e in mine)
            assert told <= 1 + worse, "told again without being worse"
            starts = [e for e in mine if isinstance(e, ExecutionStarted) and e.run == "apply"]
            assert len(starts) <= 1
        made = [o for o in self.repo.history(self.repo.head.oid) if self.repo.renames(o)]
        found = self.repo.look(made[:1])
        if not found:
            assert all(p.state not in proposals.OPEN for p in self.known.values()), "it waits, and nothing is wrong"
            return
        (reason,) = found
        for p in self.known.values():
            if p.state == "rejected" and committed:
                assert set(reason.fingerprint) <= set(p.raised.fingerprint), "a new place of what was rejected is lost"
        answered = [p for p in self.known.values() if p.state not in LASTING | LAPSED]
        if answered:
            return  # a person, a run or the time said what there is to say
        here = [p for p in self.known.values() if p.state in proposals.WAITING]
        assert here, f"lost: {reason.title}, {[(p.state, p.why or p.parked) for p in self.known.values()]}"
        assert len(here) == 1
        action = here[0].raised.action
        assert isinstance(action, PatchAction)
        assert {e.fs for e in action.edits} == set(reason.fingerprint)
        assert self.drift(here[0]) == ("same", [])


SPEAKING = frozenset({"rename", "commit", "amend", "checkout", "stash-checkout", "merge", "rebase", "cherry-pick"})
OPS = (
    "edit", "save", "save", "name", "fix", "unfix", "rename", "rename", "commit", "amend", "branch", "checkout",
    "checkout", "stash-checkout", "stash", "pop", "reset", "reset-back", "merge", "cherry-pick", "rebase", "approve",
    "reject", "defer", "undo", "restart", "clock",
)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 20)), min_size=5, max_size=30)


@settings(max_examples=LIVES, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_a_finding_lives_once_whatever_happens(steps: list[tuple[str, int]]) -> None:
    life = Life()
    life.step("rename", 0)
    assert len(life.known) == 1
    for what, n in steps:
        life.step(what, n)


def lived(*steps: Any) -> tuple[Life, Proposal]:
    life = Life()
    for step in ("rename", *steps):
        life.step(*(step if isinstance(step, tuple) else (step, 0)))
    assert len(life.known) == 1
    return life, next(iter(life.known.values()))


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((("save", 0),), "pending"),
        ((("save", 0), ("save", 3), ("save", 6)), "pending"),
        ((("fix", 0),), "superseded"),
        ((("fix", 0), ("unfix", 0)), "pending"),
        ((("fix", 0), "commit", ("unfix", 0)), "pending"),
        (("reset",), "parked"),
        (("reset", "reset-back"), "pending"),
        (("defer", "reset", "reset-back"), "deferred"),
        (("reset", "edit", "commit", "reset"), "superseded"),
        (("edit", "amend"), "pending"),
        (("reject", ("save", 0)), "rejected"),
        (("reject", ("name", 1)), "rejected"),
        (("reject", ("edit", 1), "commit"), "rejected"),
        (("reject", ("name", 1), "commit"), "pending"),
        (("reject", ("name", 1), "commit", "reject", ("save", 1), "commit"), "rejected"),
        ((("fix", 0), "commit", ("name", 1), "commit"), "pending"),
        ((("name", 1), ("fix", 0), "stash-checkout", "pop"), "pending"),
        ((("name", 1),), "pending"),
        (("approve",), "executed"),
        (("approve", "undo", ("save", 0)), "undone"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_finding(steps: tuple[Any, ...], state: str) -> None:
    life, p = lived(*steps)
    assert p.state == state
    assert sum(isinstance(e, ProposalDelivered) for _, e in life.log) <= 1 + (("name", 1) in steps)


def test_what_rests_on_no_commit_is_parked_when_git_took_it_away_and_closed_otherwise() -> None:
    _, p = lived()
    raised = p.raised.__class__(**{f: getattr(p.raised, f) for f in p.raised.__struct_fields__} | {"basis": None})
    loose = evolve(None, raised, 0)
    assert loose is not None
    (event,) = not_found(loose, None, taken_away=True, resolved="gone")
    assert (event.why, type(event).__name__) == (AWAY, "ProposalParked")  # type: ignore[attr-defined]
    (event,) = not_found(loose, None, taken_away=False, resolved="gone")
    assert event.why == "gone"  # type: ignore[attr-defined]
    parked = evolve(loose, not_found(loose, None, taken_away=True, resolved="")[0], 0)
    assert parked is not None
    assert not_found(parked, None, taken_away=False, resolved="gone") == []
    (event,) = not_found(parked, BasisMissing("no", gone=True), taken_away=False, resolved="gone")
    assert event.why == "no"  # type: ignore[attr-defined]
    assert paths_of(p.raised.basis) == {OLD, NEW}
