"""The inbox costs as much as what is open: settled proposals are found again without a look at the others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kairos.domain import events as ev
from kairos.domain.action import Effects, NoteAction, PatchAction, edit
from kairos.domain.proposal import DONE, RAN, TERMINAL, Proposal, proposal_id, stream_of
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.inbox import Inbox, InboxView
from kairos.eventlog.views.projection import STATE, keep_views
from kairos.settings import Home

REPOS = ("repo-a", "repo-b")
DETECTORS = ("secret", "stale-reference")


class Counting(Log):
    """A log that counts what is read of its views."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reads: Counter[str] = Counter()

    def view(self, view: str) -> dict[bytes, bytes]:
        found = super().view(view)
        self.reads["rows"] += len(found)
        return found

    def view_row(self, view: str, key: bytes) -> bytes | None:
        self.reads["rows"] += 1
        return super().view_row(view, key)

    def view_keys(self, *args: Any, **kwargs: Any) -> list[bytes]:
        found = super().view_keys(*args, **kwargs)
        self.reads["keys"] += len(found)
        return found


@pytest.fixture
def log(home: Home) -> Iterator[Counting]:
    opened = Counting(home.log)
    yield opened
    opened.close()


def raised(number: int, *, repo: str = REPOS[0], key: str = "", **fields: Any) -> ev.ProposalRaised:
    known = {
        "id": proposal_id(f"{number}"), "repo": repo, "digest": "0", "detector": "secret", "detector_version": 1,
        "engine": "rules", "turn": "t", "key": key or f"secret:{number}", "title": "t", "claim": "c", "risk": "low",
        "action": NoteAction(repo=repo, text="n"), "effects": Effects(), "evidence": [1], "expires_at": 1,
        "policy_version": "0",
    }  # fmt: skip
    return ev.ProposalRaised(**{**known, **fields})


def told(log: Log, *events: Any) -> None:
    log.append([NewEvent(stream_of(e.id), e) for e in events])


def settle(log: Log, first: int, count: int) -> None:
    for at in range(first, first + count):
        one = raised(at)
        told(log, one, ev.ProposalExpired(id=one.id))


def size(writes: list[Any]) -> int:
    return sum(len(w.key) + len(w.value) for w in writes if isinstance(w, Put))


def test_loading_asking_and_saving_do_not_grow_with_what_is_settled(log: Counting) -> None:
    waits = raised(0)
    told(log, waits)
    seen = []
    for count in (10, 1_000):
        settle(log, count, count)
        keep_views(log, [InboxView()])
        log.reads.clear()
        inbox, position = InboxView().load(log)
        assert [p.id for p in inbox.live()] == [waits.id]
        assert [p.id for p in inbox.known(REPOS[0], [waits.key, "secret:none"], ["secret"])] == [waits.id]
        assert inbox.find(waits.id[:8]).id == waits.id
        assert len(inbox.letters(waits.id)) >= 4
        assert [*inbox.in_effect(REPOS[0]), *inbox.taken_back(None)] == [] and inbox.newest(None) == 0
        told(log, ev.ProposalDelivered(id=waits.id, boundary="commit"))
        InboxView().advance(inbox, log, position)
        seen.append((log.reads["rows"], size(InboxView().saving(inbox, log.head()))))
    assert seen[0][0] == seen[1][0] and seen[1][1] <= seen[0][1] + 10  # one position more
    assert log.reads["keys"] < 50


def test_what_is_settled_leaves_memory_when_it_is_saved(log: Counting) -> None:
    waits = raised(0)
    told(log, waits)
    settle(log, 1, 20)
    view = InboxView()
    inbox, position = view.load(log)
    log.append([], writes=view.saving(inbox, position))
    view.saved(inbox, log)
    log.reads.clear()
    assert inbox.proposals[waits.id].state == "raised"
    assert log.reads["rows"] == 0
    assert inbox.proposals[proposal_id("7")].state == "expired"
    assert log.reads["rows"] == 1


