"""kill -9 of the daemon at random moments of a day: nothing is lost, nothing told or done twice, nothing half done.

A scripted person works on without pause while the daemon dies and starts again; afterwards the log must be explained
by the repository and the repository by the log.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.action import PatchAction
from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.eventlog.follow import Follower
from kairos.eventlog.record import Recorded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SEEDS = range(int(os.environ.get("KAIROS_DAYS", "4")))
KILLS = 50
LONGEST_S = 0.8


def kill(process: subprocess.Popen[bytes], with_children: bool) -> None:
    """SIGKILL to its process group, and to its children's, which have groups of their own."""
    groups = [process.pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            groups += [int(pid) for pid in (task / "children").read_text().split() if with_children]
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    process.wait()


def said(kairos: Any, number: int) -> str:
    """What the n-th daemon (from 0) wrote on stderr."""
    text: str = (kairos.root / f"daemon-{number}.err").read_text()
    return text


class Killer(threading.Thread):
    """Starts the daemon and kills it, again and again: at any moment, or right after something was appended."""

    def __init__(self, kairos: Any, seed: int, times: int) -> None:
        super().__init__(name="killer")
        self.kairos, self.dice, self.times = kairos, random.Random(seed + 1_000), times
        self.ended_alone: list[str] = []

    def run(self) -> None:
        log = self.kairos.open_log()
        follower = Follower(log, 0)
        for n in range(self.times):
            daemon = self.kairos.daemon(ready=False)
            moment = self.dice.choice(["young", "grown", "busy", "busy"])
            if moment != "young":
                self.wait_ready(daemon, n)
            if moment == "busy":  # right after somebody appended
                time.sleep(self.dice.uniform(0, LONGEST_S / 2))
                follower.wait(0)
                follower.wait(LONGEST_S / 2)
                time.sleep(self.dice.uniform(0, 0.03))
            else:
                time.sleep(self.dice.uniform(0, LONGEST_S))
            if daemon.process.poll() is not None:
                self.ended_alone.append(f"{daemon.process.returncode}: {said(self.kairos, n)}")
            kill(daemon.process, self.dice.random() < 0.5)
            time.sleep(self.dice.uniform(0, 0.05))
        log.close()

    def wait_ready(self, daemon: Any, n: int) -> None:
        deadline = time.monotonic() + 30
        while "ready\n" not in said(self.kairos, n) and daemon.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)


def rest(kairos: Any, day: Any, repo_id: str) -> list[Recorded]:
    """The whole log, once nothing more is to be done and nothing was appended for longer than a lull."""
    log = kairos.open_log()
    deadline = time.monotonic() + 60
    head, since = -1, 0.0
    while True:
        if log.head() != head:
            head, since = log.head(), time.monotonic()
        open_ = [p.id for p in day.inbox().proposals.values() if p.state in ("raised", "approved", "executing")]
        if not open_ and time.monotonic() - since > 2.0:
            break
        assert time.monotonic() < deadline, f"never at rest: {open_}"
        time.sleep(0.05)
    events = list(log.read())
    triggers = [
        r.position for r in events
        if (isinstance(r.event, FilesChanged) and r.origin in ("live", "offline") and r.event.cause is None)
        or (isinstance(r.event, GitMoved) and r.event.what in ("commit", "merge", "checkout"))
    ]  # fmt: skip
    assert log.tracking(f"reactor/{repo_id}") >= triggers[-1], "something was never looked at"
    log.close()
    return events


def check_files(events: list[Recorded]) -> set[str]:
    """Every change is news, every burst is whole and told once; returns the paths at the end."""
    known: set[str] = set()
    bursts: dict[str, list[tuple[int, int]]] = {}
    for r in events:
        if not isinstance(r.event, FilesChanged):
            continue
        bursts.setdefault(r.event.burst, []).append((r.event.part, r.event.parts))
        for change in r.event.changes:
            there = change.fs in known
            if change.kind in ("created", "moved"):
                assert not there, (r.position, change)
            else:
                assert there, (r.position, change)
            if change.was is not None:
                assert change.was.fs in known, (r.position, change)
                known.remove(change.was.fs)
            known.discard(change.fs) if change.kind == "deleted" else known.add(change.fs)
    for parts in bursts.values():
        assert parts == [(n + 1, parts[0][1]) for n in range(parts[0][1])]
    return known


def check_git(events: list[Recorded], repo: Any, commits: list[str]) -> None:
    """Every commit once, and every move of a ref begins where the last one ended."""
    told = Counter(r.event.oid for r in events if isinstance(r.event, CommitRecorded))
    assert told == Counter(commits)
    at: dict[str, str | None] = {}
    for r in events:
        for move in r.event.refs if isinstance(r.event, GitMoved) else ():
            assert at.get(move.name, move.old) == move.old != move.new, (r.position, move)
            at[move.name] = move.new
    real = dict(line.split() for line in repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines())
    assert {name: oid for name, oid in at.items() if name.startswith("refs/heads/")} == {
        name: oid for name, oid in real.items() if name in at
    }


