"""kill -9 of the daemon at every step of a check: no run that ended is made again, and no process stays behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.home import find_home
from tests.processes import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
TOPICS = ("CheckStarted", "CheckRan", "CheckJudged")
MARK = "kairos-of-a-killed-daemon"
TEXT = f": {MARK}; sleep 0.3; for n in a b; do grep -q $n bad.txt && echo not ok $n || echo ok $n; done; echo 1..2"


def left_behind() -> list[str]:
    """The command lines of the processes of the check that are alive."""
    return [" ".join(words) for words in running(MARK).values() if "kairos-exec" not in words[0]]


def runs(kairos: Any) -> list[tuple[str, str, list[str]]]:
    """Each run that ended: commit, outcome, what was red."""
    ended = [r.event for r in kairos.events("CheckRan")]
    return [(e.commit, e.outcome, [f.id for f in e.failed]) for e in ended if e.outcome != "stopped"]


def verdicts(kairos: Any) -> list[tuple[str, str]]:
    return [(r.event.verdict, r.event.culprit) for r in kairos.events("CheckJudged")]


def test_killed_after_each_step_it_goes_on_and_repeats_none(quick: tuple[Any, Any], memory: Path) -> None:
    kairos, repo = quick
    (memory / "undisturbed").mkdir()
    calm = type(kairos)(memory / "undisturbed")
    for one in (kairos, calm):
        one.clock("2026-06-01T12:00:00")
        one.run("init", str(repo.root), "--yes")
    if confine.tier(find_home(str(kairos.home)).scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    repo.write("bad.txt", "-\n")
    repo.commit("green")
    named = ("--kind", "test", "--repo", str(repo.root), "--memory-mb", "1024", "--", "sh", "-c", TEXT)
    for one in (kairos, calm):
        one.run("check", "add", *named)
        one.call("check", "run", "--repo", str(repo.root))
    for n in range(5):
        repo.write("other.txt", str(n))
        repo.commit(f"harmless {n}")
    for path in ("b.txt", "bad.txt", "c.txt"):  # to be narrowed
        repo.write(path, "a\n")
    culprit = repo.commit("the culprit")
    repo.write("other.txt", "later")
    repo.commit("later")
    calm.call("check", "run", "--repo", str(repo.root))
    assert verdicts(calm) == [("new", culprit)]

    killed = 0
    while not verdicts(kairos):
        seen = kairos.events(*TOPICS)
        # A run that was cut off is made again; this time its end is seen.
        wanted = len(seen) + (2 if seen[-1].topic == "CheckStarted" else 1)
        daemon = kairos.daemon(ready=False)
        kairos.wait(lambda wanted=wanted: len(kairos.events(*TOPICS)) >= wanted)
        if kairos.events(*TOPICS)[-1].topic == "CheckStarted" and killed % 4 == 0:
            kairos.wait(left_behind)  # the command itself runs
        daemon.kill()
        killed += 1
        kairos.wait(lambda: not left_behind())
    assert killed >= 8
    assert any(r.event.pieces_of for r in kairos.events("CheckRan"))
    assert verdicts(kairos) == verdicts(calm)
    assert runs(kairos) == runs(calm)
    with_daemon = kairos.daemon()
    kairos.until("ProposalVerified")
    assert with_daemon.stop() == 0
    assert runs(kairos) == runs(calm)
    calm.close()
