"""`approve`, `reject`, `defer` without a daemon, against a real repository."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from kairos.acting import decisions
from kairos.acting.executor import execute
from kairos.daemon.presence import claim
from kairos.desk.records.proposals import DecidedOut
from kairos.domain import events as ev
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.settings import Config

AFTER = b"# Demo\nmore\n"


def test_approving_a_digest_without_a_daemon_carries_it_out(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    done = kairos("approve", raised.id[:6], "--digest", raised.digest, "--json")
    assert done.code == 0
    out = msgspec.convert(done.data, DecidedOut)
    assert (out.id, out.state) == (raised.id, "executed")
    assert [seeded.log.at(p).topic for p in out.positions] == [
        "ProposalApproved", "ExecutionStarted", "ExecutionFinished",
    ]  # fmt: skip
    assert seeded.read("README.md") == AFTER


def test_repeating_an_approval_is_harmless(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    first = kairos("approve", raised.id, "--digest", raised.digest, "--json")
    head = seeded.log.head()
    again = kairos("approve", raised.id, "--digest", raised.digest, "--json")
    assert (again.code, again.data) == (0, first.data)
    assert seeded.log.head() == head


def test_another_digest_is_stale_and_nothing_is_written(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    done = kairos("approve", raised.id, "--digest", "0" * 64, "--json")
    assert (done.code, done.error["name"]) == (5, "stale")
    assert seeded.read("README.md") == b"# Demo\n"
    assert kairos("inbox", "--json").data[0]["state"] == "pending"


def test_a_moved_base_is_stale_and_nothing_is_written(kairos: Any, seeded: Any, repo: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    repo.write("README.md", "mine\n")
    done = kairos("approve", raised.id, "--digest", raised.digest, "--json")
    assert done.code == 5
    assert seeded.read("README.md") == b"mine\n"


def test_an_expired_proposal_is_stale(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER), expires_in=-1)
    assert kairos("approve", raised.id, "--digest", raised.digest).code == 5


def test_without_a_terminal_nothing_is_approved_unseen(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    for flags in ([], ["--no-input"]):
        done = kairos("approve", raised.id, *flags)
        assert done.code == 2
        assert f"--digest {raised.digest}" in done.err
    assert seeded.read("README.md") == b"# Demo\n"


def test_a_digest_is_for_one_proposal(kairos: Any, seeded: Any) -> None:
    first, second = (seeded.raise_(seeded.note(s), seed=s) for s in "ab")
    assert kairos("approve", first.id, second.id, "--digest", first.digest).code == 2


def test_several_ids_are_answered_as_a_list(kairos: Any, seeded: Any) -> None:
    ids = [seeded.raise_(seeded.note(s), seed=s).id for s in "ab"]
    done = kairos("approve", *ids, "--yes", "--json")
    assert [(d["id"], d["state"]) for d in done.data] == [(i, "acknowledged") for i in ids]


def test_what_was_done_before_a_failure_is_still_reported(kairos: Any, seeded: Any) -> None:
    note = seeded.raise_(seeded.note(), seed="a")
    gone = seeded.raise_(seeded.note("b"), seed="b", expires_in=-1)
    done = kairos("approve", note.id, gone.id, "--yes", "--json")
    assert (done.code, done.data["state"]) == (5, "acknowledged")


def test_an_approved_note_is_acknowledged(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert kairos("approve", raised.id, "--yes", "--json").data["state"] == "acknowledged"


def test_a_daemon_that_does_not_answer_in_time_is_exit_75(kairos: Any, seeded: Any, home: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    with claim(home):
        done = kairos("approve", raised.id, "--digest", raised.digest, "--json")
        assert (done.code, done.data["state"]) == (0, "approved")
        waited = kairos("approve", raised.id, "--digest", raised.digest, "--wait", "0.1", "--json")
    assert (waited.code, waited.error["name"]) == (75, "try_again")
    assert waited.data["state"] == "approved" and waited.data["positions"]
    assert seeded.read("README.md") == b"# Demo\n"


def _carry_out(home: Any, seeded: Any, raised: Any, end: Any) -> None:
    """What a daemon does: starts when it sees the approval, and ends as told."""
    stream = f"proposal-{raised.id}"
    started = ev.ExecutionStarted(
        id=raised.id, execution="e1", run="apply", digest=raised.digest, repo=seeded.id, expect=[], before=[], store="s"
    )
    log = Log(home.log)
    follower = Follower(log, 0)
    while not any(r.topic == "ProposalApproved" for r in follower.new()):
        follower.wait(5)
    first = [] if isinstance(end, ev.ProposalStale) else [NewEvent(stream, started)]
    log.append([*first, NewEvent(stream, msgspec.structs.replace(end, id=raised.id))])
    log.close()


@pytest.mark.parametrize(
    ("end", "code", "state"),
    [
        (ev.ExecutionFinished(id="", execution="e1", run="apply", outcome="failed", why="no space"), 1, "failed"),
        (ev.ExecutionFinished(id="", execution="e1", run="apply", outcome="done"), 0, "executed"),
        (ev.ExecutionUnknown(id="", execution="e1", run="apply", paths=["README.md"]), 8, "unknown"),
        (ev.ProposalStale(id="", paths=["README.md"]), 5, "stale"),
    ],
)
def test_waiting_ends_with_what_the_daemon_did(
    kairos: Any, seeded: Any, home: Any, end: Any, code: int, state: str
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    with claim(home):
        worker = threading.Thread(target=_carry_out, args=(home, seeded, raised, end))
        worker.start()
        done = kairos("approve", raised.id, "--digest", raised.digest, "--wait", "20", "--json")
        worker.join()
    assert (done.code, done.data["state"]) == (code, state)
    if code:
        assert done.error["code"] == code


def test_a_person_is_told_what_was_done_and_not_only_that_it_was_approved(kairos: Any, seeded: Any, home: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    end = ev.ExecutionFinished(id="", execution="e1", run="apply", outcome="done")
    with claim(home):
        worker = threading.Thread(target=_carry_out, args=(home, seeded, raised, end))
        worker.start()
        done = kairos("approve", raised.id, "--yes")
        worker.join()
    assert done.code == 0
    assert "executed" in done.out


def test_a_rejection_needs_a_reason_and_is_kept(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert kairos("reject", raised.id).code == 2
    done = kairos("reject", raised.id, "-m", "not like this", "--reason", "style", "--json")
    assert (done.code, done.data["state"]) == (0, "rejected")
    event = seeded.log.at(done.data["positions"][-1]).event
    assert (event.reason, event.text, event.never) == ("style", "not like this", False)
    assert kairos("reject", raised.id, "-m", "again").code == 0
    assert kairos("approve", raised.id, "--yes").code == 5


def test_a_deferral_names_a_moment_to_come(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert kairos("defer", raised.id, "--until", "yesterday").code == 2
    assert kairos("defer", raised.id, "--until", "2001-01-01").code == 2
    done = kairos("defer", raised.id, "--until", "2h", "--json")
    assert (done.code, done.data["state"]) == (0, "deferred")
    assert kairos("inbox", "--json").data == []
    assert "1 deferred" in kairos("inbox").out
    assert kairos("defer", raised.id, "--until", "next-commit").code == 0


def test_a_paused_kairos_executes_nothing(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("pause")
    assert kairos("approve", raised.id, "--yes").code == 75
    assert seeded.read("README.md") == b"# Demo\n"
    kairos("resume")
    assert kairos("approve", raised.id, "--yes").code == 0
    assert seeded.read("README.md") == AFTER


def test_a_yes_repeated_after_a_crash_settles_the_run(
    kairos: Any, seeded: Any, home: Any, repo: Any, killed_at: Any
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    approved = decisions.approve(seeded.log, home, Config(), raised.id, raised.digest).proposal
    with killed_at("started") as on_step:
        execute(seeded.log, home, Config(), approved, seeded.root, on_step=on_step)
    done = kairos("--json", "approve", raised.id, "--digest", raised.digest)
    assert (done.code, done.data["state"]) in ((0, "executed"), (1, "failed"))
    assert (repo.root / "README.md").read_text() in ("# Demo\n", "# Demo\nmore\n")


def test_a_rejection_for_good_has_a_receipt(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    said = kairos("reject", raised.id, "-m", "no", "--never").out
    assert f"never raised again: {raised.detector} in {seeded.root.name}: “{raised.title}”" in said
    assert f"Take it back: kairos undo {raised.id[:4]}" in said
    assert kairos("undo", raised.id[:4], "--yes").code == 0