class Lives:
    """Random lives of proposals, told to a log."""

    def __init__(self, log: Log, seed: int) -> None:
        self.log = log
        self.pick = random.Random(seed)
        self.number = 0

    def step(self) -> None:
        open_now = [p for p in InboxView().load(self.log, fresh=True)[0].proposals.values() if p.state not in TERMINAL]
        ran = [p for p in InboxView().load(self.log, fresh=True)[0].proposals.values() if p.state in RAN]
        if not open_now or self.pick.random() < 0.3:
            self.start()
        elif ran and self.pick.random() < 0.4:
            p = self.pick.choice(ran)
            told(self.log, (ev.Undone if p.state in DONE else ev.Redone)(id=p.id, execution="x"))
        else:
            self.end(self.pick.choice(open_now))

    def start(self) -> None:
        self.number += 1
        repo = self.pick.choice(REPOS)
        files = self.pick.sample(["a", "b", "c"], self.pick.randint(1, 2))
        patch = PatchAction(
            repo=repo,
            edits=[edit(f, (b"0\n", 0o644), (f"{self.pick.randint(1, 2)}\n".encode(), 0o644)) for f in sorted(files)],
        )
        action = self.pick.choice([patch, patch, NoteAction(repo=repo, text="n")])
        told(
            self.log,
            raised(
                self.number, repo=repo, key=f"k:{self.pick.randint(1, 4)}", action=action,
                detector=self.pick.choice(DETECTORS),
            ),
        )  # fmt: skip

    def end(self, p: Proposal) -> None:
        started = ev.ExecutionStarted(
            id=p.id, execution="x", run="apply", digest="0", repo=p.raised.repo, expect=[], before=[], store=""
        )
        finished = ev.ExecutionFinished(id=p.id, execution="x", run="apply", outcome="done", signatures=[])
        never = self.pick.random() < 0.5
        told(
            self.log,
            *self.pick.choice(
                [
                    [ev.ProposalRejected(id=p.id, reason="wrong", never=never)],
                    [ev.ProposalStale(id=p.id, paths=[])],
                    [ev.ProposalDelivered(id=p.id, boundary="commit")],
                    [started, finished],
                    [started, finished],
                ]
            ),
        )


def agrees(inbox: Inbox, everything: list[Proposal]) -> None:
    """Every answer by index is that of a look at all proposals."""
    assert {p.id for p in inbox.live()} == {p.id for p in everything if p.state not in TERMINAL}
    for repo in REPOS:
        mine = [p for p in everything if p.raised.repo == repo]
        for key in ("k:1", "k:2", "k:9"):
            same = [p.id for p in mine if p.raised.key == key]
            assert [p.id for p in inbox.known(repo, [key], [])] == same
        for detector in DETECTORS:
            refused = [p for p in mine if p.raised.detector == detector and p.state == "rejected"]
            wanted = {p.id for p in refused if p.rejected is not None and p.rejected.never}
            wanted |= {max(refused, key=lambda p: (p.changed_at, p.id)).id} if refused else set()
            assert [p.id for p in inbox.known(repo, [], [detector])] == [p.id for p in mine if p.id in wanted]
        for p in mine:
            for e in p.raised.action.edits if isinstance(p.raised.action, PatchAction) else ():
                left = {
                    o.id
                    for o in mine
                    if o.state in DONE
                    and isinstance(o.raised.action, PatchAction)
                    and (e.fs, e.after) in {(x.fs, x.after) for x in o.raised.action.edits}
                }
                assert {o.id for o in inbox.done(repo, e.fs, e.after)} == left
    for repo in (None, *REPOS):
        mine = [(p, inbox.filings[p.id]) for p in everything if repo in (None, p.raised.repo)]
        done = [(filed.at(e.moved), p.id) for p, filed in mine for e in p.stack.done]
        undone = [(filed.at(e.moved), p.id) for p, filed in mine for e in p.stack.undone]
        newest = [filed.at(p.stack.newest) for p, filed in mine if p.stack.newest]
        for found, wanted_place in (
            (next(inbox.in_effect(repo), None), done),
            (next(inbox.taken_back(repo), None), undone),
        ):
            assert (found and (found.position, found.id)) == max(wanted_place, default=None)
        assert inbox.newest(repo) == max(newest, default=0)
    ids = sorted(p.id for p in everything)
    for id_ in ids:
        letters = inbox.letters(id_)
        assert [i for i in ids if i.startswith(letters)] == [id_]
        assert len(letters) == 4 or [i for i in ids if i.startswith(letters[:-1])] != [id_]
        assert inbox.find(letters).id == id_


