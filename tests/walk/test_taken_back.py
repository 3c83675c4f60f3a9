"""Decisions taken back and made again beside a real daemon that is killed between: pending again, told once, never done
twice, and in the order in which they were made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from kairos.domain.proposal import Proposal
from kairos.eventlog.views.inbox import InboxView

pytestmark = pytest.mark.timeout(240)


def proposals(kairos: Any) -> dict[str, Proposal]:
    log = kairos.open_log()
    try:
        return dict(InboxView().load(log)[0].proposals)
    finally:
        log.close()


def begin(kairos: Any, repo: Any) -> str:
    """A renamed module, committed; returns the id of the delivered proposal."""
    repo.write("util.py", "X = 1\n")
    repo.write("app.py", "from util import X\nprint(X)\n")
    repo.commit("begin")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    repo.git("mv", "util.py", "helpers.py")
    repo.commit("rename")
    kairos.until("ProposalDelivered")
    (id_,) = proposals(kairos)
    return id_


def app(repo: Any) -> str:
    text: str = (repo.root / "app.py").read_text().splitlines()[0]
    return text


def walked(kairos: Any, verb: str, repo: Any, *, code: int = 0) -> Any:
    return kairos.run(verb, "--repo", str(repo.root), "--yes", code=code)


def kill_and_start(kairos: Any) -> None:
    kairos._daemons[-1].kill()
    kairos.daemon()


@pytest.mark.parametrize("between", ["nothing", "a kill", "no daemon"])
def test_each_decision_is_taken_back_and_told_once(kairos: Any, repo: Any, between: str) -> None:
    id_ = begin(kairos, repo)

    def meanwhile() -> None:
        if between == "a kill":
            kill_and_start(kairos)
        elif between == "no daemon" and kairos._daemons[-1].process.poll() is None:
            kairos._daemons[-1].kill()

    for decide in (
        ["reject", id_, "-m", "slipped"], ["reject", id_, "-m", "slipped", "--never"],
        ["defer", id_, "--until", "2h"], ["defer", id_, "--until", "next-commit"],
    ):  # fmt: skip
        kairos.run(*decide)
        meanwhile()
        assert walked(kairos, "undo", repo)["state"] == "pending"
        meanwhile()
        assert [p["id"] for p in kairos.run("inbox")] == [id_]
    kairos.run("approve", id_, "--yes", "--wait", "30")
    assert app(repo) == "from helpers import X"
    meanwhile()
    assert walked(kairos, "undo", repo)["state"] == "undone"
    assert app(repo) == "from util import X"
    meanwhile()
    assert walked(kairos, "redo", repo)["state"] == "redone"
    assert app(repo) == "from helpers import X"
    assert list(proposals(kairos)) == [id_]
    counts = Counter(r.topic for r in kairos.events())
    assert counts["ProposalDelivered"] == 1
    assert counts["ExecutionStarted"] == counts["ExecutionFinished"] == 3
    assert counts["DecisionUndone"] == 4
    assert kairos.run("log", "verify")["ok"] and kairos.run("replay", "--verify")["identical"]


def test_a_paused_daemon_never_carries_out_what_was_taken_back(kairos: Any, repo: Any) -> None:
    id_ = begin(kairos, repo)
    kairos.run("pause")
    kairos.run("approve", id_, "--yes")
    assert proposals(kairos)[id_].state == "approved"
    taken = walked(kairos, "undo", repo)
    assert (taken["what"], taken["id"], taken["state"]) == ("approve", id_, "pending")
    taken = kairos.run("undo", "--all", "--yes")
    assert (taken["what"], taken["state"]) == ("pause", "running")
    kill_and_start(kairos)
    kairos.run("tick")
    kairos.run("redo", "--all", "--yes")
    assert not kairos.events("ExecutionStarted") and app(repo) == "from util import X"
    walked(kairos, "redo", repo, code=75)  # the approval, while paused again
    assert proposals(kairos)[id_].state == "approved" and not kairos.events("ExecutionStarted")
    kairos.run("resume")
    kairos.until("ExecutionFinished", outcome="done")
    assert app(repo) == "from helpers import X"
    assert len(kairos.events("ExecutionStarted")) == 1


def test_a_mute_taken_back_lets_the_detector_speak_again(kairos: Any, repo: Any) -> None:
    repo.write("a.txt", "a\n")
    repo.commit("begin")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    kairos.run("mute", "conflict-marker")
    assert kairos.run("undo", "--all", "--yes")["state"] == "heard"
    repo.write("b.txt", "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n")
    repo.commit("merge")
    kairos.until("ProposalDelivered")


def test_two_who_take_back_at_once_take_back_one_each(kairos: Any, repo: Any) -> None:
    """However two commands race, as many decisions are taken back as commands succeeded, from the top."""
    id_ = begin(kairos, repo)
    for when in ("1h", "2h", "3h", "4h"):
        kairos.run("defer", id_, "--until", when)
    command = [sys.executable, "-P", "-m", "cli", "undo", id_, "--yes", "--json"]
    racing = [
        subprocess.Popen(command, env=kairos.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [(p.communicate(timeout=100), p.returncode) for p in racing]
    won = [json.loads(out)["data"] for (out, _), code in ended if code == 0]
    assert all(code in (0, 5) for _, code in ended), ended
    undone = [r.event.of for r in kairos.events("DecisionUndone")]
    decided = [r.position for r in kairos.events("ProposalDeferred")]
    assert won and undone == decided[::-1][: len(won)]
    left = len(decided) - len(won)
    state = proposals(kairos)[id_]
    assert (state.state, len(state.stack.done)) == ("deferred", left)


def test_a_change_that_git_threw_away_waits_again_untold(kairos: Any, repo: Any) -> None:
    id_ = begin(kairos, repo)
    for throw in (("reset", "-q", "--hard"), ("checkout", "-q", "--", "."), ("restore", "app.py"), ("stash", "-q")):
        seen = len(kairos.events("FilesChanged"))
        kairos.run("approve", id_, "--yes")
        kairos.wait(lambda: app(repo) == "from helpers import X")
        kairos.wait(lambda before=seen: len(kairos.events("FilesChanged")) > before)
        repo.git(*throw)
        kairos.wait(lambda: [card["id"] for card in kairos.run("inbox")] == [id_])
    assert len(kairos.events("ProposalDelivered")) == 1
