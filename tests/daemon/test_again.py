"""What a mute, a pause, a shadow or a rejection for good held back comes when that ends, once; nothing is lost."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from kairos.clock import now_us
from kairos.domain.events import (
    AttentionHeld,
    CommitChange,
    DecisionUndone,
    DetectorMuted,
    DetectorSwitched,
    DetectorUnmuted,
    Paused,
    ProposalRaised,
    ProposalRejected,
    Resumed,
)
from kairos.domain.names import Name
from kairos.domain.proposal import stream_of
from kairos.eventlog.log import Log
from tests.daemon.muting import SECRET, Muting, two_pages

LIVES = int(os.environ.get("KAIROS_REAL_LIVES", "4"))


def unmute(muting: Muting) -> None:
    muting.say(DetectorUnmuted(detector=SECRET))


def take_back(muting: Muting) -> None:
    muting.undo()


@pytest.mark.parametrize("end", [unmute, take_back])
def test_what_a_mute_held_is_raised_once_when_it_ends(muting: Muting, end: Callable[[Muting], None]) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    gone = muting.write()
    muting.settle()
    assert [e.rule for e in muting.told("AttentionHeld")] == ["mute@1"] * 2 and muting.pending() == []
    muting.remove(gone)
    end(muting)
    muting.settle()
    assert muting.named() == {path}
    (started,) = [e for e in muting.told("TurnStarted") if e.again]
    assert started.boundary == "again" and len(started.again) == 2
    muting.say(DetectorMuted(detector=SECRET))
    unmute(muting)
    muting.settle()
    assert len(muting.told("ProposalRaised")) == 1


def test_the_chain_of_what_was_held_names_the_hold_and_the_change(muting: Muting, log: Log) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    muting.write()
    muting.settle()
    unmute(muting)
    muting.settle()
    at = next(r for r in log.read(topics={"ProposalRaised"}))
    assert isinstance(at.event, ProposalRaised) and at.event.boundary == "burst"
    topics = []
    while at.caused_by is not None:
        at = log.at(at.caused_by)
        topics.append(at.topic)
    assert topics[:3] == ["TurnStarted", "AttentionDue", "AttentionHeld"] and topics[-1] == "FilesChanged"


def test_what_comes_back_under_another_mute_is_not_lost(muting: Muting) -> None:
    """Held, gone before the mute ended, and there again in the next one."""
    for _ in range(2):
        muting.say(DetectorMuted(detector=SECRET))
        muting.count = 0
        path = muting.write()
        muting.settle()
        muting.remove(path)
        unmute(muting)
        muting.settle()
    assert muting.pending() == [] and [e.rule for e in muting.told("AttentionHeld")] == ["mute@1"] * 2


def test_a_mute_of_one_repository_holds_though_the_general_one_ended(muting: Muting) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    muting.say(DetectorMuted(detector=SECRET, repo=muting.id))
    path = muting.write()
    muting.settle()
    unmute(muting)
    muting.settle()
    assert muting.pending() == []
    muting.say(DetectorUnmuted(detector=SECRET, repo=muting.id))
    muting.settle()
    assert muting.named() == {path}


def test_an_unmute_in_a_pause_waits_for_its_end(muting: Muting) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    muting.say(Paused())
    unmute(muting)
    muting.settle()
    muting.own.close()
    muting.start()  # and no event is left that says so
    muting.settle()
    assert muting.pending() == []
    muting.say(Resumed())
    muting.settle()
    assert muting.named() == {path}


@pytest.mark.parametrize("appends", range(6))
def test_a_daemon_that_dies_around_the_look_does_it_once(muting: Muting, appends: int) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    paths = {muting.write(), muting.write()}
    muting.settle()
    unmute(muting)
    muting.own.left = appends
    muting.settle()
    muting.own.close()
    muting.start()
    muting.settle()
    assert muting.named() == paths and len(muting.told("ProposalRaised")) == 2
    assert len([e for e in muting.told("TurnStarted") if e.again]) == 1


def test_a_hold_of_an_earlier_version_is_looked_at_too(muting: Muting) -> None:
    """It says neither what its finding was found in nor at which boundary."""
    path = muting.write()
    muting.say(DetectorMuted(detector=SECRET))
    muting.settle()
    held = next(r for r in muting.log.read(topics={"AttentionHeld"}))
    assert isinstance(held.event, AttentionHeld) and held.event.evidence and held.event.boundary == "burst"
    bare = AttentionHeld(
        repo=muting.id, subject=held.event.subject, why=held.event.why, rule="mute@1", detector=SECRET
    )  # fmt: skip
    from kairos.daemon import again
    from kairos.detectors.scene import Facts
    from kairos.repo.git import Git

    at = muting.others.say(bare, muting.id, held.caused_by, origin="system")
    holds = again.holds_at(muting.log, [at])
    salt = muting.reactor._looker._salt
    facts, roster = Facts(Git(muting.root)), muting.reactor._looker.roster()
    found, problems = again.look_again(muting.log, muting.others.repository, holds, salt, facts, roster)
    assert problems == [] and [f.title.split(" in ")[1].split(",")[0] for f in found["burst"]] == [path]


def test_what_a_repository_that_cannot_be_read_hides_waits_for_its_next_turn(muting: Muting, repo: Any) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    aside = muting.root.with_name("aside")
    muting.root.rename(aside)
    unmute(muting)
    muting.settle()
    assert muting.pending() == [] and not any(e.again for e in muting.told("TurnStarted"))
    aside.rename(muting.root)
    (muting.root / "other.txt").write_text("x\n")
    muting.changed("other.txt", "created")
    muting.settle()
    assert muting.named() == {path}


def decided(muting: Muting, event: ProposalRejected) -> int:
    return int(muting.others.say(event, stream_of(event.id), origin="user"))


def test_what_a_rejection_for_good_held_is_raised_when_it_is_taken_back(muting: Muting) -> None:
    first = muting.write()
    muting.settle()
    (known,) = muting.pending()
    at = decided(muting, ProposalRejected(id=known.id, reason="wrong", never=True))
    (muting.root / first).write_text("AWS=AKIAQ3EGRT5HZX7WLMNP\n")
    muting.changed(first, "modified")
    muting.settle()
    held = [e.rule for e in muting.told("AttentionHeld")]
    assert held == ["never@1"], held
    head = muting.log.head()
    muting.own.close()
    muting.start()
    muting.settle()
    assert muting.log.head() == head, "nothing is written of a hold that holds"
    muting.others.say(DecisionUndone(what="reject", of=at, id=known.id), stream_of(known.id), origin="user")
    muting.settle()
    assert len(muting.told("ProposalRaised")) == 2 and first in muting.named()


def test_what_a_detector_found_in_shadow_is_raised_when_it_is_promoted_if_it_still_is_so(muting: Muting) -> None:
    muting.say(DetectorSwitched(detector=SECRET, state="shadow"))
    path, gone = muting.write(), muting.write()
    muting.settle()
    assert [e.rule for e in muting.told("AttentionHeld")] == ["shadow@1"] * 2 and muting.pending() == []
    muting.remove(gone)
    muting.say(DetectorSwitched(detector=SECRET, state="off"))
    muting.settle()
    assert muting.pending() == [] and not any(e.again for e in muting.told("TurnStarted"))
    muting.say(DetectorSwitched(detector=SECRET, state="on"))
    muting.settle()
    assert muting.named() == {path}
    muting.say(DetectorSwitched(detector=SECRET, state="shadow"))
    muting.say(DetectorSwitched(detector=SECRET, state="on"))
    muting.settle()
    assert len(muting.told("ProposalRaised")) == 1


def test_what_the_rest_of_an_earlier_version_held_is_raised_at_once(muting: Muting) -> None:
    """A detector rested after a rejection then."""
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    (held,) = muting.told("AttentionHeld")
    muting.others.say(structs.replace(held, rule="cool-down@1", until=now_us() + 10**12), muting.id)
    unmute(muting)
    muting.settle()
    again = [e.again for e in muting.told("TurnStarted") if e.again]
    assert muting.named() == {path} and [len(e) for e in again] == [2]


def test_renames_that_were_held_apart_are_raised_apart(muting: Muting, repo: Any) -> None:
    """One card over both would be news of twice as much as either."""
    two_pages(repo)
    muting.say(DetectorMuted(detector="stale-reference"))
    for name in ("a", "b"):
        old, new = f"src/{name}.py", f"src/new_{name}.py"
        repo.git("mv", old, new)
        muting.commit(repo, [CommitChange(path=new, status="R100", was=Name(path=old))])
        muting.settle()
    muting.say(DetectorUnmuted(detector="stale-reference"))
    muting.settle()
    assert [len(p.raised.basis.commits) for p in muting.pending() if p.raised.basis] == [1, 1]


def step(muting: Muting, git: Any, pick: random.Random, there: list[str]) -> None:
    """One random thing that a person does."""
    here = pick.choice(["", muting.id])
    match pick.choice(["write"] * 3 + ["remove", "commit", "mute", "mute", "unmute", "undo", "pause", "resume", "die"]):
        case "write":
            there.append(muting.write())
        case "remove" if there:
            muting.remove(there.pop(pick.randrange(len(there))))
        case "commit":
            muting.commit(git)
            muting.settle() if pick.random() < 0.5 else None
        case "mute":
            muting.say(DetectorMuted(detector=SECRET, repo=here))
        case "unmute":
            muting.say(DetectorUnmuted(detector=SECRET, repo=here))
        case "undo":
            muting.undo()
        case "pause":
            muting.say(Paused(repo=here))
        case "resume":
            muting.say(Resumed(repo=here))
        case "die":
            muting.own.left = pick.randrange(4)
        case _:
            pass


@pytest.mark.parametrize("seed", range(LIVES))
def test_in_a_random_life_what_holds_and_is_not_muted_is_raised_exactly_once(
    muting: Muting, repo: Any, seed: int
) -> None:
    pick, there = random.Random(seed), list[str]()
    for _ in range(40):
        step(muting, repo, pick, there)
        if pick.random() < 0.6:
            muting.settle()
    muting.settle()
    with muting.world.reading() as views:
        silent = views.attention.is_muted(SECRET, muting.id) or views.attention.is_paused(now_us(), muting.id)
    assert silent or set(there) <= muting.named()
    for repo_id in ("", muting.id):
        muting.say(Resumed(repo=repo_id))
        muting.say(DetectorUnmuted(detector=SECRET, repo=repo_id))
    muting.settle()
    assert set(there) <= muting.named()
    keys = Counter(e.key for e in muting.told("ProposalRaised"))
    assert set(keys.values()) == {1}, keys
