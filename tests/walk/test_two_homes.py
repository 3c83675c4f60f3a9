"""Two daemons on two homes share one log on a PostgreSQL server: each repository and each night belongs to one."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged, OccurrenceDue

pytestmark = pytest.mark.slow

LEASE_S = 2


@pytest.fixture
def homes(kairos: Any, tmp_path: Path, postgres: Any) -> Iterator[tuple[Any, Any]]:
    """Two homes on one log. No nightly compaction: this is about who does it, and the dream shows that."""
    url = postgres.url()
    made = []
    for name in ("ada", "bob"):
        root = tmp_path / name
        root.mkdir()
        home = type(kairos)(root)
        home.clock("2026-06-01T12:00:00")
        home.environment["KAIROS_LOG"] = url
        home.run("config", "set", "log.lease_seconds", str(LEASE_S))
        home.run("config", "set", "schedule.compact", "")
        made.append(home)
    yield made[0], made[1]
    for home in made:
        home.close()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def told(home: Any) -> Counter[tuple[str, str]]:
    """How often the log tells of each (path, kind), the baseline left out."""
    return Counter(
        (c.fs, c.kind)
        for r in home.events("FilesChanged")
        if isinstance(r.event, FilesChanged) and r.origin != "baseline"
        for c in r.event.changes
    )


def until_told(home: Any, path: str) -> None:
    wait_until(lambda: any(p == path for p, _ in told(home)), f"{path} was not told")


def state(home: Any) -> dict[str, Any]:
    [repo] = home.run("status")["repos"]
    return dict(repo)


def until_watching(home: Any) -> None:
    wait_until(lambda: state(home)["state"] == "watching", "nobody watches here", 30)


def once_and_whole(home: Any, repo: Any) -> None:
    """No position is missing or twice, the chain holds, and the fold of the log is the tree on disk."""
    lines = home.lines("log")
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    assert home.run("log", "verify")["ok"]
    assert {n: c for n, c in told(home).items() if c != 1} == {}
    listed = {row["path"] for row in home.lines("files", str(repo.root)) if row["kind"] == "file"}
    there = {str(p.relative_to(repo.root)) for p in repo.root.rglob("*") if p.is_file()}
    assert listed == {p for p in there if not p.startswith(".git/")}


def raised_by_a_rename(home: Any, repo: Any) -> Any:
    repo.write("shop/__init__.py", "")
    repo.write("shop/pay.py", "def total(items):\n    return sum(items)\n")
    repo.write("shop/cart.py", "from shop.pay import total\n\n\ndef checkout(items):\n    return total(items)\n")
    repo.commit("shop")
    home.run("init", str(repo.root), "--yes")
    home.daemon()
    repo.git("mv", "shop/pay.py", "shop/billing.py")
    repo.commit("rename pay to billing")
    home.until("ProposalVerified", seconds=30)
    return home.until("ProposalRaised")[0].event


def test_one_daemon_watches_and_a_yes_from_the_other_home_is_carried_out_by_it(
    homes: tuple[Any, Any], repo: Any
) -> None:
    ada, bob = homes
    raised = raised_by_a_rename(ada, repo)
    bob.daemon()
    assert state(ada)["state"] == "watching"
    other = state(bob)
    assert other["state"] == "stopped" and other["held_by"] is not None

    done = bob.run("approve", raised.id, "--digest", raised.digest, "--wait", "30")
    assert done["state"] == "executed"
    assert "shop.billing" in (repo.root / "shop/cart.py").read_text()
    assert len(ada.events("ExecutionStarted")) == len(ada.events("ExecutionFinished")) == 1
    assert len(ada.events("ProposalApproved")) == len(ada.events("ProposalDelivered")) == 1

    refused = bob.call("--json", "undo", raised.id, "--yes")
    assert (refused.returncode, json.loads(refused.stderr)["error"]["name"]) == (11, "locked")
    assert ada.run("undo", raised.id, "--yes")["state"] == "undone"
    assert "from shop.pay import" in (repo.root / "shop/cart.py").read_text()


def test_a_yes_without_any_daemon_is_carried_out_at_once_and_gives_the_repository_back(
    homes: tuple[Any, Any], repo: Any
) -> None:
    ada, bob = homes
    raised = raised_by_a_rename(ada, repo)
    assert ada._daemons[0].stop() == 0
    assert bob.run("approve", raised.id, "--digest", raised.digest)["state"] == "executed"
    assert bob.run("undo", "--yes")["state"] == "undone"
    ada.daemon()
    assert state(ada)["state"] == "watching"


def test_a_killed_daemon_is_replaced_when_its_lease_is_over_and_nothing_is_told_twice(
    homes: tuple[Any, Any], repo: Any
) -> None:
    ada, bob = homes
    ada.run("init", str(repo.root), "--yes")
    first = ada.daemon()
    bob.daemon()
    repo.write("seen.txt", "1\n")
    until_told(ada, "seen.txt")
    first.kill()
    repo.write("unseen.txt", "1\n")
    until_told(bob, "unseen.txt")
    until_watching(bob)
    ada.daemon()
    assert state(ada)["state"] == "stopped", "who came back does not take it away from who has it"
    repo.write("later.txt", "1\n")
    repo.commit("all of it")
    until_told(bob, "later.txt")
    bob.until("GitMoved")
    turns = bob.until("TurnEnded")
    assert len({r.stream for r in turns}) == len(turns)
    once_and_whole(bob, repo)


def test_a_daemon_that_wakes_after_its_lease_writes_nothing_and_gives_way(homes: tuple[Any, Any], repo: Any) -> None:
    ada, bob = homes
    ada.run("init", str(repo.root), "--yes")
    first = ada.daemon()
    second = bob.daemon()
    repo.write("before.txt", "1\n")
    until_told(ada, "before.txt")
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        repo.write("stopped.txt", "1\n")
        until_told(bob, "stopped.txt")
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    repo.write("woken.txt", "1\n")
    until_told(bob, "woken.txt")
    wait_until(lambda: state(ada)["held_by"] is not None, "it does not see that it lost the repository")
    assert first.process.poll() is None
    once_and_whole(bob, repo)

    second.kill()
    repo.write("returned.txt", "1\n")
    until_told(ada, "returned.txt")
    once_and_whole(ada, repo)
    assert len(ada.events("DaemonStarted")) == 2, "it went on without being started again"


def test_what_rests_on_a_lost_lease_is_neither_written_nor_done(
    homes: tuple[Any, Any], repo: Any, postgres: Any
) -> None:
    ada, bob = homes
    ada.run("config", "set", "log.lease_seconds", "600")  # so that it does not notice by itself
    raised = raised_by_a_rename(ada, repo)
    before = (repo.root / "shop/cart.py").read_text()
    with postgres.admin(ada.environment["KAIROS_LOG"]) as db:
        db.execute(
            "UPDATE leases SET token = token + 1, holder = 'eve', until = now() + interval '1 h'"
            " WHERE name LIKE 'repo/%'"
        )
        repo.write("held.txt", "1\n")
        wait_until(lambda: state(ada)["held_by"] == "eve", "its sensor did not meet the lost lease")
        assert bob.run("approve", raised.id, "--digest", raised.digest)["state"] == "approved"
        bob.call("approve", raised.id, "--digest", raised.digest, "--wait", "2")
        assert (repo.root / "shop/cart.py").read_text() == before
        assert bob.events("ExecutionStarted") == []
        assert ("held.txt", "created") not in told(bob)
        db.execute("UPDATE leases SET until = now() WHERE name LIKE 'repo/%'")
    ada.until("ExecutionFinished", seconds=30)
    until_told(ada, "held.txt")
    assert "shop.billing" in (repo.root / "shop/cart.py").read_text()
    assert len(ada.events("ExecutionStarted")) == len(ada.events("DaemonStarted")) == 1
    assert told(ada)[("held.txt", "created")] == 1


def test_the_server_restarts_and_nothing_is_lost_or_told_twice(
    homes: tuple[Any, Any], repo: Any, postgres: Any
) -> None:
    ada, bob = homes
    ada.run("init", str(repo.root), "--yes")
    daemons = [ada.daemon(), bob.daemon()]
    repo.write("before.txt", "1\n")
    until_told(ada, "before.txt")
    postgres.stop()
    try:
        repo.write("away.txt", "1\n")
        for verb in ("status", "doctor"):
            answer = ada.call("--json", verb)
            said = json.loads(answer.stderr.splitlines()[-1])["error"]
            assert (answer.returncode, said["name"]) == (75, "try_again")
            assert "does not answer" in answer.stdout + answer.stderr and said["hint"]
    finally:
        postgres.start()
    repo.write("back.txt", "1\n")
    until_told(ada, "back.txt")
    until_told(ada, "away.txt")
    postgres.cut()
    repo.write("cut.txt", "1\n")
    until_told(bob, "cut.txt")
    assert [d.process.poll() for d in daemons] == [None, None]
    once_and_whole(bob, repo)
    assert daemons[0].stop() == 0
    postgres.stop()
    try:
        assert daemons[1].stop() == 0, "a daemon ends properly though it cannot say so"
    finally:
        postgres.start()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_stops_cuts_and_restarts_lose_nothing_and_repeat_nothing(
    homes: tuple[Any, Any], repo: Any, postgres: Any, seed: int
) -> None:
    pick = random.Random(seed)
    homes[0].run("init", str(repo.root), "--yes")
    daemons = [home.daemon() for home in homes]
    for n in range(10):
        which = pick.randrange(2)
        match pick.choice(["kill", "stop", "end", "cut", "restart", "crash"]):
            case "kill":
                daemons[which].kill()
                repo.write(f"round{n}.txt", "1\n")
                daemons[which] = homes[which].daemon()
            case "end":
                assert daemons[which].stop() == 0
                repo.write(f"round{n}.txt", "1\n")
                daemons[which] = homes[which].daemon()
            case "stop":
                os.kill(daemons[which].process.pid, signal.SIGSTOP)
                repo.write(f"round{n}.txt", "1\n")
                time.sleep(pick.random() * 2 * LEASE_S)
                os.kill(daemons[which].process.pid, signal.SIGCONT)
            case "cut":
                repo.write(f"round{n}.txt", "1\n")
                time.sleep(pick.random() * 0.05)
                postgres.cut()
            case how:
                repo.write(f"round{n}.txt", "1\n")
                time.sleep(pick.random() * 0.05)
                postgres.stop("immediate" if how == "crash" else "fast")
                time.sleep(pick.random() * LEASE_S)
                postgres.start()
        if pick.random() < 0.4:
            repo.commit(f"round {n}")
    repo.write("last.txt", "1\n")
    repo.commit("last")
    for path in [*(f"round{n}.txt" for n in range(10)), "last.txt"]:
        until_told(homes[0], path)
    oids = set(repo.git("rev-list", "HEAD", "--skip=0").split()) - {repo.git("rev-list", "--max-parents=0", "HEAD")}
    wait_until(lambda: oids <= {r.event.oid for r in homes[1].events("CommitRecorded")}, "a commit was not told")
    commits = Counter(r.event.oid for r in homes[1].events("CommitRecorded"))
    assert {oid: count for oid, count in commits.items() if count != 1} == {}
    turns = Counter(r.event.turn for r in homes[1].events("TurnStarted"))
    assert {turn: count for turn, count in turns.items() if count != 1} == {}
    once_and_whole(homes[0], repo)
    assert [daemon.process.poll() for daemon in daemons] == [None, None]


def test_a_night_is_dreamt_by_one_of_two_daemons(homes: tuple[Any, Any], repo: Any) -> None:
    ada, bob = homes
    for n in range(3):
        repo.write("a.txt", f"{n}\n")
        repo.write("b.txt", f"{n}\n")
        repo.commit(f"both {n}")
    ada.run("init", str(repo.root), "--yes", "--history", "all")
    ada.daemon()
    bob.daemon()
    for home in homes:
        home.clock("2026-06-02T03:45:00")
    for _ in range(2):
        for home in homes:
            home.run("tick")
    ada.until("OccurrenceEnded", job="dream", seconds=40)
    due = [r.event for r in bob.events("OccurrenceDue") if isinstance(r.event, OccurrenceDue)]
    assert [e.job for e in due] == ["dream"]
    assert [r.event.outcome for r in bob.events("OccurrenceEnded")] == ["done"]
    assert len(bob.events("DreamFinished")) == 1


def test_database_functions_are_refused(homes: tuple[Any, Any]) -> None:
    ada, _ = homes
    ada.environment["POSTGRES_ENABLE_DB_FUNCTIONS"] = "1"
    for args in (["daemon", "run"], ["status"], ["log"]):
        answer = ada.call("--json", *args)
        assert answer.returncode == 2, args
        assert "POSTGRES_ENABLE_DB_FUNCTIONS" in answer.stderr
