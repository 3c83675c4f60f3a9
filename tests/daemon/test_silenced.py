"""A detector that fell silent by what people did: what it held back comes when that ends, once."""

from __future__ import annotations

from collections.abc import Callable

from kairos.domain.events import DetectorReset, Event, ProposalDelivered, ProposalExpired, Redone, Undone
from kairos.domain.proposal import stream_of
from tests.daemon.muting import SECRET, Muting


def teach(muting: Muting, n: int, what: Callable[[str], Event]) -> list[str]:
    """A past in which people did something about so many findings of a key; their proposals."""
    ids = [muting.others.raised(detector=SECRET, key=f"{SECRET}:{n}").id for n in range(n)]
    for id_ in ids:
        muting.others.say(ProposalDelivered(id=id_, boundary="commit"), stream_of(id_))
        muting.others.say(what(id_), stream_of(id_))
    return ids


def test_what_a_silence_held_is_raised_once_after_a_reset(muting: Muting) -> None:
    teach(muting, 10, lambda id_: ProposalExpired(id=id_))
    path = muting.write()
    muting.settle()
    (held,) = muting.told("AttentionHeld")
    assert held.rule == "floor@1" and "0 of 5 findings were welcome" in held.why and muting.pending() == []
    muting.say(DetectorReset(detector="conflict-marker"))
    muting.settle()
    assert len(muting.told("AttentionHeld")) == 1 and muting.pending() == [], "another detector was reset"
    muting.say(DetectorReset(detector=SECRET))
    muting.settle()
    muting.say(DetectorReset(detector=SECRET))
    muting.settle()
    assert muting.named() == {path} and len(muting.told("ProposalRaised")) == 11


def test_a_silence_that_a_reset_elsewhere_does_not_end_is_looked_at_once(muting: Muting) -> None:
    teach(muting, 10, lambda id_: ProposalExpired(id=id_))
    muting.write()
    muting.settle()
    muting.say(DetectorReset(detector=SECRET, repo="another"))
    muting.settle()
    muting.reactor.tick()
    muting.settle()
    assert len([e for e in muting.told("TurnStarted") if e.again]) == 1 and muting.pending() == []
    assert [e.rule for e in muting.told("AttentionHeld")] == ["floor@1"] * 2


def test_a_silence_ends_when_what_led_to_it_is_taken_back(muting: Muting) -> None:
    ids = teach(muting, 5, lambda id_: Undone(id=id_, execution="e"))
    path = muting.write()
    muting.settle()
    assert [e.rule for e in muting.told("AttentionHeld")] == ["floor@1"]
    for id_ in ids:
        muting.others.say(Redone(id=id_, execution="e"), stream_of(id_))
    muting.reactor.tick()
    muting.settle()
    assert muting.named() == {path}


def test_an_urgent_finding_is_raised_by_a_silent_detector(muting: Muting, repo: object) -> None:
    teach(muting, 10, lambda id_: ProposalExpired(id=id_))
    path = muting.write()
    repo.git("add", path)  # type: ignore[attr-defined]
    muting.changed(path, "modified")
    muting.settle()
    assert [p.raised.risk for p in muting.pending()] == ["urgent"]