@pytest.mark.parametrize("seed", range(3))
def test_what_an_index_answers_is_what_a_look_at_all_would(any_log: Log, seed: int) -> None:
    lives, view = Lives(any_log, seed), InboxView()
    kept: Inbox | None = None
    position = 0
    for step in range(40):
        lives.step()
        everything = list(view.load(any_log, fresh=True)[0].proposals.values())
        agrees(view.load(any_log, fresh=True)[0], everything)
        agrees(view.load(any_log)[0], everything)
        if kept is not None:
            position = view.advance(kept, any_log, position)
            agrees(kept, everything)
        if step % 7 == 3:
            if kept is None:
                kept, position = view.load(any_log)
            any_log.append([], writes=view.saving(kept, position))
            view.saved(kept, any_log)
            agrees(kept, everything)


def test_a_reader_sees_proposals_as_of_its_position_though_somebody_saved_further_on(log: Counting) -> None:
    one = raised(1)
    told(log, one)
    keep_views(log, [InboxView()])
    inbox, position = InboxView().load(log)
    later = raised(2)
    told(log, ev.ProposalRejected(id=one.id, reason="wrong"), later)
    keep_views(log, [InboxView()])
    assert inbox.proposals[one.id].state == "raised"
    assert later.id not in inbox.proposals
    assert list(inbox.proposals) == [one.id] == [p.id for p in inbox.proposals.values()]
    InboxView().advance(inbox, log, position)
    assert inbox.proposals[one.id].state == "rejected"
    assert [p.id for p in inbox.live()] == [later.id]


def test_a_damaged_row_is_told_by_the_stream(log: Counting) -> None:
    settle(log, 1, 3)
    keep_views(log, [InboxView()])
    broken = proposal_id("2")
    log.append([], writes=[Put(InboxView().key, b"id/" + broken.encode(), b"\0\0\0\0{}")])
    inbox, _ = InboxView().load(log)
    assert inbox.proposals[broken].state == "expired"
    assert len(inbox.proposals.values()) == 3


def test_a_fold_from_nothing_leaves_no_row_of_an_earlier_one(log: Counting) -> None:
    settle(log, 1, 2)
    keep_views(log, [InboxView()])
    key = InboxView().key
    log.append([], writes=[Put(key, b"id/zzzzzzzzzzzz", b"x"), Put(key, STATE, b"damaged")])
    keep_views(log, [InboxView()])
    assert sorted(InboxView().load(log)[0].proposals) == sorted(proposal_id(str(n)) for n in (1, 2))


def test_an_unknown_or_ambiguous_beginning_of_an_id_is_not_found(log: Counting) -> None:
    told(log, raised(1, id="kkkkkkkkkkkk"), raised(2, id="kkkkllllllll"))
    for inbox in (InboxView().load(log)[0], _kept(log)):
        assert inbox.find("kkkkl").id == "kkkkllllllll"
        for prefix, why in (
            ("kkkk", "ambiguous"),
            ("z", "no proposal"),
            ("", "no proposal"),
            ("\udcff", "no proposal"),
        ):
            with pytest.raises(NotFound, match=why):
                inbox.find(prefix)


def _kept(log: Log) -> Inbox:
    keep_views(log, [InboxView()])
    return InboxView().load(log)[0]