def check_proposals(events: list[Recorded], inbox: Any) -> int:
    """Every yes has one outcome, every run one end, nothing is verified, told or open twice; returns the runs."""
    streams: dict[str, list[Recorded]] = {}
    open_keys: dict[str, str] = {}
    for r in events:
        if r.stream.startswith("proposal-"):
            streams.setdefault(r.stream, []).append(r)
    ends = {"ProposalStale", "ProposalSuperseded", "ProposalExpired", "ProposalRejected", "ProposalAcknowledged"}
    runs = 0
    for history in streams.values():
        topics = Counter(r.topic for r in history)
        worse = sum(r.topic == "ProposalRevised" and r.event.worse for r in history)
        assert topics["ProposalRaised"] == 1 and topics["ProposalVerified"] <= 1 + topics["ProposalRevised"]
        assert topics["ProposalDelivered"] <= 1 + worse
        started = Counter(r.event.execution for r in history if r.topic == "ExecutionStarted")
        ended = Counter(r.event.execution for r in history if r.topic in ("ExecutionFinished", "ExecutionUnknown"))
        assert started == ended and set(started.values()) <= {1}
        assert topics["ExecutionUnknown"] == 0, "nobody else wrote these files"
        applied = sum(r.topic == "ExecutionFinished" and r.event.run == "apply" for r in history)
        runs += applied
        if topics["ProposalApproved"]:
            undecided = topics["ProposalRevised"] + topics["ProposalParked"] + topics["ProposalReturned"]
            assert applied <= 1 <= applied + sum(topics[t] for t in ends) + undecided, [r.topic for r in history]
        proposal = inbox.proposals[history[0].event.id]
        if proposal.state in ("pending", "deferred") and isinstance(proposal.raised.action, PatchAction):
            assert proposal.raised.key not in open_keys, "the same thing is proposed twice"
            open_keys[proposal.raised.key] = proposal.id
    return runs


def check_turns(events: list[Recorded]) -> None:
    """Every turn began and ended once, no trigger was taken or held twice, and none was our own write."""
    turns: dict[str, list[str]] = {}
    by_position = {r.position: r for r in events}
    taken: Counter[tuple[int | None, str]] = Counter()
    for r in events:
        if r.stream.startswith("turn-"):
            turns.setdefault(r.stream, []).append(r.topic)
        elif r.topic == "AttentionHeld" and r.event.subject == "turn":
            taken[(r.caused_by, "held")] += 1
        elif r.topic == "AttentionDue":
            taken[(r.caused_by, r.event.rule)] += r.event.rule != "again@1"
            cause: Recorded | None = r
            while cause is not None:
                assert not (cause.topic == "FilesChanged" and cause.origin == "self"), (r.position, cause.position)
                cause = by_position[cause.caused_by] if cause.caused_by is not None else None
    assert set(taken.values()) <= {0, 1}, taken.most_common(3)
    assert all(topics == ["TurnStarted", "TurnEnded"] for topics in turns.values()), turns


def check_nights(events: list[Recorded]) -> None:
    """Every occurrence came due once and has one outcome; so has every dream, or the next took its place."""
    for job in ("dream", "compact"):
        history = [r for r in events if r.stream == f"job-{job}"]
        assert [r.topic for r in history] == ["OccurrenceDue", "OccurrenceEnded"] * (len(history) // 2)
        assert max(Counter(r.event.scheduled for r in history[::2]).values(), default=1) == 1
        assert [r.event.scheduled for r in history[::2]] == [r.event.scheduled for r in history[1::2]]
    done = [(r.event.after, r.event.upto) for r in events if r.topic == "DreamFinished"]
    assert all(before[1] <= then[0] for before, then in pairwise(done)), done


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_fifty_kills_leaves_nothing_lost_twice_or_half_done(
    seed: int, a_day: Callable[[int], Any], walked: Callable[[Path], dict[str, Any]]
) -> None:
    day = a_day(seed)
    kairos, repo = day.kairos, day.repo
    killer = Killer(kairos, seed, KILLS)
    killer.start()
    try:
        while killer.is_alive():
            day.step()
            time.sleep(day.pick.uniform(0, 0.1))
    finally:
        killer.join()
    assert not killer.ended_alone, "\n".join(killer.ended_alone)
    daemon = kairos.daemon()
    repo_id = kairos.events("RepoTrusted")[0].event.repo
    events = rest(kairos, day, repo_id)
    assert daemon.stop() == 0, said(kairos, KILLS)

    assert kairos.run("log", "verify")["ok"]
    assert kairos.run("replay", "--verify")["identical"]
    listed = {
        r["path"]: (r["kind"], r["size"], r["mode"], r["mtime_ns"]) for r in kairos.lines("files", str(repo.root))
    }
    there = walked(repo.root)
    assert {p: (listed.get(p), there.get(p)) for p in listed.keys() ^ there.keys()} == {}
    assert {p: (listed[p], there[p]) for p in there if listed[p] != there[p]} == {}
    assert not [p for p in there if Path(p).name.startswith(".kairos-")]
    assert check_files(events) == set(there)
    check_git(events, repo, day.commits)
    runs = check_proposals(events, day.inbox())
    check_turns(events)
    check_nights(events)
    assert len(day.modules_used()) == 1
    assert runs and day.nights, "the day was too quiet to prove anything"
